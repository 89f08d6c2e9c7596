/* SPDX-License-Identifier: Apache-2.0 */
/* The tellers' threads, and one attempt. */
#include "runner/callbacks.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "flow/configuration.h"
#include "flow/rest/callback.h"
#include "store/run_json.h"

#define RETRY_PAUSE apr_time_from_msec(500) /* after a call failed */
#define NO_CALLBACK "the task has no callback any more"

/* One thread, and the end that it tells. */
typedef struct teller_t {
    wf_tellers_t *tellers;
    apr_thread_t *thread;
    wf_uuid_t pid;       /* in the monitor, as is the next */
    wf_cancel_t *cancel; /* NULL: it tells none */
} teller_t;

struct wf_tellers_t {
    wf_runner_t *runner;
    wf_monitor_t *monitor; /* shares the runner's, which guards all that follows */
    int is_due;            /* there may be something to claim */
    int claiming;          /* one of them claims; one at a time does */
    apr_time_t retry;      /* a wf_clock time, before which none does, since a claim failed */
    wf_log_limit_t limit;
    teller_t all[WF_TELLERS];
};

/* ---- one attempt ---- */

/* Where an end is to be told, and what for; or why that cannot be. */
typedef struct target_t {
    const char *url;
    const char *secret;
    const char *reason; /* NULL: there is nothing in the way */
    int is_given_up;    /* where there is: it stays in the way */
} target_t;

static void refuse(target_t *target, int is_given_up, const char *reason)
{
    target->reason = reason;
    target->is_given_up = is_given_up;
}

/* The configuration that is stored. NULL where there is none, it was removed, or it is as the
 * project's file says. */
static apr_status_t read_stored(const wf_configuration_t **configuration,
                                const wf_stored_configuration_t *stored, apr_pool_t *pool)
{
    wf_result_t result;

    *configuration = NULL;
    if (stored->revision == 0 || stored->is_removed || stored->document.len == 0) {
        return APR_SUCCESS;
    }
    wf_result_init(&result, pool);
    return wf_configuration_parse(configuration, stored->document, &result, pool);
}

