/* SPDX-License-Identifier: Apache-2.0 */
/* The runner's threads that talk to the store: claim, listen, beat. */
#include "runner/runs.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "runner/callbacks.h"

#define CLAIM_MOST  64u                     /* runs in one claim */
#define LISTEN_TIME apr_time_from_sec(30)   /* one wait for news, or for something to claim */
#define RETRY_PAUSE apr_time_from_msec(500) /* after a call failed */

/* Waits until there is a place. How many there are, 0 where it is over. */
static apr_uint32_t wait_for_places(wf_runner_t *runner)
{
    apr_uint32_t places = 0;

    wf_monitor_enter(runner->monitor);
    wf_runner_end_claim(runner);
    while (runner->state == WF_RUNNER_ACTIVE && wf_runner_places(runner) == 0) {
        wf_monitor_wait(runner->claims, 0);
    }
    if (runner->state == WF_RUNNER_ACTIVE) {
        places = wf_runner_places(runner);
        runner->claiming = 1;
    }
    wf_monitor_leave(runner->monitor);
    return places > CLAIM_MOST ? CLAIM_MOST : places;
}

static void pause_loop(wf_runner_t *runner, wf_runner_state_e until)
{
    apr_time_t deadline = wf_clock() + RETRY_PAUSE;

    wf_monitor_enter(runner->monitor);
    while (runner->state < until && wf_clock() < deadline) {
        wf_monitor_wait(runner->monitor, deadline);
    }
    wf_monitor_leave(runner->monitor);
}

static void start_run(wf_runner_t *runner, const wf_claim_t *claim)
{
    wf_held_t *held;
    apr_status_t rv = wf_held_add(&held, runner, claim);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_pool_push(runner->threads, wf_held_execute, held,
                                  APR_THREAD_TASK_PRIORITY_NORMAL, runner);
        if (rv != APR_SUCCESS) {
            wf_held_remove(held);
        }
    }
    if (rv != APR_SUCCESS) {
        wf_held_refuse(runner, rv);
    }
}

static void claim_some(wf_runner_t *runner, apr_uint32_t places, apr_pool_t *pool)
{
    apr_array_header_t *claims;
    apr_uint64_t left;
    apr_status_t rv = runner->store->claim(&claims, runner->store, runner->incarnation, places,
                                           LISTEN_TIME, pool);

    if (rv == WF_ESTALE) {
        /* Draining, or expired: then the next beat says so. */
        pause_loop(runner, WF_RUNNER_DRAINING);
        return;
    }
    if (rv != APR_SUCCESS) {
        if (wf_log_may(&runner->claim_limit, 1, WF_COMPLAIN_EVERY, &left)) {
            wf_log_error(rv, "WF0191", "runs could not be claimed; it is tried again and again");
        }
        pause_loop(runner, WF_RUNNER_DRAINING);
        return;
    }
    for (int i = 0; i < claims->nelts; i++) {
        start_run(runner, &APR_ARRAY_IDX(claims, i, wf_claim_t));
    }
}

static void *APR_THREAD_FUNC claim_loop(apr_thread_t *thread, void *data)
{
    wf_runner_t *runner = data;
    apr_pool_t *pool;
    apr_uint32_t places;

    (void)thread;
    if (apr_pool_create(&pool, NULL) == APR_SUCCESS) {
        while ((places = wait_for_places(runner)) > 0) {
            claim_some(runner, places, pool);
            apr_pool_clear(pool);
        }
    }
    return NULL;
}

static void take_news(wf_runner_t *runner, unsigned events)
{
    wf_monitor_enter(runner->monitor);
    runner->beat_now |= (events & (WF_EVENT_INTERRUPT | WF_EVENT_RESYNC)) != 0;
    wf_monitor_announce(runner->beats);
    wf_monitor_leave(runner->monitor);
}

static void *APR_THREAD_FUNC listen_loop(apr_thread_t *thread, void *data)
{
    wf_runner_t *runner = data;
    apr_pool_t *pool;

    (void)thread;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    while (wf_runner_state(runner) != WF_RUNNER_LOST) {
        unsigned events = 0;
        apr_uint64_t left;
        apr_status_t rv =
            runner->store->wait(&events, runner->store, runner->incarnation, LISTEN_TIME, pool);

        if (rv == APR_SUCCESS) {
            take_news(runner, events);
            if (!events || (events & (WF_EVENT_CALLBACK | WF_EVENT_RESYNC))) {
                wf_tellers_wake(runner); /* also where the hint may have been lost */
            }
        } else {
            if (wf_log_may(&runner->listen_limit, 1, WF_COMPLAIN_EVERY, &left)) {
                wf_log_warning(rv, "WF0192", "no news from the store");
            }
            pause_loop(runner, WF_RUNNER_LOST);
        }
        apr_pool_clear(pool);
    }
    return NULL;
}

