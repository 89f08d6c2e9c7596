/* SPDX-License-Identifier: Apache-2.0 */
/* From httpd's request to an endpoint. */
#include "http/handler.h"

#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include "http/answer.h"
#include "http/endpoint.h"
#include "http/problem.h"

APLOG_USE_MODULE(dbsync_wf);

/* By wf_endpoint_e. Methods are httpd's numbers; its M_GET is HEAD too. */
static const struct {
    apr_status_t (*answer)(wf_request_t *req, wf_result_t *result);
    int get;
    int post;
    const char *allow;
} endpoints[] = {
    [WF_ENDPOINT_RUN] = {wf_endpoint_run, 0, 1, "POST, OPTIONS"},
    [WF_ENDPOINT_STATUS] = {wf_endpoint_status, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_EVENTS] = {wf_endpoint_events, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_INTERRUPT] = {wf_endpoint_interrupt, 1, 1, "GET, HEAD, POST, OPTIONS"},
    [WF_ENDPOINT_RUNS] = {wf_endpoint_runs, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_RUNS_EVENTS] = {wf_endpoint_runs_events, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_STATISTICS] = {wf_endpoint_statistics, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_LOGS] = {wf_endpoint_logs, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_PROJECTS] = {wf_endpoint_projects, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_PROJECT] = {wf_endpoint_project, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_TASK] = {wf_endpoint_task, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_OPENAPI] = {wf_endpoint_openapi, 1, 0, "GET, HEAD, OPTIONS"},
    [WF_ENDPOINT_METRICS] = {wf_endpoint_metrics, 1, 0, "GET, HEAD, OPTIONS"},
};

/*
 * Whether the sections for this path name our handler. At this point httpd has set what they say
 * aside, to merge it over what is found for folders; its walk is cached, so asking costs little.
 */
static int is_ours(request_rec *r)
{
    ap_conf_vector_t *before = r->per_dir_config;
    const core_dir_config *core;
    const char *handler = NULL;
    const char *error = NULL;

    if (!wf_request_base(r) || ap_location_walk(r) != OK) {
        return 0;
    }
    core = ap_get_core_module_config(r->per_dir_config);
    if (core->expr_handler) {
        handler = ap_expr_str_exec(r, core->expr_handler, &error);
    }
    r->per_dir_config = before;
    return handler && !error && strcasecmp(handler, WF_HANDLER) == 0;
}

int wf_handler_map(request_rec *r)
{
    if (!is_ours(r)) {
        return DECLINED;
    }
    wf_request_get(r)->mapped = 1;
    wf_problem_claim(r);
    return OK;
}

static apr_status_t check_user(wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;

    if (r->user && *r->user != '\0') {
        return APR_SUCCESS;
    }
    if (wf_request_may_complain(req, WF_COMPLAINT_NO_USER)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WF0316: a request was refused because httpd did not authenticate it: add "
                      "AuthType, AuthName, an AuthUserFile or another provider, and \"Require "
                      "valid-user\" to <Location \"%s\"> (\"Require all granted\" asks nobody)",
                      req->base->path.len > 0 ? req->base->path.data : "/");
    }
    return wf_result_set(result, APR_EACCES, WF_PROBLEM_NO_AUTHENTICATION,
                         "The server's error log says what to add to its configuration.");
}

static apr_status_t find_route(wf_request_t *req, wf_result_t *result)
{
    const char *path = req->r->uri + req->base->path.len;

    if (wf_route_parse(&req->route, wf_slice(path), req->r->pool) != APR_SUCCESS) {
        return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_NOT_FOUND,
                             "openapi.json under this base lists the paths that there are.");
    }
    req->allow = endpoints[req->route.endpoint].allow;
    if (req->route.has_pid) {
        wf_request_note_pid(req, &req->route.pid);
    }
    return APR_SUCCESS;
}

static apr_status_t dispatch(wf_request_t *req, wf_result_t *result)
{
    int method = req->r->method_number;
    wf_endpoint_e endpoint = req->route.endpoint;

    if (method == M_OPTIONS) {
        return wf_answer_options(req);
    }
    if (!req->shared->store) {
        return wf_request_store_failed(req, WF_EUNAVAILABLE, result);
    }
    if ((method == M_GET && endpoints[endpoint].get) ||
        (method == M_POST && endpoints[endpoint].post)) {
        return endpoints[endpoint].answer(req, result);
    }
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_METHOD, "This path takes %s.", req->allow);
}

int wf_handler(request_rec *r)
{
    wf_request_t *req;
    apr_status_t status;

    if (!r->handler || strcmp(r->handler, WF_HANDLER) != 0) {
        return DECLINED;
    }
    req = wf_request_get(r);
    if (!req) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "WF0317: the handler " WF_HANDLER " was given a path under no base: write "
                      "SetHandler " WF_HANDLER " in a plain <Location> and nowhere else");
        return HTTP_NOT_FOUND;
    }
    status = check_user(req, &req->failure);
    if (status == APR_SUCCESS) {
        status = find_route(req, &req->failure);
    }
    if (status == APR_SUCCESS) {
        status = dispatch(req, &req->failure);
    }
    if (status != APR_SUCCESS) {
        return wf_problem_http_status(req);
    }
    return req->is_suspended ? SUSPENDED : OK;
}
