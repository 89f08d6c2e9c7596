/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body: wf_json_check takes exactly what jansson takes, but for what jansson alone cannot hold;
 * the walk finds in an accepted text all that jansson finds, and in no text reads beyond its end.
 */
#include "fuzz.h"

#include <jansson.h>
#include <stdlib.h>
#include "base/json.h"

static void check_error(wf_slice_t text, const wf_json_error_t *error)
{
    WF_ENSURE(error->reason && *error->reason);
    WF_ENSURE(error->line >= 1 && error->line <= wf_fuzz_lines(text));
    WF_ENSURE(error->column >= 1);
    WF_ENSURE(error->column <= wf_fuzz_line_len(text, error->line) + 1);
}

/* How deep an accepted text is nested. */
static unsigned measure_depth(wf_slice_t text)
{
    unsigned depth = 0, deepest = 0;
    int in_string = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (in_string && c == '\\') {
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '[' || c == '{')) {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if (!in_string && (c == ']' || c == '}')) {
            depth--;
        }
    }
    WF_ENSURE(depth == 0 && !in_string);
    return deepest;
}

static void check_depth(wf_slice_t text)
{
    unsigned depth = measure_depth(text);
    wf_json_error_t error;

    WF_ENSURE(wf_json_check(text, depth, NULL) == APR_SUCCESS);
    if (depth > 0) {
        WF_ENSURE(wf_json_check(text, depth - 1, &error) == WF_EINVALID);
        WF_ENSURE(strcmp(error.reason, "arrays and objects are nested too deeply") == 0);
        check_error(text, &error);
    }
}

/* Whether jansson refused what is JSON all the same: it keeps numbers and names in types of C. */
static int is_limit_of_jansson(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
    case json_error_null_byte_in_key:
        return 1;
    default: /* RFC 8259, 8.2: a surrogate alone is within the grammar */
        return strncmp(error->text, "invalid Unicode", strlen("invalid Unicode")) == 0;
    }
}

static void compare(const json_t *tree, wf_slice_t value, wf_slice_t text);

static void compare_object(const json_t *tree, wf_slice_t value, wf_slice_t text)
{
    const char *name;
    json_t *member;

    WF_ENSURE(wf_json_type(value) == WF_JSON_OBJECT);
    json_object_foreach((json_t *)tree, name, member)
    {
        wf_slice_t found;

        WF_ENSURE(wf_json_member(&found, value, wf_slice(name)) == APR_SUCCESS);
        compare(member, found, text);
    }
}

static void compare_array(const json_t *tree, wf_slice_t value, wf_slice_t text)
{
    size_t count = json_array_size(tree);
    wf_slice_t found;

    WF_ENSURE(wf_json_type(value) == WF_JSON_ARRAY);
    for (size_t i = 0; i < count; i++) {
        WF_ENSURE(wf_json_element(&found, value, i) == APR_SUCCESS);
        compare(json_array_get(tree, i), found, text);
    }
    WF_ENSURE(wf_json_element(&found, value, count) == APR_NOTFOUND);
}

static void compare_string(const json_t *tree, wf_slice_t value)
{
    wf_slice_t expected = wf_slice_of(json_string_value(tree), json_string_length(tree));
    wf_buf_t decoded = {0};

    WF_ENSURE(wf_json_type(value) == WF_JSON_STRING);
    wf_json_string_decode(&decoded, value);
    WF_ENSURE(wf_slice_equal(wf_buf_slice(&decoded), expected));
    wf_buf_free(&decoded);
}

static void compare_number(const json_t *tree, wf_slice_t value)
{
    wf_buf_t digits = {0};
    char *end;
    double number;

    WF_ENSURE(wf_json_type(value) == WF_JSON_NUMBER);
    wf_buf_add_slice(&digits, value);
    wf_buf_add_char(&digits, '\0');
    number = strtod(digits.data, &end);
    WF_ENSURE(end == digits.data + value.len);
    if (json_is_real(tree)) {
        WF_ENSURE(!(number < json_real_value(tree)) && !(number > json_real_value(tree)));
    } else {
        WF_ENSURE(strtoll(digits.data, &end, 10) == json_integer_value(tree));
        WF_ENSURE(end == digits.data + value.len);
    }
    wf_buf_free(&digits);
}

