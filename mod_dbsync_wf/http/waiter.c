/* SPDX-License-Identifier: Apache-2.0 */
/* Places for those who wait, and one's waiting. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/waiter.h"

#include <errno.h>
#include <poll.h>
#include <apr_atomic.h>
#include <apr_portable.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include "base/clock.h"
#include "http/answer.h"

APLOG_USE_MODULE(dbsync_wf);

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
 * Waits until `end` (a wf_clock time) at most for the client to close its side, and tells whether
 * it has. One that only sends no more, and still reads, is answered as the run stands. Other than
 * HTTP/1.1 has no socket of its own for a request.
 */
static int client_goes(conn_rec *c, apr_time_t end)
{
    apr_socket_t *socket = c->master ? NULL : ap_get_conn_socket(c);
    struct pollfd p = {-1, POLLRDHUP, 0};
    int n;

    if (c->aborted) {
        return 1;
    }
    if (socket && apr_os_sock_get(&p.fd, socket) != APR_SUCCESS) {
        p.fd = -1;
    }
    do {
        n = poll(&p, 1, wf_clock_poll_ms(end));
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

static int is_wanted(void *baton)
{
    const wf_waiter_t *waiter = baton;
    apr_time_t now = wf_clock();

    return now < waiter->deadline && ask_mpm(AP_MPMQ_MPM_STATE) != AP_MPMQ_STOPPING &&
           !client_goes(waiter->req->r->connection, now);
}

apr_status_t wf_waiter_rest(wf_waiter_t *waiter, apr_interval_time_t time)
{
    apr_time_t end = wf_clock() + time;

    client_goes(waiter->req->r->connection, end < waiter->deadline ? end : waiter->deadline);
    return is_wanted(waiter) ? APR_SUCCESS : WF_ECANCELLED;
}

apr_status_t wf_waiter_open(wf_waiter_t *waiter, wf_request_t *req, apr_interval_time_t most,
                            wf_result_t *result)
{
    apr_status_t status = apr_pool_create(&waiter->pool, req->r->pool);

    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    apr_pool_tag(waiter->pool, "wf_waiter");
    waiter->req = req;
    waiter->deadline = wf_clock() + most;
    waiter->has_place = apr_atomic_inc32(&req->shared->waiting) < places_of_child();
    return APR_SUCCESS;
}

void wf_waiter_close(wf_waiter_t *waiter)
{
    apr_atomic_dec32(&waiter->req->shared->waiting);
}

void wf_waiter_log(const wf_waiter_t *waiter, const wf_watch_t *what)
{
    static const wf_uuid_t all = {{0}};
    char pid[WF_UUID_TEXT_LEN + 1] = "of any pid";

    if (memcmp(&what->pid, &all, sizeof(all)) != 0) {
        wf_uuid_format(pid, &what->pid);
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, waiter->req->r,
                  "WF0319: run %s is waited for, at most %" APR_INT64_T_FMT " ms", pid,
                  apr_time_as_msec(what->timeout));
}

apr_status_t wf_waiter_watch(wf_waiter_t *waiter, const wf_run_t *run, int for_change,
                             apr_interval_time_t most)
{
    wf_store_t *store = waiter->req->shared->store;
    apr_interval_time_t left = waiter->deadline - wf_clock();
    wf_watch_t what = {
        .pid = run->pid,
        .version = for_change ? run->version : 0,
        .most = places_of_all(waiter->req->shared),
        .timeout = most < left ? most : left,
        .is_wanted = is_wanted,
        .baton = waiter,
    };
    apr_pool_t *pool;
    apr_status_t news;

    if (run->version == 0) {
        return WF_EENDED;
    }
    if (!is_wanted(waiter)) {
        return WF_ECANCELLED;
    }
    if (!waiter->has_place) {
        return WF_EFULL;
    }
    /* Many may follow each other without a look at the run, which the waiter's pool holds. */
    if ((news = apr_pool_create(&pool, waiter->pool)) != APR_SUCCESS) {
        return news;
    }
    apr_pool_tag(pool, "wf_waiter_watch");
    wf_waiter_log(waiter, &what);
    news = store->watch(store, &what, pool);
    apr_pool_destroy(pool);
    return news == APR_TIMEUP && wf_clock() >= waiter->deadline ? WF_ECANCELLED : news;
}

int wf_waiter_is_end(apr_status_t news)
{
    return news == APR_TIMEUP || news == WF_EENDED || news == WF_EFULL || news == WF_ECANCELLED;
}

apr_status_t wf_waiter_look(wf_run_t **run, wf_waiter_t *waiter, wf_result_t *result)
{
    wf_request_t *req = waiter->req;
    wf_store_t *store = req->shared->store;
    apr_status_t status;

    apr_pool_clear(waiter->pool);
    status = store->get(run, store, wf_server_config(req->r->server)->vhost, &req->route.pid,
                        result, waiter->pool);
    if (status == APR_NOTFOUND) { /* kept no longer than it took */
        return wf_result_set(result, status, WF_PROBLEM_UNKNOWN_RUN,
                             "There is no run with this pid that you may see.");
    }
    return status == APR_SUCCESS ? status : wf_request_store_failed(req, status, result);
}

/* By its version and not by its status: a run that is not under way has no news to come. */
int wf_waiter_is_over(wf_request_t *req, const wf_run_t *run, int for_change, apr_pool_t *pool)
{
    return run->version == 0 || (for_change && !wf_answer_is_known(req, run, pool));
}
