/* SPDX-License-Identifier: Apache-2.0 */
/* GET /openapi.json */
#include "http/answer.h"
#include "http/endpoint.h"
#include "http/openapi.h"

apr_status_t wf_endpoint_openapi(wf_request_t *req, wf_result_t *result)
{
    wf_buf_t *text = apr_pcalloc(req->r->pool, sizeof(*text));

    (void)result;
    wf_buf_bind(text, req->r->pool);
    wf_openapi_json(text, req->base->uri);
    return wf_answer_json_state(req, text);
}
