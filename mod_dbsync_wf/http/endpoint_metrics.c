/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics */
#include <httpd.h>
#include "http/answer.h"
#include "http/authz.h"
#include "http/endpoint.h"
#include "http/metrics_text.h"

/* Whether the user may see a row; httpd is asked once for each, unless all are shown here. */
static int may_see(wf_request_t *req, const wf_task_stats_t *task)
{
    return wf_config_all_metrics(req->r) ||
           (wf_id_is_valid(task->project) && wf_id_is_valid(task->task) &&
            wf_authz_may_run(req, task->project, task->task));
}

static void keep_visible(apr_array_header_t *tasks, wf_request_t *req)
{
    int kept = 0;

    for (int i = 0; i < tasks->nelts; i++) {
        if (may_see(req, &APR_ARRAY_IDX(tasks, i, wf_task_stats_t))) {
            APR_ARRAY_IDX(tasks, kept, wf_task_stats_t) = APR_ARRAY_IDX(tasks, i, wf_task_stats_t);
            kept++;
        }
    }
    tasks->nelts = kept;
}

apr_status_t wf_endpoint_metrics(wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    wf_store_t *store = req->shared->store;
    wf_buf_t *text = apr_pcalloc(r->pool, sizeof(*text));
    wf_store_stats_t stats;
    apr_status_t status =
        store->stats(&stats, store, wf_server_config(r->server)->vhost, 0, result, r->pool);

    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    keep_visible(stats.tasks, req);
    wf_buf_bind(text, r->pool);
    wf_metrics_text(text, &stats, &req->shared->settings);
    return wf_answer_text(req, WF_METRICS_TYPE, wf_buf_slice(text));
}
