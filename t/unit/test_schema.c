/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow/schema/schema.h: the fixtures in schema/. A file is an array of objects that say "schema"
 * and either "refused", the place and the reason of the mistake in it; or "valid", bodies that
 * satisfy it, and "invalid": for each body its text, the place of the error, its reason (null: not
 * looked at) and the place of the keyword. t/lint/schema_cases.t holds them against another
 * validator, but those that are "beyond" it.
 *
 * Beside them the keywords were compared with python3-jsonschema over schemas and bodies by chance.
 * Of JSON Schema's own test suite these parts are left out, since their schemas are refused:
 * $anchor, $dynamicRef, $recursiveRef, $vocabulary, $id below the top, $ref to another document,
 * keywords that are unknown; and "format" as an assertion, for it is an annotation here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/json.h"
#include "base/result.h"
#include "flow/schema/schema.h"
#include "pool_util.h"

/* A file of the tree, by its path from t/unit. */
static wf_slice_t read_file(const char *name)
{
    char *path = apr_psprintf(pool, "%s/%s", WF_TEST_SRCDIR, name);
    FILE *file = fopen(path, "rb");
    wf_buf_t text = {0};
    wf_slice_t copy;
    size_t got;

    if (!file) {
        fail_msg("cannot open %s", path);
    }
    while ((got = fread(wf_buf_reserve(&text, 65536), 1, 65536, file)) > 0) {
        text.len += got;
    }
    fclose(file);
    copy = wf_slice_dup(wf_buf_slice(&text), pool);
    wf_buf_free(&text);
    return copy;
}

static wf_slice_t member(wf_slice_t object, const char *name)
{
    wf_slice_t value = wf_slice(NULL);

    wf_json_member(&value, object, wf_slice(name));
    return value;
}

/* What a string of a fixture spells; NULL for null or nothing. */
static const char *text_of(wf_slice_t value)
{
    wf_buf_t text = {0};
    const char *copy;

    if (wf_json_type(value) != WF_JSON_STRING) {
        return NULL;
    }
    wf_json_string_decode(&text, value);
    copy = wf_slice_dup(wf_buf_slice(&text), pool).data;
    wf_buf_free(&text);
    return copy;
}

static const char *spell(wf_slice_t value)
{
    return wf_slice_dup(value, pool).data;
}

static void expect(wf_slice_t in, wf_slice_t body, const char *what, const char *got,
                   wf_slice_t expected)
{
    const char *text = text_of(expected);

    if (text && strcmp(got, text) != 0) {
        fail_msg("%s with %s: the %s is \"%s\", and not \"%s\"", spell(in), spell(body), what, got,
                 text);
    }
}

static void check_refused(wf_slice_t text, wf_slice_t expected)
{
    const wf_schema_t *schema = NULL;
    wf_schema_error_t error;
    wf_slice_t place, reason;

    if (wf_schema_compile(&schema, text, &error, pool) != WF_EINVALID) {
        fail_msg("%s is not refused", spell(text));
    }
    assert_null(schema);
    assert_null(error.keyword_place);
    assert_int_equal(wf_json_element(&place, expected, 0), APR_SUCCESS);
    assert_int_equal(wf_json_element(&reason, expected, 1), APR_SUCCESS);
    expect(text, wf_slice(""), "place", error.place, place);
    expect(text, wf_slice(""), "reason", error.reason, reason);
    assert_int_equal(wf_schema_compile(&schema, text, NULL, pool), WF_EINVALID);
}

static void check_valid(const wf_schema_t *schema, wf_slice_t text, wf_slice_t bodies)
{
    wf_schema_error_t error;
    wf_slice_t body;

    while (wf_json_next(&body, &bodies) == APR_SUCCESS) {
        if (wf_schema_check(schema, body, &error, pool) != APR_SUCCESS) {
            fail_msg("%s with %s: \"%s\" %s", spell(text), spell(body), error.place, error.reason);
        }
    }
}

static void check_invalid(const wf_schema_t *schema, wf_slice_t text, wf_slice_t cases)
{
    wf_schema_error_t error;
    wf_slice_t one, body, place, reason, keyword;

    while (wf_json_next(&one, &cases) == APR_SUCCESS) {
        assert_int_equal(wf_json_element(&body, one, 0), APR_SUCCESS);
        assert_int_equal(wf_json_element(&place, one, 1), APR_SUCCESS);
        assert_int_equal(wf_json_element(&reason, one, 2), APR_SUCCESS);
        assert_int_equal(wf_json_element(&keyword, one, 3), APR_SUCCESS);
        if (wf_schema_check(schema, body, &error, pool) != WF_EINVALID) {
            fail_msg("%s with %s: is no mistake", spell(text), spell(body));
        }
        expect(text, body, "place", error.place, place);
        expect(text, body, "reason", error.reason, reason);
        expect(text, body, "keyword's place", error.keyword_place, keyword);
        assert_int_equal(wf_schema_check(schema, body, NULL, pool), WF_EINVALID);
    }
}

