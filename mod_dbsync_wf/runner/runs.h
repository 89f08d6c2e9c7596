/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs that a runner holds, from claim to finish, and the states that it goes through itself.
 * One monitor guards everything in here. It announces a change of the state; what the claim loop
 * and the beat loop wait for is announced to each of them alone.
 */
#ifndef WF_RUNNER_RUNS_H
#define WF_RUNNER_RUNS_H

#include <apr_hash.h>
#include <apr_thread_pool.h>
#include "base/log.h"
#include "base/monitor.h"
#include "flow/cancel.h"
#include "flow/project.h"
#include "runner/output.h"
#include "runner/runner.h"

typedef enum {
    WF_RUNNER_ACTIVE,
    WF_RUNNER_DRAINING, /* claims no more */
    WF_RUNNER_STOPPING, /* and ends what runs */
    WF_RUNNER_LOST      /* and nobody will take its word */
} wf_runner_state_e;

typedef struct wf_tellers_t wf_tellers_t;

typedef struct wf_runner_t {
    const wf_settings_t *settings;
    wf_store_t *store;
    const char *host;
    apr_uint64_t incarnation;
    wf_projects_t *projects;
    apr_thread_pool_t *threads;
    wf_pump_t *pump;            /* NULL: none is kept */
    wf_tellers_t *tellers;      /* callbacks.h */
    int wake;                   /* eventfd: something changed that the main thread waits for */
    wf_log_limit_t claim_limit; /* of what each loop says of a store that does not do its part */
    wf_log_limit_t listen_limit;
    wf_log_limit_t beat_limit;

    wf_monitor_t *monitor; /* guards all that follows; announces each change of state */
    wf_monitor_t *claims;  /* shares it: there is a place, where there was none */
    wf_monitor_t *beats;   /* shares it: beat_now */
    wf_runner_state_e state;
    apr_hash_t *held; /* pid -> wf_held_t; each has a place */
    int claiming;     /* a claim is under way: its runs will still appear */
    int beat_now;     /* news: an interrupt; or the store is to be told of the state */
    apr_pool_t *pool;
} wf_runner_t;

/* One run that is held. Its pool is its own root; it goes with it. */
typedef struct wf_held_t {
    wf_runner_t *runner;
    wf_claim_t claim;
    char pid[WF_UUID_TEXT_LEN + 1];
    wf_cancel_t *cancel;
    wf_output_t *output;        /* from the start of its execution on; NULL where none is kept */
    wf_run_progress_t progress; /* in the monitor; action points into the project, which is held */
    wf_run_records_t records;   /* inside the monitor */
    int progress_moved;         /* in the monitor: not told to the store yet */
    apr_pool_t *pool;
} wf_held_t;

/*
 * Takes a claim into the table; the claim's memory is copied.
 * APR_SUCCESS, or an error where it could not be set up.
 */
apr_status_t wf_held_add(wf_held_t **held, wf_runner_t *runner, const wf_claim_t *claim);

/* A claimed run cannot be held or executed: this process is of no use, and its lease ends its runs.
 */
void wf_held_refuse(wf_runner_t *runner, apr_status_t why);

/* Takes it out of the table, which makes its place free, and frees it. */
void wf_held_remove(wf_held_t *held);

/* How often a loop says that the store does not do its part, while that lasts. */
#define WF_COMPLAIN_EVERY apr_time_from_sec(60)

/* Inside the monitor: how many runs may be claimed now. */
apr_uint32_t wf_runner_places(const wf_runner_t *runner);

/* Inside the monitor: a claim is not under way any more, and what it gave is held. */
void wf_runner_end_claim(wf_runner_t *runner);

/* Asks the run of a token to end. Does nothing where it is not held. */
void wf_held_cancel(wf_runner_t *runner, const wf_token_t *token, wf_cancel_reason_e reason);

/* Wakes the main thread, which waits for the last run where none is claimed any more. */
void wf_runner_wake_main(wf_runner_t *runner);

/* Moves on to a state, never back; from STOPPING on, all that runs is asked to end. */
void wf_runner_set_state(wf_runner_t *runner, wf_runner_state_e state);

wf_runner_state_e wf_runner_state(wf_runner_t *runner);

/* Executes a held run to its end and tells the store, and whatever that gives to be executed next;
 * a task of the thread pool. */
void *APR_THREAD_FUNC wf_held_execute(apr_thread_t *thread, void *held);

/* loops.c: starts the threads that claim, listen and beat. APR_SUCCESS or the system's error. */
apr_status_t wf_runner_start_loops(wf_runner_t *runner);

/* The lease, and how often it is renewed. */
#define WF_LEASE_TTL  apr_time_from_sec(10)
#define WF_BEAT_EVERY apr_time_from_sec(1)

#endif
