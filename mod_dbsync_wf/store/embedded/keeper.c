/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's start, loop and end. */
#include "store/embedded/keeper.h"
#include "store/embedded/keeper_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/keeper_home.h"

#define EVENTS_MAX      256
#define IDLE_CHECKPOINT apr_time_from_sec(30)   /* without work, a checkpoint after this */
#define REFUSE_LOOK     apr_time_from_msec(500) /* at the room on the disk, while it is full */
#define REFUSE_ROOM     (1024 * 1024)         /* bytes of it that make another start worth while */
#define REFUSE_TIME     apr_time_from_sec(30) /* after which it is tried in any case */

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

/* Waits until `next` (a wf_clock time) for requests, and does what has come. *events is how many.
 */
static apr_status_t turn(wf_keeper_t *keeper, int *events, apr_time_t next)
{
    struct epoll_event list[EVENTS_MAX];
    apr_status_t rv;
    int n = epoll_wait(keeper->epoll, list, EVENTS_MAX, wf_clock_poll_ms(next));

    *events = n;
    if (n < 0 && errno != EINTR) {
        rv = errno;
        wf_log_error(rv, "WF0141", "epoll_wait");
        return rv;
    }
    for (int i = 0; i < n; i++) {
        take_event(keeper, &list[i]);
    }
    rv = wf_keeper_do_batch(keeper);
    if (rv == APR_SUCCESS) {
        wf_claims_done(keeper);
        wf_keeper_wake_tellers(keeper);
        wf_keeper_answer_waits(keeper);
        wf_news_answer_all(keeper);
        wf_keeper_answer_all(keeper);
        wf_keeper_recall(keeper);
    }
    apr_pool_clear(keeper->batch);
    return rv;
}

/* Where one has failed it is due at once, whether or not anything more is written. */
static apr_status_t checkpoint(wf_keeper_t *keeper, int now)
{
    wf_trouble_t *trouble = &keeper->checkpointing;
    apr_status_t rv;

    if (wf_trouble_waits(trouble)) {
        return APR_SUCCESS;
    }
    rv = wf_bdb_checkpoint(keeper->bdb, now || trouble->status != APR_SUCCESS);
    if (rv == APR_SUCCESS) {
        wf_trouble_over(trouble);
    } else {
        wf_trouble_note(trouble, rv);
    }
    return wf_bdb_is_broken(keeper->bdb) ? rv : APR_SUCCESS;
}

static apr_status_t serve(wf_keeper_t *keeper, wf_regions_t *regions)
{
    apr_time_t idle_end = wf_clock() + IDLE_CHECKPOINT;
    apr_status_t rv = APR_SUCCESS;

    keeper->recalls = 1;
    while (!keeper->stopping && rv == APR_SUCCESS) {
        int lacks = wf_regions_lacks(regions);
        int events;

        rv =
            turn(keeper, &events,
                 lacks ? wf_clock()
                       : wf_trouble_next(&keeper->checkpointing, wf_keeper_next(keeper, idle_end)));
        if (rv == APR_SUCCESS && lacks) {
            rv = wf_regions_claim(regions);
        }
        if (rv == APR_SUCCESS) {
            rv = checkpoint(keeper, wf_clock() >= idle_end);
        }
        if (events > 0 || wf_clock() >= idle_end) {
            idle_end = wf_clock() + IDLE_CHECKPOINT;
        }
    }
    return rv;
}

/* Bytes that we may still write on the disk of the state directory. */
static apr_int64_t room_on_disk(const char *state_dir)
{
    struct statvfs fs;

    return statvfs(state_dir, &fs) == 0 ? (apr_int64_t)fs.f_bavail * (apr_int64_t)fs.f_frsize : 0;
}

/*
 * The store could not be opened. Says so at once to whoever asks, instead of letting them wait for
 * a keeper that does not come, until it is worth trying again: then the process ends, and the next
 * one begins anew.
 */
