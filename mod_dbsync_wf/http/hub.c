/* SPDX-License-Identifier: Apache-2.0 */
/* The hub's thread. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/hub.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_portable.h>
#include <apr_thread_proc.h>
#include <http_core.h>
#include <http_log.h>
#include "base/clock.h"
#include "base/monitor.h"

APLOG_USE_MODULE(dbsync_wf);

#define EVENTS_MAX 64
#define TICK_MS    250 /* how often it is looked whether the child is to end */
#define WAKE       0   /* an id that none has: of the descriptor that ends the thread */

struct wf_hub_t {
    wf_shared_t *shared;
    apr_uint32_t most;
    volatile apr_uint32_t failed; /* the second (wf_clock) of the last look in vain; 0: none */
    apr_pool_t *pool;
    int epoll;
    int wake;
    wf_monitor_t *monitor; /* guards what follows */
    apr_hash_t *parked;    /* id to wf_parked_t */
    apr_thread_t *thread;  /* NULL: not started yet */
    apr_uint64_t last_id;
    int is_ending;
};

/* ---- the thread ---- */

/* Sends the connection back to a worker. Inside the monitor, so that its socket is its own. */
static void send_back(wf_parked_t *parked)
{
    parked->is_over = 1;
    shutdown(parked->client, SHUT_RD);
}

/* Begins to watch the run as it was seen last. */
static apr_status_t begin_watch(wf_parked_t *parked)
{
    wf_request_t *req = parked->waiter.req;
    wf_store_t *store = req->shared->store;
    apr_interval_time_t left = parked->waiter.deadline - wf_clock();
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = parked->id};
    wf_watch_t watch = {
        .pid = parked->run->pid,
        .version = parked->for_change ? parked->run->version : 0,
        .most = req->shared->max_waiters,
        .timeout = left > 0 ? left : 0,
    };
    apr_status_t status;

    wf_waiter_log(&parked->waiter, &watch);
    status = store->watch_begin(&parked->watch, store, &watch, parked->waiter.pool);
    if (status == APR_SUCCESS &&
        epoll_ctl(parked->hub->epoll, EPOLL_CTL_ADD, parked->watch, &event) != 0) {
        status = errno;
        store->watch_end(store, parked->watch);
    }
    if (status != APR_SUCCESS) {
        parked->watch = -1;
    }
    return status;
}

static apr_uint32_t now_in_seconds(void)
{
    return (apr_uint32_t)apr_time_sec(wf_clock());
}

/*
 * A look has the store's patience with a keeper that is away, and all have news of its death at a
 * time: after one that was in vain the others are not tried. Who has been added just now had an
 * answer a moment ago, and looks in any case.
 */
static apr_status_t look_once(wf_parked_t *parked)
{
    wf_waiter_t *waiter = &parked->waiter;
    volatile apr_uint32_t *failed = &parked->hub->failed;
    apr_uint32_t last = apr_atomic_read32(failed);
    apr_status_t status;

    if (last && !parked->is_new && now_in_seconds() - last <= 1) {
        status = wf_request_store_failed(waiter->req, WF_EUNAVAILABLE, &waiter->req->failure);
    } else {
        status = wf_waiter_look(&parked->run, waiter, &waiter->req->failure);
    }
    parked->is_new = 0;
    apr_atomic_set32(failed, status == WF_EUNAVAILABLE ? now_in_seconds() : 0);
    return status;
}

/* Looks at the run, and watches on where it is to be waited for still. Whether it is. */
static int look(wf_parked_t *parked, int may_go_on)
{
    wf_waiter_t *waiter = &parked->waiter;

    parked->status = look_once(parked);
    return parked->status == APR_SUCCESS && may_go_on && wf_clock() < waiter->deadline &&
           !wf_waiter_is_over(waiter->req, parked->run, parked->for_change, waiter->pool) &&
           begin_watch(parked) == APR_SUCCESS;
}

/* There is news of a run, or its request is to wait no longer. */
static void take_news(wf_hub_t *hub, wf_parked_t *parked, int may_go_on)
{
    wf_store_t *store = hub->shared->store;
    int goes_on;

    parked->is_busy = 1;
    wf_monitor_leave(hub->monitor);
    if (parked->watch >= 0) {
        may_go_on = store->watch_end(store, parked->watch) == APR_SUCCESS && may_go_on;
        parked->watch = -1;
    }
    goes_on = look(parked, may_go_on);
    wf_monitor_enter(hub->monitor);
    parked->is_busy = 0;
    if (!goes_on) {
        send_back(parked);
    }
    wf_monitor_announce(hub->monitor);
}

/* One that waits still, and that nobody is at work on; NULL: none. */
static wf_parked_t *find_waiting(wf_hub_t *hub)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, hub->parked); i; i = apr_hash_next(i)) {
        wf_parked_t *parked = apr_hash_this_val(i);

        if (!parked->is_over && !parked->is_busy) {
            return parked;
        }
    }
    return NULL;
}

/* The child is to end: whoever waits is answered now. */
static void send_all_back(wf_hub_t *hub)
{
    wf_parked_t *parked;

    while ((parked = find_waiting(hub)) != NULL) {
        take_news(hub, parked, 0);
    }
}

