/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /interrupt/{pid} */
#include <httpd.h>
#include <http_protocol.h>
#include "base/clock.h"
#include "http/answer.h"
#include "http/authz.h"
#include "http/cors.h"
#include "http/endpoint.h"

static int is_prefetch(const request_rec *r, const char *header)
{
    const char *value = apr_table_get(r->headers_in, header);

    return value && ap_strcasestr(value, "prefetch");
}

/*
 * A link or an image on another site would carry the user's credentials, and a browser that looks
 * ahead would follow it unasked. Browsers mark both (W3C Fetch Metadata; the Fetch standard's
 * Sec-Purpose, and Purpose, which came before it). A script of an origin that the configuration
 * names may.
 */
static apr_status_t check_site(const request_rec *r, wf_result_t *result)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");

    if (site && strcasecmp(site, "same-origin") != 0 && strcasecmp(site, "none") != 0 &&
        !wf_cors_is_script(r)) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_CROSS_SITE,
                             "A browser sent this for a page of another site.");
    }
    if (is_prefetch(r, "Sec-Purpose") || is_prefetch(r, "Purpose")) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_CROSS_SITE,
                             "A browser sent this ahead of its user.");
    }
    return APR_SUCCESS;
}

static apr_status_t already_ended(const wf_run_t *run, wf_result_t *result)
{
    char when[WF_TIME_TEXT_LEN + 1];

    wf_time_format(when, run->completed);
    if (run->status == WF_RUN_ERROR) {
        return wf_result_set(result, WF_EENDED, WF_PROBLEM_ALREADY_ENDED,
                             "It ended with an error (%s) at %s.",
                             run->error.type ? run->error.type : "unknown", when);
    }
    return wf_result_set(result, WF_EENDED, WF_PROBLEM_ALREADY_ENDED, "It completed at %s.", when);
}

static apr_status_t interrupt(wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    wf_store_t *store = req->shared->store;
    wf_run_t *run;
    apr_status_t status = store->interrupt(&run, store, wf_server_config(r->server)->vhost,
                                           &req->route.pid, r->user, result, r->pool);

    if (status == WF_EENDED && run->status != WF_RUN_INTERRUPTED) {
        return already_ended(run, result);
    }
    if (status == WF_EENDED) {
        req->outcome = "already-interrupted";
        return wf_answer_run(req, HTTP_OK, run);
    }
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    req->outcome = "interrupted";
    return wf_answer_run(req, HTTP_ACCEPTED, run);
}

apr_status_t wf_endpoint_interrupt(wf_request_t *req, wf_result_t *result)
{
    wf_run_t *run;
    apr_status_t status;

    if (req->r->header_only) {
        return wf_endpoint_status(req, result);
    }
    status = check_site(req->r, result);
    if (status == APR_SUCCESS) {
        status = wf_authz_find_run(&run, req, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    req->http_status = ap_discard_request_body(req->r);
    return req->http_status == OK ? interrupt(req, result) : APR_INCOMPLETE;
}
