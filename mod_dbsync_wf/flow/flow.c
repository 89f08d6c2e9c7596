/* SPDX-License-Identifier: Apache-2.0 */
/* A task's execution: flow by flow, action by action, to the first that does not end well. */
#include "flow/flow.h"

#include <apr_strings.h>
#include "base/clock.h"

typedef struct walk_t {
    const wf_execution_t *execution;
    wf_outcome_t *outcome;
    wf_action_context_t context;
    wf_json_writer_t actions;
    wf_result_t result;
    apr_pool_t *pool;        /* of the outcome */
    apr_pool_t *result_pool; /* of the action whose result is the outcome's; NULL where none is */
} walk_t;

static apr_uint64_t count_actions(const wf_task_t *task)
{
    apr_uint64_t count = 0;

    for (int i = 0; i < task->flow_count; i++) {
        count += task->flows[i].enabled ? (apr_uint64_t)task->flows[i].action_count : 0;
    }
    return count;
}

static void put_time(wf_json_writer_t *writer, const char *name)
{
    char text[WF_TIME_TEXT_LEN + 1];

    wf_time_format(text, apr_time_now());
    wf_json_put_text(writer, name, text);
}

/* Seconds as people write them: no more digits than it takes. */
static const char *format_seconds(apr_interval_time_t time, apr_pool_t *pool)
{
    char *text = apr_psprintf(pool, "%" APR_TIME_T_FMT ".%06d", apr_time_sec(time),
                              (int)apr_time_usec(time));
    char *end = text + strlen(text);

    while (end[-1] == '0') {
        *--end = '\0';
    }
    if (end[-1] == '.') {
        *--end = '\0';
    }
    return text;
}

/* The cancel was requested, before or in an action: a user's or the server's doing, or timeout. */
static const char *end_cancelled(walk_t *walk, const char *action)
{
    wf_outcome_t *outcome = walk->outcome;
    wf_cancel_reason_e reason = wf_cancel_reason(walk->execution->cancel);

    if (reason != WF_CANCEL_TIMEOUT) {
        outcome->cancelled = reason;
        return "interrupted";
    }
    outcome->problem = WF_PROBLEM_TIMEOUT;
    outcome->detail =
        apr_psprintf(walk->pool, "the task's timeout of %s seconds passed in action \"%s\"",
                     format_seconds(walk->execution->task->timeout, walk->pool), action);
    return "error";
}

static const char *end_failed(walk_t *walk, apr_status_t rv, const char *action)
{
    char reason[200];

    /* The first cause stays: this one is for a kind that had none to give. */
    wf_result_set(&walk->result, rv, WF_PROBLEM_INTERNAL, "action \"%s\" failed: %s", action,
                  wf_strerror(rv, reason, sizeof(reason)));
    walk->outcome->problem = walk->result.problem;
    walk->outcome->detail = walk->result.detail;
    return "error";
}

/* Takes the result over, with the pool that it lives in. */
static const char *end_well(walk_t *walk, const wf_action_end_t *end, apr_pool_t *pool)
{
    if (walk->result_pool) {
        apr_pool_destroy(walk->result_pool);
    }
    walk->result_pool = pool;
    walk->outcome->result = end->result.len ? end->result : wf_slice("null");
    walk->outcome->result_cut = end->result_cut;
    walk->outcome->done++;
    return "completed";
}

static apr_status_t execute_action(walk_t *walk, const wf_flow_t *flow, const wf_action_t *action)
{
    wf_json_writer_t *writer = &walk->actions;
    wf_action_end_t end = {{NULL, 0}, 0, writer};
    const char *status;
    apr_status_t rv;
    apr_pool_t *pool;

    /* A pool of its own, so that a long task does not keep every action's output. */
    apr_pool_create(&pool, walk->pool);
    apr_pool_tag(pool, "wf_action");
    walk->context.action = action->name;
    walk->context.scope.now = apr_time_now();
    wf_json_open(writer, NULL, '{');
    wf_json_put_text(writer, "action", action->kind->name);
    wf_json_put_text(writer, "name", action->name);
    wf_json_put_text(writer, "flow", flow->name);
    put_time(writer, "startTime");
    rv = action->kind->execute(&end, action->spec, &walk->context, &walk->result, pool);
    put_time(writer, "completionTime");
    if (rv == APR_SUCCESS) {
        status = end_well(walk, &end, pool);
    } else {
        status = rv == WF_ECANCELLED ? end_cancelled(walk, action->name)
                                     : end_failed(walk, rv, action->name);
        apr_pool_destroy(pool);
    }
    wf_json_put_text(writer, "status", status);
    wf_json_close(writer, '}');
    return rv;
}

/* Whether the next action may begin; where the deadline passed between two, that is a timeout. */
static int may_begin(walk_t *walk, const wf_action_t *action)
{
    wf_cancel_t *cancel = walk->execution->cancel;

    if (walk->context.deadline && wf_clock() >= walk->context.deadline) {
        wf_cancel_request(cancel, WF_CANCEL_TIMEOUT);
    }
    if (wf_cancel_reason(cancel) != WF_CANCEL_NONE) {
        end_cancelled(walk, action->name);
        return 0;
    }
    return 1;
}

static apr_status_t execute_flow(walk_t *walk, const wf_flow_t *flow)
{
    const wf_execution_t *execution = walk->execution;
    const wf_outcome_t *outcome = walk->outcome;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < flow->action_count && rv == APR_SUCCESS; i++) {
        const wf_action_t *action = flow->actions[i];
        if (!may_begin(walk, action)) {
            return WF_ECANCELLED;
        }
        if (execution->progress) {
            execution->progress(execution->baton, action->name, outcome->done, outcome->total);
        }
        rv = execute_action(walk, flow, action);
    }
    return rv;
}

static void set_context(wf_action_context_t *context, const wf_execution_t *execution)
{
    context->pid = execution->pid;
    context->project = execution->project;
    context->task = execution->task->id;
    context->fence = execution->fence;
    context->scope.payload = execution->payload;
    context->deadline = execution->task->timeout ? wf_clock() + execution->task->timeout : 0;
    context->grace = execution->grace;
    context->cancel = execution->cancel;
}

void wf_execute(wf_outcome_t *outcome, const wf_execution_t *execution, apr_pool_t *pool)
{
    const wf_task_t *task = execution->task;
    wf_buf_t *actions = apr_pcalloc(pool, sizeof(*actions));
    apr_status_t rv = APR_SUCCESS;
    walk_t walk;

    memset(outcome, 0, sizeof(*outcome));
    memset(&walk, 0, sizeof(walk));
    outcome->cancelled = WF_CANCEL_NONE;
    outcome->problem = WF_PROBLEM_NONE;
    outcome->result = wf_slice(NULL);
    outcome->total = count_actions(task);
    walk.execution = execution;
    walk.outcome = outcome;
    walk.pool = pool;
    wf_result_init(&walk.result, pool);
    set_context(&walk.context, execution);
    wf_buf_bind(actions, pool);
    wf_json_writer_init(&walk.actions, actions);
    wf_json_open(&walk.actions, NULL, '[');
    for (int i = 0; i < task->flow_count && rv == APR_SUCCESS; i++) {
        if (task->flows[i].enabled) {
            rv = execute_flow(&walk, &task->flows[i]);
        }
    }
    wf_json_close(&walk.actions, ']');
    outcome->actions = wf_buf_slice(actions);
}
