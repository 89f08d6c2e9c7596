/* SPDX-License-Identifier: Apache-2.0 */
/* What the paths of the mapping language are looked up in: body, row, variables, tables; and what a
 * template says that it reads. */
#include "mapping_util.h"

#define BODY                                                                                       \
    "{\"id\": 1, \"city\": \"Body\", \"deep\": {\"x\": [{\"only\": 5}]}, \"items\": [{\"id\": "    \
    "2}]}"

static wf_variables_t *make_variables(void)
{
    wf_variables_t *variables = wf_variables_create(pool);
    wf_memtable_t *table = wf_memtable_begin(variables, "rates");

    wf_variables_set(variables, "customer",
                     wf_slice(" {\"name\": \"Ann\", \"tags\": [\"a\", \"b\"]} "));
    wf_variables_set(variables, "n", wf_slice("7"));
    wf_variables_set(variables, "a/b", wf_slice("8"));
    wf_variables_set(variables, "none", wf_slice("null"));
    wf_memtable_add(table, wf_slice("EUR"), wf_slice("{\"rate\": 1.10, \"name\": null}"));
    wf_memtable_add(table, wf_slice("1"), wf_slice("{\"rate\": 2}"));
    return variables;
}

/* clang-format off */
static const case_t outside[] = {
    {"id", "1"}, {"/id", "1"}, {"@payload/id", "1"}, {"city", "\"Body\""},
    {"@customer", "{\"name\": \"Ann\", \"tags\": [\"a\", \"b\"]}"}, {"@customer/name", "\"Ann\""},
    {"@customer/tags/1", "\"b\""}, {"VALUE('@customer/tags/0')", "\"a\""}, {"@n", "7"}, {"@n/x", "null"},
    {"@a~1b", "8"}, {"@unknown", "null"}, {"@unknown/x", "null"}, {"@none", "null"}, {"@Customer", "null"},
    {"@n * 2", "14"}, {"value of only", "5"}, {"value of @customer/name", "\"Ann\""},
    {"value of @unknown/name", "null"},
    {"MEMLOOKUP('rates', 'EUR', 'rate')", "1.10"}, {"MEMLOOKUP('rates', id, 'rate')", "2"},
    {"MEMLOOKUP('rates', 'USD', 'rate')", "null"}, {"MEMLOOKUP('rates', 'USD', 'rate', 1)", "1"},
    {"MEMLOOKUP('rates', 'EUR', 'name', 'x')", "\"x\""}, {"MEMLOOKUP('rates', 'EUR', 'nothing')", "null"},
    {"MEMLOOKUP('rates', null, 'rate', 0)", "0"}, {"MEMLOOKUP('other', 'EUR', 'rate')", "null"},
    {"MEMLOOKUP('rates', 'EUR', CONCAT('ra', 'te'))", "1.10"},
    {"MEMTABLE('rates', 'EUR')", "{\"rate\": 1.10, \"name\": null}"}, {"MEMTABLE('rates', 'USD')", "null"},
    {"MEMTABLE('rates', null)", "null"}, {"MEMTABLE('other', 1)", "null"},
};

static const case_t in_columns[] = {
    {"id", "10"}, {"/id", "10"}, {"@payload/id", "1"}, {"VALUE('id')", "10"}, {"twice", "\"last\""},
    {"doc/k/0", "1"}, {"doc", "{\"k\": [1]}"}, {"note", "\"a \\\"b\\\"\""}, {"note/x", "null"}, {"id/0", "null"},
    {"bin", "\"Zm9v\""}, {"TEXT(bin)", "\"Zm9v\""}, {"LENGTH(bin)", "4"}, {"bin = 'Zm9v'", "true"},
    {"empty", "null"}, {"ok", "true"}, {"IF(ok, 1, 2)", "1"}, {"city", "null"}, {"@payload/city", "\"Body\""},
    {"Id", "null"}, {"0", "null"}, {"@n", "7"}, {"id + @n + @payload/id", "18"},
    {"VALUE('')", "{\"id\":10,\"twice\":\"first\",\"note\":\"a \\\"b\\\"\",\"doc\":{\"k\": [1]},\"bin\":\"Zm9v\","
                  "\"empty\":null,\"ok\":true,\"twice\":\"last\"}"},
    {"value of k", "[1]"}, {"value of k/0", "1"}, {"value of id", "10"}, {"value of note", "\"a \\\"b\\\"\""},
    {"value of twice", "\"first\""}, {"value of city", "null"}, {"value of @payload/only", "5"},
    {"value of doc/k", "[1]"}, {"value of note/k", "null"},
};

