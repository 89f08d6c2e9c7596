/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's start, loop and end. */
#include "store/embedded/keeper.h"
#include "store/embedded/keeper_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/keeper_home.h"

#define EVENTS_MAX      256
#define IDLE_CHECKPOINT apr_time_from_sec(30) /* without work, a checkpoint after this */
#define FAILURE_PAUSE   apr_time_from_sec(1)  /* after a batch failed, before leases are ended */
#define PURGE_LEAST     apr_time_from_sec(1)  /* between two passes over what has been kept */
#define PURGE_MOST      apr_time_from_sec(60)
#define PURGE_PART      16 /* else this part of the retention */

/* Executes the frames of one peer that have arrived whole. */
static apr_status_t execute_frames(wf_keeper_t *keeper, wf_peer_t *peer)
{
    apr_status_t rv;
    wf_slice_t frame;
    apr_size_t need;

    for (;;) {
        wf_slice_t rest = wf_slice_of(peer->in.data + peer->done, peer->in.len - peer->done);

        rv = wf_frame_next(&frame, &need, rest);
        if (rv == WF_EPROTOCOL) {
            peer->closing = 1;
        }
        if (rv != APR_SUCCESS) {
            return APR_SUCCESS;
        }
        rv = wf_keeper_execute(keeper, peer, frame);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        peer->done += need;
    }
}

static apr_status_t execute_all(wf_keeper_t *keeper)
{
    wf_peer_t *peer;
    apr_status_t rv = APR_SUCCESS;

    TAILQ_FOREACH(peer, &keeper->touched, touch)
    {
        if (rv == APR_SUCCESS && peer->in.len) {
            rv = execute_frames(keeper, peer);
        }
    }
    return rv;
}

/* When leases are looked at next, 0: there are none. */
static apr_time_t next_reap(wf_keeper_t *keeper)
{
    apr_time_t next = wf_state_next_expiry(&keeper->state);

    return next && next < keeper->reap_after ? keeper->reap_after : next;
}

/* Ends leases that have run out. After the requests: a runner whose heartbeat is here is alive. */
static apr_status_t reap(wf_keeper_t *keeper)
{
    apr_time_t next = next_reap(keeper);
    apr_uint64_t count;

    return next && next <= wf_clock() ? wf_state_reap(&count, &keeper->state, keeper->batch)
                                      : APR_SUCCESS;
}

static apr_time_t next_pass(const wf_keeper_t *keeper)
{
    apr_interval_time_t pause = keeper->retention / PURGE_PART;

    if (pause < PURGE_LEAST) {
        pause = PURGE_LEAST;
    }
    return wf_clock() + (pause > PURGE_MOST ? PURGE_MOST : pause);
}

/* Deletes a few of the runs that have been kept long enough; steps follow until there are no more.
 */
static apr_status_t purge(wf_keeper_t *keeper)
{
    apr_uint64_t count;
    int more;
    apr_status_t rv;

    if (!keeper->retention || wf_clock() < keeper->purge_next) {
        return APR_SUCCESS;
    }
    rv = wf_state_purge(&count, &more, &keeper->state, keeper->retention, keeper->batch);
    if (rv == APR_SUCCESS && !more) {
        keeper->purge_next = next_pass(keeper);
    }
    return rv;
}

/*
 * Does the batch again after it could not be written: what it had changed is undone already, each
 * writer is told so, each reader gets what is on disk.
 */
static apr_status_t redo_without_writing(wf_keeper_t *keeper)
{
    wf_peer_t *peer;
    apr_status_t rv;

    TAILQ_FOREACH(peer, &keeper->touched, touch)
    {
        peer->done = 0;
        peer->out.len = peer->mark;
    }
    keeper->read_only = 1;
    rv = execute_all(keeper);
    keeper->read_only = 0;
    return rv;
}

static apr_status_t do_batch(wf_keeper_t *keeper)
{
    apr_status_t rv = execute_all(keeper);

    if (rv == APR_SUCCESS) {
        rv = reap(keeper);
    }
    if (rv == APR_SUCCESS) {
        rv = purge(keeper);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_state_commit(&keeper->state);
    } else {
        wf_log_error(rv, "WF0140", "a batch of requests failed and is undone");
        if (wf_state_rollback(&keeper->state) != APR_SUCCESS) {
            return rv;
        }
    }
    if (wf_bdb_is_broken(keeper->bdb)) {
        return WF_EUNAVAILABLE;
    }
    if (rv == APR_SUCCESS) {
        return rv;
    }
    keeper->reap_after = keeper->purge_next = wf_clock() + FAILURE_PAUSE;
    return redo_without_writing(keeper);
}

/* Lets the answers go, now that what they say is on disk. */
static void answer_all(wf_keeper_t *keeper)
{
    wf_peer_t *peer;

    while ((peer = TAILQ_FIRST(&keeper->touched)) != NULL) {
        TAILQ_REMOVE(&keeper->touched, peer, touch);
        peer->is_touched = 0;
        wf_buf_consume(&peer->in, peer->done);
        peer->done = 0;
        wf_peer_flush(keeper, peer);
    }
}

