/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of a walk: an action executed, repeated where that is allowed, written down, and what
 * follows where it failed.
 */
#include "flow/narrate.h"

#include <apr_strings.h>
#include "base/clock.h"

#define DEPTH_MOST   32 /* flows that call each other */
#define BACKOFF_MOST apr_time_from_sec(3600)

static void put_now(wf_json_writer_t *writer, const char *name)
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

/* A timeout is how a run fails, not how it is cancelled. */
static apr_status_t time_out(const wf_walk_t *walk, const wf_action_t *action, wf_result_t *result,
                             apr_pool_t *pool)
{
    return wf_result_set(result, APR_TIMEUP, WF_PROBLEM_TIMEOUT,
                         "the task's timeout of %s seconds passed in action \"%s\"",
                         format_seconds(walk->execution->task->timeout, pool), action->name);
}

/* Takes the result over, with the pool that it lives in. */
static void take_result(wf_walk_t *walk, const wf_action_t *action, const wf_action_end_t *end,
                        apr_pool_t *pool)
{
    if (!end->has_none) {
        if (walk->result_pool) {
            apr_pool_destroy(walk->result_pool);
        }
        walk->result_pool = pool;
        walk->outcome->result = end->result.len ? end->result : wf_slice("null");
        walk->outcome->result_cut = end->result_cut;
    }
    if (action->into) {
        wf_slice_t result = walk->outcome->result;

        wf_variables_set(walk->context.variables, action->into,
                         result.len ? result : wf_slice("null"));
    }
}

/* What went wrong, as JSON: in the action's object, and as the variable @error. */
static void put_error(wf_json_writer_t *writer, const char *name, const wf_action_t *action,
                      const wf_result_t *result)
{
    wf_json_open(writer, name, '{');
    wf_json_put_text(writer, "type", wf_problem_info(result->problem)->slug);
    wf_json_put_text(writer, "detail", result->detail);
    wf_json_put_text(writer, "action", action->name);
    wf_json_close(writer, '}');
}

static void set_error_variable(wf_walk_t *walk, const wf_action_t *action,
                               const wf_result_t *result)
{
    wf_buf_t json = {NULL, 0, 0};
    wf_json_writer_t writer;

    wf_json_writer_init(&writer, &json);
    put_error(&writer, NULL, action, result);
    wf_variables_set(walk->context.variables, "error", wf_buf_slice(&json));
    wf_buf_free(&json);
}

/* What an attempt came to. */
typedef struct attempt_t {
    apr_status_t rv;
    wf_result_t result;
    wf_action_end_t end;
    apr_pool_t *pool; /* what end points to lives here */
} attempt_t;

static void attempt(attempt_t *attempt, wf_walk_t *walk, const wf_action_t *action,
                    wf_json_writer_t *writer)
{
    wf_action_context_t context = walk->context;
    char reason[200];

    /* A pool of its own, so that a long task does not keep every action's output. */
    apr_pool_create(&attempt->pool, walk->pool);
    apr_pool_tag(attempt->pool, "wf_action");
    wf_result_init(&attempt->result, attempt->pool);
    attempt->end = (wf_action_end_t){.details = writer};
    context.action = action->name;
    context.scope.now = apr_time_now();
    attempt->rv = action->kind->execute(&attempt->end, action->spec, &context, &attempt->result,
                                        attempt->pool);
    if (attempt->rv != APR_SUCCESS && attempt->rv != WF_ECANCELLED) {
        /* The first cause stays: this one is for a kind that had none to give. */
        wf_result_set(&attempt->result, attempt->rv, WF_PROBLEM_INTERNAL,
                      "action \"%s\" failed: %s", action->name,
                      wf_strerror(attempt->rv, reason, sizeof(reason)));
    }
}

