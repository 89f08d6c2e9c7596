/* SPDX-License-Identifier: Apache-2.0 */
/* One run: its task looked up, executed, and its end told to the store. */
#include "runner/runs.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/flow.h"

#define FINISH_PAUSE apr_time_from_sec(1) /* before a finish that was refused is repeated */

static void note_progress(void *baton, const char *action, apr_uint64_t done, apr_uint64_t total)
{
    wf_held_t *held = baton;

    wf_monitor_enter(held->runner->monitor);
    held->progress = (wf_run_progress_t){action, done, total};
    held->progress_moved = 1;
    wf_monitor_leave(held->runner->monitor);
}

static void note_records(void *baton, const wf_records_t *records)
{
    wf_held_t *held = baton;

    wf_monitor_enter(held->runner->monitor);
    held->records = (wf_run_records_t){records->read, records->written, records->failed};
    held->progress_moved = 1;
    wf_monitor_leave(held->runner->monitor);
}

static void note_output(void *baton, wf_slice_t bytes)
{
    wf_held_t *held = baton;

    wf_output_add(held->output, bytes);
}

static void set_error(wf_finish_t *finish, wf_problem_e problem, const char *detail)
{
    finish->status = WF_RUN_ERROR;
    finish->error.type = wf_problem_info(problem)->slug;
    finish->error.detail = detail;
}

/* The task that the run names, as its file stands now. */
static apr_status_t find_task(const wf_task_t **task, wf_held_t *held, wf_finish_t *finish)
{
    const wf_run_t *run = &held->claim.run;
    const wf_project_t *project;
    wf_result_t result;
    apr_status_t rv;

    wf_result_init(&result, held->pool);
    rv = wf_projects_find(&project, held->runner->projects, run->source, run->project, &result,
                          held->pool);
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0185", "run %s: project %s: %s", held->pid, run->project,
                     result.detail ? result.detail : "cannot be loaded");
        set_error(finish, result.problem ? result.problem : WF_PROBLEM_INTERNAL, result.detail);
        return rv;
    }
    *task = wf_project_task(project, run->task);
    if (!*task) {
        set_error(finish, WF_PROBLEM_UNKNOWN_TASK,
                  "The task is not in the project's file any more.");
        return APR_NOTFOUND;
    }
    return APR_SUCCESS;
}

/* What the run becomes, where its execution ended by itself or a user asked. */
static void set_end(wf_finish_t *finish, const wf_outcome_t *outcome)
{
    finish->result = outcome->result;
    finish->result_cut = outcome->result_cut;
    finish->actions = outcome->actions;
    finish->progress.done = outcome->done;
    finish->progress.total = outcome->total;
    finish->records = (wf_run_records_t){outcome->records.read, outcome->records.written,
                                         outcome->records.failed};
    if (outcome->cancelled == WF_CANCEL_INTERRUPT) {
        finish->status = WF_RUN_INTERRUPTED;
    } else if (outcome->cancelled == WF_CANCEL_SHUTDOWN) {
        set_error(finish, WF_PROBLEM_SERVER_STOPPED,
                  "The server was stopped and ended the run. What it had done by then stays done.");
    } else if (outcome->problem != WF_PROBLEM_NONE) {
        set_error(finish, outcome->problem, outcome->detail);
    } else {
        finish->status = WF_RUN_COMPLETED;
    }
}

static int is_lost(wf_runner_t *runner)
{
    return wf_runner_state(runner) == WF_RUNNER_LOST;
}

/* Waits before a call is repeated, unless the lease is lost meanwhile. */
static void pause_finish(wf_runner_t *runner)
{
    wf_monitor_enter(runner->monitor);
    if (runner->state != WF_RUNNER_LOST) {
        wf_monitor_wait(runner->monitor, wf_clock() + FINISH_PAUSE);
    }
    wf_monitor_leave(runner->monitor);
}

/* The markers that the task's last run left, for the execution; and those of this one, back. */
static void hand_markers(wf_execution_t *execution, const wf_held_t *held)
{
    const apr_array_header_t *from = held->claim.markers;
    wf_marker_t *markers = apr_pcalloc(held->pool, sizeof(*markers) * (apr_size_t)from->nelts + 1);

    for (int i = 0; i < from->nelts; i++) {
        const wf_run_marker_t *marker = &APR_ARRAY_IDX(from, i, wf_run_marker_t);

        markers[i] = (wf_marker_t){marker->name, marker->json};
    }
    execution->marker_count = from->nelts;
    execution->markers = markers;
}

static void take_markers(wf_finish_t *finish, const wf_outcome_t *outcome, apr_pool_t *pool)
{
    wf_run_marker_t *markers =
        apr_pcalloc(pool, sizeof(*markers) * (apr_size_t)outcome->marker_count + 1);

    for (int i = 0; i < outcome->marker_count; i++) {
        markers[i] = (wf_run_marker_t){outcome->markers[i].name, outcome->markers[i].json};
    }
    finish->marker_count = outcome->marker_count;
    finish->markers = markers;
}

/* Begins what the run puts out, where that is kept. */
static void begin_output(wf_execution_t *execution, wf_held_t *held)
{
    if (held->runner->pump) {
        held->output = wf_output_begin(held->runner->pump, &held->claim, held->pool);
        execution->output = note_output;
    }
}

/* Ends it; what the store has not been told goes with the run's end. */
static void end_output(wf_finish_t *finish, wf_held_t *held)
{
    if (held->output) {
        wf_output_end(held->output, &finish->output, &finish->output_offset);
    }
}

