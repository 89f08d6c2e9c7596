/* SPDX-License-Identifier: Apache-2.0 */
/* flow/value.h and flow/variables.h: values to and from JSON and text, variables, look-up tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "flow/value.h"
#include "flow/variables.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static apr_pool_t *pool;

static void assert_slice(wf_slice_t slice, const char *expected)
{
    if (!wf_slice_is(slice, expected)) {
        fail_msg("%.*s is not %s", (int)slice.len, slice.data, expected);
    }
}

/* Compares what a call appended behind "<", so that a call that replaces is found too. */
static void assert_appended(wf_buf_t *out, const char *expected)
{
    assert_slice(wf_buf_slice(out), apr_pstrcat(pool, "<", expected, NULL));
    wf_buf_free(out);
}

/* clang-format off */
static const struct {
    const char *json;
    wf_value_kind_e kind;
    const char *text;
    const char *again; /* as JSON */
} from_json[] = {
    {"",              WF_VALUE_NULL,   "",             "null"},
    {" null\n",       WF_VALUE_NULL,   "",             "null"},
    {"true",          WF_VALUE_BOOL,   "true",         "true"},
    {" false",        WF_VALUE_BOOL,   "false",        "false"},
    {" -1.50e+400\t", WF_VALUE_NUMBER, "-1.50e+400",   "-1.50e+400"},
    {"\"\"",          WF_VALUE_TEXT,   "",             "\"\""},
    {" \"a b\" ",     WF_VALUE_TEXT,   "a b",          "\"a b\""},
    {"\"\\u00e9\\n\\ud83d\\ude00\\\"\"", WF_VALUE_TEXT, "\xC3\xA9\n\xF0\x9F\x98\x80\"",
     "\"\xC3\xA9\\n\xF0\x9F\x98\x80\\\"\""},
    {"\"\\ud800\"",   WF_VALUE_TEXT,   "\xEF\xBF\xBD", "\"\xEF\xBF\xBD\""},
    {" [1, {}] ",     WF_VALUE_JSON,   "[1, {}]",      "[1, {}]"},
    {"{\"a\" : 1}",   WF_VALUE_JSON,   "{\"a\" : 1}",  "{\"a\" : 1}"},
};
/* clang-format on */

static void takes_and_gives_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(from_json); i++) {
        wf_value_t value = wf_value_of_json(wf_slice(from_json[i].json), pool);
        wf_buf_t out = {0};

        assert_int_equal(value.kind, from_json[i].kind);
        assert_slice(value.text, from_json[i].text);
        wf_buf_add_char(&out, '<');
        wf_value_json(&out, value);
        assert_appended(&out, from_json[i].again);
        wf_buf_add_char(&out, '<');
        wf_value_text(&out, value);
        assert_appended(&out, from_json[i].text);
    }
}

/* Only what has escapes is copied. */
static void borrows_what_it_can(void **state)
{
    static const char plain[] = "\"plain\"";
    static const char escaped[] = "\"\\u0000\"";
    wf_value_t value = wf_value_of_json(wf_slice(plain), pool);

    (void)state;
    assert_ptr_equal(value.text.data, plain + 1);
    value = wf_value_of_json(wf_slice(escaped), pool);
    assert_int_equal(value.text.len, 1);
    assert_int_equal(*value.text.data, 0);
}

static void gives_bytes_in_base64(void **state)
{
    static const char *const table[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xFF\xFE\xFD", "//79"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        wf_value_t value = {WF_VALUE_BYTES, wf_slice(table[i][0])};
        wf_buf_t out = {0};

        wf_buf_add_char(&out, '<');
        wf_value_text(&out, value);
        assert_appended(&out, table[i][1]);
        wf_buf_add_char(&out, '<');
        wf_value_json(&out, value);
        assert_appended(&out, apr_pstrcat(pool, "\"", table[i][1], "\"", NULL));
    }
}

/* Longer than what is encoded at a time: the pieces join. */
static void gives_many_bytes_in_base64(void **state)
{
    apr_size_t len = 7 * 1000 * 1000;
    wf_value_t value = {WF_VALUE_BYTES, wf_slice_of(apr_pcalloc(pool, len), len)};
    wf_buf_t out = {0};

    (void)state;
    wf_value_text(&out, value);
    assert_int_equal(out.len, (len + 2) / 3 * 4);
    for (apr_size_t i = 0; i < out.len - 2; i++) {
        assert_int_equal(out.data[i], 'A');
    }
    assert_memory_equal(out.data + out.len - 2, "==", 2);
    wf_buf_free(&out);
}

static void gives_rows(void **state)
{
    const wf_slice_t names[] = {wf_slice("id"), wf_slice("say \"x\""), wf_slice("id"),
                                wf_slice("doc"), wf_slice("none")};
    const wf_value_t values[] = {{WF_VALUE_NUMBER, wf_slice("12345678901234567890.10")},
                                 {WF_VALUE_TEXT, wf_slice("\xE9\n")},
                                 {WF_VALUE_BYTES, wf_slice("foo")},
                                 {WF_VALUE_JSON, wf_slice("[1, 2]")},
                                 {WF_VALUE_NULL, wf_slice(NULL)}};
    wf_row_t row = {COUNT(names), names, values, wf_slice("7")};
    wf_buf_t out = {0};

    (void)state;
    wf_buf_add_char(&out, '<');
    wf_row_json(&out, &row);
    assert_appended(&out, "{\"id\":12345678901234567890.10,\"say \\\"x\\\"\":\"\xEF\xBF\xBD\\n\","
                          "\"id\":\"Zm9v\",\"doc\":[1, 2],\"none\":null}");
    row.count = 0;
    wf_buf_add_char(&out, '<');
    wf_row_json(&out, &row);
    assert_appended(&out, "7");
    row.json = wf_slice(NULL);
    wf_buf_add_char(&out, '<');
    wf_row_json(&out, &row);
    assert_appended(&out, "null");
}

