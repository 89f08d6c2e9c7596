/* SPDX-License-Identifier: Apache-2.0 */
/* The table of held runs. */
#include "runner/runs.h"

#include <unistd.h>
#include <apr_strings.h>
#include "base/log.h"
#include "runner/callbacks.h"

void wf_runner_wake_main(wf_runner_t *runner)
{
    const apr_uint64_t one = 1;

    if (write(runner->wake, &one, sizeof(one)) != (ssize_t)sizeof(one)) {
        wf_log_debug(0, "WF0180", "the main thread has been woken already");
    }
}

/* Copies what an execution reads of a claim, whose own pool is the claim loop's. */
static void copy_claim(wf_claim_t *to, const wf_claim_t *from, apr_pool_t *pool)
{
    *to = *from;
    to->payload = wf_slice_dup(from->payload, pool);
    to->run.vhost = apr_pstrdup(pool, from->run.vhost);
    to->run.project = apr_pstrdup(pool, from->run.project);
    to->run.task = apr_pstrdup(pool, from->run.task);
    to->run.source = apr_pstrdup(pool, from->run.source);
    to->markers = apr_array_copy(pool, from->markers);
    for (int i = 0; i < to->markers->nelts; i++) {
        wf_run_marker_t *marker = &APR_ARRAY_IDX(to->markers, i, wf_run_marker_t);

        marker->name = apr_pstrdup(pool, marker->name);
        marker->json = wf_slice_dup(marker->json, pool);
    }
}

apr_status_t wf_held_add(wf_held_t **held, wf_runner_t *runner, const wf_claim_t *claim)
{
    wf_held_t *fresh;
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create(&pool, NULL);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_tag(pool, "wf_held");
    fresh = apr_pcalloc(pool, sizeof(*fresh));
    fresh->runner = runner;
    fresh->pool = pool;
    copy_claim(&fresh->claim, claim, pool);
    wf_uuid_format(fresh->pid, &claim->token.pid);
    rv = wf_cancel_create(&fresh->cancel, pool);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return rv;
    }
    wf_monitor_enter(runner->monitor);
    apr_hash_set(runner->held, &fresh->claim.token.pid, sizeof(wf_uuid_t), fresh);
    if (runner->state >= WF_RUNNER_STOPPING) {
        wf_cancel_request(fresh->cancel, WF_CANCEL_SHUTDOWN);
    }
    wf_monitor_leave(runner->monitor);
    *held = fresh;
    return APR_SUCCESS;
}

void wf_held_refuse(wf_runner_t *runner, apr_status_t why)
{
    wf_log_error(why, "WF0190", "a claimed run could not be started");
    wf_runner_set_state(runner, WF_RUNNER_LOST);
}

void wf_runner_end_claim(wf_runner_t *runner)
{
    runner->claiming = 0;
    if (runner->state != WF_RUNNER_ACTIVE) {
        wf_runner_wake_main(runner);
    }
}

apr_uint32_t wf_runner_places(const wf_runner_t *runner)
{
    apr_uint32_t held = apr_hash_count(runner->held);

    return held < runner->settings->threads ? runner->settings->threads - held : 0;
}

/* Inside the monitor, after a run has gone: tells those whom that may concern. */
static void make_room(wf_runner_t *runner)
{
    if (runner->state != WF_RUNNER_ACTIVE) {
        wf_runner_wake_main(runner);
    } else if (!runner->claiming && wf_runner_places(runner) > 0) {
        wf_monitor_announce(runner->claims);
    }
}

void wf_held_remove(wf_held_t *held)
{
    wf_runner_t *runner = held->runner;

    wf_monitor_enter(runner->monitor);
    apr_hash_set(runner->held, &held->claim.token.pid, sizeof(wf_uuid_t), NULL);
    make_room(runner);
    wf_monitor_leave(runner->monitor);
    apr_pool_destroy(held->pool);
}

void wf_held_cancel(wf_runner_t *runner, const wf_token_t *token, wf_cancel_reason_e reason)
{
    wf_held_t *held;

    wf_monitor_enter(runner->monitor);
    held = apr_hash_get(runner->held, &token->pid, sizeof(token->pid));
    if (held && held->claim.token.fence == token->fence) {
        wf_cancel_request(held->cancel, reason);
    }
    wf_monitor_leave(runner->monitor);
}

void wf_runner_set_state(wf_runner_t *runner, wf_runner_state_e state)
{
    wf_monitor_enter(runner->monitor);
    if (state > runner->state) {
        runner->state = state;
    }
    if (runner->state >= WF_RUNNER_STOPPING) {
        for (apr_hash_index_t *i = apr_hash_first(NULL, runner->held); i; i = apr_hash_next(i)) {
            wf_held_t *held;
            void *value;

            apr_hash_this(i, NULL, NULL, &value);
            held = value;
            wf_cancel_request(held->cancel, runner->state == WF_RUNNER_LOST ? WF_CANCEL_LOST
                                                                            : WF_CANCEL_SHUTDOWN);
        }
    }
    wf_tellers_follow(runner);
    runner->beat_now = 1;
    wf_monitor_announce(runner->monitor);
    wf_monitor_announce(runner->claims);
    wf_monitor_announce(runner->beats);
    wf_runner_wake_main(runner);
    wf_monitor_leave(runner->monitor);
}

wf_runner_state_e wf_runner_state(wf_runner_t *runner)
{
    wf_runner_state_e state;

    wf_monitor_enter(runner->monitor);
    state = runner->state;
    wf_monitor_leave(runner->monitor);
    return state;
}