static const case_t in_json[] = {
    {"id", "2"}, {"@payload/id", "1"}, {"VALUE('')", "{\"id\": 2, \"sub\": {\"z\": 3}}"}, {"sub/z", "3"},
    {"value of z", "3"}, {"city", "null"}, {"value of @payload/city", "\"Body\""},
};

static const case_t searches[] = {
    {"value of a", "1"}, {"value of b", "2"}, {"value of c", "[{\"c\": 9}]"}, {"value of d", "\"x\""},
    {"value of e", "null"}, {"value of \"f\"\"g\"", "6"}, {"value of h~1i", "7"}, {"value of str", "null"},
    {"value of c/0/c", "9"}, {"value of x", "{\"a\": 0}"}, {"value of x/a", "0"}, {"value of n", "null"},
    {"value of 5", "\"five\""},
};
/* clang-format on */

static void looks_outside_of_a_row(void **state)
{
    wf_scope_t scope = {.payload = wf_slice(BODY), .variables = make_variables()};
    static const case_t without[] = {{"@n", "null"},
                                     {"MEMLOOKUP('rates', 'EUR', 'rate', 3)", "3"},
                                     {"MEMTABLE('rates', 1)", "null"}};

    (void)state;
    check_cases(outside, &scope);
    scope.variables = NULL;
    check_cases(without, &scope);
}

static void looks_in_columns(void **state)
{
    const wf_slice_t names[] = {wf_slice("id"),  wf_slice("twice"), wf_slice("note"),
                                wf_slice("doc"), wf_slice("bin"),   wf_slice("empty"),
                                wf_slice("ok"),  wf_slice("twice")};
    const wf_value_t values[] = {
        {WF_VALUE_NUMBER, wf_slice("10")},    {WF_VALUE_TEXT, wf_slice("first")},
        {WF_VALUE_TEXT, wf_slice("a \"b\"")}, {WF_VALUE_JSON, wf_slice("{\"k\": [1]}")},
        {WF_VALUE_BYTES, wf_slice("foo")},    {WF_VALUE_NULL, wf_slice(NULL)},
        {WF_VALUE_BOOL, wf_slice("true")},    {WF_VALUE_TEXT, wf_slice("last")}};
    wf_row_t row = {COUNT(names), names, values, wf_slice("[\"not this\"]")};
    wf_scope_t scope = {.payload = wf_slice(BODY), .row = &row, .variables = make_variables()};
    (void)state;
    check_cases(in_columns, &scope);
    assert_int_equal(wf_template_column(parse("{{id}}"), names, COUNT(names)), 0);
    assert_int_equal(wf_template_column(parse("{{VALUE('twice')}}"), names, COUNT(names)), 7);
    assert_int_equal(wf_template_column(parse("{{/ok}}"), names, COUNT(names)), 6);
    assert_int_equal(wf_template_column(parse("{{id}}"), names, 0), -1);
}

