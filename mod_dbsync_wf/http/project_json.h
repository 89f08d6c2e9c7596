/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projects and tasks as clients see them. Knows nothing of httpd.
 *
 * What is shown is chosen: ids, names, limits, and what a request's body is to have. What actions
 * do (commands, statements, URLs), connectors, and where files are is never among it.
 */
#ifndef WF_HTTP_PROJECT_JSON_H
#define WF_HTTP_PROJECT_JSON_H

#include "base/json.h"
#include "flow/project.h"
#include "store/store.h"

/* What is said of a project; members are NULL and 0 where there is nothing to say. */
typedef struct wf_project_view_t {
    const char *base; /* the URI that paths go behind */
    const char *id;
    const wf_project_t *project; /* NULL: no good version is known */
    int broken;                  /* whether the file is, as it is now */
} wf_project_view_t;

/* How the runs of a task do. */
typedef struct wf_task_runs_t {
    wf_under_way_t under_way;
    const apr_array_header_t *latest; /* wf_run_t, the newest first */
} wf_task_runs_t;

/* At most so many of the latest runs are shown; their outcomes are counted of all of them. */
#define WF_TASK_RUNS_SHOWN 10

/* Puts the members that say which project it is into the object that is open. */
void wf_project_json_head(wf_json_writer_t *writer, const wf_project_view_t *view,
                          apr_pool_t *pool);

/* Puts an element of a project's tasks. */
void wf_task_json_item(wf_json_writer_t *writer, const wf_project_view_t *view,
                       const wf_task_t *task, apr_pool_t *pool);

/* Appends the task's JSON object. */
void wf_task_json(wf_buf_t *out, const wf_project_view_t *view, const wf_task_t *task,
                  const wf_task_runs_t *runs, apr_pool_t *pool);

#endif
