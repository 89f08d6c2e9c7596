/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to an endpoint. Knows nothing of httpd.
 *
 * Only the exact paths below lead anywhere: no empty or extra segment, no trailing slash, no other
 * case. Whoever protects a path with <LocationMatch> can rely on there being no second way to it,
 * but for the singular spelling, which wf_route_run_path turns into the plural one.
 *
 *   /projects/{projectId}/tasks/{taskId}/run    also /project/{projectId}/task/{taskId}/run
 *   /status/{pid}
 *   /interrupt/{pid}
 *   /runs
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
    WF_ENDPOINT_INTERRUPT,
    WF_ENDPOINT_RUNS,
    WF_ENDPOINT_METRICS
} wf_endpoint_e;

typedef struct wf_route_t {
    wf_endpoint_e endpoint;
    int singular;        /* run: whether the singular spelling was used */
    const char *project; /* run: the id, or NULL where the segment cannot be one */
    const char *task;    /* run: the same */
    int has_pid;         /* status, interrupt: whether the segment is a pid */
    wf_uuid_t pid;
} wf_route_t;

/*
 * Reads a path, decoded and without its base ("/status/0197…"). What is in *route lives in pool.
 * APR_SUCCESS, or APR_NOTFOUND where nothing is at that path. A segment that is no id or no pid
 * still leads to the endpoint, which can then say what it is that is unknown.
 */
apr_status_t wf_route_parse(wf_route_t *route, wf_slice_t path, apr_pool_t *pool);

/* The plural path, without a base, that starts runs of a task; the ids need no escaping. */
const char *wf_route_run_path(const char *project, const char *task, apr_pool_t *pool);

#endif
