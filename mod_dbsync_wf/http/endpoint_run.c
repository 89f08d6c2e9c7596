/* SPDX-License-Identifier: Apache-2.0 */
/* POST /projects/{projectId}/tasks/{taskId}/run?trigger=API */
#include <apr_strings.h>
#include <httpd.h>
#include <http_log.h>
#include "http/answer.h"
#include "http/authz.h"
#include "http/body.h"
#include "http/configurations.h"
#include "http/endpoint.h"
#include "http/find.h"
#include "http/query.h"

APLOG_USE_MODULE(dbsync_wf);

#define TRIGGER  "API"
#define KEY_MOST 255

/* Changes of a task's configuration in the time of one request. */
#define CHANGES_MOST 10

/* What a request asks for, once all of it has been checked. */
typedef struct order_t {
    const wf_task_t *task;
    const char *key; /* NULL: none was sent */
    wf_in_force_t in_force;
    wf_slice_t body;
} order_t;

static apr_status_t check_trigger(const request_rec *r, wf_result_t *result)
{
    wf_slice_t trigger;
    apr_status_t status = wf_query_find(&trigger, r->args, "trigger", r->pool);

    if (status == APR_SUCCESS && wf_slice_is(trigger, TRIGGER)) {
        return APR_SUCCESS;
    }
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_INVALID_TRIGGER,
                         "Add ?trigger=" TRIGGER " to the URL.");
}

/* A key that is sent in two fields has a comma and a space in between, by httpd. */
static apr_status_t read_key(const char **key, const request_rec *r, wf_result_t *result)
{
    apr_size_t len = 0;

    *key = apr_table_get(r->headers_in, "Idempotency-Key");
    if (!*key) {
        return APR_SUCCESS;
    }
    while ((*key)[len] > ' ' && (*key)[len] <= '~') {
        len++;
    }
    if ((*key)[len] == '\0' && len > 0 && len <= KEY_MOST) {
        return APR_SUCCESS;
    }
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BAD_REQUEST,
                         "Send one Idempotency-Key of 1 to %d visible ASCII characters, without "
                         "spaces, such as a UUID.",
                         KEY_MOST);
}

/*
 * httpd has authorized the spelling that was sent; what protects a project is written for the
 * plural one. What cannot be an id is left to find_task, which knows no such thing.
 */
static apr_status_t check_singular(wf_request_t *req, wf_result_t *result)
{
    const wf_route_t *route = &req->route;

    if (!route->singular || !route->project || !route->task ||
        wf_authz_may_run(req, route->project, route->task)) {
        return APR_SUCCESS;
    }
    return wf_result_set(result, APR_EACCES, WF_PROBLEM_FORBIDDEN, "You may not run this task.");
}

static apr_status_t find_task(const wf_task_t **task, wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    const char *dir = NULL;
    const wf_project_t *project;
    apr_status_t status = wf_find_projects(&dir, req, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = req->route.project ? wf_projects_find(&project, req->shared->projects, dir,
                                                   req->route.project, result, r->pool)
                                : APR_NOTFOUND;
    if (status == APR_NOTFOUND) {
        return wf_result_set(result, status, WF_PROBLEM_UNKNOWN_PROJECT,
                             "There is no such project.");
    }
    if (status != APR_SUCCESS) {
        return wf_find_failed(req, status, result);
    }
    *task = req->route.task ? wf_project_task(project, req->route.task) : NULL;
    if (!*task) {
        return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_TASK,
                             "The project has no task with this id.");
    }
    return APR_SUCCESS;
}

/* Finds how the task is configured, and whether it may be run through the API. */
static apr_status_t check_fresh_task(order_t *order, wf_request_t *req, wf_result_t *result)
{
    apr_status_t status = wf_configurations_find(&order->in_force, req, req->route.project,
                                                 order->task, WF_FRESH, result);

    return status == APR_SUCCESS ? wf_configurations_admit(&order->in_force, result) : status;
}

/* The same by what is remembered: that lets nothing in by itself, and must refuse nothing either.
 */
static apr_status_t check_task(order_t *order, wf_request_t *req, wf_result_t *result)
{
    apr_status_t status = wf_configurations_find(&order->in_force, req, req->route.project,
                                                 order->task, WF_REMEMBERED, result);

    return status != APR_SUCCESS || wf_configurations_admit(&order->in_force, NULL) == APR_SUCCESS
               ? status
               : check_fresh_task(order, req, result);
}

/* Whether the body may be one of the task's runs', which is likewise not refused unless it is by
 * what is in force now. */
