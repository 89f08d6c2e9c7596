/* SPDX-License-Identifier: Apache-2.0 */
/* flow/mapping.h: what each expression gives, and what each mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "flow/mapping.h"

static const char payload[] =
    " {\"name\": \"Jane \\\"J\\\" Doe\", \"address\": {\"lineOne\": \"123 Main Street\", \"\": "
    "5},\n"
    "  \"items\": [{\"sku\": \"A\"}, {\"sku\": \"B\"}, [10, 20]], \"0\": \"zero\", \"01\": "
    "\"one\",\n"
    "  \"big\": 123456789012345678901234567890.10, \"yes\": true, \"no\": false, \"null\": null,\n"
    "  \"a/b\": \"slash\", \"m~n\": \"tilde\", \"first name\": \"Jane\", \"@type\": \"Person\",\n"
    "  \"it's\": 1, \"say \\\"x\\\"\": 2, \"}}\": 3, \"twice\": 1, \"twice\": 2, \"\": \"empty\",\n"
    "  \"\xC3\xA9t\xC3\xA9\": \"summer\", \"uni\": \"\\u00e9\\ud83d\\ude00\", \"obj\": { \"k\" : [ "
    "1 ] },\n"
    "  \"dash-ed.x_1$#:\": 9} ";

#define FUNCTIONS                                                                                  \
    "VALUE, MEMLOOKUP, MEMTABLE, JSON, FROMJSON, COUNT, IF, AND, OR, NOT, SWITCH, COALESCE, "      \
    "ISNULL, "                                                                                     \
    "ISBLANK, CONCATENATE, CONCAT, TEXT, LENGTH, LEN, SUBSTRING, MID, LEFT, RIGHT, SPLIT, LPAD, "  \
    "REPLACE, CONTAINS, STARTSWITH, ENDSWITH, FIND, UPPER, LOWER, TRIM, CLEAN, URLENCODE, "        \
    "NUMBER, "                                                                                     \
    "ASNUMBER, ISNUMBER, ROUND, FLOOR, CEILING, FIXED, ABS, MIN, MAX, NOW, FORMATDATE, TODATE, "   \
    "DATEADD"

#define TWO_VALUES                                                                                 \
    "an operator or }} is expected; a path with white space in it is written VALUE(\"path\"), "    \
    "and "                                                                                         \
    "- and / as operators have white space on both sides"

/* clang-format off */
static const struct {
    const char *text;
    const char *json;
    const char *plain;
} values[] = {
    /* text */
    {"", "\"\"", ""},
    {"plain { } \"x\"", "\"plain { } \\\"x\\\"\"", "plain { } \"x\""},
    {"a{b}c}d{", "\"a{b}c}d{\"", "a{b}c}d{"},
    /* one expression alone keeps its type, byte for byte */
    {"{{name}}", "\"Jane \\\"J\\\" Doe\"", "Jane \"J\" Doe"},
    {"{{ \t\nname\r }}", "\"Jane \\\"J\\\" Doe\"", "Jane \"J\" Doe"},
    {"{{big}}", "123456789012345678901234567890.10", "123456789012345678901234567890.10"},
    {"{{yes}}", "true", "true"},
    {"{{no}}", "false", "false"},
    {"{{null}}", "null", ""},
    {"{{obj}}", "{ \"k\" : [ 1 ] }", "{ \"k\" : [ 1 ] }"},
    {"{{obj/k}}", "[ 1 ]", "[ 1 ]"},
    {"{{uni}}", "\"\\u00e9\\ud83d\\ude00\"", "\xC3\xA9\xF0\x9F\x98\x80"},
    /* interpolation is text */
    {"x{{big}}", "\"x123456789012345678901234567890.10\"", "x123456789012345678901234567890.10"},
    {"{{yes}}{{null}}{{no}}", "\"truefalse\"", "truefalse"},
    {" {{yes}}", "\" true\"", " true"},
    {"<{{name}}>", "\"<Jane \\\"J\\\" Doe>\"", "<Jane \"J\" Doe>"},
    {"o={{obj}}", "\"o={ \\\"k\\\" : [ 1 ] }\"", "o={ \"k\" : [ 1 ] }"},
    {"{\"a\":{{yes}}}", "\"{\\\"a\\\":true}\"", "{\"a\":true}"},
    /* paths */
    {"{{address/lineOne}}", "\"123 Main Street\"", "123 Main Street"},
    {"{{/address/lineOne}}", "\"123 Main Street\"", "123 Main Street"},
    {"{{@payload/address/lineOne}}", "\"123 Main Street\"", "123 Main Street"},
    {"{{items/1/sku}}", "\"B\"", "B"},
    {"{{items/2/1}}", "20", "20"},
    {"{{0}}", "\"zero\"", "zero"},
    {"{{01}}", "\"one\"", "one"},
    {"{{a~1b}}", "\"slash\"", "slash"},
    {"{{m~0n}}", "\"tilde\"", "tilde"},
    {"{{/@type}}", "\"Person\"", "Person"},
    {"{{@payload/@type}}", "\"Person\"", "Person"},
    {"{{twice}}", "2", "2"},
    {"{{/}}", "\"empty\"", "empty"},
    {"{{@payload/}}", "\"empty\"", "empty"},
    {"{{address/}}", "5", "5"},
    {"{{\xC3\xA9t\xC3\xA9}}", "\"summer\"", "summer"},
    {"{{dash-ed.x_1$#:}}", "9", "9"},
    /* VALUE */
    {"{{VALUE(\"name\")}}", "\"Jane \\\"J\\\" Doe\"", "Jane \"J\" Doe"},
    {"{{VALUE('address/lineOne')}}", "\"123 Main Street\"", "123 Main Street"},
    {"{{ value ( \"first name\" ) }}", "\"Jane\"", "Jane"},
    {"{{VALUE(\"it's\")}}", "1", "1"},
    {"{{VALUE('it''s')}}", "1", "1"},
    {"{{VALUE(\"say \"\"x\"\"\")}}", "2", "2"},
    {"{{VALUE(\"}}\")}}", "3", "3"},
    {"{{VALUE(\"a~1b\")}}", "\"slash\"", "slash"},
    {"{{VALUE(\"@payload/yes\")}}", "true", "true"},
    /* quoted texts, and with them braces */
    {"{{\"{{\"}}x{{'}}'}}", "\"{{x}}\"", "{{x}}"},
    {"{{\"say \"\"x\"\"\"}}", "\"say \\\"x\\\"\"", "say \"x\""},
    {"{{''}}", "\"\"", ""},
    /* numbers alone are paths, as before; words are words */
    {"{{1.5}}", "null", ""},
    {"{{(1.5)}}", "1.5", "1.5"},
    {"{{true}}", "true", "true"},
    {"{{False}}", "false", "false"},
    {"{{NULL}}", "null", ""},
    {"{{/yes}}", "true", "true"},
    {"{{not}}{{and}}{{or}}{{like}}{{value}}{{of}}", "\"\"", ""},
    /* what is missing is null */
    {"{{missing}}", "null", ""},
    {"{{name/x}}", "null", ""},
    {"{{address/x/y}}", "null", ""},
    {"{{items/3}}", "null", ""},
    {"{{items/01}}", "null", ""},
    {"{{items/-}}", "null", ""},
    {"{{items/sku}}", "null", ""},
    {"{{items/18446744073709551616}}", "null", ""},
    {"{{items/99999999999999999999999}}", "null", ""},
    {"{{//}}", "null", ""},
    {"{{Name}}", "null", ""},
    {"[{{missing}}]", "\"[]\"", "[]"},
};

