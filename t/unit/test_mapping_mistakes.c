/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused when a project is loaded rather than in a run: calls with too few or too many
 * arguments, patterns and names that could never do. */
#include "mapping_util.h"

#include "flow/mapping_function.h"

/* clang-format off */
static const failure_t mistakes[] = {
    {"NOW('%q')", "%q in a date's pattern is none of %Y %y %m %d %e %j %H %I %M %S %L %f %p %a %A %u %b %B "
     "%z %:z %s %Q %F %T %%; NOW is written NOW([\"pattern\"])"},
    {"TODATE(a, '%\xC3\xA9')", "%\xC3\xA9 in a date's pattern is none of %Y %y %m %d %e %H %I %M %S %L %f "
     "%p %a %A %b %B %z %:z %s %Q %F %T %%; TODATE is written TODATE(text, \"pattern\")"},
    {"FORMATDATE(a, 'yyyy%')", "% in a date's pattern is none of %Y %y %m %d %e %j %H %I %M %S %L %f %p %a %A "
     "%u %b %B %z %:z %s %Q %F %T %%; FORMATDATE is written FORMATDATE(date, \"pattern\"[, \"+02:00\"])"},
    {"TODATE(a, '%j')", "%j in a date's pattern is none of %Y %y %m %d %e %H %I %M %S %L %f %p %a %A %b %B "
     "%z %:z %s %Q %F %T %%; TODATE is written TODATE(text, \"pattern\")"},
    {"DATEADD(a, 1, 'fortnights')", "DATEADD's unit is one of \"years\", \"months\", \"weeks\", \"days\", "
     "\"hours\", \"minutes\", \"seconds\"; DATEADD is written DATEADD(date, number, \"days\")"},
    {"MEMTABLE(t, 1)", "the table's name is written in quotes; MEMTABLE is written MEMTABLE(\"table\", key)"},
    {"MEMLOOKUP(1, 1, 'c')", "the table's name is written in quotes; MEMLOOKUP is written "
     "MEMLOOKUP(\"table\", key, \"column\"[, default])"},
    {"MEMLOOKUP(CONCAT('t'), 1, 'c')", "the table's name is written in quotes; MEMLOOKUP is written "
     "MEMLOOKUP(\"table\", key, \"column\"[, default])"},
    {"VALUE('a~b', 1)", "~ in a path is written ~0, and / in a name ~1"},
    {"VALUE(a, 1)", "VALUE needs its path in quotes: VALUE(\"path\")"},
};
/* clang-format on */

static const char *mistake_of(const char *expression)
{
    wf_template_t *tmpl = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_template_parse(&tmpl, wf_slice(apr_pstrcat(pool, "{{", expression, "}}", NULL)), &result,
                          pool) == APR_SUCCESS) {
        fail_msg("%s passes", expression);
    }
    assert_int_equal(result.problem, WF_PROBLEM_INVALID_PROJECT);
    /* A long expression is shown without its end; none here has ": " in it. */
    return strstr(result.detail, ": ") + 2;
}

static void refuses_what_could_never_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        assert_string_equal(mistake_of(mistakes[i].expression), mistakes[i].reason);
    }
}

static const wf_function_t *const tables[] = {wf_data_functions,   wf_logic_functions,
                                              wf_text_functions,   wf_letter_functions,
                                              wf_number_functions, wf_date_functions};

/* NAME('x', 'x', …) */
static const char *call_of(const char *name, int count)
{
    const char *text = apr_pstrcat(pool, name, "(", NULL);

    for (int i = 0; i < count; i++) {
        text = apr_pstrcat(pool, text, i ? ", 'x'" : "'x'", NULL);
    }
    return apr_pstrcat(pool, text, ")", NULL);
}

/* Each function is found in any case, refuses one argument too few and too many, and says its
 * usage. */
