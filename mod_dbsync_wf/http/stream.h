/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer that is sent piece by piece, each as soon as there is something to say.
 *
 *     wf_waiter_open(&waiter, req, wf_config_max_stream(r), result)   how long it may last
 *     wf_stream_open(&stream, req, "text/…");
 *     while (wf_stream_write(&stream, what there is to say) == APR_SUCCESS &&
 *            wf_waiter_watch(&waiter, run, 1, …) == APR_SUCCESS &&
 *            wf_waiter_look(&run, &waiter, result) == APR_SUCCESS)
 *         ;
 *     wf_waiter_close(&waiter);
 *     return wf_stream_close(&stream);
 *
 * From open on the answer is 200: whatever fails then can only end it. A client that goes away
 * is noticed by the watch, or by a write at the latest.
 */
#ifndef WF_HTTP_STREAM_H
#define WF_HTTP_STREAM_H

#include "http/request.h"

/* On the stack of the request's thread, which alone uses it. */
typedef struct wf_stream_t {
    wf_request_t *req;
    apr_bucket_brigade *brigade; /* empty between calls */
    apr_status_t status;         /* of what has been sent so far; after a failure nothing is */
} wf_stream_t;

/*
 * Begins a 200 answer of that content type, of a length that nobody knows: not kept by any cache,
 * not compressed, and not held back by httpd, nor by a proxy that heeds X-Accel-Buffering. Headers
 * of the caller's own can be set until the first write, which sends them.
 */
void wf_stream_open(wf_stream_t *stream, wf_request_t *req, const char *type);

/*
 * Sends bytes, which need not outlive the call, and returns when they are with the operating
 * system; that takes httpd's Timeout at most, where a client does not read. To HEAD nothing is
 * sent. APR_SUCCESS; WF_ECANCELLED where the client has gone; or what the output filters failed
 * with.
 */
apr_status_t wf_stream_write(wf_stream_t *stream, wf_slice_t piece);

/*
 * Ends the answer. APR_SUCCESS, also where the client has gone away; or what the output filters
 * failed with, and then req->http_status says so to httpd. It is what the endpoint returns.
 */
apr_status_t wf_stream_close(wf_stream_t *stream);

#endif