/* Executes until it ends well, its attempts are used up, or the run is to end. How many it took. */
static apr_uint32_t attempt_all(attempt_t *last, wf_walk_t *walk, const char *flow,
                                const wf_action_t *action, wf_buf_t *details)
{
    apr_size_t mark = details->len;
    apr_interval_time_t pause = action->backoff;
    apr_uint32_t count = 1;

    for (;; count++) {
        wf_json_writer_t writer;
        apr_time_t until;

        wf_json_writer_init(&writer, details);
        writer.comma = 1; /* behind what begins the object */
        attempt(last, walk, action, &writer);
        if (last->rv == APR_SUCCESS || last->rv == WF_ECANCELLED || count >= action->attempts) {
            return count;
        }
        wf_narrate_attempt(walk, flow, action, count, &last->result);
        until = wf_clock() + pause;
        if (walk->context.deadline && walk->context.deadline < until) {
            until = walk->context.deadline;
        }
        if (wf_cancel_sleep(walk->context.cancel, until) != APR_SUCCESS ||
            wf_action_may_go_on(&walk->context) != APR_SUCCESS) {
            last->rv = WF_ECANCELLED;
            return count;
        }
        pause = pause * 2 > BACKOFF_MOST ? BACKOFF_MOST : pause * 2;
        details->len = mark; /* the next attempt tells its own */
        apr_pool_destroy(last->pool);
    }
}

/* Puts an action's object into the frame around it, unless there is no room. */
static void write_down(wf_walk_t *walk, wf_frame_t *frame, wf_slice_t object, int failed)
{
    if (object.len > walk->room || (frame->shown >= WF_ACTIONS_SHOWN && !failed)) {
        frame->left_out++;
        return;
    }
    if (frame->shown++ > 0) {
        wf_buf_add_char(&frame->actions, ',');
    }
    wf_buf_add_slice(&frame->actions, object);
    walk->room -= object.len;
}

/* Behind the details: what was executed inside, how it ended. */
static void end_object(wf_buf_t *object, const wf_frame_t *inside, const wf_action_t *action,
                       const attempt_t *last, apr_uint32_t attempts)
{
    wf_json_writer_t writer;

    wf_json_writer_init(&writer, object);
    writer.comma = 1;
    if (inside->shown) {
        wf_json_open(&writer, "actions", '[');
        wf_buf_add_slice(object, wf_buf_slice(&inside->actions));
        wf_json_close(&writer, ']');
    }
    if (inside->left_out) {
        wf_json_put_int(&writer, "actionsLeftOut", (apr_int64_t)inside->left_out);
    }
    if (attempts > 1) {
        wf_json_put_int(&writer, "attempts", attempts);
    }
    put_now(&writer, "completionTime");
    if (last->rv == APR_SUCCESS) {
        wf_json_put_text(&writer, "status", "completed");
    } else if (last->rv == WF_ECANCELLED) {
        wf_json_put_text(&writer, "status", "interrupted");
    } else {
        wf_json_put_text(&writer, "status", "error");
        put_error(&writer, "error", action, &last->result);
    }
    wf_json_close(&writer, '}');
}

static void begin_object(wf_buf_t *object, const wf_action_t *action, const char *flow)
{
    wf_json_writer_t writer;

    wf_json_writer_init(&writer, object);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_text(&writer, "action", action->kind->name);
    wf_json_put_text(&writer, "name", action->name);
    wf_json_put_text(&writer, "flow", flow);
    put_now(&writer, "startTime");
}

/* One action, without what follows its failure. */
static void execute_action(attempt_t *last, wf_walk_t *walk, const wf_action_t *action)
{
    wf_frame_t *around = walk->frame;
    wf_frame_t inside = {.flow = around->flow, .depth = around->depth + 1};
    wf_buf_t object = {NULL, 0, 0};
    apr_uint32_t attempts;

    begin_object(&object, action, around->flow);
    wf_narrate_begin(walk, around->flow, action);
    walk->frame = &inside;
    attempts = attempt_all(last, walk, around->flow, action, &object);
    walk->frame = around;
    if (last->rv == WF_ECANCELLED && wf_cancel_reason(walk->context.cancel) == WF_CANCEL_TIMEOUT) {
        wf_result_init(&last->result, last->pool);
        last->rv = time_out(walk, action, &last->result, last->pool);
    }
    wf_narrate_end(walk, around->flow, action, last->rv, &last->result);
    end_object(&object, &inside, action, last, attempts);
    write_down(walk, around, wf_buf_slice(&object), last->rv != APR_SUCCESS);
    wf_buf_free(&object);
    wf_buf_free(&inside.actions);
}

/* What follows a failure: APR_SUCCESS where the run goes on. */
static apr_status_t handle_failure(wf_walk_t *walk, const wf_action_t *action,
                                   const attempt_t *last, wf_result_t *result)
{
    if (wf_action_may_go_on(&walk->context) != APR_SUCCESS ||
        action->on_error == WF_ON_ERROR_STOP) {
        return wf_result_set(result, last->rv, last->result.problem, "%s", last->result.detail);
    }
    set_error_variable(walk, action, &last->result);
    if (action->on_error == WF_ON_ERROR_FLOW) {
        return wf_action_flow_execute(action->error_flow, &walk->context, result);
    }
    return APR_SUCCESS;
}

