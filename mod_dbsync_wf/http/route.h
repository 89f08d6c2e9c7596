/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to an endpoint. Knows nothing of httpd.
 *
 * Only the exact paths below lead anywhere: no empty or extra segment, no trailing slash, no other
 * case. Whoever protects a path with <LocationMatch> can rely on there being no second way to it,
 * but for the singular spelling, which wf_route_run_path turns into the plural one.
 *
 *   /projects/{projectId}/tasks/{taskId}/run    also /project/{projectId}/task/{taskId}/run
 *   /projects
 *   /projects/{projectId}                       also /project/{projectId}
 *   /projects/{projectId}/tasks/{taskId}        also /project/{projectId}/task/{taskId}
 *   /status/{pid}
 *   /status/{pid}/events
 *   /interrupt/{pid}
 *   /logs/{pid}
 *   /runs
 *   /runs/events
 *   /statistics
 *   /openapi.json
 *   /metrics
 */
#ifndef WF_HTTP_ROUTE_H
#define WF_HTTP_ROUTE_H

#include <apr_pools.h>
#include "base/slice.h"
#include "base/uuid.h"

typedef enum {
    WF_ENDPOINT_RUN,
    WF_ENDPOINT_STATUS,
    WF_ENDPOINT_EVENTS,
    WF_ENDPOINT_INTERRUPT,
    WF_ENDPOINT_RUNS,
    WF_ENDPOINT_RUNS_EVENTS,
    WF_ENDPOINT_STATISTICS,
    WF_ENDPOINT_LOGS,
    WF_ENDPOINT_PROJECTS,
    WF_ENDPOINT_PROJECT,
    WF_ENDPOINT_TASK,
    WF_ENDPOINT_OPENAPI,
    WF_ENDPOINT_METRICS
} wf_endpoint_e;

typedef struct wf_route_t {
    wf_endpoint_e endpoint;
    int singular;        /* run, project, task: whether the singular spelling was used */
    const char *project; /* run, project, task: the id, or NULL where the segment cannot be one */
    const char *task;    /* run, task: the same */
    int has_pid;         /* status, events, interrupt, logs: whether the segment is one */
    wf_uuid_t pid;
} wf_route_t;

/*
 * Reads a path, decoded and without its base ("/status/0197…"). What is in *route lives in pool.
 * APR_SUCCESS, or APR_NOTFOUND where nothing is at that path. A segment that is no id or no pid
 * still leads to the endpoint, which can then say what it is that is unknown.
 */
apr_status_t wf_route_parse(wf_route_t *route, wf_slice_t path, apr_pool_t *pool);

/* The plural path, without a base, of a task; the ids need no escaping. */
const char *wf_route_task_path(const char *project, const char *task, apr_pool_t *pool);

/* The plural path, without a base, that starts runs of a task; the ids need no escaping. */
const char *wf_route_run_path(const char *project, const char *task, apr_pool_t *pool);

#endif
