/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /logs/{pid}: what a run has put out, as text; the whole, or a part (Range); with ?follow=1
 * also what it puts out from then on.
 *
 * It may be a GB, and httpd's own filter for ranges wants to be given the whole of what it cuts. So
 * it is read from the store piece by piece, and of a part no more than that. What a run under way
 * has put out by now is answered like a file that grows: as long as it was when it was looked at.
 * Once the run has ended it never changes, and has an ETag.
 */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/endpoint.h"

#include <apr_buckets.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include "base/clock.h"
#include "http/answer.h"
#include "http/authz.h"
#include "http/query.h"
#include "http/range.h"
#include "http/stream.h"
#include "http/waiter.h"

APLOG_USE_MODULE(dbsync_wf);

#define TYPE          "text/plain; charset=utf-8"
#define PIECE         ((apr_size_t)256 * 1024) /* read and sent at a time */

#define OFFSET_DIGITS 18 /* no log is longer */

typedef struct log_t {
    wf_request_t *req;
    const wf_run_t *run;
    apr_pool_t *pool; /* of the part that was read last */
    wf_output_part_t part;
    wf_range_t range; /* what is to be sent */
} log_t;

/* Reads at most `most` bytes from `offset` on. */
static apr_status_t read_part(log_t *log, apr_uint64_t offset, apr_uint64_t most,
                              wf_result_t *result)
{
    wf_request_t *req = log->req;
    wf_store_t *store = req->shared->store;
    apr_status_t status;

    apr_pool_clear(log->pool);
    status = store->read_output(&log->part, store, wf_server_config(req->r->server)->vhost,
                                &log->run->pid, offset, most < PIECE ? (apr_size_t)most : PIECE,
                                result, log->pool);
    if (status == APR_NOTFOUND) { /* kept no longer than it took */
        return wf_result_set(result, status, WF_PROBLEM_UNKNOWN_RUN,
                             "There is no run with this pid that you may see.");
    }
    return status == APR_SUCCESS ? status : wf_request_store_failed(req, status, result);
}

/* Whether it can never change, by what is known of the run and by what was read. */
static int has_ended(const log_t *log)
{
    return log->run->completed != 0 && log->part.version == 0;
}

/* Under which name a browser keeps it. */
static void set_name(const log_t *log)
{
    request_rec *r = log->req->r;
    char pid[WF_UUID_TEXT_LEN + 1];

    wf_uuid_format(pid, &log->run->pid);
    apr_table_setn(r->headers_out, "Content-Disposition",
                   apr_pstrcat(r->pool, "inline; filename=\"", pid, ".log\"", NULL));
}

static void set_headers(const log_t *log)
{
    request_rec *r = log->req->r;

    wf_answer_set_headers(r, TYPE);
    set_name(log);
    apr_table_setn(r->headers_out, "Accept-Ranges", "bytes");
    if (has_ended(log)) {
        /* May be kept by the client alone, who asks each time whether it still holds. */
        apr_table_setn(r->headers_out, "Cache-Control", "private, no-cache");
        apr_table_setn(r->headers_out, "ETag",
                       apr_psprintf(r->pool,
                                    "\"%" APR_UINT64_T_HEX_FMT "-%" APR_UINT64_T_HEX_FMT "\"",
                                    (apr_uint64_t)log->run->completed, log->part.total));
    }
}

/* Whether the client has the whole already. */
static int is_known(request_rec *r)
{
    ap_condition_e condition = ap_condition_if_none_match(r, r->headers_out);

    return condition == AP_CONDITION_STRONG || condition == AP_CONDITION_WEAK;
}

/* Whether what the client has a part of is what there is: a strong comparison (RFC 9110, 13.1.5).
 */
static int is_same(const request_rec *r)
{
    const char *condition = apr_table_get(r->headers_in, "If-Range");
    const char *etag = apr_table_get(r->headers_out, "ETag");

    return !condition || (etag && strcmp(condition, etag) == 0);
}