static const struct {
    const char *text;
    const char *detail;
} mistakes[] = {
    {"{{", "column 1, in {{: this {{ is not closed by }}"},
    {"ab {{name", "column 4, in {{name: this {{ is not closed by }}"},
    {"{{name}", "column 7, in {{name}: }} is expected, not }"},
    {"{{VALUE(", "column 1, in {{VALUE(: this {{ is not closed by }}"},
    {"a }} b", "column 3: this }} closes nothing; as text it is written {{\"}}\"}}"},
    {"{{name}}}}", "column 9: this }} closes nothing; as text it is written {{\"}}\"}}"},
    {"\xC3\xA9\xF0\x9F\x98\x80}}",
     "column 3: this }} closes nothing; as text it is written {{\"}}\"}}"},
    {"{{}}", "column 3, in {{}}: a path, a function or a value is expected before }}"},
    {"{{ }}", "column 4, in {{ }}: a path, a function or a value is expected before }}"},
    {"{{{name}}}", "column 3, in {{{name}}: a path, a function or a value is expected, not {"},
    {"{{a{{b}}", "column 4, in {{a{{b}}: }} is expected, not {"},
    {"{{a, b}}", "column 4, in {{a, b}}: }} is expected, not ,"},
    {"{{first name}}", "column 9, in {{first name}}: " TWO_VALUES},
    {"{{a -b}}", "column 5, in {{a -b}}: " TWO_VALUES},
    {"{{a- b}}", "column 6, in {{a- b}}: " TWO_VALUES},
    {"{{1 2}}", "column 5, in {{1 2}}: " TWO_VALUES},
    {"{{a true}}", "column 5, in {{a true}}: " TWO_VALUES},
    {"{{NOT}} {{NOT NOT}} {{NOT ,}}", "column 27, in {{NOT ,}}: }} is expected, not ,"},
    {"{{a = }}", "column 7, in {{a = }}: a path, a function or a value is expected before }}"},
    {"{{= a}}", "column 3, in {{= a}}: a path, a function or a value is expected, not ="},
    {"{{a = b = c}}", "column 9, in {{a = b = c}}: two comparisons in a row need AND between them, or "
                      "parentheses"},
    {"{{a LIKE b NOT LIKE c}}", "column 12, in {{a LIKE b NOT LIKE c}}: " TWO_VALUES},
    {"{{a AND}}", "column 8, in {{a AND}}: a path, a function or a value is expected before }}"},
    {"{{a ! b}}", "column 5, in {{a ! b}}: }} is expected, not !"},
    {"{{(a}}", "column 5, in {{(a}}: an operator or ) is expected before }}"},
    {"{{()}}", "column 4, in {{()}}: a path, a function or a value is expected, not )"},
    {"{{(a b)}}", "column 6, in {{(a b)}}: an operator or ) is expected, not b"},
    {"{{-(a}}", "column 6, in {{-(a}}: an operator or ) is expected before }}"},
    {"{{value of}}", "column 11, in {{value of}}: a member's name is expected before }}"},
    {"{{value of \"\"}}", "column 12, in {{value of \"\"}}: \"value of\" needs a member's name"},
    {"{{value of @v}}", "column 12, in {{value of @v}}: \"value of\" needs a member's name"},
    {"{{value of a~b}}",
     "column 12, in {{value of a~b}}: ~ in a path is written ~0, and / in a name ~1"},
    {"{{value of (a)}}", "column 12, in {{value of (a)}}: a member's name is expected, not ("},
    {"{{\"a\" \"b\"}}", "column 7, in {{\"a\" \"b\"}}: }} is expected, not \"b\""},
    {"{{\"a}}", "column 3, in {{\"a}}: this quote is not closed"},
    {"{{VALUE('a)}}", "column 9, in {{VALUE('a)}}: this quote is not closed"},
    {"{{@}}", "column 3, in {{@}}: @ needs a variable's name; a member whose name begins with @ is "
              "written /@"},
    {"{{VALUE(\"@/a\")}}", "column 3, in {{VALUE(\"@/a\")}}: @ needs a variable's name; a member "
                           "whose name begins with @ is written /@/a"},
    {"{{@a~b}}", "column 3, in {{@a~b}}: ~ in a path is written ~0, and / in a name ~1"},
    {"{{a~b}}", "column 3, in {{a~b}}: ~ in a path is written ~0, and / in a name ~1"},
    {"{{a/b~}}", "column 3, in {{a/b~}}: ~ in a path is written ~0, and / in a name ~1"},
    {"{{a~2}}", "column 3, in {{a~2}}: ~ in a path is written ~0, and / in a name ~1"},
    {"{{VALU(\"a\")}}", "column 3, in {{VALU(\"a\")}}: there is no function VALU; known are: "
                        FUNCTIONS},
    {"{{/(a)}}", "column 3, in {{/(a)}}: there is no function /; known are: " FUNCTIONS},
    {"{{VALUE()}}", "column 3, in {{VALUE()}}: VALUE is written VALUE(\"path\"[, default])"},
    {"{{VALUE(\"a\",\"b\",\"c\")}}",
     "column 3, in {{VALUE(\"a\",\"b\",\"c\")}}: VALUE is written VALUE(\"path\"[, default])"},
    {"{{VALUE(1)}}", "column 3, in {{VALUE(1)}}: VALUE needs its path in quotes: VALUE(\"path\")"},
    {"{{VALUE(a)}}", "column 3, in {{VALUE(a)}}: VALUE needs its path in quotes: VALUE(\"path\")"},
    {"{{VALUE(\"a\",)}}", "column 13, in {{VALUE(\"a\",)}}: an argument is expected, not )"},
    {"{{VALUE(,)}}", "column 9, in {{VALUE(,)}}: a path, a function or a value is expected, "
                     "not ,"},
    {"{{VALUE(\"a\" \"b\")}}", "column 13, in {{VALUE(\"a\" \"b\")}}: a comma or ) is expected, not "
                               "\"b\""},
    {"{{VALUE(\"a\"}}", "column 12, in {{VALUE(\"a\"}}: a comma or ) is expected before }}"},
    {"{{VALUE(\"a\"))}}", "column 13, in {{VALUE(\"a\"))}}: }} is expected, not )"},
};
/* clang-format on */