static void counts_arguments(void **state)
{
    int functions = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        for (const wf_function_t *row = tables[i]; row->name; row++, functions++) {
            const char *usage = apr_psprintf(pool, "%s is written %s", row->name, row->usage);
            char *name = apr_pstrdup(pool, row->name);

            for (char *at = name; *at; at++) {
                *at = (char)((at - name) % 2 ? *at | 0x20 : *at);
            }
            assert_ptr_equal(wf_function_find(wf_slice(name)), row);
            assert_int_equal(strncmp(row->usage, row->name, strlen(row->name)), 0);
            assert_int_equal(row->usage[strlen(row->name)], '(');
            assert_string_equal(mistake_of(call_of(name, row->most + 1)), usage);
            if (row->least > 0) {
                assert_string_equal(mistake_of(call_of(name, row->least - 1)), usage);
            }
        }
    }
    assert_true(functions >= 49);
}

/* Whatever is given to it, a function gives a value or says what is wrong. */
static void survives_any_argument(void **state)
{
    static const char *const arguments[] = {
        "NULL", "TRUE", "0",   "-1",           "1e400", "''",   "'x'",         "arr",
        "obj",  "bin",  "bad", "'2026-11-24'", "1e-99", "'%Y'", "LPAD('', 99)"};
    const wf_slice_t names[] = {wf_slice("arr"), wf_slice("obj"), wf_slice("bin"), wf_slice("bad")};
    const wf_value_t values[] = {{WF_VALUE_JSON, wf_slice("[1, \"x\"]")},
                                 {WF_VALUE_JSON, wf_slice("{\"x\": 1}")},
                                 {WF_VALUE_BYTES, wf_slice_of("\0\xFF", 2)},
                                 {WF_VALUE_TEXT, wf_slice("\xC3\x28\xFF")}};
    wf_row_t row = {COUNT(names), names, values, wf_slice(NULL)};
    wf_scope_t scope = {.payload = wf_slice("{}"), .row = &row};
    apr_pool_t *outer = pool;

    (void)state;
    for (size_t i = 0; i < COUNT(tables) * COUNT(arguments) * COUNT(arguments); i++) {
        const char *a = arguments[i % COUNT(arguments)];
        const char *b = arguments[i / COUNT(arguments) % COUNT(arguments)];

        apr_pool_create(&pool, outer);
        for (const wf_function_t *f = tables[i / COUNT(arguments) / COUNT(arguments)]; f->name;
             f++) {
            int count = f->most > 4 ? 4 : f->most;
            const char *list = count == 0   ? ""
                               : count == 1 ? a
                               : count == 2 ? apr_pstrcat(pool, a, ", ", b, NULL)
                               : count == 3 ? apr_pstrcat(pool, a, ", ", b, ", ", a, NULL)
                                            : apr_pstrcat(pool, a, ", ", b, ", ", a, ", ", b, NULL);
            const char *call = apr_pstrcat(pool, "{{", f->name, "(", list, ")}}", NULL);
            wf_template_t *tmpl;
            wf_value_t value;
            wf_result_t result;
            wf_buf_t out = {0};

            wf_result_init(&result, pool);
            if (wf_template_parse(&tmpl, wf_slice(call), &result, pool) != APR_SUCCESS) {
                continue;
            }
            if (wf_template_value(&value, tmpl, &scope, &result, pool) != APR_SUCCESS) {
                assert_int_equal(result.problem, WF_PROBLEM_MAPPING);
                continue;
            }
            wf_value_json(&out, value);
            if (wf_json_check(wf_buf_slice(&out), 512, NULL) != APR_SUCCESS) {
                fail_msg("%s gives %.*s", call, (int)out.len, out.data);
            }
            wf_buf_free(&out);
        }
        apr_pool_destroy(pool);
    }
    pool = outer;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_could_never_do),
        cmocka_unit_test(counts_arguments),
        cmocka_unit_test(survives_any_argument),
    };

    return cmocka_run_group_tests_name("mapping mistakes", tests, set_up, tear_down);
}