static void refuse(wf_keeper_t *keeper, const char *state_dir, apr_status_t why)
{
    apr_time_t end = wf_clock() + REFUSE_TIME;
    apr_int64_t room = room_on_disk(state_dir);
    /* A recovery that finds no room fails with a panic, which does not say why. */
    int is_full = APR_STATUS_IS_ENOSPC(why) || room < REFUSE_ROOM;
    int events;

    wf_log_error(is_full ? APR_ENOSPC : why, "WF0149",
                 "the store in %s cannot be opened, and every request is refused: %s; it is tried "
                 "again %severy %d s",
                 state_dir,
                 is_full
                     ? "free space on its disk"
                     : "the lines above say why, and README under \"When the state directory is "
                       "damaged\" what to do",
                 is_full ? "when there is more room, and " : "", (int)apr_time_sec(REFUSE_TIME));
    keeper->refuses = 1;
    while (!keeper->stopping && wf_clock() < end) {
        apr_time_t next = is_full ? wf_clock() + REFUSE_LOOK : end;

        if (turn(keeper, &events, next < end ? next : end) != APR_SUCCESS ||
            (is_full && room_on_disk(state_dir) >= room + REFUSE_ROOM)) {
            return;
        }
    }
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
    TAILQ_INIT(&keeper->claiming);
    wf_news_init(keeper);
    keeper->retention = config->retention;
    keeper->listener = config->listener;
    keeper->restarts = config->restarts;
    keeper->started = apr_time_now();
    keeper->inbox = apr_palloc(pool, WF_INBOX_SIZE);
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

/* Opens the store. APR_SUCCESS, or an error that has been logged, with nothing left open. */
static apr_status_t open_store(wf_keeper_t *keeper, wf_home_t *home,
                               const wf_keeper_config_t *config, apr_pool_t *pool)
{
    apr_status_t rv = wf_home_open(home, config->state_dir, config->cache_size, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_bdb_open(&keeper->bdb, &home->bdb, pool);
    }
    if (rv != APR_SUCCESS) {
        wf_home_close(home);
        return rv;
    }
    rv = wf_state_open(&keeper->state, keeper->bdb, pool);
    keeper->state.queue_limit = config->queue_limit;
    if (config->callback_pauses) {
        keeper->state.outbox.pauses = config->callback_pauses;
    }
    if (rv == APR_SUCCESS) {
        /* Last, so that a tool that joins and is killed hangs no keeper that is not pinged yet. */
        rv = wf_regions_publish(&home->regions, config->cache_size,
                                wf_bdb_cache_parts(config->cache_size));
    }
    if (rv == APR_SUCCESS) {
        wf_bdb_moved(keeper->bdb, home->regions.home, pool);
    }
    if (rv != APR_SUCCESS) {
        wf_bdb_close(keeper->bdb);
        wf_home_close(home);
    }
    return rv;
}

static void name_troubles(wf_keeper_t *keeper, const char *state_dir, apr_pool_t *pool)
{
    const char *of = apr_pstrcat(pool, "the state directory ", state_dir, NULL);

    keeper->writing.of = keeper->checkpointing.of = of;
    keeper->writing.what = "cannot be written";
    keeper->writing.again = "can be written again";
    keeper->writing.advice = "see to its disk (free space where it is full); meanwhile runs are "
                             "refused and none starts, those that run go on, and their ends are "
                             "recorded later";
    keeper->checkpointing.what = "takes no checkpoint";
    keeper->checkpointing.again = "takes checkpoints again";
    keeper->checkpointing.advice = "see to its disk (free space where it is full); meanwhile the "
                                   "folder log/ grows, and before the cache is full of what waits "
                                   "runs are refused";
}

apr_status_t wf_keeper_run(const wf_keeper_config_t *config, apr_pool_t *pool)
{
    wf_keeper_t keeper;
    wf_home_t home;
    apr_status_t rv = open_keeper(&keeper, config, pool);

    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0144", "the keeper cannot start");
        return rv;
    }
    name_troubles(&keeper, config->state_dir, pool);
    rv = open_store(&keeper, &home, config, pool);
    tell_ready(config->ready_fd);
    if (rv == APR_SUCCESS) {
        rv = serve(&keeper, &home.regions);
        close(keeper.listener);
        wf_bdb_close(keeper.bdb);
        wf_home_close(&home);
    } else {
        refuse(&keeper, config->state_dir, rv);
        close(keeper.listener);
    }
    wf_peer_close_all(&keeper);
    wf_log_info(rv, "WF0145", "the keeper ends");
    return rv;
}
