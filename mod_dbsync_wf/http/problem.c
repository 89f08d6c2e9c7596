/* SPDX-License-Identifier: Apache-2.0 */
/* The problem document and the filter that puts it in place. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/problem.h"

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <util_filter.h>

#define FILTER_NAME "DBSYNC_WF_PROBLEM"

int wf_problem_http_status(const wf_request_t *req)
{
    int http_status = wf_problem_info(req->failure.problem)->http_status;

    if (req->http_status != 0) {
        return req->http_status;
    }
    return http_status != 0 ? http_status : HTTP_INTERNAL_SERVER_ERROR;
}

/* The problem that a status alone tells of; NONE where it is not one of the list. */
static wf_problem_e problem_of_status(int http_status)
{
    switch (http_status) {
    case HTTP_BAD_REQUEST:
        return WF_PROBLEM_BAD_REQUEST;
    case HTTP_UNAUTHORIZED:
        return WF_PROBLEM_UNAUTHORIZED;
    case HTTP_FORBIDDEN:
        return WF_PROBLEM_FORBIDDEN;
    case HTTP_NOT_FOUND:
        return WF_PROBLEM_NOT_FOUND;
    case HTTP_METHOD_NOT_ALLOWED:
        return WF_PROBLEM_METHOD;
    case HTTP_LENGTH_REQUIRED:
        return WF_PROBLEM_LENGTH_REQUIRED;
    case HTTP_REQUEST_ENTITY_TOO_LARGE:
        return WF_PROBLEM_BODY_TOO_LARGE;
    case HTTP_UNSUPPORTED_MEDIA_TYPE:
        return WF_PROBLEM_MEDIA_TYPE;
    case HTTP_RANGE_NOT_SATISFIABLE:
        return WF_PROBLEM_RANGE;
    case HTTP_TOO_MANY_REQUESTS:
        return WF_PROBLEM_QUEUE_FULL;
    case HTTP_INTERNAL_SERVER_ERROR:
        return WF_PROBLEM_INTERNAL;
    case HTTP_SERVICE_UNAVAILABLE:
        return WF_PROBLEM_UNAVAILABLE;
    default:
        return WF_PROBLEM_NONE;
    }
}

/* "Not Found" for 404, as httpd says it. */
static const char *reason_of_status(int http_status)
{
    const char *reason = strchr(ap_get_status_line(http_status), ' ');

    return reason ? reason + 1 : "Error";
}

/* The request's own failure counts only where it is what the answer's status tells of. */
static int is_own_failure(const wf_request_t *req, int http_status)
{
    return req->failure.problem != WF_PROBLEM_NONE &&
           wf_problem_info(req->failure.problem)->http_status == http_status;
}

wf_problem_e wf_problem_of(const wf_request_t *req, int http_status)
{
    return is_own_failure(req, http_status) ? req->failure.problem : problem_of_status(http_status);
}

static void put_type(wf_json_writer_t *writer, wf_problem_e problem, int http_status,
                     apr_pool_t *pool)
{
    const wf_problem_info_t *info = wf_problem_info(problem);

    if (problem == WF_PROBLEM_NONE) {
        wf_json_put_text(writer, "type", "about:blank");
        wf_json_put_text(writer, "title", reason_of_status(http_status));
    } else {
        wf_json_put_text(writer, "type", apr_pstrcat(pool, WF_PROBLEM_URN, info->slug, NULL));
        wf_json_put_text(writer, "title", info->title);
    }
    wf_json_put_int(writer, "status", http_status);
}

static void write_document(wf_buf_t *out, const wf_request_t *req, int http_status)
{
    int own = is_own_failure(req, http_status);
    wf_json_writer_t writer;

    wf_json_writer_init(&writer, out);
    wf_json_open(&writer, NULL, '{');
    put_type(&writer, wf_problem_of(req, http_status), http_status, req->r->pool);
    if (own && req->failure.detail) {
        wf_json_put_text(&writer, "detail", req->failure.detail);
    }
    if (own && req->malformed.line > 0) {
        wf_json_put_int(&writer, "line", (apr_int64_t)req->malformed.line);
        wf_json_put_int(&writer, "column", (apr_int64_t)req->malformed.column);
    }
    wf_json_close(&writer, '}');
    wf_buf_add_char(out, '\n');
}

static void set_headers(const wf_request_t *req, apr_size_t len)
{
    request_rec *r = req->r;

    r->content_encoding = NULL;
    r->content_languages = NULL;
    ap_set_content_type_ex(r, "application/problem+json", 1);
    ap_set_content_length(r, (apr_off_t)len);
    apr_table_unset(r->headers_out, "Location"); /* of an ErrorDocument */
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    if (r->status == HTTP_METHOD_NOT_ALLOWED && req->allow) {
        /* What httpd makes of it itself adds TRACE. */
        apr_table_setn(r->headers_out, "Allow", req->allow);
    } else if (r->status == HTTP_UNSUPPORTED_MEDIA_TYPE) {
        apr_table_setn(r->headers_out, "Accept-Post", "application/json");
    } else if ((r->status == HTTP_SERVICE_UNAVAILABLE || r->status == HTTP_TOO_MANY_REQUESTS) &&
               !apr_table_get(r->headers_out, "Retry-After")) {
        apr_table_setn(r->headers_out, "Retry-After",
                       apr_itoa(r->pool, req->retry_after > 0 ? req->retry_after : 1));
    }
}

/* Drops httpd's text, and when that ends sends the document. */
static apr_status_t replace_body(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    const wf_request_t *req = filter->ctx;
    wf_buf_t document = {NULL, 0, 0};
    apr_bucket *bucket;
    int ended = !APR_BRIGADE_EMPTY(brigade) && APR_BUCKET_IS_EOS(APR_BRIGADE_LAST(brigade));

    apr_brigade_cleanup(brigade);
    if (!ended) {
        return APR_SUCCESS;
    }
    write_document(&document, req, filter->r->status);
    set_headers(req, document.len);
    bucket = apr_bucket_heap_create(document.data, document.len, NULL, brigade->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    bucket = apr_bucket_eos_create(brigade->bucket_alloc);
    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    wf_buf_free(&document);
    ap_remove_output_filter(filter);
    return ap_pass_brigade(filter->next, brigade);
}

void wf_problem_register_filter(void)
{
    ap_register_output_filter(FILTER_NAME, replace_body, NULL, AP_FTYPE_RESOURCE);
}

/* Makes an error of the redirect to an ErrorDocument; httpd has not yet written what it says. */
static void take_back_redirect(request_rec *r)
{
    int http_status = wf_problem_behind_redirect(r);

    if (http_status == 0) {
        return;
    }
    r->status = http_status;
    if (ap_status_drops_connection(http_status)) {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
}

void wf_problem_insert_filter(request_rec *r)
{
    wf_request_t *req = wf_request_get(r);

    if (!req) {
        return;
    }
    take_back_redirect(r);
    if (r->status >= HTTP_BAD_REQUEST) {
        ap_add_output_filter(FILTER_NAME, req, r, r->connection);
    }
}