static void keeps_variables(void **state)
{
    wf_variables_t *variables = wf_variables_create(pool);
    char name[] = "customer";
    char json[] = "{\"a\":1}";
    wf_slice_t got;

    (void)state;
    assert_int_equal(wf_variables_get(&got, variables, wf_slice("customer")), APR_NOTFOUND);
    wf_variables_set(variables, name, wf_slice(json));
    wf_variables_set(variables, "other", wf_slice("2"));
    wf_variables_set(variables, "empty", wf_slice(NULL));
    memset(name, 'x', sizeof(name) - 1);
    memset(json, 'x', sizeof(json) - 1);
    assert_int_equal(wf_variables_get(&got, variables, wf_slice_of("customers", 8)), APR_SUCCESS);
    assert_slice(got, "{\"a\":1}");
    /* A part of what it is. */
    wf_variables_set(variables, "customer", wf_slice_of(got.data + 5, 1));
    assert_int_equal(wf_variables_get(&got, variables, wf_slice("customer")), APR_SUCCESS);
    assert_slice(got, "1");
    assert_int_equal(wf_variables_get(&got, variables, wf_slice("empty")), APR_SUCCESS);
    assert_slice(got, "");
    assert_int_equal(wf_variables_get(&got, variables, wf_slice("Other")), APR_NOTFOUND);
    assert_int_equal(wf_variables_get(&got, variables, wf_slice("")), APR_NOTFOUND);
}

static void keeps_tables(void **state)
{
    wf_variables_t *variables = wf_variables_create(pool);
    wf_memtable_t *table;
    apr_size_t bytes;
    wf_slice_t got;

    (void)state;
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("t"), wf_slice("k")), APR_NOTFOUND);
    table = wf_memtable_begin(variables, "t");
    assert_int_equal(wf_memtable_count(table), 0);
    assert_int_equal(wf_memtable_bytes(table), 0);
    wf_memtable_add(table, wf_slice("k"), wf_slice("{\"n\":1}"));
    bytes = wf_memtable_bytes(table);
    assert_true(bytes > 8);
    wf_memtable_add(table, wf_slice("k"), wf_slice("{\"n\":2}"));
    assert_int_equal(wf_memtable_bytes(table), bytes);
    wf_memtable_add(table, wf_slice(""), wf_slice("{}"));
    wf_memtable_add(table, wf_slice_of("a\0b", 3), wf_slice("{\"n\":3}"));
    assert_int_equal(wf_memtable_count(table), 3);
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("t"), wf_slice("k")), APR_SUCCESS);
    assert_slice(got, "{\"n\":2}");
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("t"), wf_slice("")), APR_SUCCESS);
    assert_slice(got, "{}");
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("t"), wf_slice_of("a\0b", 3)),
                     APR_SUCCESS);
    assert_slice(got, "{\"n\":3}");
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("t"), wf_slice("a")), APR_NOTFOUND);
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("u"), wf_slice("k")), APR_NOTFOUND);
    assert_ptr_equal(wf_memtable_begin(variables, "t"), table);
    assert_int_equal(wf_memtable_count(table), 0);
    assert_int_equal(wf_memtable_bytes(table), 0);
    assert_int_equal(wf_memtable_find(&got, variables, wf_slice("t"), wf_slice("k")), APR_NOTFOUND);
}

/* What the heap has handed out; 0 under a sanitizer, which has a heap of its own. */
static apr_size_t heap_in_use(void)
{
    return mallinfo2().uordblks;
}

/* A loop that sets a variable and fills a table again and again does not grow. */
static void does_not_grow(void **state)
{
    wf_variables_t *variables = wf_variables_create(pool);
    apr_size_t before = 0;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        wf_memtable_t *table = wf_memtable_begin(variables, "t");
        char key[16];

        wf_variables_set(variables, "v", wf_slice(round % 2 ? "[1, 2, 3, 4, 5, 6, 7]" : "1"));
        for (int i = 0; i < 100; i++) {
            apr_snprintf(key, sizeof(key), "%d", i % 50);
            wf_memtable_add(table, wf_slice(key), wf_slice("{\"name\": \"a row of some length\"}"));
        }
        assert_int_equal(wf_memtable_count(table), 50);
        if (round == 100) {
            before = heap_in_use();
        }
    }
    assert_true(heap_in_use() <= before + 4096);
}

static int set_up(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_and_gives_json),
        cmocka_unit_test(borrows_what_it_can),
        cmocka_unit_test(gives_bytes_in_base64),
        cmocka_unit_test(gives_many_bytes_in_base64),
        cmocka_unit_test(gives_rows),
        cmocka_unit_test(keeps_variables),
        cmocka_unit_test(keeps_tables),
        cmocka_unit_test(does_not_grow),
    };

    return cmocka_run_group_tests_name("value", tests, set_up, tear_down);
}
