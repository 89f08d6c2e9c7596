/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template, and in the last line the body that it is evaluated over. An error names a column of
 * the template; a value is JSON, and its text is UTF-8, whatever the body holds. The same text is
 * taken as a path too, which finds what it finds in jansson's tree.
 */
#include "fuzz.h"

#include <jansson.h>
#include <stdlib.h>
#include <apr_strings.h>
#include "base/json.h"
#include "flow/mapping.h"

/* The column of "column 12, in …". */
static void check_error(const wf_result_t *result, wf_slice_t text)
{
    static const char front[] = "column ";
    unsigned long column, characters = 0;

    WF_ENSURE(result->status == WF_EINVALID && result->problem == WF_PROBLEM_INVALID_PROJECT);
    WF_ENSURE(strncmp(result->detail, front, strlen(front)) == 0);
    column = strtoul(result->detail + strlen(front), NULL, 10);
    for (size_t i = 0; i < text.len; i++) {
        characters += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    }
    WF_ENSURE(column >= 1 && column <= characters + 1);
    if (wf_fuzz_is_utf8(text)) {
        WF_ENSURE(wf_fuzz_is_utf8(wf_slice(result->detail)));
    }
}

/* The text of a value against its JSON. */
static void check_agreement(wf_slice_t json, wf_slice_t text)
{
    wf_buf_t decoded = {0};

    switch (wf_json_type(json)) {
    case WF_JSON_NULL:
        WF_ENSURE(text.len == 0);
        break;
    case WF_JSON_STRING:
        wf_json_string_decode(&decoded, json);
        WF_ENSURE(wf_slice_equal(wf_buf_slice(&decoded), text));
        break;
    default:
        WF_ENSURE(wf_slice_equal(json, text));
    }
    wf_buf_free(&decoded);
}

/* An evaluation fails as a mapping does, and says why. */
static void check_failure(apr_status_t status, const wf_result_t *result)
{
    WF_ENSURE(status == WF_EINVALID && result->status == WF_EINVALID);
    WF_ENSURE(result->problem == WF_PROBLEM_MAPPING);
    WF_ENSURE(result->detail && wf_fuzz_is_utf8(wf_slice(result->detail)));
}

static void evaluate(const wf_template_t *tmpl, const wf_scope_t *scope, apr_pool_t *pool)
{
    static const char before[] = "kept";
    const size_t front = strlen(before);
    wf_buf_t json = {0}, text = {0};
    wf_slice_t value;
    wf_result_t result;
    apr_status_t status;
    int is_utf8 = wf_fuzz_is_utf8(wf_template_source(tmpl));

    wf_result_init(&result, pool);
    wf_buf_add_text(&json, before);
    wf_buf_add_text(&text, before);
    status = wf_template_json(&json, tmpl, scope, &result);
    WF_ENSURE(wf_template_text(&text, tmpl, scope, &result) == status);
    WF_ENSURE(memcmp(json.data, before, front) == 0 && memcmp(text.data, before, front) == 0);
    if (status != APR_SUCCESS) {
        if (is_utf8) {
            check_failure(status, &result);
        }
    } else {
        value = wf_slice_of(json.data + front, json.len - front);
        WF_ENSURE(result.status == APR_SUCCESS);
        WF_ENSURE(wf_json_check(value, WF_JSON_DEPTH_LIMIT, NULL) == APR_SUCCESS);
        if (is_utf8) {
            WF_ENSURE(wf_fuzz_is_utf8(wf_buf_slice(&text)));
            check_agreement(value, wf_slice_of(text.data + front, text.len - front));
        }
    }
    wf_buf_free(&json);
    wf_buf_free(&text);
}

/* Over a body alone, and with all that an action can have: a variable, a table, a row. */
static void evaluate_all(const wf_template_t *tmpl, wf_slice_t body, apr_pool_t *pool)
{
    wf_slice_t names[] = {wf_slice("a"), wf_slice("b")};
    wf_value_t values[] = {{WF_VALUE_NUMBER, wf_slice("12.50")}, {WF_VALUE_BYTES, body}};
    wf_row_t row = {2, names, values, wf_slice(NULL)};
    wf_variables_t *variables = wf_variables_create(pool);
    wf_scope_t scope = {.payload = body};

    evaluate(tmpl, &scope, pool);
    scope.now = apr_time_from_sec(1790000000);
    scope.variables = variables;
    wf_variables_set(variables, "v", body.len ? body : wf_slice("[1,{\"x\":\"y\"}]"));
    wf_memtable_add(wf_memtable_begin(variables, "t"), wf_slice("1"), wf_slice("{\"c\":2}"));
    evaluate(tmpl, &scope, pool);
    scope.row = &row;
    evaluate(tmpl, &scope, pool);
}