/* Takes one progress that the store has not been told of. Zero where there is none. */
static int take_progress(wf_runner_t *runner, wf_token_t *token, wf_run_progress_t *progress,
                         wf_run_records_t *records, apr_pool_t *pool)
{
    int found = 0;

    wf_monitor_enter(runner->monitor);
    for (apr_hash_index_t *i = apr_hash_first(NULL, runner->held); i && !found;
         i = apr_hash_next(i)) {
        wf_held_t *held;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        held = value;
        if (held->progress_moved) {
            found = 1;
            held->progress_moved = 0;
            *token = held->claim.token;
            *progress = held->progress;
            *records = held->records;
            progress->action = apr_pstrdup(pool, held->progress.action);
        }
    }
    wf_monitor_leave(runner->monitor);
    return found;
}

/* Hands on what moved since the last beat: short runs never get here, long ones once a beat. */
static void tell_progress(wf_runner_t *runner, apr_pool_t *pool)
{
    wf_token_t token;
    wf_run_progress_t progress;
    wf_run_records_t records;

    while (take_progress(runner, &token, &progress, &records, pool)) {
        apr_status_t rv = runner->store->progress(runner->store, &token, &progress, &records, pool);

        if (rv != APR_SUCCESS && rv != WF_ESTALE) {
            return; /* the next beat has newer ones */
        }
    }
}

static void beat(wf_runner_t *runner, apr_pool_t *pool)
{
    apr_array_header_t *interrupted;
    apr_uint64_t left;
    apr_status_t rv = runner->store->heartbeat(&interrupted, runner->store, runner->incarnation,
                                               WF_LEASE_TTL, pool);

    if (rv == WF_ESTALE) {
        wf_log_error(0, "WF0193", "the runner's lease is lost: whatever it runs is ended");
        wf_runner_set_state(runner, WF_RUNNER_LOST);
        return;
    }
    if (rv != APR_SUCCESS) {
        if (wf_log_may(&runner->beat_limit, 1, WF_COMPLAIN_EVERY, &left)) {
            wf_log_warning(rv, "WF0194", "the runner's lease could not be renewed");
        }
        return;
    }
    for (int i = 0; i < interrupted->nelts; i++) {
        wf_held_cancel(runner, &APR_ARRAY_IDX(interrupted, i, wf_token_t), WF_CANCEL_INTERRUPT);
    }
    tell_progress(runner, pool);
}

/* Waits for the next beat, or for news of an interrupt. */
static void wait_for_beat(wf_runner_t *runner)
{
    apr_time_t deadline = wf_clock() + WF_BEAT_EVERY;

    wf_monitor_enter(runner->monitor);
    while (!runner->beat_now && wf_clock() < deadline) {
        wf_monitor_wait(runner->beats, deadline);
    }
    runner->beat_now = 0;
    wf_monitor_leave(runner->monitor);
}

/*
 * Tells the store, once and until it has taken it, that this runner claims no more, which ends the
 * claim that waits there.
 */
static int tell_drain(wf_runner_t *runner, apr_pool_t *pool)
{
    wf_runner_state_e state = wf_runner_state(runner);
    apr_status_t rv;

    if (state != WF_RUNNER_DRAINING && state != WF_RUNNER_STOPPING) {
        return 0;
    }
    rv = runner->store->drain(runner->store, runner->incarnation, pool);
    if (rv != APR_SUCCESS) {
        wf_log_info(rv, "WF0196", "the store was not told that the runner drains");
    }
    return rv == APR_SUCCESS || rv == WF_ESTALE;
}

static void *APR_THREAD_FUNC beat_loop(apr_thread_t *thread, void *data)
{
    wf_runner_t *runner = data;
    apr_pool_t *pool;
    int drained = 0;

    (void)thread;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    while (wf_runner_state(runner) != WF_RUNNER_LOST) {
        drained = drained || tell_drain(runner, pool);
        beat(runner, pool);
        apr_pool_clear(pool);
        wait_for_beat(runner);
    }
    return NULL;
}

apr_status_t wf_runner_start_loops(wf_runner_t *runner)
{
    static const apr_thread_start_t loops[] = {claim_loop, listen_loop, beat_loop};
    apr_status_t rv = APR_SUCCESS;

    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]) && rv == APR_SUCCESS; i++) {
        apr_thread_t *thread;

        rv = apr_thread_create(&thread, NULL, loops[i], runner, runner->pool);
    }
    return rv;
}
