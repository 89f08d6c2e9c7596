/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /runs/events?project=&task=&user=&status=&from=&to=&limit=: the list of runs as it changes,
 * as server-sent events (events.h). The data of "runs" is what GET /runs answers to the same
 * arguments.
 *
 * However many runs change, one stream looks at the list twice a second at most, and at none while
 * nothing happens. Httpd is asked anew, a few times a minute, whether the tasks may still be seen.
 */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/endpoint.h"

#include "base/clock.h"
#include "http/arguments.h"
#include "http/events.h"
#include "http/runs_page.h"

#define PAUSE       apr_time_from_msec(500) /* between two looks, and so between two events */
#define PAUSE_MOST  apr_time_from_sec(5)
#define PAUSE_PARTS 10 /* a look takes at most one of so many parts of a stream's time */
#define ASK_AGAIN   apr_time_from_sec(15) /* about what may be seen */

typedef struct feed_t {
    wf_events_t events;
    wf_run_query_t query;
    wf_rights_t rights;
    apr_time_t ask_at; /* a wf_clock time: when httpd is asked anew */
    wf_slice_t page;   /* in the waiter's pool, as it is now */
    wf_run_t any;      /* which stands for all of them, as the page shows them */
    apr_interval_time_t pause;
} feed_t;

static apr_status_t refuse_cursor(const request_rec *r, wf_result_t *result)
{
    const char *what = "left out: events tell the first page";
    const char *text;
    apr_status_t status = wf_argument_text(&text, r, "cursor", what, result);

    return status == APR_SUCCESS && text ? wf_argument_refuse(result, "cursor", what) : status;
}

/* Of many runs that may not be seen it can be long until a page is full. */
static apr_interval_time_t pause_after(apr_interval_time_t took)
{
    apr_interval_time_t pause = took * PAUSE_PARTS;

    if (pause < PAUSE) {
        return PAUSE;
    }
    return pause < PAUSE_MOST ? pause : PAUSE_MOST;
}

static apr_status_t look(feed_t *feed, wf_result_t *result)
{
    apr_pool_t *pool = feed->events.waiter.pool;
    apr_time_t begin = wf_clock();
    apr_status_t status;
    wf_buf_t *text;

    apr_pool_clear(pool);
    status =
        wf_runs_page_make(&text, &feed->any.version, &feed->rights, &feed->query, result, pool);
    if (status == APR_SUCCESS) {
        wf_buf_add_char(text, '\n');
        feed->page = wf_buf_slice(text);
    }
    feed->pause = pause_after(wf_clock() - begin);
    return status;
}

/* Whether httpd was asked anew, and says something else. */
static int may_see_others(feed_t *feed)
{
    if (wf_clock() < feed->ask_at) {
        return 0;
    }
    feed->ask_at = wf_clock() + ASK_AGAIN;
    return wf_rights_renew(&feed->rights);
}

/* Waits until the page may be another one. */
static apr_status_t watch(feed_t *feed, wf_result_t *result)
{
    apr_status_t status = wf_waiter_rest(&feed->events.waiter, feed->pause);

    if (status != APR_SUCCESS) {
        return status;
    }
    do {
        status = wf_events_watch(&feed->events, &feed->any, feed->ask_at, result);
        if ((status == APR_SUCCESS || status == APR_TIMEUP) && may_see_others(feed)) {
            status = APR_SUCCESS;
        }
    } while (status == APR_TIMEUP);
    return status;
}

static void tell(feed_t *feed, wf_result_t *result)
{
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS &&
           (status = wf_events_tell(&feed->events, "runs", feed->page)) == APR_SUCCESS) {
        status = watch(feed, result);
        if (status == APR_SUCCESS) {
            status = look(feed, result);
        }
    }
}

static apr_status_t stream(feed_t *feed, wf_request_t *req, const char *id, wf_result_t *result)
{
    apr_status_t status = wf_events_open(&feed->events, req, id, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    wf_rights_init(&feed->rights, req);
    feed->ask_at = wf_clock() + ASK_AGAIN;
    status = look(feed, result);
    if (status != APR_SUCCESS) {
        wf_waiter_close(&feed->events.waiter);
        return status;
    }
    wf_events_begin(&feed->events);
    if (!req->r->header_only) {
        tell(feed, result);
    }
    return wf_events_end(&feed->events);
}

apr_status_t wf_endpoint_runs_events(wf_request_t *req, wf_result_t *result)
{
    feed_t feed = {.pause = PAUSE};
    const char *id;
    apr_status_t status = wf_runs_page_read(&feed.query, req->r, result);

    if (status == APR_SUCCESS) {
        status = refuse_cursor(req->r, result);
    }
    if (status == APR_SUCCESS) {
        status = wf_events_read_id(&id, req->r, result);
    }
    return status == APR_SUCCESS ? stream(&feed, req, id, result) : status;
}
