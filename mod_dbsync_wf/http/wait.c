/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a run. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/wait.h"

#include <poll.h>
#include <apr_atomic.h>
#include <apr_lib.h>
#include <apr_portable.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include "base/clock.h"
#include "http/answer.h"
#include "http/query.h"

APLOG_USE_MODULE(dbsync_wf);

#define DIGITS_MOST 6

typedef struct wait_t {
    wf_request_t *req;
    apr_time_t deadline; /* a wf_clock time */
    int for_change;      /* not for the end alone */
    apr_pool_t *pool;    /* of the run as it stands, cleared before each look at it */
} wait_t;

static apr_status_t bad_wait(apr_interval_time_t most, wf_result_t *result)
{
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BAD_REQUEST,
                         "wait must be a whole number of seconds from 0 to %d.",
                         (int)apr_time_sec(most));
}

apr_status_t wf_wait_read(apr_interval_time_t *wait, wf_request_t *req, wf_result_t *result)
{
    apr_interval_time_t most = wf_config_max_wait(req->r);
    apr_int64_t seconds = 0;
    wf_slice_t text;
    apr_status_t status = wf_query_find(&text, req->r->args, "wait", req->r->pool);

    *wait = 0;
    if (status == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS || text.len == 0 || text.len > DIGITS_MOST) {
        return bad_wait(most, result);
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        if (!apr_isdigit(text.data[i])) {
            return bad_wait(most, result);
        }
        seconds = seconds * 10 + (text.data[i] - '0');
    }
    *wait = apr_time_from_sec(seconds);
    return *wait > most ? bad_wait(most, result) : APR_SUCCESS;
}

static int ask_mpm(int what)
{
    int answer;

    return ap_mpm_query(what, &answer) == APR_SUCCESS ? answer : 0;
}

/* How many of this child's threads may wait; where it has one, the bound of all must do. */
static apr_uint32_t places_of_child(void)
{
    int threads = ask_mpm(AP_MPMQ_MAX_THREADS);

    return threads > 1 ? (apr_uint32_t)threads / 2 : 1;
}

static apr_uint32_t places_of_all(const wf_shared_t *shared)
{
    int workers = ask_mpm(AP_MPMQ_MAX_THREADS) * ask_mpm(AP_MPMQ_MAX_DAEMONS);
    apr_uint32_t half = workers > 1 ? (apr_uint32_t)workers / 2 : 1;

    return half < shared->max_waiters ? half : shared->max_waiters;
}

/*
 * Whether the client has closed its side. One that only sends no more, and still reads, is answered
 * as the run stands. Other than HTTP/1.1 has no socket of its own for a request.
 */
static int client_is_gone(conn_rec *c)
{
    apr_socket_t *socket = c->master ? NULL : ap_get_conn_socket(c);
    struct pollfd p = {-1, POLLRDHUP, 0};

    if (c->aborted) {
        return 1;
    }
    return socket && apr_os_sock_get(&p.fd, socket) == APR_SUCCESS && poll(&p, 1, 0) > 0;
}

static int is_wanted(void *baton)
{
    const wait_t *wait = baton;

    return wf_clock() < wait->deadline && ask_mpm(AP_MPMQ_MPM_STATE) != AP_MPMQ_STOPPING &&
           !client_is_gone(wait->req->r->connection);
}

/* Looks at the run again. */
static apr_status_t look(wf_run_t **run, wait_t *wait, wf_result_t *result)
{
    wf_request_t *req = wait->req;
    wf_store_t *store = req->shared->store;
    apr_status_t status;

    apr_pool_clear(wait->pool);
    status = store->get(run, store, wf_server_config(req->r->server)->vhost, &req->route.pid,
                        result, wait->pool);
    if (status == APR_NOTFOUND) { /* kept no longer than it took */
        return wf_result_set(result, status, WF_PROBLEM_UNKNOWN_RUN,
                             "There is no run with this pid that you may see.");
    }
    return status == APR_SUCCESS ? status : wf_request_store_failed(req, status, result);
}

static apr_status_t watch(const wf_run_t *run, wait_t *wait)
{
    wf_store_t *store = wait->req->shared->store;
    apr_time_t now = wf_clock();
    char pid[WF_UUID_TEXT_LEN + 1];
    wf_watch_t what = {
        .pid = run->pid,
        .version = wait->for_change ? run->version : 0,
        .most = places_of_all(wait->req->shared),
        .timeout = wait->deadline > now ? wait->deadline - now : 0,
        .is_wanted = is_wanted,
        .baton = wait,
    };

    wf_uuid_format(pid, &run->pid);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, wait->req->r,
                  "WF0319: run %s is waited for, at most %" APR_INT64_T_FMT " ms", pid,
                  apr_time_as_msec(what.timeout));
    return store->watch(store, &what, wait->pool);
}

/* By its version and not by its status: a run that is not under way has no news to come. */
static int is_over(const wf_run_t *run, const wait_t *wait)
{
    return run->version == 0 ||
           (wait->for_change && !wf_answer_is_known(wait->req, run, wait->pool));
}

/* Whether what a watch came to is an end of the waiting, and no failure. */
static int is_enough(apr_status_t news)
{
    return news == APR_TIMEUP || news == WF_EFULL || news == WF_ECANCELLED;
}

/* News may be none that shows; then it is waited on. */
static apr_status_t wait_on(wf_run_t **run, wait_t *wait, wf_result_t *result)
{
    apr_status_t news = APR_SUCCESS;
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && news == APR_SUCCESS && !is_over(*run, wait)) {
        news = watch(*run, wait);
        if (news != APR_SUCCESS && !is_enough(news)) {
            return wf_request_store_failed(wait->req, news, result);
        }
        status = look(run, wait, result);
    }
    return status;
}

apr_status_t wf_wait_for_run(wf_run_t **run, wf_request_t *req, apr_interval_time_t wait,
                             wf_result_t *result)
{
    request_rec *r = req->r;
    volatile apr_uint32_t *waiting = &req->shared->waiting;
    wait_t state = {.req = req,
                    .deadline = wf_clock() + wait,
                    .for_change = apr_table_get(r->headers_in, "If-None-Match") != NULL};
    apr_status_t status = apr_pool_create(&state.pool, r->pool);

    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    apr_pool_tag(state.pool, "wf_wait");
    if (apr_atomic_inc32(waiting) < places_of_child()) {
        status = wait_on(run, &state, result);
    }
    apr_atomic_dec32(waiting);
    return status;
}