/* What is no path of one step has no column, whatever the names are. */
static void knows_columns(void **state)
{
    static const char *const others[] = {"id",
                                         "",
                                         "{{missing}}",
                                         "{{id/x}}",
                                         "{{@payload/id}}",
                                         "{{@id}}",
                                         "{{VALUE('')}}",
                                         "x{{id}}",
                                         "{{id}}{{id}}",
                                         "{{UPPER(id)}}",
                                         "{{value of id}}",
                                         "{{'id'}}",
                                         "{{VALUE('id', 1)}}",
                                         "{{(1)}}"};
    const wf_slice_t names[] = {wf_slice("id"), wf_slice(""), wf_slice("1")};

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_int_equal(wf_template_column(parse(others[i]), names, COUNT(names)), -1);
    }
}

static void looks_in_json(void **state)
{
    wf_row_t row = {.json = wf_slice(" {\"id\": 2, \"sub\": {\"z\": 3}}")};
    wf_scope_t scope = {.payload = wf_slice(BODY), .row = &row};
    static const case_t none[] = {{"id", "null"}, {"VALUE('')", "null"}, {"value of id", "null"}};

    (void)state;
    check_cases(in_json, &scope);
    row.json = wf_slice(NULL);
    check_cases(none, &scope);
}

static void searches_in_order(void **state)
{
    wf_scope_t scope = {
        .payload = wf_slice(
            "[\"str\", {\"x\" : {\"a\": 0}, \"b\": 1}, {\"str:\": \"d\"}, 5, {\"d\": \"x\","
            "\"c\":\n[{\"c\": 9}], \"f\\\"g\": 6, \"h/i\": 7, \"n\": null, \"5\": \"five\"}]")};
    static const case_t first[] = {{"value of a", "0"}, {"value of b", "1"}};
    static const case_t outer[] = {{"value of a", "{\"a\": 1}"}, {"value of b", "null"}};

    (void)state;
    check_cases(first, &scope);
    for (size_t i = 2; i < COUNT(searches); i++) {
        check_case(&searches[i], &scope);
    }
    scope.payload = wf_slice("{\"z\": \"a\", \"a\": {\"a\": 1}}");
    check_cases(outer, &scope);
    scope.payload = wf_slice("{\"a\": 1, \"b\": 2, \"a\": 3}");
    check_case(&searches[0], &scope);
    check_case(&searches[1], &scope);
}

static void list(void *baton, const wf_read_t *read)
{
    static const char *const kinds[] = {"path", "payload", "variable", "table"};
    wf_buf_t *out = baton;

    wf_buf_add_text(out, kinds[read->kind]);
    wf_buf_add_char(out, read->at_any_depth ? '?' : ' ');
    wf_buf_add_slice(out, read->name);
    wf_buf_add_char(out, ':');
    wf_buf_add_slice(out, read->path);
    wf_buf_add_char(out, ';');
}

static void tells_what_it_reads(void **state)
{
    static const char *const table[][2] = {
        {"", ""},
        {"text{{'{{'}}{{NOW()}}{{(1)}}", ""},
        {"{{a/b}} {{/c~1d}} {{VALUE('e f', g)}}", "path :a/b;path :c~1d;path :e f;path :g;"},
        {"{{@payload}}{{@payload/x}}{{VALUE('')}}", "payload :;payload :x;path :;"},
        {"{{@v}}{{@v/x/0}}{{@a~1b}}", "variable v:;variable v:x/0;variable a/b:;"},
        {"{{value of city}}{{value of @v/x}}", "path?:city;variable?v:x;"},
        {"{{IF(a = 1, MEMLOOKUP('t', b, 'c', d), MEMTABLE('u', a + e))}}",
         "path :a;table t:;path :b;path :d;table u:;path :a;path :e;"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        wf_buf_t out = {0};

        wf_template_reads(parse(table[i][0]), list, &out);
        assert_string_equal(take(&out), table[i][1]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_outside_of_a_row), cmocka_unit_test(looks_in_columns),
        cmocka_unit_test(knows_columns),          cmocka_unit_test(looks_in_json),
        cmocka_unit_test(searches_in_order),      cmocka_unit_test(tells_what_it_reads),
    };

    return cmocka_run_group_tests_name("mapping scope", tests, set_up, tear_down);
}
