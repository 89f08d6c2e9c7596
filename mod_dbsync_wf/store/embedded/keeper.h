/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: the one process that owns the Berkeley DB environment, serving the store protocol.
 *
 * One thread and one loop. Each turn takes every request that has arrived, does them all in one
 * transaction, commits it once, and only then answers: the more clients wait, the more one log
 * flush carries. What a failed commit had done is undone, its writers are told that nothing was
 * written, and its readers are served from what is on disk. While the disk cannot be written that
 * is tried once a second, and writers are refused at once.
 *
 * What is damaged is refused to whoever asks for it, and the rest is served.
 */
#ifndef WF_STORE_EMBEDDED_KEEPER_H
#define WF_STORE_EMBEDDED_KEEPER_H

#include <stdatomic.h>
#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

/* How often processes had to be started again; the supervisor's, in memory that it shares. */
typedef struct wf_restarts_t {
    _Atomic apr_uint32_t keeper;
    _Atomic apr_uint32_t runner;
} wf_restarts_t;

typedef struct wf_keeper_config_t {
    const char *state_dir;
    apr_uint64_t cache_size;       /* bytes */
    apr_interval_time_t retention; /* how long ended runs are kept; 0: for ever */
    apr_uint32_t queue_limit;      /* how many runs may be queued; 0: any number */
    int listener;                  /* listening socket; the keeper closes it */
    int ready_fd;            /* gets one byte when the keeper serves, then is closed; -1: none */
    wf_restarts_t *restarts; /* told to whoever asks for figures; NULL: none are known */
    /* Behind each attempt to tell a run's end, WF_CALLBACK_PAUSES of them (outbox.h); NULL: those
     * that a server has. */
    const apr_interval_time_t *callback_pauses;
} wf_keeper_config_t;

/*
 * Recovers, serves until SIGTERM, then checkpoints and closes. The process must hold a copy of the
 * state directory's lock (lock.h) until it ends: that makes it the only keeper.
 * Where the store cannot be opened it refuses every request for a while and then returns, for
 * another process to try again.
 * Blocks the signals that it waits for; to be called in a process of its own, with one thread.
 * APR_SUCCESS after SIGTERM, otherwise an error that has been logged.
 */
apr_status_t wf_keeper_run(const wf_keeper_config_t *config, apr_pool_t *pool);

#endif
