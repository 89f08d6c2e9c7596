/* SPDX-License-Identifier: Apache-2.0 */
/* Sending an answer that is no error. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/answer.h"

#include <apr_buckets.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include "http/run_json.h"

APLOG_USE_MODULE(dbsync_wf);

static void set_headers(request_rec *r, const char *type, apr_size_t len)
{
    /* mod_mime takes them from what looks like a file's extension, such as in an id "a.gz". */
    r->content_encoding = NULL;
    r->content_languages = NULL;
    ap_set_content_type_ex(r, type, 1);
    ap_set_content_length(r, (apr_off_t)len);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Accept-Ranges", "none");
    /* A part of a run is no use, and 206 is no answer of this API. */
    apr_table_unset(r->headers_in, "Range");
}

/* The text lives in r->pool; the bucket copies it, should it outlive the pool. */
static apr_status_t send_body(wf_request_t *req, wf_slice_t text)
{
    request_rec *r = req->r;
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);
    apr_status_t status;

    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_pool_create(text.data, text.len, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    status = ap_pass_brigade(r->output_filters, brigade);
    if (status == APR_SUCCESS || r->connection->aborted) {
        return APR_SUCCESS;
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r, "WF0311: the answer could not be sent");
    req->http_status = AP_FILTER_ERROR;
    return status;
}

apr_status_t wf_answer_json(wf_request_t *req, int http_status, wf_buf_t *text)
{
    wf_buf_add_char(text, '\n');
    req->r->status = http_status;
    set_headers(req->r, "application/json", text->len);
    return send_body(req, wf_buf_slice(text));
}

apr_status_t wf_answer_run(wf_request_t *req, int http_status, const wf_run_t *run)
{
    wf_buf_t *text = apr_pcalloc(req->r->pool, sizeof(*text));

    wf_buf_bind(text, req->r->pool);
    wf_run_json(text, run);
    return wf_answer_json(req, http_status, text);
}

apr_status_t wf_answer_options(wf_request_t *req)
{
    set_headers(req->r, NULL, 0);
    apr_table_setn(req->r->headers_out, "Allow", req->allow);
    return APR_SUCCESS;
}
