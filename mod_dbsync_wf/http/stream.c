/* SPDX-License-Identifier: Apache-2.0 */
/* Sending an answer piece by piece. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/stream.h"

#include <apr_buckets.h>
#include <http_log.h>
#include <http_protocol.h>
#include <util_filter.h>
#include "http/answer.h"

APLOG_USE_MODULE(dbsync_wf);

void wf_stream_open(wf_stream_t *stream, wf_request_t *req, const char *type)
{
    request_rec *r = req->r;

    stream->req = req;
    stream->brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    stream->status = APR_SUCCESS;
    r->status = HTTP_OK;
    wf_answer_set_headers(r, type);
    apr_table_setn(r->headers_out, "X-Accel-Buffering", "no");
    /* What compresses would wait for more, or spend more on small pieces than they are worth. */
    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
}

/* Passes the brigade on with `last` behind what is in it. */
static apr_status_t pass_on(wf_stream_t *stream, apr_bucket *last)
{
    request_rec *r = stream->req->r;

    APR_BRIGADE_INSERT_TAIL(stream->brigade, last);
    stream->status = ap_pass_brigade(r->output_filters, stream->brigade);
    apr_brigade_cleanup(stream->brigade);
    if (r->connection->aborted) {
        stream->status = WF_ECANCELLED;
    } else if (stream->status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, stream->status, r,
                      "WF0382: a piece of a streamed answer could not be sent");
        stream->req->http_status = AP_FILTER_ERROR;
    }
    return stream->status;
}

apr_status_t wf_stream_write(wf_stream_t *stream, wf_slice_t piece)
{
    apr_bucket_alloc_t *alloc = stream->brigade->bucket_alloc;

    if (stream->status != APR_SUCCESS || stream->req->r->header_only || piece.len == 0) {
        return stream->status;
    }
    APR_BRIGADE_INSERT_TAIL(stream->brigade,
                            apr_bucket_transient_create(piece.data, piece.len, alloc));
    return pass_on(stream, apr_bucket_flush_create(alloc));
}

apr_status_t wf_stream_close(wf_stream_t *stream)
{
    if (stream->status == APR_SUCCESS) {
        pass_on(stream, apr_bucket_eos_create(stream->brigade->bucket_alloc));
    }
    return stream->status == WF_ECANCELLED ? APR_SUCCESS : stream->status;
}
