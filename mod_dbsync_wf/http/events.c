/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/events.h"

#include "base/clock.h"
#include "http/query.h"

#define TYPE       "text/event-stream"
#define RETRY      "retry: 2000\n\n" /* milliseconds until a client connects again */
#define COMMENT    ": keep-alive\n\n"
#define KEEP_ALIVE apr_time_from_sec(15) /* a comment, when nothing was said for so long */

apr_status_t wf_events_read_id(const char **id, const request_rec *r, wf_result_t *result)
{
    wf_slice_t text;
    apr_status_t status;

    *id = apr_table_get(r->headers_in, "Last-Event-ID");
    if (*id) {
        return APR_SUCCESS;
    }
    status = wf_query_find(&text, r->args, "lastEventId", r->pool);
    if (status == APR_SUCCESS) {
        *id = text.data;
    }
    return status == APR_SUCCESS || status == APR_NOTFOUND
               ? APR_SUCCESS
               : wf_result_set(result, status, WF_PROBLEM_BAD_REQUEST,
                               "lastEventId must be the id of an event, once.");
}

apr_status_t wf_events_open(wf_events_t *events, wf_request_t *req, const char *id,
                            wf_result_t *result)
{
    memset(events, 0, sizeof(*events));
    if (id && strlen(id) == WF_ANSWER_DIGEST_LEN) {
        memcpy(events->known, id, sizeof(events->known));
    }
    return wf_waiter_open(&events->waiter, req, wf_config_max_stream(req->r), result);
}

void wf_events_begin(wf_events_t *events)
{
    wf_stream_open(&events->stream, events->waiter.req, TYPE);
    wf_events_say(events, RETRY);
}

static apr_status_t say(wf_events_t *events, wf_slice_t text)
{
    events->comment_at = wf_clock() + KEEP_ALIVE;
    return wf_stream_write(&events->stream, text);
}

apr_status_t wf_events_say(wf_events_t *events, const char *text)
{
    return say(events, wf_slice(text));
}

/*
 * A line end would end the event's data. JSON has none but between its tokens, where what a program
 * wrote may have some, and a space says the same.
 */
static void add_on_one_line(wf_buf_t *out, wf_slice_t json)
{
    apr_size_t at = out->len;

    wf_buf_add_slice(out, json);
    for (; at < out->len; at++) {
        if (out->data[at] == '\n' || out->data[at] == '\r') {
            out->data[at] = ' ';
        }
    }
}

apr_status_t wf_events_tell(wf_events_t *events, const char *name, wf_slice_t text)
{
    apr_pool_t *pool = events->waiter.pool;
    const char *id = wf_answer_digest(text, pool);
    wf_buf_t *event;

    if (strcmp(id, events->known) == 0) {
        return APR_SUCCESS;
    }
    memcpy(events->known, id, sizeof(events->known));
    event = apr_pcalloc(pool, sizeof(*event));
    wf_buf_bind(event, pool);
    wf_buf_add_text(event, "id: ");
    wf_buf_add_text(event, id);
    wf_buf_add_text(event, "\nevent: ");
    wf_buf_add_text(event, name);
    wf_buf_add_text(event, "\ndata: ");
    add_on_one_line(event, wf_slice_of(text.data, text.len - 1));
    wf_buf_add_text(event, "\n\n");
    return say(events, wf_buf_slice(event));
}

static apr_status_t keep_alive(wf_events_t *events)
{
    return wf_clock() < events->comment_at ? APR_SUCCESS : wf_events_say(events, COMMENT);
}

/* How long until the earlier of both, 0 where that has passed. */
static apr_interval_time_t time_until(apr_time_t one, apr_time_t other)
{
    apr_time_t now = wf_clock();
    apr_time_t first = one < other ? one : other;

    return first > now ? first - now : 0;
}

apr_status_t wf_events_watch(wf_events_t *events, const wf_run_t *run, apr_time_t until,
                             wf_result_t *result)
{
    apr_status_t news, sent;

    do {
        news = wf_waiter_watch(&events->waiter, run, 1, time_until(until, events->comment_at));
        sent = keep_alive(events);
    } while (news == APR_TIMEUP && sent == APR_SUCCESS && wf_clock() < until);
    if (news != APR_SUCCESS && !wf_waiter_is_end(news)) {
        return wf_request_store_failed(events->waiter.req, news, result);
    }
    return sent == APR_SUCCESS ? news : sent;
}

apr_status_t wf_events_end(wf_events_t *events)
{
    wf_waiter_close(&events->waiter);
    return wf_stream_close(&events->stream);
}
