/* SPDX-License-Identifier: Apache-2.0 */
/* The paths under a base. */
#include "http/route.h"

#include <apr_strings.h>
#include "flow/project.h"

/* Takes "/segment" off the front of *rest; whether there was one that is not empty. */
static int take_segment(wf_slice_t *segment, wf_slice_t *rest)
{
    const char *end;

    if (rest->len < 2 || rest->data[0] != '/') {
        return 0;
    }
    *rest = wf_slice_of(rest->data + 1, rest->len - 1);
    end = memchr(rest->data, '/', rest->len);
    *segment = wf_slice_of(rest->data, end ? (apr_size_t)(end - rest->data) : rest->len);
    *rest = wf_slice_of(rest->data + segment->len, rest->len - segment->len);
    return segment->len > 0;
}

/* The segment as an id, or NULL where it cannot be one. */
static const char *read_id(wf_slice_t segment, apr_pool_t *pool)
{
    wf_slice_t copy = wf_slice_dup(segment, pool);

    /* A NUL within would end the text early and let something else than what was sent be checked.
     */
    if (memchr(copy.data, '\0', copy.len) || !wf_id_is_valid(copy.data)) {
        return NULL;
    }
    return copy.data;
}

/* What is behind "/projects", or behind "/project". */
static apr_status_t parse_project(wf_route_t *route, int singular, wf_slice_t rest,
                                  apr_pool_t *pool)
{
    wf_slice_t project, tasks, task, run;

    if (!take_segment(&project, &rest)) {
        return APR_NOTFOUND;
    }
    route->singular = singular;
    route->project = read_id(project, pool);
    if (rest.len == 0) {
        route->endpoint = WF_ENDPOINT_PROJECT;
        return APR_SUCCESS;
    }
    if (!take_segment(&tasks, &rest) || !take_segment(&task, &rest) ||
        !wf_slice_is(tasks, singular ? "task" : "tasks")) {
        return APR_NOTFOUND;
    }
    route->task = read_id(task, pool);
    if (rest.len == 0) {
        route->endpoint = WF_ENDPOINT_TASK;
        return APR_SUCCESS;
    }
    if (!take_segment(&run, &rest) || rest.len > 0 || !wf_slice_is(run, "run")) {
        return APR_NOTFOUND;
    }
    route->endpoint = WF_ENDPOINT_RUN;
    return APR_SUCCESS;
}

static apr_status_t parse_pid(wf_route_t *route, wf_endpoint_e endpoint, wf_slice_t rest)
{
    wf_slice_t pid;

    if (!take_segment(&pid, &rest) || rest.len > 0) {
        return APR_NOTFOUND;
    }
    route->endpoint = endpoint;
    route->has_pid = wf_uuid_parse(&route->pid, pid) == APR_SUCCESS;
    return APR_SUCCESS;
}

static apr_status_t parse_status(wf_route_t *route, wf_slice_t rest)
{
    wf_slice_t front = rest;
    wf_slice_t pid, last;

    if (!take_segment(&pid, &rest) || !take_segment(&last, &rest)) {
        return parse_pid(route, WF_ENDPOINT_STATUS, front);
    }
    front.len = pid.len + 1;
    return rest.len == 0 && wf_slice_is(last, "events")
               ? parse_pid(route, WF_ENDPOINT_EVENTS, front)
               : APR_NOTFOUND;
}

/* What is behind "/runs". */
static apr_status_t parse_runs(wf_route_t *route, wf_slice_t rest)
{
    if (rest.len > 0 && !wf_slice_is(rest, "/events")) {
        return APR_NOTFOUND;
    }
    route->endpoint = rest.len > 0 ? WF_ENDPOINT_RUNS_EVENTS : WF_ENDPOINT_RUNS;
    return APR_SUCCESS;
}

apr_status_t wf_route_parse(wf_route_t *route, wf_slice_t path, apr_pool_t *pool)
{
    wf_slice_t first;

    memset(route, 0, sizeof(*route));
    if (!take_segment(&first, &path)) {
        return APR_NOTFOUND;
    }
    if (wf_slice_is(first, "projects") && path.len == 0) {
        route->endpoint = WF_ENDPOINT_PROJECTS;
        return APR_SUCCESS;
    }
    if (wf_slice_is(first, "projects")) {
        return parse_project(route, 0, path, pool);
    }
    if (wf_slice_is(first, "project")) {
        return parse_project(route, 1, path, pool);
    }
    if (wf_slice_is(first, "status")) {
        return parse_status(route, path);
    }
    if (wf_slice_is(first, "interrupt")) {
        return parse_pid(route, WF_ENDPOINT_INTERRUPT, path);
    }
    if (wf_slice_is(first, "logs")) {
        return parse_pid(route, WF_ENDPOINT_LOGS, path);
    }
    if (wf_slice_is(first, "runs")) {
        return parse_runs(route, path);
    }
    if (wf_slice_is(first, "statistics") && path.len == 0) {
        route->endpoint = WF_ENDPOINT_STATISTICS;
        return APR_SUCCESS;
    }
    if (wf_slice_is(first, "openapi.json") && path.len == 0) {
        route->endpoint = WF_ENDPOINT_OPENAPI;
        return APR_SUCCESS;
    }
    if (wf_slice_is(first, "metrics") && path.len == 0) {
        route->endpoint = WF_ENDPOINT_METRICS;
        return APR_SUCCESS;
    }
    return APR_NOTFOUND;
}

const char *wf_route_task_path(const char *project, const char *task, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "/projects/", project, "/tasks/", task, NULL);
}

const char *wf_route_run_path(const char *project, const char *task, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "/projects/", project, "/tasks/", task, "/run", NULL);
}