/* The value of a template that depends on nothing is the same over any body. */
static void check_constant(const wf_template_t *tmpl, wf_slice_t body)
{
    wf_scope_t scope = {.payload = body}, other = {.payload = wf_slice("{\"a\":[1]}")};
    wf_buf_t one = {0}, two = {0};

    WF_ENSURE(wf_template_text(&one, tmpl, &scope, NULL) ==
              wf_template_text(&two, tmpl, &other, NULL));
    WF_ENSURE(wf_slice_equal(wf_buf_slice(&one), wf_buf_slice(&two)));
    wf_buf_free(&one);
    wf_buf_free(&two);
}

static void check_template(wf_slice_t text, wf_slice_t body, apr_pool_t *pool)
{
    wf_result_t result;
    wf_template_t *tmpl = NULL;
    apr_status_t status;

    wf_result_init(&result, pool);
    status = wf_template_parse(&tmpl, text, &result, pool);
    if (status != APR_SUCCESS) {
        WF_ENSURE(status == WF_EINVALID);
        check_error(&result, text);
        return;
    }
    WF_ENSURE(wf_slice_equal(wf_template_source(tmpl), text));
    evaluate_all(tmpl, body, pool);
    evaluate_all(tmpl, wf_slice(""), pool);
    if (wf_template_is_constant(tmpl)) {
        check_constant(tmpl, body);
    }
}

/* One step down jansson's tree, by a name whose escapes are resolved; NULL where there is none. */
static const json_t *take_step(const json_t *from, const char *name)
{
    size_t digits = strspn(name, "0123456789");

    if (!json_is_array(from)) {
        return json_object_get(from, name);
    }
    if (digits == 0 || digits > 9 || name[digits] != '\0' || (name[0] == '0' && digits > 1)) {
        return NULL; /* no body here has so many elements */
    }
    return json_array_get(from, strtoul(name, NULL, 10));
}

/* What a path without a root finds; NULL for nothing. Whether all its escapes are well-formed. */
static int look_up(const json_t **found, const json_t *tree, const char *path, apr_pool_t *pool)
{
    char *name = apr_palloc(pool, strlen(path) + 1);
    const char *at = path + (*path == '/');

    for (*found = tree; *path; at++) {
        size_t len = 0;

        for (; *at && *at != '/'; at++) {
            name[len++] = *at;
            if (*at == '~') {
                at++;
                if (*at != '0' && *at != '1') {
                    return 0;
                }
                name[len - 1] = *at == '0' ? '~' : '/';
            }
        }
        name[len] = '\0';
        *found = take_step(*found, name);
        if (!*at) {
            break;
        }
    }
    return 1;
}

/* {{VALUE('path')}} over a body that jansson can hold. */
static void check_path(const char *path, wf_slice_t body, apr_pool_t *pool)
{
    json_t *tree = json_loadb(body.data, body.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    wf_buf_t text = {0}, json = {0};
    wf_scope_t scope = {.payload = body};
    wf_template_t *tmpl;
    const json_t *expected;
    json_t *value;

    if (!tree || *path == '@') {
        json_decref(tree);
        return;
    }
    wf_buf_add_text(&text, "{{VALUE('");
    for (const char *at = path; *at; at++) {
        wf_buf_add(&text, *at == '\'' ? "\'\'" : at, *at == '\'' ? 2 : 1);
    }
    wf_buf_add_text(&text, "')}}");
    if (!look_up(&expected, tree, path, pool)) {
        WF_ENSURE(wf_template_parse(&tmpl, wf_buf_slice(&text), NULL, pool) == WF_EINVALID);
    } else {
        WF_ENSURE(wf_template_parse(&tmpl, wf_buf_slice(&text), NULL, pool) == APR_SUCCESS);
        WF_ENSURE(wf_template_json(&json, tmpl, &scope, NULL) == APR_SUCCESS);
        value = json_loadb(json.data, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        WF_ENSURE(expected ? json_equal(value, expected) : json_is_null(value));
        json_decref(value);
    }
    json_decref(tree);
    wf_buf_free(&text);
    wf_buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = wf_fuzz_pool();
    size_t end = size;
    wf_slice_t text, body = wf_slice("");

    while (end > 0 && data[end - 1] != '\n') {
        end--;
    }
    if (end > 0) {
        text = wf_slice_of(data, end - 1);
        body = wf_slice_of(data + end, size - end);
    } else {
        text = wf_slice_of(data, size);
    }
    if (wf_json_check(body, 512, NULL) != APR_SUCCESS) {
        body = wf_slice("");
    }
    check_template(text, body, pool);
    check_path(apr_pstrmemdup(pool, text.data, text.len), body, pool);
    apr_pool_clear(pool);
    return 0;
}
