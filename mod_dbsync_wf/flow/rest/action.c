/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "rest": a request to a service, whose answer is the action's result.
 *
 *   {"action": "rest", "connector": "crm", "method": "PUT", "path": "/customers/{{id}}",
 *    "query": {"notify": "{{notify}}"}, "headers": {"If-Match": "{{@customer/headers/etag}}"},
 *    "body": {"name": "{{name}}", "tags": ["{{tag}}"]}, "expect": [200, 204]}
 */
#include "flow/rest/rest.h"

#include <apr_strings.h>
#include "flow/rest/client.h"
#include "flow/rest/exchange.h"
#include "flow/rest/report.h"
#include "flow/rest/request.h"
#include "flow/rest/spec.h"

#define JSON_TYPE   "application/json"
#define TEXT_TYPE   "text/plain; charset=utf-8"
#define STATUS_LOW  200
#define STATUS_HIGH 599
#define RESULT_MOST (64 * 1024 * 1024) /* bytes, as JSON: bytes that are no text take up to six */

static const char *const members[] = {WF_REST_ACTION_MEMBERS, NULL};
static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", NULL};

apr_status_t wf_rest_fields_check(wf_rest_fields_t *fields, const wf_check_t *at,
                                  const char *member, int are_headers)
{
    const json_t *object = NULL;
    apr_status_t rv = wf_check_object(&object, at, member, WF_OPTIONAL);
    wf_rest_field_t *list;
    const char *name;
    json_t *value;

    if (rv != APR_SUCCESS || !object) {
        return rv;
    }
    fields->list = list = apr_pcalloc(at->pool, (json_object_size(object) + 1) * sizeof(*list));
    json_object_foreach((json_t *)object, name, value)
    {
        const char *place = apr_pstrcat(at->pool, member, "/", name, NULL);
        wf_template_t *tmpl = NULL;

        rv = are_headers ? wf_rest_header_check(at, place, name) : APR_SUCCESS;
        if (rv == APR_SUCCESS) {
            rv = wf_check_template_value(&tmpl, at, place, value);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        list[fields->count].name = apr_pstrdup(at->pool, name);
        list[fields->count++].value = tmpl;
    }
    return APR_SUCCESS;
}

/* Where the request goes: to the connector's host, or to one that its "hosts" has. */
static apr_status_t parse_target(wf_rest_action_t *action, const wf_check_t *at)
{
    const wf_rest_connector_t *connector = action->connector->spec;
    const wf_url_t *host;
    int method = 0;
    apr_status_t rv = wf_check_choice(&method, at, "method", WF_OPTIONAL, methods);

    action->method = methods[method];
    if (rv == APR_SUCCESS) {
        rv = wf_rest_path_check(&action->path, at, "path");
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    host = wf_rest_path_host(action->path);
    if (host &&
        !wf_url_is_allowed(host, &connector->url, connector->hosts, connector->host_count)) {
        return wf_check_error(at, "path",
                              "leads to a host that the connector's \"hosts\" must have");
    }
    return wf_rest_fields_check(&action->query, at, "query", 0);
}

static apr_status_t parse_headers(wf_rest_action_t *action, const wf_check_t *at)
{
    const wf_rest_connector_t *connector = action->connector->spec;
    apr_status_t rv = wf_rest_fields_check(&action->headers, at, "headers", 1);

    for (int i = 0; i < action->headers.count && rv == APR_SUCCESS && connector->secret; i++) {
        if (strcasecmp(action->headers.list[i].name, "Authorization") == 0) {
            return wf_check_error(at, "headers/Authorization",
                                  "cannot be there beside the connector's auth");
        }
    }
    return rv;
}

static apr_status_t parse_body(wf_rest_action_t *action, const wf_check_t *at)
{
    const json_t *body = json_object_get(at->object, "body");
    const json_t *text = json_object_get(at->object, "bodyText");
    wf_template_t *tmpl = NULL;
    apr_status_t rv;

    if (body && text) {
        return wf_check_error(at, "bodyText", "cannot be there beside body");
    }
    if ((body || text) &&
        (strcmp(action->method, "GET") == 0 || strcmp(action->method, "HEAD") == 0)) {
        return wf_check_error(at, body ? "body" : "bodyText", "cannot be sent by %s",
                              action->method);
    }
    action->content_type = body ? JSON_TYPE : TEXT_TYPE;
    rv = wf_check_string(&action->content_type, at, "contentType", WF_OPTIONAL);
    if (rv == APR_SUCCESS && !wf_header_is_value(wf_slice(action->content_type))) {
        return wf_check_error(at, "contentType", "must not hold a control character");
    }
    if (rv == APR_SUCCESS && body) {
        return wf_document_check(&action->body, at, "body", body);
    }
    if (rv == APR_SUCCESS && text) {
        rv = wf_check_template_value(&tmpl, at, "bodyText", text);
        action->body_text = tmpl;
    }
    return rv;
}

static apr_status_t parse_expect(wf_rest_action_t *action, const wf_check_t *at)
{
    const json_t *array = NULL;
    apr_status_t rv = wf_check_array(&array, at, "expect", WF_OPTIONAL);
    int *list;

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    action->expect_count = (int)json_array_size(array);
    action->expect = list = apr_pcalloc(at->pool, (apr_size_t)action->expect_count * sizeof(*list));
    for (int i = 0; i < action->expect_count; i++) {
        const json_t *value = json_array_get(array, (apr_size_t)i);

        if (!json_is_integer(value) || json_integer_value(value) < STATUS_LOW ||
            json_integer_value(value) > STATUS_HIGH) {
            return wf_check_error(at, apr_psprintf(at->pool, "expect/%d", i),
                                  "must be a status from %d to %d", STATUS_LOW, STATUS_HIGH);
        }
        list[i] = (int)json_integer_value(value);
    }
    return APR_SUCCESS;
}

static apr_status_t parse_repeats(wf_rest_action_t *action, const wf_check_t *at)
{
    const json_t *key = json_object_get(at->object, "idempotencyKey");
    wf_template_t *tmpl = NULL;
    apr_status_t rv = wf_check_bool(&action->is_repeatable, at, "repeatable", WF_OPTIONAL);

    if (rv == APR_SUCCESS && key) {
        rv = wf_check_template_value(&tmpl, at, "idempotencyKey", key);
        action->idempotency_key = tmpl;
    }
    return rv;
}

static apr_status_t parse_rest(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    static apr_status_t (*const steps[])(wf_rest_action_t *, const wf_check_t *) = {
        parse_target, parse_headers, parse_body, parse_expect, parse_repeats};
    wf_rest_action_t *action = apr_pcalloc(at->pool, sizeof(*action));
    apr_status_t rv =
        wf_connector_check(&action->connector, at, loader, "connector", &wf_connector_rest);

    for (apr_size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rv == APR_SUCCESS; i++) {
        rv = steps[i](action, at);
    }
    *spec = action;
    return rv;
}

static apr_status_t execute_rest(wf_action_end_t *end, const void *spec,
                                 const wf_action_context_t *context, wf_result_t *result,
                                 apr_pool_t *pool)
{
    const wf_rest_action_t *action = spec;
    wf_rest_request_t request;
    wf_rest_exchange_t exchange;
    apr_status_t rv = wf_rest_request_make(&request, action, context, result, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_rest_exchange(&exchange, &request, action, context, result, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    wf_rest_report_details(end->details, &exchange);
    rv = wf_rest_report_failure(&exchange, action, context->action, result, pool);
    if (rv == APR_SUCCESS) {
        end->result = wf_rest_report_result(&exchange, pool);
    }
    if (end->result.len > RESULT_MOST) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_REST,
                             "action \"%s\": the answer takes more than %d bytes as JSON",
                             context->action, RESULT_MOST);
    }
    return rv;
}

apr_status_t wf_rest_setup(void)
{
    return wf_http_setup();
}

const wf_action_kind_t wf_action_rest = {"rest", members, parse_rest, execute_rest};
