/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a request's body. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/body.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include "http/media.h"

APLOG_USE_MODULE(dbsync_wf);

#define READ_SIZE 65536
#define MAX_DEPTH 512 /* arrays and objects within each other */

static apr_status_t too_large(apr_uint64_t most, wf_result_t *result)
{
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BODY_TOO_LARGE,
                         "A body may have %" APR_UINT64_T_FMT " bytes here.", most);
}

/* httpd has checked that a Content-Length, where it counts, is a number. */
static apr_status_t check_declared(const request_rec *r, apr_uint64_t most, wf_result_t *result)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    if (apr_table_get(r->headers_in, "Transfer-Encoding")) {
        return APR_SUCCESS;
    }
    if (!length) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_LENGTH_REQUIRED,
                             "Send the JSON body with its Content-Length, or chunked.");
    }
    if (apr_strtoi64(length, NULL, 10) > (apr_int64_t)most) {
        return too_large(most, result);
    }
    return APR_SUCCESS;
}

/* Moves a brigade's bytes into the buffer. APR_EOF at the body's end. */
static apr_status_t take(wf_buf_t *buf, apr_bucket_brigade *brigade, apr_uint64_t most,
                         wf_result_t *result)
{
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t len;
        apr_status_t status;

        if (APR_BUCKET_IS_EOS(bucket)) {
            return APR_EOF;
        }
        if (APR_BUCKET_IS_METADATA(bucket)) {
            continue;
        }
        status = apr_bucket_read(bucket, &data, &len, APR_BLOCK_READ);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (len > most - buf->len) {
            return too_large(most, result);
        }
        wf_buf_add(buf, data, len);
    }
    return APR_SUCCESS;
}

/* Reads to the end, in pieces that filters hand over. */
static apr_status_t read_all(wf_buf_t *buf, request_rec *r, apr_uint64_t most, wf_result_t *result)
{
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_status_t status;

    do {
        status =
            ap_get_brigade(r->input_filters, brigade, AP_MODE_READBYTES, APR_BLOCK_READ, READ_SIZE);
        if (status == APR_SUCCESS) {
            status = take(buf, brigade, most, result);
            apr_brigade_cleanup(brigade);
        } else if (status == APR_EOF) {
            status = APR_INCOMPLETE; /* it ended before the body did */
        }
    } while (status == APR_SUCCESS);
    apr_brigade_destroy(brigade);
    return status == APR_EOF ? APR_SUCCESS : status;
}

static apr_status_t read_body(wf_slice_t *body, wf_request_t *req, apr_uint64_t most,
                              wf_result_t *result)
{
    request_rec *r = req->r;
    wf_buf_t *buf = apr_pcalloc(r->pool, sizeof(*buf));
    apr_status_t status = check_declared(r, most, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    wf_buf_bind(buf, r->pool);
    status = read_all(buf, r, most, result);
    if (status == APR_SUCCESS) {
        *body = wf_buf_slice(buf);
    } else if (result->problem == WF_PROBLEM_NONE) {
        /* AP_FILTER_ERROR is no status that has a text: a filter has logged the reason. */
        ap_log_rerror(APLOG_MARK, APLOG_INFO, status == AP_FILTER_ERROR ? 0 : status, r,
                      "WF0313: the body could not be read");
        req->http_status = ap_map_http_request_error(status, HTTP_BAD_REQUEST);
    }
    return status;
}

static apr_status_t check_type(const request_rec *r, wf_result_t *result)
{
    if (wf_media_is_json(apr_table_get(r->headers_in, "Content-Type"))) {
        return APR_SUCCESS;
    }
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_MEDIA_TYPE,
                         "Send the header Content-Type: application/json, and the body in UTF-8.");
}

static apr_status_t check_json(wf_request_t *req, wf_slice_t body, wf_result_t *result)
{
    apr_status_t status = wf_json_check(body, MAX_DEPTH, &req->malformed);

    if (status == APR_SUCCESS) {
        req->malformed.line = 0;
        return APR_SUCCESS;
    }
    return wf_result_set(result, status, WF_PROBLEM_INVALID_JSON,
                         "Line %" APR_SIZE_T_FMT ", column %" APR_SIZE_T_FMT ": %s.",
                         req->malformed.line, req->malformed.column, req->malformed.reason);
}

apr_status_t wf_body_read_json(wf_slice_t *body, wf_request_t *req, apr_uint64_t most,
                               wf_result_t *result)
{
    apr_status_t status = check_type(req->r, result);

    if (status == APR_SUCCESS) {
        status = read_body(body, req, most, result);
    }
    return status == APR_SUCCESS ? check_json(req, *body, result) : status;
}