static apr_status_t step(wf_walk_t *walk, const wf_action_t *action, wf_result_t *result)
{
    const wf_execution_t *execution = walk->execution;
    wf_outcome_t *outcome = walk->outcome;
    attempt_t last;
    apr_status_t rv;

    if (execution->progress) {
        execution->progress(execution->baton, action->name, outcome->done, outcome->total);
    }
    execute_action(&last, walk, action);
    rv = last.rv;
    if (rv == APR_SUCCESS) {
        take_result(walk, action, &last.end, last.pool);
        outcome->done += walk->frame->depth == 0 && walk->flows == 0;
    } else if (rv != WF_ECANCELLED) {
        rv = handle_failure(walk, action, &last, result);
    }
    if (walk->result_pool != last.pool) {
        apr_pool_destroy(last.pool);
    }
    return rv;
}

apr_status_t wf_walk_list(wf_walk_t *walk, const wf_action_list_t *list, wf_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < list->count && rv == APR_SUCCESS; i++) {
        rv = wf_action_may_go_on(&walk->context);
        if (rv == APR_SUCCESS) {
            rv = step(walk, list->actions[i], result);
        } else if (wf_cancel_reason(walk->context.cancel) == WF_CANCEL_TIMEOUT) {
            rv = time_out(walk, list->actions[i], result, walk->pool);
        }
    }
    return rv;
}

/* ---- what actions call while they execute ---- */

apr_status_t wf_action_list_execute(const wf_action_list_t *list,
                                    const wf_action_context_t *context, wf_result_t *result)
{
    return wf_walk_list(context->walk, list, result);
}

apr_status_t wf_action_flow_execute(const char *name, const wf_action_context_t *context,
                                    wf_result_t *result)
{
    wf_walk_t *walk = context->walk;
    const wf_task_t *task = walk->execution->task;
    const char *outer = walk->frame->flow;
    apr_status_t rv;

    if (walk->flows == DEPTH_MOST) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_NESTING,
                             "flow \"%s\" was to be called within %d others; do flows call each "
                             "other without end?",
                             name, DEPTH_MOST);
    }
    for (int i = 0; i < task->flow_count; i++) {
        if (strcmp(task->flows[i].name, name) == 0) {
            walk->frame->flow = task->flows[i].name;
            walk->flows++;
            rv = wf_walk_list(walk, &task->flows[i].actions, result);
            walk->flows--;
            walk->frame->flow = outer;
            return rv;
        }
    }
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_INTERNAL, "there is no flow \"%s\"", name);
}

void wf_action_count(const wf_action_context_t *context, const wf_records_t *more)
{
    const wf_execution_t *execution = context->walk->execution;
    wf_records_t *records = &context->walk->outcome->records;

    records->read += more->read;
    records->written += more->written;
    records->failed += more->failed;
    if (execution->count) {
        execution->count(execution->baton, records);
    }
}

wf_slice_t wf_action_marker_get(const wf_action_context_t *context, const char *name)
{
    const wf_execution_t *execution = context->walk->execution;

    for (int i = 0; i < execution->marker_count; i++) {
        if (strcmp(execution->markers[i].name, name) == 0) {
            return execution->markers[i].json;
        }
    }
    return wf_slice(NULL);
}

void wf_action_marker_set(const wf_action_context_t *context, const char *name, wf_slice_t json)
{
    wf_walk_t *walk = context->walk;
    wf_marker_t *marker = apr_hash_get(walk->markers, name, APR_HASH_KEY_STRING);

    if (!marker) {
        marker = apr_palloc(walk->pool, sizeof(*marker));
        marker->name = apr_pstrdup(walk->pool, name);
        apr_hash_set(walk->markers, marker->name, APR_HASH_KEY_STRING, marker);
    }
    marker->json = wf_slice_dup(json, walk->pool);
}

apr_status_t wf_action_may_go_on(const wf_action_context_t *context)
{
    if (context->deadline && wf_clock() >= context->deadline) {
        wf_cancel_request(context->cancel, WF_CANCEL_TIMEOUT);
    }
    return wf_cancel_reason(context->cancel) == WF_CANCEL_NONE ? APR_SUCCESS : WF_ECANCELLED;
}
