/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /status/{pid}/events: a run as it goes on, as server-sent events (WHATWG HTML, 9.2).
 *
 * An event's id is the digest of the run's JSON, which GET /status/{pid} has as its ETag: it means
 * the same in whatever process, so a client that connects again goes on where it was. The last
 * event is "end". Without it the stream has ended for a reason of the server's, and its client,
 * which connects again by itself, is to do so.
 */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/endpoint.h"

#include <apr_strings.h>
#include "http/answer.h"
#include "http/authz.h"
#include "http/query.h"
#include "http/stream.h"
#include "http/waiter.h"

#define TYPE       "text/event-stream"
#define RETRY      "retry: 2000\n\n" /* milliseconds until a client connects again */
#define COMMENT    ": keep-alive\n\n"
#define KEEP_ALIVE apr_time_from_sec(15) /* a comment, when there is nothing to say for so long */

typedef struct feed_t {
    wf_waiter_t waiter;
    wf_stream_t stream;
    char known[WF_ANSWER_DIGEST_LEN + 1]; /* the id of the state that the client has, or "" */
} feed_t;

/*
 * The id of what the client has seen: the header that a browser sends when it connects again counts
 * for more than the argument, which is part of the same URL each time.
 */
static apr_status_t read_id(const char **id, const request_rec *r, wf_result_t *result)
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

static apr_status_t send_text(feed_t *feed, const char *text)
{
    return wf_stream_write(&feed->stream, wf_slice(text));
}

/* The event "status", where the client does not have this state. */
static apr_status_t send_state(feed_t *feed, const wf_run_t *run)
{
    apr_pool_t *pool = feed->waiter.pool;
    wf_slice_t json = wf_answer_run_text(run, pool);
    const char *id = wf_answer_digest(json, pool);
    wf_buf_t *event;

    if (strcmp(id, feed->known) == 0) {
        return APR_SUCCESS;
    }
    memcpy(feed->known, id, sizeof(feed->known));
    event = apr_pcalloc(pool, sizeof(*event));
    wf_buf_bind(event, pool);
    wf_buf_add_text(event, "id: ");
    wf_buf_add_text(event, id);
    wf_buf_add_text(event, "\nevent: status\ndata: ");
    add_on_one_line(event, wf_slice_of(json.data, json.len - 1)); /* it ends in a line end */
    wf_buf_add_text(event, "\n\n");
    return wf_stream_write(&feed->stream, wf_buf_slice(event));
}

/* The event "end", with data, since browsers pass over an event that has none. */
static apr_status_t send_end(feed_t *feed, const wf_run_t *run)
{
    char pid[WF_UUID_TEXT_LEN + 1];

    wf_uuid_format(pid, &run->pid);
    return send_text(feed, apr_pstrcat(feed->waiter.pool, "event: end\ndata: {\"pid\":\"", pid,
                                       "\",\"status\":\"", wf_run_status_name(run->status),
                                       "\"}\n\n", NULL));
}

/* Waits for news; a comment now and then shows the client, and proxies, that the stream goes on. */
static apr_status_t watch(feed_t *feed, const wf_run_t *run, wf_result_t *result)
{
    apr_status_t news;
    apr_status_t sent = APR_SUCCESS;

    do {
        news = wf_waiter_watch(&feed->waiter, run, 1, KEEP_ALIVE);
        if (news == APR_TIMEUP) {
            sent = send_text(feed, COMMENT);
        }
    } while (news == APR_TIMEUP && sent == APR_SUCCESS);
    if (news != APR_SUCCESS && !wf_waiter_is_end(news)) {
        return wf_request_store_failed(feed->waiter.req, news, result);
    }
    return sent == APR_SUCCESS ? news : sent;
}

/* Tells states up to the last one. What ends it before leaves the rest to the next connection. */
static void tell(feed_t *feed, wf_run_t *run, wf_result_t *result)
{
    apr_status_t status = send_text(feed, RETRY);

    while (status == APR_SUCCESS && (status = send_state(feed, run)) == APR_SUCCESS) {
        if (wf_run_status_is_final(run->status)) {
            send_end(feed, run);
            break;
        }
        status = watch(feed, run, result);
        if (status == APR_SUCCESS) {
            status = wf_waiter_look(&run, &feed->waiter, result);
        }
    }
}

static apr_status_t stream(wf_request_t *req, wf_run_t *run, const char *id, wf_result_t *result)
{
    feed_t feed = {.known = ""};
    apr_status_t status = wf_waiter_open(&feed.waiter, req, wf_config_max_stream(req->r), result);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (id && strlen(id) == WF_ANSWER_DIGEST_LEN) {
        memcpy(feed.known, id, sizeof(feed.known));
    }
    wf_stream_open(&feed.stream, req, TYPE);
    if (!req->r->header_only) {
        tell(&feed, run, result);
    }
    wf_waiter_close(&feed.waiter);
    return wf_stream_close(&feed.stream);
}

/* Whether the client has all that there will ever be to say. */
static int has_seen_all(const wf_run_t *run, const char *id, apr_pool_t *pool)
{
    return id && wf_run_status_is_final(run->status) &&
           strcmp(id, wf_answer_digest(wf_answer_run_text(run, pool), pool)) == 0;
}

apr_status_t wf_endpoint_events(wf_request_t *req, wf_result_t *result)
{
    const char *id = NULL;
    wf_run_t *run;
    apr_status_t status = read_id(&id, req->r, result);

    if (status == APR_SUCCESS) {
        status = wf_authz_find_run(&run, req, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    return has_seen_all(run, id, req->r->pool) ? wf_answer_nothing(req)
                                               : stream(req, run, id, result);
}
