/* SPDX-License-Identifier: Apache-2.0 */
/* GET /projects/{projectId}/tasks/{taskId} */
#include "http/answer.h"
#include "http/endpoint.h"
#include "http/find.h"
#include "http/project_json.h"

#define LATEST_MOST 100 /* runs whose outcome is counted */
#define CALLS_MOST  5   /* of the store for them, each of which does a bounded work */

/* The latest runs, as far as they are among the latest few thousand of the project. */
static apr_status_t find_latest(apr_array_header_t *latest, wf_request_t *req, wf_result_t *result)
{
    wf_store_t *store = req->shared->store;
    wf_run_query_t query = {.vhost = wf_server_config(req->r->server)->vhost,
                            .project = req->route.project,
                            .task = req->route.task};
    wf_run_list_t list = {.more = 1};
    apr_status_t status = APR_SUCCESS;

    for (int calls = 0; list.more && latest->nelts < LATEST_MOST && calls < CALLS_MOST; calls++) {
        query.limit = (apr_uint32_t)(LATEST_MOST - latest->nelts);
        status = store->list(&list, store, &query, result, req->r->pool);
        if (status != APR_SUCCESS) {
            break;
        }
        apr_array_cat(latest, list.runs);
        query.before = list.next;
    }
    return status;
}

static apr_status_t find_runs(wf_task_runs_t *runs, wf_request_t *req, wf_result_t *result)
{
    wf_store_t *store = req->shared->store;
    apr_array_header_t *latest = apr_array_make(req->r->pool, LATEST_MOST, sizeof(wf_run_t));
    apr_status_t status =
        store->under_way(&runs->under_way, store, wf_server_config(req->r->server)->vhost,
                         req->route.project, req->route.task, result, req->r->pool);

    if (status == APR_SUCCESS) {
        status = find_latest(latest, req, result);
    }
    runs->latest = latest;
    return status;
}

apr_status_t wf_endpoint_task(wf_request_t *req, wf_result_t *result)
{
    wf_buf_t *text = apr_pcalloc(req->r->pool, sizeof(*text));
    wf_project_view_t view = {.base = req->base->uri, .id = req->route.project};
    wf_task_runs_t runs = {0};
    const wf_task_t *task = NULL;
    apr_status_t status = wf_find_task(&view, &task, req, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = find_runs(&runs, req, result);
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    wf_buf_bind(text, req->r->pool);
    wf_task_json(text, &view, task, &runs, req->r->pool);
    return wf_answer_json_state(req, text);
}
