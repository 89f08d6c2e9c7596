/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run. */
#include "http/wait.h"

#include <apr_lib.h>
#include "http/query.h"
#include "http/suspend.h"
#include "http/waiter.h"

#define DIGITS_MOST 6
#define NO_LESS     APR_INT64_MAX /* than the deadline lets */

static apr_status_t bad_wait(apr_interval_time_t most, wf_result_t *result)
{
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BAD_REQUEST,
                         "wait must be a whole number of seconds from 0 to %d.",
                         (int)apr_time_sec(most));
}

apr_status_t wf_wait_read(apr_interval_time_t *wait, wf_request_t *req, wf_result_t *result)
{
    apr_interval_time_t most = wf_config_max_wait(req->r);
    apr_int64_t seconds = 0;
    wf_slice_t text;
    apr_status_t status = wf_query_find(&text, req->r->args, "wait", req->r->pool);

    *wait = 0;
    if (status == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS || text.len == 0 || text.len > DIGITS_MOST) {
        return bad_wait(most, result);
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        if (!apr_isdigit(text.data[i])) {
            return bad_wait(most, result);
        }
        seconds = seconds * 10 + (text.data[i] - '0');
    }
    *wait = apr_time_from_sec(seconds);
    return *wait > most ? bad_wait(most, result) : APR_SUCCESS;
}

/* News may be none that shows; then it is waited on. */
static apr_status_t wait_on(wf_run_t **run, wf_waiter_t *waiter, int for_change,
                            wf_result_t *result)
{
    wf_request_t *req = waiter->req;
    apr_status_t news = APR_SUCCESS;
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && news == APR_SUCCESS &&
           !wf_waiter_is_over(req, *run, for_change, waiter->pool)) {
        news = wf_waiter_watch(waiter, *run, for_change, NO_LESS);
        if (news != APR_SUCCESS && !wf_waiter_is_end(news)) {
            return wf_request_store_failed(req, news, result);
        }
        status = wf_waiter_look(run, waiter, result);
    }
    return status;
}

apr_status_t wf_wait_for_run(wf_run_t **run, wf_request_t *req, apr_interval_time_t wait,
                             wf_result_t *result)
{
    int for_change = apr_table_get(req->r->headers_in, "If-None-Match") != NULL;
    wf_waiter_t waiter;
    apr_status_t status;

    if (wf_waiter_is_over(req, *run, for_change, req->r->pool) ||
        wf_suspend_request(req, wait, for_change)) {
        return APR_SUCCESS;
    }
    status = wf_waiter_open(&waiter, req, wait, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    status = wait_on(run, &waiter, for_change, result);
    wf_waiter_close(&waiter);
    return status;
}
