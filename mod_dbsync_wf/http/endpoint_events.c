/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /status/{pid}/events: a run as it goes on, as server-sent events (events.h). An event's id is
 * what GET /status/{pid} has as its ETag. The last event is "end". Without it the stream has ended
 * for a reason of the server's.
 */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/endpoint.h"

#include <apr_strings.h>
#include "http/authz.h"
#include "http/events.h"

/* The event "end", with data, since browsers pass over an event that has none. */
static apr_status_t say_end(wf_events_t *events, const wf_run_t *run)
{
    char pid[WF_UUID_TEXT_LEN + 1];

    wf_uuid_format(pid, &run->pid);
    return wf_events_say(events, apr_pstrcat(events->waiter.pool, "event: end\ndata: {\"pid\":\"",
                                             pid, "\",\"status\":\"",
                                             wf_run_status_name(run->status), "\"}\n\n", NULL));
}

static apr_status_t tell_state(wf_events_t *events, const wf_run_t *run)
{
    return wf_events_tell(events, "status", wf_answer_run_text(run, events->waiter.pool));
}

/* Tells states up to the last one. What ends it before leaves the rest to the next connection. */
static void tell(wf_events_t *events, wf_run_t *run, wf_result_t *result)
{
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && (status = tell_state(events, run)) == APR_SUCCESS) {
        if (wf_run_status_is_final(run->status)) {
            say_end(events, run);
            break;
        }
        status = wf_events_watch(events, run, WF_EVENTS_FOREVER, result);
        if (status == APR_SUCCESS) {
            status = wf_waiter_look(&run, &events->waiter, result);
        }
    }
}

static apr_status_t stream(wf_request_t *req, wf_run_t *run, const char *id, wf_result_t *result)
{
    wf_events_t events;
    apr_status_t status = wf_events_open(&events, req, id, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    wf_events_begin(&events);
    if (!req->r->header_only) {
        tell(&events, run, result);
    }
    return wf_events_end(&events);
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
    apr_status_t status = wf_events_read_id(&id, req->r, result);

    if (status == APR_SUCCESS) {
        status = wf_authz_find_run(&run, req, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    return has_seen_all(run, id, req->r->pool) ? wf_answer_nothing(req)
                                               : stream(req, run, id, result);
}