/* Finds out what is to be sent, and answers 200 or 206. WF_EINVALID with WF_PROBLEM_RANGE (416). */
static apr_status_t choose(log_t *log, const char *header, wf_result_t *result)
{
    request_rec *r = log->req->r;
    apr_uint64_t total = log->part.total;
    apr_status_t status =
        wf_range_read(&log->range, r->header_only || !is_same(r) ? NULL : header, total);

    if (status == WF_EINVALID) {
        apr_table_setn(r->err_headers_out, "Content-Range",
                       apr_psprintf(r->pool, "bytes */%" APR_UINT64_T_FMT, total));
        return wf_result_set(result, status, WF_PROBLEM_RANGE,
                             "The log has %" APR_UINT64_T_FMT " bytes.", total);
    }
    r->status = HTTP_OK;
    if (status == APR_SUCCESS) {
        r->status = HTTP_PARTIAL_CONTENT;
        apr_table_setn(r->headers_out, "Content-Range",
                       apr_psprintf(r->pool,
                                    "bytes %" APR_UINT64_T_FMT "-%" APR_UINT64_T_FMT
                                    "/%" APR_UINT64_T_FMT,
                                    log->range.begin, log->range.end - 1, total));
    } else {
        log->range = (wf_range_t){0, total};
    }
    return APR_SUCCESS;
}

/* Passes a bucket on. */
static apr_status_t pass_on(log_t *log, apr_bucket_brigade *brigade, apr_bucket *bucket)
{
    request_rec *r = log->req->r;
    apr_status_t status;

    APR_BRIGADE_INSERT_TAIL(brigade, bucket);
    status = ap_pass_brigade(r->output_filters, brigade);
    apr_brigade_cleanup(brigade);
    if (status != APR_SUCCESS && !r->connection->aborted) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, status, r, "WF0380: a log could not be sent");
        log->req->http_status = AP_FILTER_ERROR;
    }
    return status;
}

/* The rest cannot be read, and the client must see that the answer is not whole. */
static void cut_short(log_t *log, apr_bucket_brigade *brigade, apr_status_t status)
{
    request_rec *r = log->req->r;

    ap_log_rerror(APLOG_MARK, APLOG_ERR, status, r,
                  "WF0381: a log could not be read to its end, and its answer is cut short");
    r->connection->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(
        brigade, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, brigade->bucket_alloc));
}

/*
 * Sends what is to be sent, of which the first piece has been read. Each piece is with the
 * operating system, or set aside by a filter, when the next one is read.
 */
static apr_status_t send_pieces(log_t *log)
{
    apr_bucket_alloc_t *alloc = log->req->r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(log->req->r->pool, alloc);
    apr_uint64_t at = log->range.begin;
    apr_status_t status = APR_SUCCESS;

    while (at < log->range.end && status == APR_SUCCESS) {
        wf_slice_t bytes = log->part.bytes;
        wf_result_t result;

        if (bytes.len == 0) {
            status = APR_EOF; /* purged meanwhile */
        } else {
            at += bytes.len;
            status =
                pass_on(log, brigade, apr_bucket_transient_create(bytes.data, bytes.len, alloc));
            if (status != APR_SUCCESS) {
                return log->req->r->connection->aborted ? APR_SUCCESS : status;
            }
        }
        if (status == APR_SUCCESS && at < log->range.end) {
            wf_result_init(&result, log->req->r->pool);
            status = read_part(log, at, log->range.end - at, &result);
        }
    }
    if (status != APR_SUCCESS) {
        cut_short(log, brigade, status);
    }
    status = pass_on(log, brigade, apr_bucket_eos_create(alloc));
    return log->req->r->connection->aborted ? APR_SUCCESS : status;
}

/* 304, which has no body. */
static apr_status_t answer_not_modified(log_t *log)
{
    log->req->r->status = HTTP_NOT_MODIFIED;
    log->range = (wf_range_t){0, 0};
    return send_pieces(log);
}

