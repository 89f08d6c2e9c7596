/* SPDX-License-Identifier: Apache-2.0 */
/* A task's execution, from its first flow to the outcome. */
#include "flow/narrate.h"

#include "base/clock.h"

static apr_uint64_t count_actions(const wf_task_t *task)
{
    apr_uint64_t count = 0;

    for (int i = 0; i < task->flow_count; i++) {
        count += task->flows[i].enabled ? (apr_uint64_t)task->flows[i].actions.count : 0;
    }
    return count;
}

static void set_context(wf_walk_t *walk)
{
    const wf_execution_t *execution = walk->execution;
    wf_action_context_t *context = &walk->context;

    context->pid = execution->pid;
    context->project = execution->project;
    context->task = execution->task->id;
    context->fence = execution->fence;
    context->variables = wf_variables_create(walk->pool);
    context->scope.payload = execution->payload;
    context->scope.variables = context->variables;
    context->deadline = execution->task->timeout ? wf_clock() + execution->task->timeout : 0;
    context->grace = execution->grace;
    context->cancel = execution->cancel;
    context->walk = walk;
}

static apr_status_t walk_flows(wf_walk_t *walk, wf_result_t *result)
{
    const wf_task_t *task = walk->execution->task;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < task->flow_count && rv == APR_SUCCESS; i++) {
        if (task->flows[i].enabled) {
            walk->frame->flow = task->flows[i].name;
            rv = wf_walk_list(walk, &task->flows[i].actions, result);
        }
    }
    return rv;
}

/* The actions' objects as an array. */
static wf_slice_t join_actions(const wf_frame_t *frame, apr_pool_t *pool)
{
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));

    wf_buf_bind(json, pool);
    wf_buf_add_char(json, '[');
    wf_buf_add_slice(json, wf_buf_slice(&frame->actions));
    if (frame->left_out) {
        wf_json_writer_t writer;

        wf_json_writer_init(&writer, json);
        writer.comma = frame->shown > 0;
        wf_json_open(&writer, NULL, '{');
        wf_json_put_int(&writer, "actionsLeftOut", (apr_int64_t)frame->left_out);
        wf_json_close(&writer, '}');
    }
    wf_buf_add_char(json, ']');
    return wf_buf_slice(json);
}

static void list_markers(wf_outcome_t *outcome, const wf_walk_t *walk)
{
    wf_marker_t *markers =
        apr_pcalloc(walk->pool, apr_hash_count(walk->markers) * sizeof(*markers) + 1);

    for (apr_hash_index_t *i = apr_hash_first(walk->pool, walk->markers); i; i = apr_hash_next(i)) {
        markers[outcome->marker_count++] = *(const wf_marker_t *)apr_hash_this_val(i);
    }
    outcome->markers = markers;
}

void wf_execute(wf_outcome_t *outcome, const wf_execution_t *execution, apr_pool_t *pool)
{
    wf_frame_t frame = {.depth = 0};
    wf_walk_t walk = {
        .execution = execution,
        .outcome = outcome,
        .frame = &frame,
        .room = WF_ACTIONS_CAP,
        .markers = apr_hash_make(pool),
        .pool = pool,
    };
    wf_result_t result;
    apr_status_t rv;

    memset(outcome, 0, sizeof(*outcome));
    outcome->cancelled = WF_CANCEL_NONE;
    outcome->problem = WF_PROBLEM_NONE;
    outcome->result = wf_slice(NULL);
    outcome->total = count_actions(execution->task);
    wf_result_init(&result, pool);
    set_context(&walk);
    /* What actions keep for each other goes when the run is over, not with its outcome. */
    apr_pool_create(&walk.context.run_pool, pool);
    apr_pool_tag(walk.context.run_pool, "wf_run");
    walk.context.resources = apr_hash_make(walk.context.run_pool);
    wf_narrate_open(&walk);
    rv = walk_flows(&walk, &result);
    apr_pool_destroy(walk.context.run_pool);
    if (rv == WF_ECANCELLED) {
        outcome->cancelled = wf_cancel_reason(execution->cancel);
    } else if (rv != APR_SUCCESS) {
        outcome->problem = result.problem;
        outcome->detail = result.detail;
    }
    outcome->actions = join_actions(&frame, pool);
    wf_buf_free(&frame.actions);
    list_markers(outcome, &walk);
}
