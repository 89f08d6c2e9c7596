/* SPDX-License-Identifier: Apache-2.0 */
/* GET /runs?project=&task=&user=&status=&from=&to=&limit=&cursor= */
#include "http/answer.h"
#include "http/arguments.h"
#include "http/endpoint.h"
#include "http/runs_page.h"

static apr_status_t read_cursor(wf_uuid_t *before, const request_rec *r, wf_result_t *result)
{
    const char *what = "what the last answer gave as next";
    const char *text;
    apr_status_t status = wf_argument_text(&text, r, "cursor", what, result);

    return status == APR_SUCCESS && text && wf_uuid_parse(before, wf_slice(text)) != APR_SUCCESS
               ? wf_argument_refuse(result, "cursor", what)
               : status;
}

apr_status_t wf_endpoint_runs(wf_request_t *req, wf_result_t *result)
{
    wf_run_query_t query;
    wf_rights_t rights;
    apr_uint64_t version;
    wf_buf_t *text;
    apr_status_t status = wf_runs_page_read(&query, req->r, result);

    if (status == APR_SUCCESS) {
        status = read_cursor(&query.before, req->r, result);
    }
    if (status == APR_SUCCESS) {
        wf_rights_init(&rights, req);
        status = wf_runs_page_make(&text, &version, &rights, &query, result, req->r->pool);
    }
    return status == APR_SUCCESS ? wf_answer_json(req, HTTP_OK, text) : status;
}
