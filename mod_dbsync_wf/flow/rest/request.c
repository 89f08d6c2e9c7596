/* SPDX-License-Identifier: Apache-2.0 */
/* A request made of templates: URL, headers, body. */
#include "flow/rest/request.h"

#include <apr_strings.h>
#include "flow/rest/policy.h"

#define ACCEPT "application/json, */*;q=0.5"

/* What the functions here need all of them. */
typedef struct maker_t {
    wf_rest_request_t *request;
    const wf_rest_action_t *action;
    const wf_action_context_t *context;
    wf_result_t *result;
    apr_pool_t *pool;
} maker_t;

/* A template's value as text, in pool; its data is NULL where it is null. */
static apr_status_t evaluate(wf_slice_t *text, const maker_t *maker, const wf_template_t *tmpl)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_value_t value = {WF_VALUE_NULL, {NULL, 0}};
    apr_status_t rv =
        wf_template_value(&value, tmpl, &maker->context->scope, maker->result, maker->pool);

    *text = wf_slice_of(NULL, 0);
    if (rv == APR_SUCCESS && value.kind != WF_VALUE_NULL) {
        wf_value_text(&buf, value);
        *text = wf_slice_dup(wf_buf_slice(&buf), maker->pool);
        wf_buf_free(&buf);
    }
    return rv;
}

static apr_status_t add_query(wf_buf_t *url, const maker_t *maker)
{
    const wf_rest_fields_t *query = &maker->action->query;
    char separator = '?';

    for (int i = 0; i < query->count; i++) {
        wf_slice_t value;
        apr_status_t rv = evaluate(&value, maker, query->list[i].value);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (value.data) {
            wf_buf_add_char(url, separator);
            wf_url_add_value(url, wf_slice(query->list[i].name));
            wf_buf_add_char(url, '=');
            wf_url_add_value(url, value);
            separator = '&';
        }
    }
    return APR_SUCCESS;
}

static apr_status_t make_url(const maker_t *maker)
{
    const wf_rest_connector_t *connector = maker->action->connector->spec;
    wf_buf_t text = {NULL, 0, 0};
    const char *reason;
    apr_status_t rv =
        wf_rest_path_url(&text, maker->action->path, &connector->url, &maker->context->scope,
                         maker->context->action, maker->result);

    if (rv == APR_SUCCESS) {
        rv = add_query(&text, maker);
    }
    if (rv == APR_SUCCESS) {
        wf_buf_add_char(&text, '\0');
        rv = wf_url_parse(&maker->request->url, &reason, text.data, maker->pool);
        if (rv != APR_SUCCESS) {
            wf_result_set(maker->result, rv, WF_PROBLEM_MAPPING,
                          "the URL of action \"%s\" is none that can be requested",
                          maker->context->action);
        }
    }
    wf_buf_free(&text);
    return rv;
}

/* `optional`: whether it may be left out. */
static apr_status_t add_header(const maker_t *maker, const char *name, const wf_template_t *tmpl,
                               int optional)
{
    wf_slice_t value;
    apr_status_t rv = evaluate(&value, maker, tmpl);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!wf_header_is_value(value)) {
        return wf_result_set(maker->result, WF_EINVALID, WF_PROBLEM_MAPPING,
                             "header %s of action \"%s\" would hold a line break or another "
                             "control character",
                             name, maker->context->action);
    }
    if (value.len == 0 && !optional) {
        return wf_result_set(maker->result, WF_EINVALID, WF_PROBLEM_MAPPING,
                             "header %s of action \"%s\" would be empty", name,
                             maker->context->action);
    }
    if (value.data) {
        wf_header_set(maker->request->headers, name, value.data);
    }
    return APR_SUCCESS;
}

static apr_status_t make_headers(const maker_t *maker)
{
    const wf_rest_action_t *action = maker->action;
    apr_status_t rv = APR_SUCCESS;

    wf_header_set(maker->request->headers, "Accept", ACCEPT);
    if (maker->request->has_body) {
        wf_header_set(maker->request->headers, "Content-Type", action->content_type);
    }
    for (int i = 0; i < action->headers.count && rv == APR_SUCCESS; i++) {
        rv = add_header(maker, action->headers.list[i].name, action->headers.list[i].value, 1);
    }
    if (rv == APR_SUCCESS && action->idempotency_key) {
        rv = add_header(maker, "Idempotency-Key", action->idempotency_key, 0);
    }
    return rv;
}

static apr_status_t make_body(const maker_t *maker)
{
    const wf_rest_action_t *action = maker->action;
    wf_buf_t *body = apr_pcalloc(maker->pool, sizeof(*body));
    apr_status_t rv = APR_SUCCESS;

    wf_buf_bind(body, maker->pool);
    if (action->body) {
        rv = wf_document_json(body, action->body, &maker->context->scope, maker->result,
                              maker->pool);
    } else if (action->body_text) {
        rv = wf_template_text(body, action->body_text, &maker->context->scope, maker->result);
    }
    maker->request->has_body = action->body || action->body_text;
    maker->request->body = wf_buf_slice(body);
    return rv;
}

apr_status_t wf_rest_request_make(wf_rest_request_t *request, const wf_rest_action_t *action,
                                  const wf_action_context_t *context, wf_result_t *result,
                                  apr_pool_t *pool)
{
    const maker_t maker = {request, action, context, result, pool};
    apr_status_t rv;

    memset(request, 0, sizeof(*request));
    request->method = action->method;
    request->headers = apr_array_make(pool, 8, sizeof(wf_header_t));
    request->is_repeatable = wf_retry_is_idempotent(action->method) || action->is_repeatable ||
                             action->idempotency_key != NULL;
    rv = make_url(&maker);
    if (rv == APR_SUCCESS) {
        rv = make_body(&maker);
    }
    return rv == APR_SUCCESS ? make_headers(&maker) : rv;
}
