/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of the mapping language: bounded in depth and size, nothing changed by evaluating,
 * no growth, any number of threads. */
#include "mapping_util.h"

#include <malloc.h>
#include <apr_allocator.h>
#include <apr_thread_proc.h>

/* One of every kind: paths, functions of each table, all operators. */
static const char everything[] =
    "{{name}} {{UPPER(name)}} {{CLEAN(CONCATENATE(a, ' ', b))}} {{(a + 1) * 2 - b / 3}} "
    "{{IF(a > 1 AND name LIKE 'J%', value of deep, 'no')}} {{ROUND(b, 1)}} {{NOW('%F')}} "
    "{{FORMATDATE(date, '%d.%m.%Y', '+01:00')}} {{JSON(list)}} {{COUNT(list)}} {{@v/x}} "
    "{{MEMLOOKUP('t', name, 'c', 0)}} {{REPLACE(name, 'a', 'bb')}} {{TODATE('1/2/2026', "
    "'%d/%m/%Y')}} "
    "{{LPAD(a, 4, '0')}} {{SPLIT('x,y', ',', 2)}} {{FIXED(b, 2)}} {{MAX(a, b)}} {{NUMBER('+7')}}";

static const char expected[] =
    "J\xC3\xA1ne J\xC3\x81NE 5 12.50 7.833333333333333333333333333333333 dug 12.5 1970-01-01 "
    "24.11.2026 [1, 2] 2 vx found J\xC3\xA1ne 2026-02-01T00:00:00.000Z 0005 y 12.50 12.50 7";

static const char payload[] = "{\"name\": \"J\\u00e1ne\", \"a\": 5, \"b\": \"12.50\", \"in\": "
                              "[{\"deep\": \"dug\"}], \"date\": "
                              "\"2026-11-24\", \"list\": [1, 2]}";

static wf_scope_t make_scope(void)
{
    wf_variables_t *variables = wf_variables_create(pool);

    wf_variables_set(variables, "v", wf_slice("{\"x\": \"vx\"}"));
    wf_memtable_add(wf_memtable_begin(variables, "t"), wf_slice("J\xC3\xA1ne"),
                    wf_slice("{\"c\": \"found\"}"));
    return (wf_scope_t){.payload = wf_slice(payload), .variables = variables};
}

static void evaluate(const wf_template_t *tmpl, const wf_scope_t *scope, apr_pool_t *scratch)
{
    wf_value_t value;

    if (wf_template_value(&value, tmpl, scope, NULL, scratch) != APR_SUCCESS ||
        !wf_slice_is(value.text, expected)) {
        fail_msg("%.*s", (int)value.text.len, value.text.data);
    }
}

/* Under a sanitizer a row takes some fifty times as long, and as many rows say as much. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MANY_ROWS 20000
#define SOME_ROWS 2000
#else
#define MANY_ROWS 1000000
#define SOME_ROWS 20000
#endif

static apr_size_t heap_in_use(void)
{
    return mallinfo2().uordblks;
}

/* A row at a time, with a scratch pool that is cleared: one row's memory is all that it takes. */
static void evaluate_rows(const wf_template_t *tmpl, const wf_scope_t *scope, int rows)
{
    apr_size_t before = 0;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, pool);
    for (int i = 0; i < rows; i++) {
        wf_value_t value;

        assert_int_equal(wf_template_value(&value, tmpl, scope, NULL, scratch), APR_SUCCESS);
        apr_pool_clear(scratch);
        if (i == rows / 100) {
            before = heap_in_use();
        }
    }
    assert_true(heap_in_use() <= before + 4096);
    apr_pool_destroy(scratch);
}

static void does_not_grow(void **state)
{
    wf_scope_t scope = make_scope();

    (void)state;
    evaluate(parse(everything), &scope, pool);
    evaluate_rows(parse(everything), &scope, SOME_ROWS);
    evaluate_rows(parse("{{name}}, {{UPPER(name)}}, {{JSON(list)}}, {{a * b}}"), &scope, MANY_ROWS);
}

/* The calls with pools of their own leave nothing behind either. */
static void leaves_no_pool(void **state)
{
    const wf_template_t *tmpl = parse(everything);
    wf_scope_t scope = make_scope();
    apr_size_t before = 0;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        wf_buf_t out = {0};

        assert_int_equal(wf_template_text(&out, tmpl, &scope, NULL), APR_SUCCESS);
        wf_buf_free(&out);
        if (i == 100) {
            before = heap_in_use();
        }
    }
    assert_true(heap_in_use() <= before + 4096);
}

typedef struct work_t {
    const wf_template_t *tmpl;
    const wf_scope_t *scope;
    int failed;
} work_t;