/* What the project's file says. NULL where the task is not in it any more, or it is gone. */
static apr_status_t read_file(const wf_configuration_t **configuration, wf_runner_t *runner,
                              const wf_run_t *run, apr_pool_t *pool)
{
    const wf_project_t *project;
    const wf_task_t *task;
    wf_result_t result;
    apr_status_t rv;

    *configuration = NULL;
    wf_result_init(&result, pool);
    rv = run->source ? wf_projects_find(&project, runner->projects, run->source, run->project,
                                        &result, pool)
                     : APR_NOTFOUND;
    if (rv == APR_SUCCESS) {
        task = wf_project_task(project, run->task);
        *configuration = task ? task->api : NULL;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

static void read_secret(target_t *target, const wf_callback_t *callback, const wf_run_t *run,
                        apr_pool_t *pool)
{
    const wf_secret_t *source = callback->secret_source;
    apr_status_t rv = APR_SUCCESS;

    target->secret = callback->secret;
    if (!target->secret) {
        rv = source ? wf_secret_load(&target->secret, source, pool) : APR_ENOENT;
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0220",
                     "task %s of project %s: the secret of its callback cannot be read from %s %s",
                     run->task, run->project,
                     source && source->env ? "the environment variable" : "the file",
                     !source       ? "that is named"
                     : source->env ? source->env
                                   : source->file);
        refuse(target, 0, "its secret cannot be read; the server's error log says more");
    }
}

/* Finds out where to, as the task's configuration has it now. */
static void find_target(target_t *target, wf_runner_t *runner, const wf_callback_claim_t *claim,
                        apr_pool_t *pool)
{
    const wf_configuration_t *configuration;
    apr_status_t rv = read_stored(&configuration, &claim->configuration, pool);
    int is_stored = configuration != NULL;

    if (rv == APR_SUCCESS && !configuration && !claim->configuration.is_removed) {
        rv = read_file(&configuration, runner, &claim->run, pool);
    }
    if (rv != APR_SUCCESS) {
        refuse(target, 0, "the task's configuration cannot be read");
    } else if (!configuration || !configuration->callback) {
        refuse(target, 1, NO_CALLBACK);
    } else if (is_stored && !wf_callback_is_allowed(configuration->callback->url,
                                                    runner->settings->callback_hosts, pool)) {
        refuse(target, 1, "its host is not among those that DbsyncWfCallbackHosts names");
    } else {
        target->url = configuration->callback->url;
        read_secret(target, configuration->callback, &claim->run, pool);
    }
}

/* What is told: the end as an event, and the run as its clients see it. */
static wf_slice_t make_body(const wf_run_t *run, apr_pool_t *pool)
{
    wf_buf_t *body = apr_pcalloc(pool, 2 * sizeof(*body)), *data = body + 1;
    char time[WF_TIME_TEXT_LEN + 1];
    wf_json_writer_t writer;

    wf_buf_bind(body, pool);
    wf_buf_bind(data, pool);
    wf_run_json(data, run);
    wf_time_format(time, run->completed);
    wf_json_writer_init(&writer, body);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_text(&writer, "type", "run.ended");
    wf_json_put_text(&writer, "timestamp", time);
    wf_json_put_raw(&writer, "data", wf_buf_slice(data));
    wf_json_close(&writer, '}');
    return wf_buf_slice(body);
}

static apr_status_t deliver(wf_callback_outcome_t *outcome, const target_t *target,
                            const wf_run_t *run, wf_cancel_t *cancel, apr_pool_t *pool)
{
    char id[WF_UUID_TEXT_LEN + 1];
    wf_callback_message_t message = {target->url, target->secret, id, apr_time_now(),
                                     make_body(run, pool)};
    wf_callback_answer_t answer;
    apr_status_t rv;

    wf_uuid_format(id, &run->pid);
    rv = wf_callback_deliver(&answer, &message, cancel, pool);
    if (rv == APR_SUCCESS) {
        outcome->is_delivered = answer.is_delivered;
        outcome->is_given_up = answer.is_unwanted;
        outcome->http_status = (apr_uint32_t)answer.http_status;
        outcome->reason = answer.reason;
    }
    return rv;
}

/* Waits before a call is repeated, unless the lease is lost meanwhile: zero then. */
static int pause_telling(wf_runner_t *runner)
{
    apr_time_t deadline = wf_clock() + RETRY_PAUSE;
    int goes_on;

    wf_monitor_enter(runner->monitor);
    while (runner->state != WF_RUNNER_LOST && wf_clock() < deadline) {
        wf_monitor_wait(runner->monitor, deadline);
    }
    goes_on = runner->state != WF_RUNNER_LOST;
    wf_monitor_leave(runner->monitor);
    return goes_on;
}

/* Tells the store what came of it, again and again while that cannot take it. */
static void tell(wf_runner_t *runner, const wf_callback_outcome_t *outcome, apr_pool_t *pool)
{
    char pid[WF_UUID_TEXT_LEN + 1];
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, pool);

    if (rv == APR_SUCCESS) {
        do {
            apr_pool_clear(scratch);
            rv = runner->store->tell_callback(runner->store, outcome, scratch);
        } while (rv == WF_EUNAVAILABLE && pause_telling(runner));
    }
    wf_uuid_format(pid, &outcome->pid);
    if (rv == WF_ESTALE) {
        wf_log_info(0, "WF0226", "run %s: nobody waits for what came of its callback", pid);
    } else if (rv != APR_SUCCESS) {
        wf_log_warning(rv, "WF0221", "run %s: what came of its callback was not recorded", pid);
    }
    wf_log_debug(0, "WF0222", "run %s: its callback, attempt %u: %s", pid, outcome->attempt,
                 outcome->is_delivered ? "delivered" : outcome->reason);
}

