/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template, and in the last line the body that it is evaluated over. An error names a column of
 * the template; a value is JSON, and its text is UTF-8, whatever the body holds.
 */
#include "fuzz.h"

#include <stdlib.h>
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

static void evaluate(const wf_template_t *tmpl, wf_slice_t body, wf_result_t *result)
{
    static const char before[] = "kept";
    const size_t front = strlen(before);
    wf_scope_t scope = {.payload = body};
    wf_buf_t json = {0}, text = {0};
    wf_slice_t value;
    int is_utf8 = wf_fuzz_is_utf8(wf_template_source(tmpl));

    wf_buf_add_text(&json, before);
    wf_buf_add_text(&text, before);
    WF_ENSURE(wf_template_json(&json, tmpl, &scope, result) == APR_SUCCESS);
    WF_ENSURE(wf_template_text(&text, tmpl, &scope, result) == APR_SUCCESS);
    WF_ENSURE(memcmp(json.data, before, front) == 0 && memcmp(text.data, before, front) == 0);
    value = wf_slice_of(json.data + front, json.len - front);
    WF_ENSURE(wf_json_check(value, WF_JSON_DEPTH_LIMIT, NULL) == APR_SUCCESS);
    if (is_utf8) {
        WF_ENSURE(wf_fuzz_is_utf8(wf_buf_slice(&text)));
        check_agreement(value, wf_slice_of(text.data + front, text.len - front));
    }
    wf_buf_free(&json);
    wf_buf_free(&text);
}

/* The value of a template that depends on nothing is the same over any body. */
static void check_constant(const wf_template_t *tmpl, wf_slice_t body, wf_result_t *result)
{
    wf_scope_t scope = {.payload = body}, other = {.payload = wf_slice("{\"a\":[1]}")};
    wf_buf_t one = {0}, two = {0};

    WF_ENSURE(wf_template_text(&one, tmpl, &scope, result) == APR_SUCCESS);
    WF_ENSURE(wf_template_text(&two, tmpl, &other, result) == APR_SUCCESS);
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
    evaluate(tmpl, body, &result);
    evaluate(tmpl, wf_slice(""), &result);
    if (wf_template_is_constant(tmpl)) {
        check_constant(tmpl, body, &result);
    }
    WF_ENSURE(result.status == APR_SUCCESS);
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
    apr_pool_clear(pool);
    return 0;
}