static void *APR_THREAD_FUNC evaluate_often(apr_thread_t *thread, void *data)
{
    work_t *work = data;
    apr_pool_t *scratch;

    apr_pool_create(&scratch, NULL);
    for (int i = 0; i < 5000; i++) {
        wf_value_t value;

        if (wf_template_value(&value, work->tmpl, work->scope, NULL, scratch) != APR_SUCCESS ||
            !wf_slice_is(value.text, expected)) {
            work->failed++;
        }
        apr_pool_clear(scratch);
    }
    apr_pool_destroy(scratch);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

/* One template and one scope, in threads, with the first use of the locale among them. */
static void evaluates_in_threads(void **state)
{
    const wf_template_t *tmpl = parse(everything);
    wf_scope_t scope = make_scope();
    work_t work[4];
    apr_thread_t *threads[COUNT(work)];
    apr_status_t status;

    (void)state;
    for (size_t i = 0; i < COUNT(work); i++) {
        work[i] = (work_t){tmpl, &scope, 0};
        assert_int_equal(apr_thread_create(&threads[i], NULL, evaluate_often, &work[i], pool),
                         APR_SUCCESS);
    }
    for (size_t i = 0; i < COUNT(work); i++) {
        apr_thread_join(&status, threads[i]);
        assert_int_equal(work[i].failed, 0);
    }
}

static const char *repeat(const char *text, int times)
{
    wf_buf_t out = {0};

    while (times-- > 0) {
        wf_buf_add_text(&out, text);
    }
    return take(&out);
}

static void expect_mistake(const char *text, const char *reason)
{
    wf_template_t *tmpl = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    assert_int_equal(wf_template_parse(&tmpl, wf_slice(text), &result, pool), WF_EINVALID);
    assert_non_null(strstr(result.detail, reason));
}

static void bounds_depth(void **state)
{
    static const char parentheses[] = "more than 32 parentheses inside each other";
    static const char operators[] = "more than 250 operators in a row";
    wf_scope_t scope = {.payload = wf_slice("5")};
    wf_value_t value;

    (void)state;
    parse(apr_pstrcat(pool, "{{", repeat("(", 32), "a", repeat(")", 32), "}}", NULL));
    parse(apr_pstrcat(pool, "{{", repeat("ABS(", 32), "1", repeat(")", 32), "}}", NULL));
    parse(apr_pstrcat(pool, "{{", repeat("NOT ", 32), "a}}", NULL));
    expect_mistake(apr_pstrcat(pool, "{{", repeat("(", 33), NULL), parentheses);
    expect_mistake(apr_pstrcat(pool, "{{", repeat("(", 100000), NULL), parentheses);
    expect_mistake(apr_pstrcat(pool, "{{", repeat("-(", 100000), NULL), parentheses);
    expect_mistake(apr_pstrcat(pool, "{{", repeat("IF(", 100000), NULL), parentheses);
    expect_mistake(apr_pstrcat(pool, "{{", repeat("NOT ", 100000), "a}}", NULL), parentheses);
    expect_mistake(apr_pstrcat(pool, "{{a", repeat(" + a", 100000), "}}", NULL), operators);
    expect_mistake(apr_pstrcat(pool, "{{a", repeat(" AND a", 250), "}}", NULL), operators);
    expect_mistake(apr_pstrcat(pool, "{{CONCAT(", repeat("a,", 100), "a)}}", NULL),
                   "CONCAT is written");
    assert_int_equal(
        wf_template_value(&value, parse(apr_pstrcat(pool, "{{1", repeat(" + 1", 249), "}}", NULL)),
                          &scope, NULL, pool),
        APR_SUCCESS);
    assert_true(wf_slice_is(value.text, "250"));
}

/* What a body of a few bytes can be made to build is bounded, however it is nested or repeated. */
static void bounds_size(void **state)
{
    static const failure_t failures[] = {
        {"LPAD('', 67108865)", "more than 64 MiB would be built"},
        {"CONCAT(LPAD('', 40000000), LPAD('', 40000000))", "more than 64 MiB would be built"},
        {"REPLACE(LPAD('', 10000), ' ', LPAD('', 10000))", "more than 64 MiB would be built"},
        {"REPLACE(LPAD('', 10000), ' ', LPAD('', 10000))", "more than 64 MiB would be built"},
        {"UPPER(LPAD('', 40000000))", "more than 64 MiB would be built"},
    };
    wf_scope_t scope = {.payload = wf_slice("5")};
    wf_result_t result;
    wf_value_t value;

    (void)state;
    check_failures(failures, &scope);
    assert_int_equal(wf_template_value(&value, parse("{{LPAD('', 67108864)}}"), &scope, NULL, pool),
                     APR_SUCCESS);
    wf_result_init(&result, pool);
    assert_int_equal(wf_template_value(&value, parse("{{LPAD('', 60000000)}}{{LPAD('', 7000000)}}"),
                                       &scope, &result, pool),
                     WF_EINVALID);
    assert_string_equal(result.detail, "in {{LPAD('', 7000000)}}: more than 64 MiB would be built");
}

/* A string with an escape is decoded each time that it is read, and counts each time. */
static void bounds_decoding(void **state)
{
    static const failure_t failures[] = {
        {"LENGTH(a) + LENGTH(a)", "more than 64 MiB would be built"},
    };
    static const case_t cases[] = {{"LENGTH(a)", "40000001"},
                                   {"LENGTH(b) + LENGTH(b)", "80000000"}};
    char *spaces = apr_palloc(pool, 40000001);
    wf_scope_t scope = {.payload = {NULL, 0}};

    (void)state;
    memset(spaces, ' ', 40000000);
    spaces[40000000] = '\0';
    scope.payload =
        wf_slice(apr_pstrcat(pool, "{\"a\": \"\\n", spaces, "\", \"b\": \"", spaces, "\"}", NULL));
    check_failures(failures, &scope);
    check_cases(cases, &scope);
}

static void bounds_patterns(void **state)
{
    static const failure_t failures[] = {
        {"LPAD('', 1001) LIKE LPAD('', 1001)", "LIKE needs a pattern of 1000 bytes at most"},
    };
    static const case_t cases[] = {
        {"LPAD('', 100000, 'a') LIKE CONCAT(REPLACE(LPAD('', 300), ' ', '%a'), 'b')", "false"},
        {"LPAD('', 100000, 'a') LIKE REPLACE(LPAD('', 300), ' ', '%a')", "true"},
    };
    wf_scope_t scope = {.payload = wf_slice("5")};

    (void)state;
    check_failures(failures, &scope);
    check_cases(cases, &scope);
}

/* Every beginning of a good template, and every one with a byte changed, is parsed or refused, and
 * what is parsed is evaluated, without a byte past the end being read. */
static void survives_damage(void **state)
{
    static const char changes[] = "\"'(){},-+*/ @0\x80";
    wf_scope_t scope = make_scope();

    (void)state;
    for (size_t len = 0; len < sizeof(everything); len++) {
        for (size_t change = 0; change < sizeof(changes); change++) {
            char *copy = test_malloc(len + 1);
            apr_pool_t *scratch;
            wf_template_t *tmpl;
            wf_value_t value;

            apr_pool_create(&scratch, pool);
            memcpy(copy, everything, len);
            copy[len / 2] = change ? changes[change - 1] : copy[len / 2];
            if (wf_template_parse(&tmpl, wf_slice_of(copy, len), NULL, scratch) == APR_SUCCESS) {
                wf_template_value(&value, tmpl, &scope, NULL, scratch);
            }
            apr_pool_destroy(scratch);
            test_free(copy);
        }
    }
}

/* A text from a database may be no UTF-8: it is taken byte by byte, and nothing is lost or made up.
 */
static void takes_bytes_that_are_no_text(void **state)
{
    static const case_t cases[] = {
        {"LENGTH(x)", "4"},
        {"UPPER(x) = CONCAT('A', MID(x, 2, 2), '\xC3\x89')", "true"},
        {"LEFT(x, 2)", "\"a\xEF\xBF\xBD\""},
        {"x LIKE 'a__\xC3\xA9'", "true"},
        {"TRIM(x) = x", "true"},
        {"CLEAN(x) = x", "true"},
        {"URLENCODE(x)", "\"a%FF%E2%C3%A9\""},
        {"LPAD(x, 5, '-')", "\"-a\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9\""},
    };
    const wf_slice_t name = wf_slice("x");
    const wf_value_t value = {WF_VALUE_TEXT, wf_slice("a\xFF\xE2\xC3\xA9")};
    wf_row_t row = {1, &name, &value, wf_slice(NULL)};
    wf_scope_t scope = {.row = &row};

    (void)state;
    check_cases(cases, &scope);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_in_threads),
        cmocka_unit_test(does_not_grow),
        cmocka_unit_test(leaves_no_pool),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(bounds_size),
        cmocka_unit_test(bounds_decoding),
        cmocka_unit_test(bounds_patterns),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(takes_bytes_that_are_no_text),
    };

    return cmocka_run_group_tests_name("mapping safety", tests, set_up, tear_down);
}