static apr_pool_t *pool;

static wf_template_t *parse(const char *text)
{
    wf_template_t *tmpl = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_template_parse(&tmpl, wf_slice(text), &result, pool) != APR_SUCCESS) {
        fail_msg("%s: %s", text, result.detail);
    }
    return tmpl;
}

/* Compares what a call appended behind "<", so that a call that replaces is found too. */
static void assert_appended(wf_buf_t *out, const char *expected, const char *text)
{
    const char *got = apr_pstrmemdup(pool, out->data, out->len);

    if (strcmp(got + 1, expected) != 0 || *got != '<') {
        fail_msg("%s gives %s, not <%s", text, got, expected);
    }
    wf_buf_free(out);
}

static void gives_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        wf_template_t *tmpl = parse(values[i].text);
        wf_scope_t scope = {.payload = wf_slice(payload)};
        wf_result_t result;
        wf_buf_t out = {0};

        wf_result_init(&result, pool);
        wf_buf_add_char(&out, '<');
        assert_int_equal(wf_template_json(&out, tmpl, &scope, &result), APR_SUCCESS);
        assert_appended(&out, values[i].json, values[i].text);
        wf_buf_add_char(&out, '<');
        assert_int_equal(wf_template_text(&out, tmpl, &scope, &result), APR_SUCCESS);
        assert_appended(&out, values[i].plain, values[i].text);
        assert_int_equal(result.problem, WF_PROBLEM_NONE);
        assert_true(wf_slice_is(wf_template_source(tmpl), values[i].text));
    }
}

