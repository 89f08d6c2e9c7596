/* SPDX-License-Identifier: Apache-2.0 */
/* Asking httpd. */
#include "http/authz.h"

#include <apr_strings.h>
#include <http_log.h>
#include <http_request.h>

APLOG_USE_MODULE(dbsync_wf);

const char *wf_authz_run_uri(wf_request_t *req, const char *project, const char *task)
{
    apr_pool_t *pool = req->r->pool;

    return apr_pstrcat(pool, req->base->uri, wf_route_run_path(project, task, pool), NULL);
}

/*
 * httpd authorizes a sub-request whose sections are its request's own by that request, whatever the
 * method: one that is the same is asked about here, as httpd would for a request.
 */
static int authorize(request_rec *look_up)
{
    int status = look_up->status;

    if (status == HTTP_OK && look_up->per_dir_config == look_up->main->per_dir_config &&
        look_up->method_number != look_up->main->method_number) {
        status = ap_run_auth_checker(look_up);
        status = status == OK || status == DECLINED ? HTTP_OK : status;
    }
    return status;
}

int wf_authz_may(wf_request_t *req, const char *method, const char *uri)
{
    request_rec *r = req->r;
    request_rec *look_up;
    int status;

    req->is_asking = 1;
    look_up = ap_sub_req_method_uri(method, uri, r, NULL);
    status = authorize(look_up);
    req->is_asking = 0;
    if (status != HTTP_OK) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "WF0312: %s is refused: %s to %s would be answered %d", r->user, method, uri,
                      status);
    }
    ap_destroy_sub_req(look_up);
    return status == HTTP_OK;
}

int wf_authz_silence(request_rec *r)
{
    static const struct ap_logconf silent = {.module_levels = NULL, .level = APLOG_EMERG};
    const wf_request_t *req =
        r->main ? ap_get_module_config(r->main->request_config, &dbsync_wf_module) : NULL;

    if (req && req->is_asking) {
        r->log = &silent;
    }
    return DECLINED;
}

int wf_authz_may_run(wf_request_t *req, const char *project, const char *task)
{
    return wf_authz_may(req, "POST", wf_authz_run_uri(req, project, task));
}

static apr_status_t unknown_run(wf_result_t *result)
{
    return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_RUN,
                         "There is no run with this pid that you may see.");
}

apr_status_t wf_authz_find_run(wf_run_t **run, wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    wf_store_t *store = req->shared->store;
    apr_status_t status;

    if (!req->route.has_pid) {
        return unknown_run(result);
    }
    status = store->get(run, store, wf_server_config(r->server)->vhost, &req->route.pid, result,
                        r->pool);
    if (status == APR_NOTFOUND) {
        return unknown_run(result);
    }
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    req->run = *run;
    req->is_hidden = !wf_authz_may_run(req, (*run)->project, (*run)->task);
    return req->is_hidden ? unknown_run(result) : APR_SUCCESS;
}