static int is_stopping(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

/* By its id: it may have been taken back since. One that a worker adds just now comes again. */
static void take_event(wf_hub_t *hub, apr_uint64_t id)
{
    wf_parked_t *parked = apr_hash_get(hub->parked, &id, sizeof(id));

    if (parked && !parked->is_over && !parked->is_busy) {
        take_news(hub, parked, 1);
    }
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    wf_hub_t *hub = data;
    struct epoll_event events[EVENTS_MAX];
    int was_stopping = 0;

    (void)thread;
    wf_monitor_enter(hub->monitor);
    while (!hub->is_ending) {
        int n;

        wf_monitor_leave(hub->monitor);
        n = epoll_wait(hub->epoll, events, EVENTS_MAX, TICK_MS);
        wf_monitor_enter(hub->monitor);
        for (int i = 0; i < n; i++) {
            take_event(hub, events[i].data.u64);
        }
        was_stopping = was_stopping || is_stopping();
        if (was_stopping) {
            send_all_back(hub);
        }
    }
    wf_monitor_leave(hub->monitor);
    return NULL;
}

/* ---- what workers call ---- */

static apr_status_t end(void *data)
{
    static const apr_uint64_t one = 1;
    wf_hub_t *hub = data;
    apr_status_t ended;

    wf_monitor_enter(hub->monitor);
    hub->is_ending = 1;
    wf_monitor_leave(hub->monitor);
    if (hub->thread && write(hub->wake, &one, sizeof(one)) == (ssize_t)sizeof(one)) {
        apr_thread_join(&ended, hub->thread);
    }
    close(hub->wake);
    close(hub->epoll);
    return APR_SUCCESS;
}

apr_status_t wf_hub_open(wf_hub_t **hub, wf_shared_t *shared, apr_uint32_t most, apr_pool_t *pchild)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE};
    wf_hub_t *made = apr_pcalloc(pchild, sizeof(*made));
    apr_status_t status = wf_monitor_create(&made->monitor, pchild);

    if (status != APR_SUCCESS) {
        return status;
    }
    made->shared = shared;
    made->most = most;
    made->pool = pchild;
    made->parked = apr_hash_make(pchild);
    made->epoll = epoll_create1(EPOLL_CLOEXEC);
    made->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->epoll < 0 || made->wake < 0 ||
        epoll_ctl(made->epoll, EPOLL_CTL_ADD, made->wake, &event) != 0) {
        return errno;
    }
    apr_pool_pre_cleanup_register(pchild, made, end);
    *hub = made;
    return APR_SUCCESS;
}

/* Inside the monitor. Signals are the MPM's. */
static apr_status_t start_thread(wf_hub_t *hub)
{
    sigset_t all, before;
    apr_status_t status;

    if (hub->thread) {
        return APR_SUCCESS;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = apr_thread_create(&hub->thread, NULL, run, hub, hub->pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != APR_SUCCESS) {
        hub->thread = NULL;
    }
    return status;
}

wf_parked_t *wf_hub_prepare(wf_hub_t *hub, wf_request_t *req, apr_interval_time_t wait,
                            int for_change)
{
    wf_parked_t *parked = apr_pcalloc(req->r->pool, sizeof(*parked));
    int is_full;

    wf_monitor_enter(hub->monitor);
    is_full = apr_hash_count(hub->parked) >= hub->most;
    wf_monitor_leave(hub->monitor);
    if (is_full) {
        return NULL;
    }
    parked->hub = hub;
    parked->waiter.req = req;
    parked->waiter.deadline = wf_clock() + wait;
    parked->for_change = for_change;
    parked->is_new = 1;
    parked->client = parked->watch = -1;
    if (apr_pool_create(&parked->waiter.pool, req->r->pool) != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_tag(parked->waiter.pool, "wf_parked");
    return parked;
}

/* The connection goes, and with it the request, before a worker has got it back. */
static apr_status_t forget(void *data)
{
    wf_hub_remove(data);
    return APR_SUCCESS;
}

int wf_hub_add(wf_parked_t *parked, conn_rec *c)
{
    wf_hub_t *hub = parked->hub;
    int is_added;

    if (apr_os_sock_get(&parked->client, ap_get_conn_socket(c)) != APR_SUCCESS) {
        return 0;
    }
    apr_pool_pre_cleanup_register(parked->waiter.req->r->pool, parked, forget);
    wf_monitor_enter(hub->monitor);
    is_added = !hub->is_ending && start_thread(hub) == APR_SUCCESS;
    if (is_added) {
        parked->id = ++hub->last_id;
        apr_hash_set(hub->parked, &parked->id, sizeof(parked->id), parked);
        /* It may have changed since the handler looked; and where the child is about to end, who
         * comes now would be missed. */
        take_news(hub, parked, !is_stopping());
    }
    wf_monitor_leave(hub->monitor);
    return is_added;
}

void wf_hub_remove(wf_parked_t *parked)
{
    wf_hub_t *hub = parked->hub;
    wf_store_t *store = hub->shared->store;

    apr_pool_cleanup_kill(parked->waiter.req->r->pool, parked, forget);
    wf_monitor_enter(hub->monitor);
    while (parked->is_busy) {
        wf_monitor_wait(hub->monitor, 0);
    }
    if (parked->id) {
        apr_hash_set(hub->parked, &parked->id, sizeof(parked->id), NULL);
        parked->id = 0;
    }
    wf_monitor_leave(hub->monitor);
    if (parked->watch >= 0) {
        store->watch_end(store, parked->watch);
        parked->watch = -1;
    }
}
