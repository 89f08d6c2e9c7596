/* SPDX-License-Identifier: Apache-2.0 */
/* GET /status/{pid} */
#include "http/answer.h"
#include "http/authz.h"
#include "http/endpoint.h"

apr_status_t wf_endpoint_status(wf_request_t *req, wf_result_t *result)
{
    wf_run_t *run;
    apr_status_t status = wf_authz_find_run(&run, req, result);

    return status == APR_SUCCESS ? wf_answer_run_state(req, run) : status;
}