static int timeout_ms(wf_keeper_t *keeper, apr_time_t idle_end)
{
    apr_time_t next = next_reap(keeper);
    wf_peer_t *peer;

    if (!next || idle_end < next) {
        next = idle_end;
    }
    if (keeper->retention && keeper->purge_next < next) {
        next = keeper->purge_next;
    }
    TAILQ_FOREACH(peer, &keeper->waiting, wait)
    {
        if (peer->wait_end < next) {
            next = peer->wait_end;
        }
    }
    return wf_clock_poll_ms(next);
}

static void take_event(wf_keeper_t *keeper, const struct epoll_event *event)
{
    if (event->data.ptr == &keeper->listener) {
        wf_peer_accept_all(keeper);
    } else if (event->data.ptr == &keeper->signals) {
        keeper->stopping = 1;
    } else {
        wf_peer_read(keeper, event->data.ptr);
    }
}

static apr_status_t serve(wf_keeper_t *keeper)
{
    struct epoll_event events[EVENTS_MAX];
    apr_time_t idle_end = wf_clock() + IDLE_CHECKPOINT;
    apr_status_t rv = APR_SUCCESS;

    while (!keeper->stopping && rv == APR_SUCCESS) {
        int n = epoll_wait(keeper->epoll, events, EVENTS_MAX, timeout_ms(keeper, idle_end));

        if (n < 0 && errno != EINTR) {
            rv = errno;
            wf_log_error(rv, "WF0141", "epoll_wait");
            break;
        }
        for (int i = 0; i < n; i++) {
            take_event(keeper, &events[i]);
        }
        rv = do_batch(keeper);
        if (rv == APR_SUCCESS) {
            wf_keeper_answer_waits(keeper);
            answer_all(keeper);
            wf_bdb_checkpoint(keeper->bdb, wf_clock() >= idle_end);
        }
        if (n > 0 || wf_clock() >= idle_end) {
            idle_end = wf_clock() + IDLE_CHECKPOINT;
        }
        apr_pool_clear(keeper->batch);
    }
    return rv;
}

static apr_status_t watch(wf_keeper_t *keeper, int *fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = fd};

    return epoll_ctl(keeper->epoll, EPOLL_CTL_ADD, *fd, &event) == 0 ? APR_SUCCESS : errno;
}

/* SIGTERM as a descriptor; every other signal that might end the process keeps its default. */
static apr_status_t open_signals(wf_keeper_t *keeper)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) {
        return errno;
    }
    keeper->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return keeper->signals < 0 ? errno : APR_SUCCESS;
}

/* As many connections as the system lets us have: each thread of each httpd child keeps one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            wf_log_warning(errno, "WF0142", "the limit of open files could not be raised");
        }
    }
}

static apr_status_t open_keeper(wf_keeper_t *keeper, const wf_keeper_config_t *config,
                                apr_pool_t *pool)
{
    apr_status_t rv;

    memset(keeper, 0, sizeof(*keeper));
    TAILQ_INIT(&keeper->peers);
    TAILQ_INIT(&keeper->touched);
    TAILQ_INIT(&keeper->waiting);
    keeper->retention = config->retention;
    keeper->listener = config->listener;
    keeper->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (keeper->epoll < 0) {
        return errno;
    }
    raise_descriptor_limit();
    if ((rv = apr_pool_create(&keeper->batch, pool)) != APR_SUCCESS) {
        return rv;
    }
    apr_pool_tag(keeper->batch, "wf_keeper_batch");
    if ((rv = open_signals(keeper)) == APR_SUCCESS &&
        (rv = watch(keeper, &keeper->signals)) == APR_SUCCESS) {
        rv = watch(keeper, &keeper->listener);
    }
    return rv;
}

static void tell_ready(int fd)
{
    if (fd >= 0) {
        if (write(fd, "!", 1) != 1) {
            wf_log_warning(errno, "WF0143", "nobody was told that the keeper serves");
        }
        close(fd);
    }
}

apr_status_t wf_keeper_run(const wf_keeper_config_t *config, apr_pool_t *pool)
{
    wf_keeper_t keeper;
    wf_home_t home;
    apr_status_t rv = open_keeper(&keeper, config, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_home_open(&home, config->state_dir, config->cache_size, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_bdb_open(&keeper.bdb, &home.bdb, pool);
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0144", "the keeper cannot start");
        return rv;
    }
    rv = wf_state_open(&keeper.state, keeper.bdb, pool);
    if (rv == APR_SUCCESS) {
        tell_ready(config->ready_fd);
        rv = serve(&keeper);
    }
    close(keeper.listener);
    wf_bdb_close(keeper.bdb);
    wf_home_close(&home);
    wf_log_info(rv, "WF0145", "the keeper ends");
    return rv;
}