/* Why a run that could not begin did not. */
static void say_error(const wf_finish_t *finish, wf_held_t *held)
{
    if (held->output) {
        wf_output_say(held->output, apr_psprintf(held->pool, "error, %s: %s", finish->error.type,
                                                 finish->error.detail ? finish->error.detail : ""));
    }
}

/* Gives a run back, and what it has put out by then. */
static apr_status_t give_back(wf_held_t *held, const wf_finish_t *finish, apr_pool_t *pool)
{
    wf_store_t *store = held->runner->store;
    apr_status_t rv = APR_SUCCESS;

    if (finish->output.len) {
        rv = store->append_output(store, &held->claim.token, finish->output_offset, finish->output,
                                  pool);
    }
    return rv == WF_EUNAVAILABLE ? rv : store->release(store, &held->claim.token, pool);
}

/* A run ends also where what it put out cannot be kept. */
static apr_status_t finish_run(wf_claim_t **next, wf_held_t *held, wf_finish_t *finish,
                               apr_pool_t *pool)
{
    wf_store_t *store = held->runner->store;
    int is_active = wf_runner_state(held->runner) == WF_RUNNER_ACTIVE;
    apr_status_t rv = store->finish(is_active ? next : NULL, store, finish, pool);

    if ((rv == WF_EDAMAGED || rv == WF_EINVALID) && finish->output.len) {
        wf_log_error(rv, "WF0211", "run %s: the end of its output cannot be kept", held->pid);
        finish->output = wf_slice(NULL);
        rv = store->finish(is_active ? next : NULL, store, finish, pool);
    }
    return rv;
}

/*
 * Tells the store, again and again while it cannot take it and our word still counts. Gives in
 * *next what is to be executed in its place, in pool; NULL: nothing.
 */
static void tell_end(wf_claim_t **next, wf_held_t *held, wf_finish_t *finish, int release,
                     apr_pool_t *pool)
{
    wf_runner_t *runner = held->runner;
    apr_status_t rv = WF_EUNAVAILABLE;
    int told = 0;

    while (rv == WF_EUNAVAILABLE && !is_lost(runner)) {
        apr_pool_clear(pool);
        rv = release ? give_back(held, finish, pool) : finish_run(next, held, finish, pool);
        if (rv == WF_EUNAVAILABLE) {
            if (!told++) {
                wf_log_warning(
                    rv, "WF0186",
                    "run %s: its end cannot be recorded yet; it is tried again and again",
                    held->pid);
            }
            pause_finish(runner);
        }
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0187", "run %s: its end was not recorded", held->pid);
    }
}

/* Executes the run's task. Whether it is to be given back rather than ended. */
static int execute_task(wf_finish_t *finish, wf_outcome_t *outcome, wf_held_t *held)
{
    wf_execution_t execution = {
        .pid = held->pid,
        .project = held->claim.run.project,
        .fence = held->claim.token.fence,
        .payload = held->claim.payload,
        .grace = held->runner->settings->kill_grace,
        .cancel = held->cancel,
        .progress = note_progress,
        .count = note_records,
        .baton = held,
    };

    begin_output(&execution, held);
    if (find_task(&execution.task, held, finish) != APR_SUCCESS) {
        say_error(finish, held);
        return 0;
    }
    hand_markers(&execution, held);
    wf_execute(outcome, &execution, held->pool);
    set_end(finish, outcome);
    take_markers(finish, outcome, held->pool);
    return outcome->cancelled == WF_CANCEL_SHUTDOWN && held->claim.run.rerun_when_lost;
}

/* Executes a run and ends it. *next is what the store gave to be executed in its place. */
static void execute(wf_claim_t **next, wf_held_t *held, apr_pool_t *scratch)
{
    wf_finish_t finish;
    wf_outcome_t outcome;
    int release;

    memset(&finish, 0, sizeof(finish));
    memset(&outcome, 0, sizeof(outcome));
    finish.token = held->claim.token;
    finish.incarnation = held->runner->incarnation;
    if (wf_cancel_reason(held->cancel) == WF_CANCEL_SHUTDOWN) {
        outcome.cancelled = WF_CANCEL_SHUTDOWN;
        release = 1; /* it has not begun: another runner may have it */
    } else {
        release = execute_task(&finish, &outcome, held);
    }
    end_output(&finish, held);
    wf_log_debug(0, "WF0188", "run %s of %s/%s: %s", held->pid, held->claim.run.project,
                 held->claim.run.task, wf_run_status_name(finish.status));
    if (outcome.cancelled != WF_CANCEL_LOST) {
        tell_end(next, held, &finish, release, scratch);
    }
}

/* Ends a run, whose place goes to the next one. What is to be executed then, NULL: nothing. */
static wf_held_t *execute_one(wf_held_t *held)
{
    wf_runner_t *runner = held->runner;
    wf_claim_t *claim = NULL;
    wf_held_t *next = NULL;
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, held->pool);

    if (rv == APR_SUCCESS) {
        execute(&claim, held, scratch);
    }
    if (claim) {
        rv = wf_held_add(&next, runner, claim);
    }
    if (rv != APR_SUCCESS) {
        wf_held_refuse(runner, rv);
    }
    wf_held_remove(held);
    return next;
}

void *APR_THREAD_FUNC wf_held_execute(apr_thread_t *thread, void *data)
{
    wf_held_t *held = data;

    (void)thread;
    while (held) {
        held = execute_one(held);
    }
    return NULL;
}
