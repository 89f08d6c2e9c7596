/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema, and in the last line the body that is checked against it. A mistake in a schema has a
 * place in it; an error has one in the body and one in the schema. What a schema says is the same
 * the second time, the opposite behind "not", and the same behind each keyword that adds nothing;
 * a value equals itself, and never is unique beside itself.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <apr_strings.h>
#include "base/json.h"
#include "flow/schema/schema.h"

#define DEPTH 512

/* What a name is in a place, where a NUL cannot stand, as a JSON pointer's step. */
static wf_slice_t step_of(wf_slice_t name, apr_pool_t *pool)
{
    wf_buf_t step = {0};
    wf_slice_t copy;

    for (apr_size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        wf_buf_add_text(&step, c == '\0' ? "\xEF\xBF\xBD" : c == '~' ? "~0" : c == '/' ? "~1" : "");
        if (c != '\0' && c != '~' && c != '/') {
            wf_buf_add_char(&step, c);
        }
    }
    copy = wf_slice_dup(wf_buf_slice(&step), pool);
    wf_buf_free(&step);
    return copy;
}

/* Whether an object has a member of which a step may be the name. */
static int find_member(wf_slice_t *found, wf_slice_t object, wf_slice_t step, apr_pool_t *pool)
{
    const char *at = object.data, *end = object.data + object.len;

    /* Each string that a member follows could be its name; one that is inside of a value is found
     * by no name at this depth. */
    for (; at < end; at++) {
        if (*at == '"') {
            wf_buf_t name = {0};
            const char *start = at++;
            int is;

            while (at < end && *at != '"') {
                at += *at == '\\' ? 2 : 1;
            }
            wf_json_string_decode(&name, wf_slice_of(start, (apr_size_t)(at + 1 - start)));
            is = wf_slice_equal(step_of(wf_buf_slice(&name), pool), step) &&
                 wf_json_member(found, object, wf_buf_slice(&name)) == APR_SUCCESS;
            wf_buf_free(&name);
            if (is) {
                return 1;
            }
        }
    }
    return 0;
}

/* Whether a pointer leads somewhere in a text. */
static int is_place(const char *pointer, wf_slice_t text, apr_pool_t *pool)
{
    wf_slice_t value = wf_json_trim(text);

    while (*pointer) {
        size_t len = strcspn(pointer + 1, "/");
        wf_slice_t step = wf_slice_of(pointer + 1, len), inner;

        if (*pointer != '/') {
            return 0;
        }
        if (wf_json_type(value) == WF_JSON_ARRAY) {
            if (wf_json_element(&inner, value, strtoul(step.data, NULL, 10)) != APR_SUCCESS) {
                return 0;
            }
        } else if (wf_json_type(value) != WF_JSON_OBJECT ||
                   !find_member(&inner, value, step, pool)) {
            return 0;
        }
        value = inner;
        pointer += len + 1;
    }
    return 1;
}

static void check_words(const wf_schema_error_t *error)
{
    WF_ENSURE(error->reason && *error->reason && wf_fuzz_is_utf8(wf_slice(error->reason)));
    WF_ENSURE(error->place && wf_fuzz_is_utf8(wf_slice(error->place)));
}

/* A schema that is compiled, or NULL. */
static const wf_schema_t *compile(const char *text, apr_pool_t *pool)
{
    const wf_schema_t *schema = NULL;
    wf_schema_error_t error;
    apr_status_t status = wf_schema_compile(&schema, wf_slice(text), &error, pool);

    if (status != APR_SUCCESS) {
        WF_ENSURE(status == WF_EINVALID && schema == NULL && error.keyword_place == NULL);
        check_words(&error);
        WF_ENSURE(is_place(error.place, wf_slice(text), pool));
    }
    return schema;
}

/* 1 for a body that satisfies a schema, 0 for one that does not, -1 where it takes too long. */
static int check(const wf_schema_t *schema, const char *text, wf_slice_t body, apr_pool_t *pool)
{
    wf_schema_error_t error;
    apr_status_t status = wf_schema_check(schema, body, &error, pool);

    if (status == APR_SUCCESS) {
        return 1;
    }
    WF_ENSURE(status == WF_EINVALID);
    check_words(&error);
    WF_ENSURE(is_place(error.place, body, pool));
    WF_ENSURE(is_place(error.keyword_place, wf_slice(text), pool));
    return strstr(error.reason, "too many steps") ? -1 : 0;
}

/* The same within another schema; -2 where it cannot be there. */
static int check_within(const char *format, const char *text, wf_slice_t body, apr_pool_t *pool)
{
    const char *all = apr_psprintf(pool, format, text);
    const wf_schema_t *schema = compile(all, pool);

    return schema ? check(schema, all, body, pool) : -2;
}

static void check_agreement(const char *text, wf_slice_t body, int outcome, apr_pool_t *pool)
{
    static const char *const same[] = {
        "{\"allOf\":[true,%s]}",  "{\"anyOf\":[false,%s]}",     "{\"oneOf\":[%s,false]}",
        "{\"not\":{\"not\":%s}}", "{\"if\":%s,\"else\":false}", "{\"if\":true,\"then\":%s}",
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        int other = check_within(same[i], text, body, pool);

        WF_ENSURE(other < 0 || outcome < 0 || other == outcome);
    }
}

static void check_schema(const char *text, wf_slice_t body, apr_pool_t *pool)
{
    const wf_schema_t *schema = compile(text, pool);
    int outcome, other;

    if (!schema) {
        return;
    }
    outcome = check(schema, text, body, pool);
    WF_ENSURE(check(schema, text, body, pool) == outcome);
    /* What refers to the top refers to something else within another schema. */
    if (!strstr(text, "ref") && !strchr(text, '\\')) {
        other = check_within("{\"not\":%s}", text, body, pool);
        WF_ENSURE(other < 0 || outcome < 0 || other != outcome);
        check_agreement(text, body, outcome, pool);
        other = check_within("{\"items\":%s}", text, wf_slice("[]"), pool);
        WF_ENSURE(other == 1 || other < 0);
    }
}

/* A body that stands in a schema. */
static void check_equality(wf_slice_t body, apr_pool_t *pool)
{
    const char *text = apr_pstrmemdup(pool, body.data, body.len);
    const char *twice = apr_psprintf(pool, "[%s,%s]", text, text);

    WF_ENSURE(check_within("{\"const\":%s}", text, body, pool) != 0);
    WF_ENSURE(check_within("{\"enum\":[%s]}", text, body, pool) != 0);
    WF_ENSURE(check_within("{\"not\":{\"const\":%s}}", text, body, pool) != 1);
    WF_ENSURE(check_within("{\"uniqueItems\":%s}", "true", wf_slice(twice), pool) != 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = wf_fuzz_pool();
    size_t end = size;
    wf_slice_t text, body = wf_slice("null");

    while (end > 0 && data[end - 1] != '\n') {
        end--;
    }
    text = end > 0 ? wf_slice_of(data, end - 1) : wf_slice_of(data, size);
    if (end > 0 && wf_json_check(wf_slice_of(data + end, size - end), DEPTH, NULL) == APR_SUCCESS) {
        body = wf_slice_of(data + end, size - end);
    }
    if (wf_json_check(text, WF_JSON_DEPTH_LIMIT, NULL) == APR_SUCCESS) {
        check_schema(apr_pstrmemdup(pool, text.data, text.len), body, pool);
    }
    check_equality(body, pool);
    apr_pool_clear(pool);
    return 0;
}