static void attempt(wf_runner_t *runner, const wf_callback_claim_t *claim, wf_cancel_t *cancel,
                    apr_pool_t *pool)
{
    wf_callback_outcome_t outcome = {.pid = claim->run.pid,
                                     .attempt = claim->run.callback.attempts + 1};
    target_t target = {NULL, NULL, NULL, 0};
    apr_status_t rv = APR_SUCCESS;

    find_target(&target, runner, claim, pool);
    if (target.reason) {
        outcome.reason = target.reason;
        outcome.is_given_up = target.is_given_up;
    } else {
        rv = deliver(&outcome, &target, &claim->run, cancel, pool);
    }
    if (rv == WF_ECANCELLED) {
        return;
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0223", "a callback could not be attempted");
        outcome.reason = "the server could not make the attempt";
    }
    tell(runner, &outcome, pool);
}

/* ---- the threads ---- */

/* Inside the monitor. */
static int is_under_way(const wf_tellers_t *tellers, const wf_uuid_t *pid)
{
    for (int i = 0; i < WF_TELLERS; i++) {
        if (tellers->all[i].cancel && memcmp(&tellers->all[i].pid, pid, sizeof(*pid)) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Inside the monitor: waits until this one may claim. Zero where it never will again. */
static int wait_for_turn(wf_tellers_t *tellers)
{
    const wf_runner_t *runner = tellers->runner;

    while (runner->state == WF_RUNNER_ACTIVE &&
           (!tellers->is_due || tellers->claiming || wf_clock() < tellers->retry)) {
        /* The end of another one's claim is announced. */
        wf_monitor_wait(tellers->monitor,
                        tellers->is_due && !tellers->claiming ? tellers->retry : 0);
    }
    return runner->state == WF_RUNNER_ACTIVE;
}

/* Inside the monitor: takes what a claim gave. A store that has been restarted gives again what is
 * under way here: that goes on, and its outcome ends this claim as well. */
static void take_claim(teller_t *teller, const apr_array_header_t *claims, wf_cancel_t *cancel)
{
    wf_tellers_t *tellers = teller->tellers;
    const wf_uuid_t *pid;

    if (claims->nelts == 0) {
        return;
    }
    tellers->is_due = 1; /* there may be more */
    pid = &APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).run.pid;
    if (!is_under_way(tellers, pid)) {
        teller->pid = *pid;
        teller->cancel = cancel;
    }
}

/* Inside the monitor: the store did not do its part. Draining, or expired, it never will. */
static void note_failure(wf_tellers_t *tellers, apr_status_t rv)
{
    apr_uint64_t left;

    tellers->is_due = 1;
    tellers->retry = wf_clock() + RETRY_PAUSE;
    if (rv != WF_ESTALE && wf_log_may(&tellers->limit, 1, WF_COMPLAIN_EVERY, &left)) {
        wf_log_warning(rv, "WF0224", "callbacks could not be claimed; it is tried again and again");
    }
}

/*
 * Claims one end: one at a time, so that each has the memory of its own teller. Zero where the
 * thread is to end; *claim is NULL where there is nothing.
 */
static int claim_one(const wf_callback_claim_t **claim, teller_t *teller, wf_cancel_t *cancel,
                     apr_pool_t *pool)
{
    wf_tellers_t *tellers = teller->tellers;
    wf_runner_t *runner = tellers->runner;
    apr_array_header_t *claims;
    apr_status_t rv;

    wf_monitor_enter(tellers->monitor);
    if (!wait_for_turn(tellers)) {
        wf_monitor_leave(tellers->monitor);
        return 0;
    }
    tellers->claiming = 1;
    tellers->is_due = 0;
    wf_monitor_leave(tellers->monitor);
    rv = runner->store->claim_callbacks(&claims, runner->store, runner->incarnation, 1, pool);
    wf_monitor_enter(tellers->monitor);
    tellers->claiming = 0;
    if (rv == APR_SUCCESS) {
        take_claim(teller, claims, cancel);
    } else {
        note_failure(tellers, rv);
    }
    *claim = teller->cancel ? &APR_ARRAY_IDX(claims, 0, wf_callback_claim_t) : NULL;
    wf_tellers_follow(runner);
    wf_monitor_leave(tellers->monitor);
    return 1;
}

static void end_attempt(teller_t *teller)
{
    wf_runner_t *runner = teller->tellers->runner;

    wf_monitor_enter(runner->monitor);
    teller->cancel = NULL;
    wf_tellers_follow(runner);
    wf_monitor_leave(runner->monitor);
}

/* Needs a descriptor, of which there may be none for a while. Zero where the thread is to end. */
static int make_cancel(wf_cancel_t **cancel, teller_t *teller, apr_pool_t *pool)
{
    wf_tellers_t *tellers = teller->tellers;
    apr_status_t rv;

    while ((rv = wf_cancel_create(cancel, pool)) != APR_SUCCESS &&
           wf_runner_state(tellers->runner) == WF_RUNNER_ACTIVE) {
        wf_monitor_enter(tellers->monitor);
        note_failure(tellers, rv);
        wf_monitor_wait(tellers->monitor, tellers->retry);
        wf_monitor_leave(tellers->monitor);
    }
    return rv == APR_SUCCESS;
}

static void *APR_THREAD_FUNC tell_loop(apr_thread_t *thread, void *data)
{
    teller_t *teller = data;
    const wf_callback_claim_t *claim;
    wf_cancel_t *cancel;
    apr_pool_t *pool;

    (void)thread;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_tag(pool, "wf_teller");
    while (make_cancel(&cancel, teller, pool) && claim_one(&claim, teller, cancel, pool)) {
        if (claim) {
            attempt(teller->tellers->runner, claim, cancel, pool);
            end_attempt(teller);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

void wf_tellers_wake(wf_runner_t *runner)
{
    wf_monitor_enter(runner->monitor);
    runner->tellers->is_due = 1;
    wf_monitor_announce(runner->tellers->monitor);
    wf_monitor_leave(runner->monitor);
}

void wf_tellers_follow(wf_runner_t *runner)
{
    wf_tellers_t *tellers = runner->tellers;

    for (int i = 0; runner->state >= WF_RUNNER_STOPPING && i < WF_TELLERS; i++) {
        if (tellers->all[i].cancel) {
            wf_cancel_request(tellers->all[i].cancel, runner->state == WF_RUNNER_LOST
                                                          ? WF_CANCEL_LOST
                                                          : WF_CANCEL_SHUTDOWN);
        }
    }
    wf_monitor_announce(tellers->monitor);
    if (runner->state != WF_RUNNER_ACTIVE) {
        wf_runner_wake_main(runner);
    }
}

int wf_tellers_are_idle(const wf_runner_t *runner)
{
    const wf_tellers_t *tellers = runner->tellers;

    for (int i = 0; i < WF_TELLERS; i++) {
        if (tellers->all[i].cancel) {
            return 0;
        }
    }
    return !tellers->claiming;
}

apr_status_t wf_tellers_start(wf_runner_t *runner)
{
    wf_tellers_t *tellers = apr_pcalloc(runner->pool, sizeof(*tellers));
    apr_status_t rv = wf_monitor_share(&tellers->monitor, runner->monitor, runner->pool);

    tellers->runner = runner;
    runner->tellers = tellers;
    for (int i = 0; i < WF_TELLERS && rv == APR_SUCCESS; i++) {
        tellers->all[i].tellers = tellers;
        rv = apr_thread_create(&tellers->all[i].thread, NULL, tell_loop, &tellers->all[i],
                               runner->pool);
    }
    return rv;
}

void wf_tellers_join(wf_runner_t *runner)
{
    for (int i = 0; i < WF_TELLERS; i++) {
        apr_status_t ended;

        apr_thread_join(&ended, runner->tellers->all[i].thread);
    }
}