static apr_status_t answer(log_t *log, wf_result_t *result)
{
    request_rec *r = log->req->r;
    /* Taken first: httpd's own filter is not to find it. */
    const char *header = apr_table_get(r->headers_in, "Range");
    apr_status_t status = read_part(log, 0, 0, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    set_headers(log);
    if (has_ended(log) && is_known(r)) {
        return answer_not_modified(log);
    }
    status = choose(log, header, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    ap_set_content_length(r, (apr_off_t)(log->range.end - log->range.begin));
    if (r->header_only) {
        log->range.end = log->range.begin;
    } else {
        status = read_part(log, log->range.begin, log->range.end - log->range.begin, result);
    }
    return status == APR_SUCCESS ? send_pieces(log) : status;
}

/* ---- ?follow=1 ---- */

/* Whether the log is to be followed, and from which of its bytes on. WF_EINVALID (400). */
static apr_status_t read_follow(int *follow, apr_uint64_t *offset, const request_rec *r,
                                wf_result_t *result)
{
    wf_slice_t text;
    char *end = NULL;
    apr_status_t status = wf_query_find(&text, r->args, "follow", r->pool);

    *offset = 0;
    *follow = status == APR_SUCCESS && wf_slice_is(text, "1");
    if (status != APR_NOTFOUND && !*follow && (status != APR_SUCCESS || !wf_slice_is(text, "0"))) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BAD_REQUEST, "follow must be 0 or 1.");
    }
    status = wf_query_find(&text, r->args, "offset", r->pool);
    if (!*follow || status == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    if (status == APR_SUCCESS && text.len > 0 && text.len <= OFFSET_DIGITS &&
        apr_isdigit(text.data[0])) {
        *offset = (apr_uint64_t)apr_strtoi64(text.data, &end, 10);
    }
    if (!end || end != text.data + text.len) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BAD_REQUEST,
                             "offset must be a number of bytes.");
    }
    return APR_SUCCESS;
}

/*
 * Sends what there is, and what comes, until the run has ended or the waiter has. Where reading
 * fails it ends, too: whoever follows can come again with the offset that he has.
 */
static void tell(log_t *log, wf_stream_t *stream, wf_waiter_t *waiter, apr_uint64_t at)
{
    apr_status_t status = wf_stream_write(stream, log->part.bytes);

    while (status == APR_SUCCESS && wf_clock() < waiter->deadline) {
        wf_run_t seen = {.pid = log->run->pid, .version = log->part.version};
        wf_result_t result;

        at += log->part.bytes.len;
        if (at >= log->part.total) {
            status = wf_waiter_watch(waiter, &seen, 1, wf_config_max_stream(log->req->r));
        }
        if (status == APR_SUCCESS) {
            wf_result_init(&result, log->req->r->pool);
            status = read_part(log, at, PIECE, &result);
        }
        if (status == APR_SUCCESS) {
            status = wf_stream_write(stream, log->part.bytes);
        }
    }
}

static apr_status_t follow(log_t *log, apr_uint64_t offset, wf_result_t *result)
{
    wf_request_t *req = log->req;
    wf_waiter_t waiter;
    wf_stream_t stream;
    apr_status_t status = wf_waiter_open(&waiter, req, wf_config_max_stream(req->r), result);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = read_part(log, offset, PIECE, result);
    if (status == APR_SUCCESS) {
        wf_stream_open(&stream, req, TYPE);
        set_name(log);
        if (!req->r->header_only) {
            tell(log, &stream, &waiter, offset);
        }
    }
    wf_waiter_close(&waiter);
    return status == APR_SUCCESS ? wf_stream_close(&stream) : status;
}

apr_status_t wf_endpoint_logs(wf_request_t *req, wf_result_t *result)
{
    log_t log = {.req = req};
    wf_run_t *run;
    apr_uint64_t offset;
    int is_followed;
    apr_status_t status = read_follow(&is_followed, &offset, req->r, result);

    if (status == APR_SUCCESS) {
        status = wf_authz_find_run(&run, req, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    log.run = run;
    status = apr_pool_create(&log.pool, req->r->pool);
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    apr_pool_tag(log.pool, "wf_log");
    return is_followed ? follow(&log, offset, result) : answer(&log, result);
}