static apr_status_t check_body(order_t *order, wf_request_t *req, wf_result_t *result)
{
    apr_pool_t *pool = req->r->pool;
    apr_status_t status;

    if (wf_configurations_accept(&order->in_force, order->body, NULL, pool) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    status = check_fresh_task(order, req, result);
    return status == APR_SUCCESS
               ? wf_configurations_accept(&order->in_force, order->body, result, pool)
               : status;
}

/* Whatever can be wrong with a request, in the order in which it is told. */
static apr_status_t check(order_t *order, wf_request_t *req, wf_result_t *result)
{
    apr_status_t status = check_singular(req, result);

    if (status == APR_SUCCESS) {
        status = check_trigger(req->r, result);
    }
    if (status == APR_SUCCESS) {
        status = read_key(&order->key, req->r, result);
    }
    if (status == APR_SUCCESS) {
        status = find_task(&order->task, req, result);
    }
    if (status == APR_SUCCESS) {
        status = check_task(order, req, result);
    }
    if (status == APR_SUCCESS) {
        status = wf_body_read_json(&order->body, req, wf_config_max_body(req->r), result);
    }
    return status == APR_SUCCESS ? check_body(order, req, result) : status;
}

/* The task may be run again when its bucket has room. */
static apr_status_t too_often(wf_request_t *req, const order_t *order, apr_interval_time_t retry,
                              wf_result_t *result)
{
    const wf_configuration_t *configuration = order->in_force.configuration;

    req->retry_after = (int)apr_time_sec(retry + APR_USEC_PER_SEC - 1);
    return wf_result_set(result, WF_ERATE, WF_PROBLEM_RATE_LIMIT,
                         "The task may be run %u times in %" APR_INT64_T_FMT
                         " seconds. Nothing was started.",
                         configuration->rate, apr_time_sec(configuration->rate_period));
}

static apr_status_t create(wf_run_t **run, wf_request_t *req, const order_t *order,
                           wf_result_t *result)
{
    request_rec *r = req->r;
    wf_store_t *store = req->shared->store;
    const wf_task_t *task = order->task;
    apr_interval_time_t retry = 0;
    wf_new_run_t spec = {
        .vhost = wf_server_config(r->server)->vhost,
        .project = req->route.project,
        .task = task->id,
        .source = wf_config_projects(r),
        .trigger = TRIGGER,
        .user = r->user,
        .idempotency_key = order->key,
        .concurrency = task->concurrency,
        .rerun_when_lost = task->on_lost == WF_ON_LOST_RERUN,
        .refuse_overlap = task->overlap != WF_OVERLAP_QUEUE,
        .queue_limit = task->queue_limit,
        .wants_callback = order->in_force.configuration->callback != NULL,
        .revision = order->in_force.revision,
        .rate = order->in_force.configuration->rate,
        .rate_period = order->in_force.configuration->rate_period,
        .retry = &retry,
        .payload = order->body,
    };
    apr_status_t status = wf_uuid_make(&spec.pid);

    if (status == APR_SUCCESS) {
        status = store->create(run, store, &spec, result, r->pool);
    }
    if (status == APR_SUCCESS && memcmp(&(*run)->pid, &spec.pid, sizeof(spec.pid)) != 0) {
        apr_table_setn(r->headers_out, "Idempotency-Replayed", "true");
        req->outcome = "replayed";
    } else if (status == APR_SUCCESS) {
        req->outcome = "started";
    }
    req->run = status == APR_SUCCESS || status == WF_EOVERLAP ? *run : NULL;
    if (status == WF_ERATE) {
        return too_often(req, order, retry, result);
    }
    return status == APR_SUCCESS || status == WF_EOVERLAP || status == WF_ECHANGED
               ? status
               : wf_request_store_failed(req, status, result);
}

/*
 * Creates the run by the configuration that is in force. Where somebody has changed that since the
 * request was checked, it is checked again.
 */
static apr_status_t create_in_force(wf_run_t **run, wf_request_t *req, order_t *order,
                                    wf_result_t *result)
{
    apr_status_t status = create(run, req, order, result);

    for (int i = 0; i < CHANGES_MOST && status == WF_ECHANGED; i++) {
        status = check_fresh_task(order, req, result);
        if (status == APR_SUCCESS) {
            status = check_body(order, req, result);
        }
        if (status == APR_SUCCESS) {
            status = create(run, req, order, result);
        }
    }
    return status == WF_ECHANGED ? wf_request_store_failed(req, WF_EUNAVAILABLE, result) : status;
}

/* The run, with where to find it. */
static apr_status_t answer(wf_request_t *req, int http_status, const wf_run_t *run)
{
    char pid[WF_UUID_TEXT_LEN + 1];

    wf_request_note_pid(req, &run->pid);
    wf_uuid_format(pid, &run->pid);
    apr_table_setn(req->r->headers_out, "Location",
                   apr_pstrcat(req->r->pool, req->base->uri, "/status/", pid, NULL));
    return wf_answer_run(req, http_status, run);
}

/* The task lets no further run begin while this one is under way. */
static apr_status_t answer_overlap(wf_request_t *req, const wf_task_t *task, const wf_run_t *run,
                                   wf_result_t *result)
{
    char pid[WF_UUID_TEXT_LEN + 1];

    if (task->overlap == WF_OVERLAP_SKIP) {
        req->outcome = "skipped";
        return answer(req, HTTP_OK, run);
    }
    wf_uuid_format(pid, &run->pid);
    return wf_result_set(result, WF_EOVERLAP, WF_PROBLEM_OVERLAP,
                         "Run %s of this task is under way, and the task says to refuse others.",
                         pid);
}

apr_status_t wf_endpoint_run(wf_request_t *req, wf_result_t *result)
{
    order_t order = {0};
    wf_run_t *run;
    apr_status_t status = check(&order, req, result);

    if (status == APR_SUCCESS) {
        status = create_in_force(&run, req, &order, result);
    }
    if (status == WF_EOVERLAP) {
        return answer_overlap(req, order.task, run, result);
    }
    return status == APR_SUCCESS ? answer(req, HTTP_ACCEPTED, run) : status;
}
