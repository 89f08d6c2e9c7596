/* SPDX-License-Identifier: Apache-2.0 */
/* Sending an answer that is no error. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/answer.h"

#include <apr_buckets.h>
#include <apr_md5.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include "store/run_json.h"

APLOG_USE_MODULE(dbsync_wf);

#define JSON "application/json"

void wf_answer_set_headers(request_rec *r, const char *type)
{
    /* mod_mime takes them from what looks like a file's extension, such as in an id "a.gz". */
    r->content_encoding = NULL;
    r->content_languages = NULL;
    ap_set_content_type_ex(r, type, 1);
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(r->headers_out, "Accept-Ranges", "none");
    /* A part of a run is no use, and 206 is no answer of this API. */
    apr_table_unset(r->headers_in, "Range");
}

static void set_headers(request_rec *r, const char *type, apr_size_t len)
{
    wf_answer_set_headers(r, type);
    ap_set_content_length(r, (apr_off_t)len);
}

/* The text lives in r->pool; the bucket copies it, should it outlive the pool. */
static apr_status_t send_body(wf_request_t *req, wf_slice_t text)
{
    request_rec *r = req->r;
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);
    apr_status_t status;

    if (text.len > 0) {
        APR_BRIGADE_INSERT_TAIL(brigade,
                                apr_bucket_pool_create(text.data, text.len, r->pool, alloc));
    }
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    status = ap_pass_brigade(r->output_filters, brigade);
    if (status == APR_SUCCESS || r->connection->aborted) {
        return APR_SUCCESS;
    }
    ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r, "WF0311: the answer could not be sent");
    req->http_status = AP_FILTER_ERROR;
    return status;
}

static apr_status_t send_json(wf_request_t *req, int http_status, wf_slice_t text)
{
    req->r->status = http_status;
    set_headers(req->r, JSON, text.len);
    return send_body(req, text);
}

apr_status_t wf_answer_json(wf_request_t *req, int http_status, wf_buf_t *text)
{
    wf_buf_add_char(text, '\n');
    return send_json(req, http_status, wf_buf_slice(text));
}

apr_status_t wf_answer_text(wf_request_t *req, const char *type, wf_slice_t text)
{
    req->r->status = HTTP_OK;
    set_headers(req->r, type, text.len);
    return send_body(req, text);
}

wf_slice_t wf_answer_run_text(const wf_run_t *run, apr_pool_t *pool)
{
    wf_buf_t *text = apr_pcalloc(pool, sizeof(*text));

    wf_buf_bind(text, pool);
    wf_run_json(text, run);
    wf_buf_add_char(text, '\n');
    return wf_buf_slice(text);
}

apr_status_t wf_answer_run(wf_request_t *req, int http_status, const wf_run_t *run)
{
    return send_json(req, http_status, wf_answer_run_text(run, req->r->pool));
}

const char *wf_answer_digest(wf_slice_t text, apr_pool_t *pool)
{
    unsigned char digest[APR_MD5_DIGESTSIZE];
    char *hex = apr_palloc(pool, WF_ANSWER_DIGEST_LEN + 1);

    _Static_assert(WF_ANSWER_DIGEST_LEN == 2 * APR_MD5_DIGESTSIZE, "two digits a byte");

    /* It tells states of one run apart, and is no secret: what costs least is good enough. */
    apr_md5(digest, text.data, text.len);
    ap_bin2hex(digest, sizeof(digest), hex);
    return hex;
}

const char *wf_answer_etag(wf_slice_t text, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "\"", wf_answer_digest(text, pool), "\"", NULL);
}

/*
 * 304, which has no body. Not through httpd's error handling: that would drop the headers, and this
 * is no error. Other conditions are passed over: a run has no Last-Modified, and If-Match is for
 * what changes something.
 */
static apr_status_t answer_not_modified(wf_request_t *req)
{
    req->r->status = HTTP_NOT_MODIFIED;
    apr_table_unset(req->r->headers_out, "Content-Length");
    return send_body(req, wf_slice(NULL));
}

/* Whether If-None-Match names the ETag among `headers`, or is "*". */
static int is_known(request_rec *r, apr_table_t *headers)
{
    ap_condition_e condition = ap_condition_if_none_match(r, headers);

    return condition == AP_CONDITION_STRONG || condition == AP_CONDITION_WEAK;
}

int wf_answer_is_known(wf_request_t *req, const wf_run_t *run, apr_pool_t *pool)
{
    apr_table_t *headers = apr_table_make(pool, 1);

    apr_table_setn(headers, "ETag", wf_answer_etag(wf_answer_run_text(run, pool), pool));
    return is_known(req->r, headers);
}

static void set_state_headers(request_rec *r, const char *type, wf_slice_t text)
{
    set_headers(r, type, text.len);
    /* May be kept by the client alone, who asks each time whether it still holds. */
    apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
    apr_table_setn(r->headers_out, "ETag", wf_answer_etag(text, r->pool));
}

apr_status_t wf_answer_text_state(wf_request_t *req, const char *type, wf_slice_t text)
{
    set_state_headers(req->r, type, text);
    return is_known(req->r, req->r->headers_out) ? answer_not_modified(req) : send_body(req, text);
}

apr_status_t wf_answer_json_tagged(wf_request_t *req, wf_slice_t text)
{
    req->r->status = HTTP_OK;
    set_state_headers(req->r, JSON, text);
    return send_body(req, text);
}

apr_status_t wf_answer_run_state(wf_request_t *req, const wf_run_t *run)
{
    return wf_answer_text_state(req, JSON, wf_answer_run_text(run, req->r->pool));
}

apr_status_t wf_answer_json_state(wf_request_t *req, wf_buf_t *text)
{
    wf_buf_add_char(text, '\n');
    return wf_answer_text_state(req, JSON, wf_buf_slice(text));
}

apr_status_t wf_answer_nothing(wf_request_t *req)
{
    req->r->status = HTTP_NO_CONTENT;
    wf_answer_set_headers(req->r, NULL);
    return send_body(req, wf_slice(NULL));
}

apr_status_t wf_answer_moved(wf_request_t *req, const char *path)
{
    req->r->status = HTTP_PERMANENT_REDIRECT;
    wf_answer_set_headers(req->r, NULL);
    apr_table_setn(req->r->headers_out, "Location", path);
    return send_body(req, wf_slice(NULL));
}

apr_status_t wf_answer_options(wf_request_t *req)
{
    set_headers(req->r, NULL, 0);
    apr_table_setn(req->r->headers_out, "Allow", req->allow);
    return APR_SUCCESS;
}