/* A schema by itself, in memory that ends with it, and gone before it is used. */
static const wf_schema_t *compile(wf_slice_t text)
{
    char *copy = malloc(text.len);
    const wf_schema_t *schema = NULL;
    wf_schema_error_t error;

    assert_non_null(copy);
    memcpy(copy, text.data, text.len);
    if (wf_schema_compile(&schema, wf_slice_of(copy, text.len), &error, pool) != APR_SUCCESS) {
        fail_msg("%s is refused: \"%s\" %s", spell(text), error.place, error.reason);
    }
    memset(copy, 'x', text.len);
    free(copy);
    return schema;
}

static void check_file(const char *name)
{
    wf_slice_t text = read_file(apr_psprintf(pool, "schema/%s.json", name));
    wf_slice_t rest = text, one, schema;
    int count = 0;

    assert_int_equal(wf_json_check(text, 64, NULL), APR_SUCCESS);
    for (; wf_json_next(&one, &rest) == APR_SUCCESS; count++) {
        schema = member(one, "schema");
        assert_true(schema.len > 0);
        if (member(one, "refused").len) {
            check_refused(schema, member(one, "refused"));
        } else {
            const wf_schema_t *compiled = compile(schema);

            assert_true(member(one, "valid").len + member(one, "invalid").len > 0);
            check_valid(compiled, schema, member(one, "valid"));
            check_invalid(compiled, schema, member(one, "invalid"));
        }
    }
    assert_true(count > 5);
}

static void keeps_values(void **state)
{
    (void)state;
    check_file("values");
}

static void keeps_numbers(void **state)
{
    (void)state;
    check_file("numbers");
}

static void keeps_strings(void **state)
{
    (void)state;
    check_file("strings");
}

static void keeps_arrays(void **state)
{
    (void)state;
    check_file("arrays");
}

static void keeps_objects(void **state)
{
    (void)state;
    check_file("objects");
}

static void keeps_logic(void **state)
{
    (void)state;
    check_file("logic");
}

static void keeps_references(void **state)
{
    (void)state;
    check_file("references");
}

static void keeps_unevaluated(void **state)
{
    (void)state;
    check_file("unevaluated");
}

static void refuses(void **state)
{
    (void)state;
    check_file("refused");
}

/* The schema of project files, and those that are shipped. */
static void keeps_a_schema_of_use(void **state)
{
    static const char *const projects[] = {"569", "570", "571", "572", "573"};
    const wf_schema_t *schema = compile(read_file("../../conf/project.schema.json"));
    wf_schema_error_t error;

    (void)state;
    for (size_t i = 0; i < sizeof(projects) / sizeof(projects[0]); i++) {
        char *name = apr_psprintf(pool, "../../conf/projects/%s.json", projects[i]);

        if (wf_schema_check(schema, read_file(name), &error, pool) != APR_SUCCESS) {
            fail_msg("%s: \"%s\" %s", name, error.place, error.reason);
        }
    }
    assert_int_equal(
        wf_schema_check(schema, read_file("projects/broken/flows-empty.json"), &error, pool),
        WF_EINVALID);
    assert_string_equal(error.place, "/tasks/t/flows");
    assert_string_equal(error.reason, "must have at least 1 element");
}

/* A NUL in a name cannot stand in a C string. */
static void tells_places_of_any_name(void **state)
{
    const wf_schema_t *schema = compile(wf_slice("{\"additionalProperties\":{\"type\":\"null\"}}"));
    wf_schema_error_t error;

    (void)state;
    assert_int_equal(wf_schema_check(schema, wf_slice("{\"a\\u0000b\\ud800\":1}"), &error, pool),
                     WF_EINVALID);
    assert_string_equal(error.place, "/a\xEF\xBF\xBD"
                                     "b\xEF\xBF\xBD");
}

/* Nothing of a body's values is in what is said of it. */
static void keeps_secrets(void **state)
{
    static const char *const schemas[] = {"{\"const\":1}",
                                          "{\"enum\":[1,2]}",
                                          "{\"type\":\"null\"}",
                                          "{\"pattern\":\"^x\"}",
                                          "{\"maxLength\":1}",
                                          "{\"anyOf\":[{\"const\":1},{\"pattern\":\"^x\"}]}",
                                          "false"};

    (void)state;
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        const wf_schema_t *schema = compile(wf_slice(schemas[i]));
        wf_schema_error_t error;

        assert_int_equal(wf_schema_check(schema, wf_slice("\"secret\""), &error, pool),
                         WF_EINVALID);
        assert_null(strstr(error.reason, "secret"));
        assert_string_equal(error.place, "");
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_values, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_numbers, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_strings, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_arrays, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_objects, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_logic, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_references, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_unevaluated, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(refuses, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_a_schema_of_use, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(tells_places_of_any_name, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_secrets, make_pool, drop_pool),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