/* The value that our walk arrived at against the one that jansson made of it. */
static void compare(const json_t *tree, wf_slice_t value, wf_slice_t text)
{
    WF_ENSURE(wf_fuzz_is_inside(value, text));
    WF_ENSURE(wf_json_check(value, WF_JSON_DEPTH_LIMIT, NULL) == APR_SUCCESS);
    switch (json_typeof(tree)) {
    case JSON_OBJECT:
        compare_object(tree, value, text);
        break;
    case JSON_ARRAY:
        compare_array(tree, value, text);
        break;
    case JSON_STRING:
        compare_string(tree, value);
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        compare_number(tree, value);
        break;
    case JSON_TRUE:
        WF_ENSURE(wf_json_type(value) == WF_JSON_TRUE);
        break;
    case JSON_FALSE:
        WF_ENSURE(wf_json_type(value) == WF_JSON_FALSE);
        break;
    case JSON_NULL:
        WF_ENSURE(wf_json_type(value) == WF_JSON_NULL);
        break;
    }
}

/* Whatever is found in an accepted text is JSON itself; for texts that jansson cannot hold. */
static void walk(wf_slice_t value, wf_slice_t text)
{
    wf_slice_t found;
    wf_buf_t decoded = {0};

    WF_ENSURE(wf_fuzz_is_inside(value, text));
    WF_ENSURE(wf_json_check(value, WF_JSON_DEPTH_LIMIT, NULL) == APR_SUCCESS);
    for (size_t i = 0; wf_json_element(&found, value, i) == APR_SUCCESS; i++) {
        walk(found, text);
    }
    if (wf_json_member(&found, value, wf_slice("a")) == APR_SUCCESS) {
        walk(found, text);
    }
    if (wf_json_member(&found, value, wf_slice_of("\0", 1)) == APR_SUCCESS) {
        walk(found, text);
    }
    if (wf_json_type(value) == WF_JSON_STRING) {
        wf_json_string_decode(&decoded, value);
        WF_ENSURE(wf_fuzz_is_utf8(wf_buf_slice(&decoded)));
        wf_buf_free(&decoded);
    }
}

static void check_against_jansson(wf_slice_t text, apr_status_t status)
{
    json_error_t error;
    json_t *tree = json_loadb(text.data, text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

    if (status != APR_SUCCESS) {
        /* jansson loses a NUL byte that stands behind a literal or a number. */
        WF_ENSURE(!tree || memchr(text.data, '\0', text.len) ||
                  measure_depth(text) > WF_JSON_DEPTH_LIMIT);
    } else if (tree) {
        compare(tree, wf_json_trim(text), text);
    } else {
        WF_ENSURE(is_limit_of_jansson(&error));
        walk(wf_json_trim(text), text);
    }
    json_decref(tree);
}

/* The answers mean nothing on a text that was not accepted, but lie in it. */
static void walk_unchecked(wf_slice_t text)
{
    wf_slice_t found;
    wf_buf_t decoded = {0};

    if (wf_json_member(&found, text, wf_slice("a")) == APR_SUCCESS) {
        WF_ENSURE(wf_fuzz_is_inside(found, text));
    }
    for (size_t i = 0; i < 3; i++) {
        if (wf_json_element(&found, text, i) == APR_SUCCESS) {
            WF_ENSURE(wf_fuzz_is_inside(found, text));
        }
    }
    wf_json_string_decode(&decoded, text);
    wf_buf_free(&decoded);
}

/* Any bytes become a JSON string that reads back as them, or as U+FFFD for what is no UTF-8. */
static void encode(wf_slice_t bytes)
{
    wf_buf_t json = {0}, decoded = {0}, again = {0};

    wf_json_string_encode(&json, bytes);
    WF_ENSURE(wf_json_check(wf_buf_slice(&json), 0, NULL) == APR_SUCCESS);
    wf_json_string_decode(&decoded, wf_buf_slice(&json));
    WF_ENSURE(wf_fuzz_is_utf8(wf_buf_slice(&decoded)));
    if (wf_fuzz_is_utf8(bytes)) {
        WF_ENSURE(wf_slice_equal(wf_buf_slice(&decoded), bytes));
    }
    wf_json_string_encode(&again, wf_buf_slice(&decoded));
    WF_ENSURE(wf_slice_equal(wf_buf_slice(&again), wf_buf_slice(&json)));
    wf_buf_free(&json);
    wf_buf_free(&decoded);
    wf_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wf_slice_t text = wf_slice_of(data, size);
    wf_json_error_t error;
    apr_status_t status = wf_json_check(text, WF_JSON_DEPTH_LIMIT, &error);

    WF_ENSURE(wf_json_check(text, WF_JSON_DEPTH_LIMIT, NULL) == status);
    if (status == APR_SUCCESS) {
        check_depth(text);
    } else {
        WF_ENSURE(status == WF_EINVALID);
        check_error(text, &error);
    }
    check_against_jansson(text, status);
    walk_unchecked(text);
    encode(text);
    return 0;
}
