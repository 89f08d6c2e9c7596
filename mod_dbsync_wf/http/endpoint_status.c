/* SPDX-License-Identifier: Apache-2.0 */
/* GET /status/{pid}, also with ?wait=SECONDS */
#include "http/answer.h"
#include "http/authz.h"
#include "http/endpoint.h"
#include "http/wait.h"

apr_status_t wf_endpoint_status(wf_request_t *req, wf_result_t *result)
{
    apr_interval_time_t wait = 0;
    wf_run_t *run;
    apr_status_t status = APR_SUCCESS;

    if (req->route.endpoint == WF_ENDPOINT_STATUS) { /* HEAD /interrupt comes here too */
        status = wf_wait_read(&wait, req, result);
    }
    if (status == APR_SUCCESS) {
        status = wf_authz_find_run(&run, req, result);
    }
    if (status == APR_SUCCESS && wait > 0) {
        status = wf_wait_for_run(&run, req, wait, result);
    }
    return status == APR_SUCCESS && !req->is_suspended ? wf_answer_run_state(req, run) : status;
}
