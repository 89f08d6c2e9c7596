/* SPDX-License-Identifier: Apache-2.0 */
/* Projects and tasks as JSON. */
#include "http/project_json.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "http/route.h"
#include "store/run_json.h"

void wf_project_json_head(wf_json_writer_t *writer, const wf_project_view_t *view, apr_pool_t *pool)
{
    wf_json_put_text(writer, "projectId", view->id);
    wf_json_put_text(writer, "name", view->project ? wf_project_name(view->project) : NULL);
    wf_json_put_text(writer, "uri", apr_pstrcat(pool, view->base, "/projects/", view->id, NULL));
    if (view->broken) {
        wf_json_put_bool(writer, "broken", 1);
        wf_json_put_text(writer, "detail",
                         view->project
                             ? "The project's file is broken, and an earlier version is in force. "
                               "The server's error log says where and why."
                             : "The project's file is broken. The server's error log says where "
                               "and why.");
    }
}

/* Which task it is, and where runs of it are started. */
static void put_task_head(wf_json_writer_t *writer, const wf_project_view_t *view,
                          const wf_task_t *task, apr_pool_t *pool)
{
    wf_json_put_text(writer, "taskId", task->id);
    wf_json_put_text(writer, "name", task->name);
    wf_json_put_text(
        writer, "uri",
        apr_pstrcat(pool, view->base, wf_route_task_path(view->id, task->id, pool), NULL));
    wf_json_put_text(writer, "runUri",
                     apr_pstrcat(pool, view->base, wf_route_run_path(view->id, task->id, pool),
                                 "?trigger=API", NULL));
}

void wf_task_json_item(wf_json_writer_t *writer, const wf_project_view_t *view,
                       const wf_task_t *task, apr_pool_t *pool)
{
    wf_json_open(writer, NULL, '{');
    put_task_head(writer, view, task, pool);
    wf_json_close(writer, '}');
}

/* ---- a task ---- */

static void put_seconds(wf_json_writer_t *writer, const char *name, apr_interval_time_t time)
{
    char text[WF_SECONDS_TEXT_LEN + 1];

    wf_seconds_format(text, (apr_uint64_t)time);
    wf_json_put_raw(writer, name, wf_slice(text));
}

/* Limits that are none are left out. */
static void put_policy(wf_json_writer_t *writer, const wf_task_t *task)
{
    static const char *const overlaps[] = {
        [WF_OVERLAP_QUEUE] = "queue", [WF_OVERLAP_REFUSE] = "refuse", [WF_OVERLAP_SKIP] = "skip"};

    if (task->timeout) {
        put_seconds(writer, "timeout", task->timeout);
    }
    if (task->concurrency) {
        wf_json_put_int(writer, "concurrency", task->concurrency);
    }
    if (task->queue_limit) {
        wf_json_put_int(writer, "queue", task->queue_limit);
    }
    wf_json_put_text(writer, "overlap", overlaps[task->overlap]);
    wf_json_put_text(writer, "onLost", task->on_lost == WF_ON_LOST_RERUN ? "rerun" : "fail");
}

static void put_flow(wf_json_writer_t *writer, const wf_flow_t *flow)
{
    wf_json_open(writer, NULL, '{');
    wf_json_put_text(writer, "name", flow->name);
    wf_json_put_bool(writer, "enabled", flow->enabled);
    wf_json_open(writer, "actions", '[');
    for (int i = 0; i < flow->actions.count; i++) {
        const wf_action_t *action = flow->actions.actions[i];

        wf_json_open(writer, NULL, '{');
        wf_json_put_text(writer, "action", action->kind->name);
        wf_json_put_text(writer, "name", action->name);
        wf_json_close(writer, '}');
    }
    wf_json_close(writer, ']');
    wf_json_close(writer, '}');
}

static void put_body(wf_json_writer_t *writer, const wf_task_t *task)
{
    wf_json_open(writer, "parameters", '[');
    for (int i = 0; i < task->parameter_count; i++) {
        wf_json_open(writer, NULL, '{');
        wf_json_put_text(writer, "path", task->parameters[i].path);
        if (task->parameters[i].at_any_depth) {
            wf_json_put_bool(writer, "atAnyDepth", 1);
        }
        wf_json_close(writer, '}');
    }
    wf_json_close(writer, ']');
    wf_json_put_raw(writer, "example", wf_slice(task->example));
}

/* How many are under way, and how the latest ended. */
static void put_counts(wf_json_writer_t *writer, const wf_task_runs_t *runs)
{
    apr_int64_t ended[WF_RUN_INTERRUPTED + 1] = {0};

    for (int i = 0; i < runs->latest->nelts; i++) {
        ended[APR_ARRAY_IDX(runs->latest, i, wf_run_t).status]++;
    }
    wf_json_open(writer, "underWay", '{');
    wf_json_put_int(writer, "submitted", runs->under_way.queued);
    wf_json_put_int(writer, "running", runs->under_way.running);
    wf_json_close(writer, '}');
    wf_json_open(writer, "latest", '{');
    wf_json_put_int(writer, "runs", runs->latest->nelts);
    for (int i = WF_RUN_COMPLETED; i <= WF_RUN_INTERRUPTED; i++) {
        wf_json_put_int(writer, wf_run_status_name((wf_run_status_e)i), ended[i]);
    }
    wf_json_close(writer, '}');
}

static void put_runs(wf_json_writer_t *writer, const apr_array_header_t *latest)
{
    wf_json_open(writer, "lastRuns", '[');
    for (int i = 0; i < latest->nelts && i < WF_TASK_RUNS_SHOWN; i++) {
        wf_buf_t text = {NULL, 0, 0};

        wf_run_json(&text, &APR_ARRAY_IDX(latest, i, wf_run_t));
        wf_json_put_raw(writer, NULL, wf_buf_slice(&text));
        wf_buf_free(&text);
    }
    wf_json_close(writer, ']');
}

void wf_task_json(wf_buf_t *out, const wf_project_view_t *view, const wf_task_t *task,
                  const wf_task_runs_t *runs, apr_pool_t *pool)
{
    wf_json_writer_t writer;

    wf_json_writer_init(&writer, out);
    wf_json_open(&writer, NULL, '{');
    put_task_head(&writer, view, task, pool);
    wf_json_open(&writer, "project", '{');
    wf_project_json_head(&writer, view, pool);
    wf_json_close(&writer, '}');
    put_policy(&writer, task);
    wf_json_open(&writer, "flows", '[');
    for (int i = 0; i < task->flow_count; i++) {
        put_flow(&writer, &task->flows[i]);
    }
    wf_json_close(&writer, ']');
    put_body(&writer, task);
    put_counts(&writer, runs);
    put_runs(&writer, runs->latest);
    wf_json_close(&writer, '}');
}
