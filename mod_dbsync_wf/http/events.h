/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer that is a stream of server-sent events (WHATWG HTML, 9.2), each of which is how
 * something stands: a client needs none but the latest.
 *
 *     wf_events_read_id(&id, r, result)
 *     wf_events_open(&events, req, id, result)
 *     wf_events_begin(&events);
 *     while (wf_events_tell(&events, "status", text) == APR_SUCCESS &&
 *            wf_events_watch(&events, run, WF_EVENTS_FOREVER, result) == APR_SUCCESS)
 *         look at it again
 *     return wf_events_end(&events);
 *
 * An event's id is the digest of its text: it means the same in whatever process, so that a client
 * that connects again goes on where it was. A stream ends after DbsyncWfMaxStream at the latest,
 * and its client, which connects again by itself, is to do so. How many there may be is waiter.h's.
 */
#ifndef WF_HTTP_EVENTS_H
#define WF_HTTP_EVENTS_H

#include "http/answer.h"
#include "http/stream.h"
#include "http/waiter.h"

#define WF_EVENTS_FOREVER APR_INT64_MAX

/* On the stack of the request's thread, which alone uses it. */
typedef struct wf_events_t {
    wf_waiter_t waiter; /* its pool is that of what is told */
    wf_stream_t stream;
    apr_time_t comment_at;                /* a wf_clock time: when a comment is due */
    char known[WF_ANSWER_DIGEST_LEN + 1]; /* the id of the state that the client has, or "" */
} wf_events_t;

/*
 * The id of what the client has seen, NULL where it names none: the header that a browser sends
 * when it connects again counts for more than the argument lastEventId, which is part of the same
 * URL each time. APR_SUCCESS; WF_EINVALID with WF_PROBLEM_BAD_REQUEST.
 */
apr_status_t wf_events_read_id(const char **id, const request_rec *r, wf_result_t *result);

/*
 * Opens the waiter; `id` is what read_id gave. Nothing is sent yet, so that the request may still
 * fail; then wf_waiter_close must be called, otherwise begin and end. APR_SUCCESS; or a failure,
 * with its problem, after which neither is.
 */
apr_status_t wf_events_open(wf_events_t *events, wf_request_t *req, const char *id,
                            wf_result_t *result);

/* Begins the answer: from here on it is 200. Of HEAD's there is no more. */
void wf_events_begin(wf_events_t *events);

/*
 * Tells how something stands, a JSON text with a line end behind it, in an event of that name,
 * unless it is what the client has already. Works in the waiter's pool. Returns as wf_stream_write
 * does.
 */
apr_status_t wf_events_tell(wf_events_t *events, const char *name, wf_slice_t text);

/* Sends an event, or more, as they are spelled. Returns as wf_stream_write does. */
apr_status_t wf_events_say(wf_events_t *events, const char *text);

/*
 * Waits for a change of a run, or of any (wf_waiter_watch), until `until` (a wf_clock time) at
 * most. Meanwhile a comment shows the client, and proxies, that the stream goes on, whenever
 * nothing has been said for 15 seconds. APR_SUCCESS: look; APR_TIMEUP; otherwise the stream is to
 * end, and where the store has failed the problem is set.
 */
apr_status_t wf_events_watch(wf_events_t *events, const wf_run_t *run, apr_time_t until,
                             wf_result_t *result);

/* Closes the waiter and ends the answer. It is what the endpoint returns. */
apr_status_t wf_events_end(wf_events_t *events);

#endif