static void names_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        wf_template_t *tmpl = NULL;
        wf_result_t result;

        wf_result_init(&result, pool);
        if (wf_template_parse(&tmpl, wf_slice(mistakes[i].text), &result, pool) != WF_EINVALID) {
            fail_msg("%s passes", mistakes[i].text);
        }
        assert_int_equal(result.problem, WF_PROBLEM_INVALID_PROJECT);
        assert_string_equal(result.detail, mistakes[i].detail);
        assert_int_equal(wf_template_parse(&tmpl, wf_slice(mistakes[i].text), NULL, pool),
                         WF_EINVALID);
        assert_null(tmpl);
    }
}

/* A body need not be an object, and need not be there. */
static void takes_any_payload(void **state)
{
    static const char *const table[][3] = {
        {"{{@payload}}", " [1, 2] ", "[1, 2]"},
        {"{{VALUE(\"\")}}", "\"x\"", "\"x\""},
        {"{{1}}", "[1, 2]", "2"},
        {"{{@payload/0}}", "[1, 2]", "1"},
        {"{{@payload}}", "null", "null"},
        {"{{name}}", "7", "null"},
        {"{{@payload}}", "", "null"},
        {"{{name}}", "", "null"},
        {"{{0}}", "[]", "null"},
        {"{{0}}", "\"x\"", "null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        wf_scope_t scope = {.payload = wf_slice(table[i][1])};
        wf_buf_t out = {0};

        wf_buf_add_char(&out, '<');
        assert_int_equal(wf_template_json(&out, parse(table[i][0]), &scope, NULL), APR_SUCCESS);
        assert_appended(&out, table[i][2], table[i][0]);
    }
}

static void knows_constants(void **state)
{
    (void)state;
    assert_true(wf_template_is_constant(parse("")));
    assert_true(wf_template_is_constant(parse("text")));
    assert_true(wf_template_is_constant(parse("a{{\"{{\"}}b")));
    assert_false(wf_template_is_constant(parse("{{name}}")));
    assert_false(wf_template_is_constant(parse("text {{VALUE(\"x\")}}")));
}

static void copies_its_text(void **state)
{
    char text[] = "a{{VALUE(\"name\")}}b";
    wf_scope_t scope = {.payload = wf_slice("{\"name\":\"x\"}")};
    wf_template_t *tmpl = parse(text);
    wf_buf_t out = {0};

    (void)state;
    memset(text, '!', sizeof(text) - 1);
    wf_buf_add_char(&out, '<');
    assert_int_equal(wf_template_text(&out, tmpl, &scope, NULL), APR_SUCCESS);
    assert_appended(&out, "axb", "a copy");
}

/* VALUE( nested, with a text in the middle. */
static const char *nest(int depth)
{
    const char *text = "\"a\"";

    while (depth-- > 0) {
        text = apr_pstrcat(pool, "VALUE(", text, ")", NULL);
    }
    return apr_pstrcat(pool, "{{", text, "}}", NULL);
}

static void bounds_nesting(void **state)
{
    wf_template_t *tmpl;
    wf_result_t result;

    (void)state;
    wf_result_init(&result, pool);
    assert_int_equal(wf_template_parse(&tmpl, wf_slice(nest(32)), &result, pool), WF_EINVALID);
    assert_non_null(strstr(result.detail, "VALUE needs its path in quotes"));
    wf_result_init(&result, pool);
    assert_int_equal(wf_template_parse(&tmpl, wf_slice(nest(33)), &result, pool), WF_EINVALID);
    assert_non_null(strstr(result.detail, "more than 32 parentheses inside each other"));
    wf_result_init(&result, pool);
    assert_int_equal(wf_template_parse(&tmpl, wf_slice(nest(5000)), &result, pool), WF_EINVALID);
    assert_non_null(strstr(result.detail, "more than 32 parentheses inside each other"));
}

/* A long expression is shown in part, and cut between characters. */
static void shows_long_expressions_in_part(void **state)
{
    const char *text = "{{";
    const char *shown = "{{";
    wf_template_t *tmpl;
    wf_result_t result;

    (void)state;
    for (int i = 0; i < 200; i++) {
        text = apr_pstrcat(pool, text, "\xE2\x82\xAC", NULL);
        shown = i < 58 ? text : shown;
    }
    wf_result_init(&result, pool);
    assert_int_equal(wf_template_parse(&tmpl, wf_slice(text), &result, pool), WF_EINVALID);
    assert_string_equal(result.detail, apr_pstrcat(pool, "column 1, in ", shown,
                                                   "…: this {{ is not closed by }}", NULL));
}

/* Every beginning of a good template is parsed or refused, and nothing past it is read. */
static void survives_every_cut(void **state)
{
    static const char text[] = "x{{ VALUE ( \"a''~0\"\"\" ) }}{{@payload/a~1/0}}{{'}}'}}\xC3\xA9";
    int good = 0;

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = test_malloc(len + 1);
        wf_template_t *tmpl;
        wf_result_t result;

        memcpy(copy, text, len);
        wf_result_init(&result, pool);
        if (wf_template_parse(&tmpl, wf_slice_of(copy, len), &result, pool) == APR_SUCCESS) {
            good++;
        } else {
            assert_int_equal(strncmp(result.detail, "column ", 7), 0);
        }
        test_free(copy);
    }
    /* Text, an expression, one open brace, and so on; a cut character is text like any other. */
    assert_int_equal(good, 10);
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
        cmocka_unit_test(gives_values),
        cmocka_unit_test(names_mistakes),
        cmocka_unit_test(takes_any_payload),
        cmocka_unit_test(knows_constants),
        cmocka_unit_test(copies_its_text),
        cmocka_unit_test(bounds_nesting),
        cmocka_unit_test(shows_long_expressions_in_part),
        cmocka_unit_test(survives_every_cut),
    };

    return cmocka_run_group_tests_name("mapping", tests, set_up, tear_down);
}
