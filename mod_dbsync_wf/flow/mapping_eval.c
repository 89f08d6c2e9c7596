/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a node, and what functions are evaluated with: room, and failures. */
#include "flow/mapping_function.h"

#include <stdarg.h>
#include <apr_strings.h>
#include "base/utf8.h"
#include "flow/mapping_path.h"

#define SHOWN_MOST   60 /* characters of an expression that a message repeats */
#define EXCERPT_MOST 20 /* and of a value */

/* The first characters of a text, on one line, with "…" where there are more. */
static const char *shorten(wf_slice_t text, apr_size_t most, apr_pool_t *pool)
{
    const unsigned char *at = (const unsigned char *)(text.len ? text.data : "");
    const unsigned char *end = at + text.len;
    apr_size_t len;
    char *shown;
    int valid;

    while (most-- > 0 && at < end) {
        at += wf_utf8_span(&valid, at, end);
    }
    len = (apr_size_t)(at - (const unsigned char *)(text.len ? text.data : (const char *)at));
    shown = apr_pstrmemdup(pool, text.data, len);
    for (apr_size_t i = 0; i < len; i++) {
        shown[i] = (unsigned char)shown[i] < 0x20 || shown[i] == 0x7F ? ' ' : shown[i];
    }
    return at < end ? apr_pstrcat(pool, shown, "…", NULL) : shown;
}

const char *wf_show_expression(wf_slice_t source, apr_pool_t *pool)
{
    return shorten(source, SHOWN_MOST, pool);
}

/* What a message calls a value; of what it holds a short piece at most. */
static const char *describe(wf_value_t value, apr_pool_t *pool)
{
    switch (value.kind) {
    case WF_VALUE_NULL:
        return "null";
    case WF_VALUE_BOOL:
    case WF_VALUE_NUMBER:
        return shorten(value.text, EXCERPT_MOST, pool);
    case WF_VALUE_TEXT:
        return apr_pstrcat(pool, "the text \"", shorten(value.text, EXCERPT_MOST, pool), "\"",
                           NULL);
    case WF_VALUE_JSON:
        return wf_json_type(value.text) == WF_JSON_ARRAY ? "an array" : "an object";
    default:
        return "binary data";
    }
}

apr_status_t wf_eval_fail(wf_eval_t *eval, const char *format, ...)
{
    const char *reason;
    va_list list;

    va_start(list, format);
    reason = apr_pvsprintf(eval->pool, format, list);
    va_end(list);
    if (eval->part->source.len == 0) {
        return wf_result_set(eval->result, WF_EINVALID, WF_PROBLEM_MAPPING, "%s", reason);
    }
    return wf_result_set(eval->result, WF_EINVALID, WF_PROBLEM_MAPPING, "in %s: %s",
                         wf_show_expression(eval->part->source, eval->pool), reason);
}

apr_status_t wf_eval_refuse(wf_eval_t *eval, const char *what, wf_value_t value)
{
    return wf_eval_fail(eval, "%s needs %s, not %s", eval->function->name, what,
                        describe(value, eval->pool));
}

/* Takes so many bytes of what may be built. APR_SUCCESS, or a failure. */
static apr_status_t take_room(wf_eval_t *eval, apr_size_t size)
{
    if (size > eval->room) {
        return wf_eval_fail(eval, "more than %d MiB would be built", WF_MAPPING_ROOM >> 20);
    }
    eval->room -= size;
    return APR_SUCCESS;
}

apr_status_t wf_eval_allocate(char **memory, wf_eval_t *eval, apr_size_t size)
{
    apr_status_t rv = take_room(eval, size);

    if (rv == APR_SUCCESS) {
        *memory = apr_palloc(eval->pool, size + 1);
    }
    return rv;
}

apr_status_t wf_eval_json(wf_value_t *value, wf_eval_t *eval, wf_slice_t json)
{
    int is_decoded = wf_json_type(json) == WF_JSON_STRING && memchr(json.data, '\\', json.len);
    apr_status_t rv = is_decoded ? take_room(eval, json.len) : APR_SUCCESS;

    if (rv == APR_SUCCESS) {
        *value = wf_value_of_json(json, eval->pool);
    }
    return rv;
}

apr_status_t wf_eval_keep(wf_value_t *value, wf_eval_t *eval, wf_value_kind_e kind, wf_buf_t *buf)
{
    wf_slice_t text = wf_buf_slice(buf);
    char *copy;
    apr_status_t rv = wf_eval_allocate(&copy, eval, text.len);

    if (rv == APR_SUCCESS) {
        memcpy(copy, text.data, text.len);
        *value = (wf_value_t){kind, wf_slice_of(copy, text.len)};
    }
    wf_buf_free(buf);
    return rv;
}

static apr_status_t value_of_place(wf_value_t *value, wf_eval_t *eval, const wf_place_t *place)
{
    wf_buf_t json = {NULL, 0, 0};

    switch (place->kind) {
    case WF_PLACE_VALUE:
        *value = place->value;
        return APR_SUCCESS;
    case WF_PLACE_ROW:
        wf_row_json(&json, place->row);
        return wf_eval_keep(value, eval, WF_VALUE_JSON, &json);
    default:
        return wf_eval_json(value, eval, place->json);
    }
}

static apr_status_t call(wf_value_t *value, wf_eval_t *eval, const wf_node_t *node)
{
    const wf_function_t *function = node->function;
    wf_value_t *arguments;
    apr_status_t rv = APR_SUCCESS;

    if (function->lazy) {
        return function->lazy(value, eval, node);
    }
    arguments = apr_palloc(eval->pool, sizeof(*arguments) * ((apr_size_t)node->count + 1));
    for (int i = 0; i < node->count && rv == APR_SUCCESS; i++) {
        rv = wf_eval(&arguments[i], eval, node->arguments[i]);
    }
    eval->function = function;
    return rv == APR_SUCCESS ? function->call(value, eval, arguments, node->count) : rv;
}

/* The parser bounds the tree's height, and with it the depth of this recursion. */
apr_status_t wf_eval(wf_value_t *value, wf_eval_t *eval, const wf_node_t *node)
{
    wf_place_t place;

    switch (node->kind) {
    case WF_NODE_CONSTANT:
        *value = node->value;
        return APR_SUCCESS;
    case WF_NODE_PATH:
        place = wf_path_follow(&node->path, eval->scope);
        return value_of_place(value, eval, &place);
    case WF_NODE_SEARCH:
        place = wf_path_search(&node->path, eval->scope);
        return value_of_place(value, eval, &place);
    default:
        return call(value, eval, node);
    }
}
