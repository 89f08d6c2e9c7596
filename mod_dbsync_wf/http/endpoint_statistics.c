/* SPDX-License-Identifier: Apache-2.0 */
/* GET /statistics?project=&task=&hours=: how the runs of the last hours ended, and how long they
 * took. */
#include "base/clock.h"
#include "base/json.h"
#include "flow/project.h"
#include "http/answer.h"
#include "http/arguments.h"
#include "http/authz.h"
#include "http/endpoint.h"

#define HOURS_DEFAULT 24

/* Of all tasks that the user may run, together. */
typedef struct sum_t {
    struct {
        apr_int64_t completed;
        apr_int64_t error;
        apr_int64_t interrupted;
    } hours[WF_HISTORY_HOURS];
    apr_int64_t durations[WF_HISTORY_BUCKETS];
} sum_t;

static apr_status_t read_query(wf_history_query_t *query, const request_rec *r, wf_result_t *result)
{
    apr_status_t status;

    query->vhost = wf_server_config(r->server)->vhost;
    query->hours = HOURS_DEFAULT;
    status = wf_argument_id(&query->project, r, "project", result);
    if (status == APR_SUCCESS) {
        status = wf_argument_id(&query->task, r, "task", result);
    }
    return status == APR_SUCCESS
               ? wf_argument_number(&query->hours, r, "hours", WF_HISTORY_HOURS, result)
               : status;
}

static void add_task(sum_t *sum, const wf_task_history_t *task, apr_uint32_t hours)
{
    for (apr_uint32_t i = 0; i < hours; i++) {
        sum->hours[i].completed += task->hours[i].completed;
        sum->hours[i].error += task->hours[i].error;
        sum->hours[i].interrupted += task->hours[i].interrupted;
    }
    for (int i = 0; i < WF_HISTORY_BUCKETS; i++) {
        sum->durations[i] += task->durations[i];
    }
}

/* Httpd is asked once for each task that had a run. */
static void add_visible(sum_t *sum, wf_request_t *req, const wf_history_t *history)
{
    for (int i = 0; i < history->tasks->nelts; i++) {
        const wf_task_history_t *task = &APR_ARRAY_IDX(history->tasks, i, wf_task_history_t);

        if (wf_id_is_valid(task->project) && wf_id_is_valid(task->task) &&
            wf_authz_may_run(req, task->project, task->task)) {
            add_task(sum, task, history->hours);
        }
    }
}

static void put_time(wf_json_writer_t *writer, const char *name, apr_time_t when)
{
    char text[WF_TIME_TEXT_LEN + 1];

    wf_time_format(text, when);
    wf_json_put_text(writer, name, text);
}

static void put_hours(wf_json_writer_t *writer, const sum_t *sum, const wf_history_t *history)
{
    wf_json_open(writer, "hours", '[');
    for (apr_uint32_t i = 0; i < history->hours; i++) {
        wf_json_open(writer, NULL, '{');
        put_time(writer, "from", history->hour - (history->hours - 1 - i) * WF_HOUR);
        wf_json_put_int(writer, "completed", sum->hours[i].completed);
        wf_json_put_int(writer, "error", sum->hours[i].error);
        wf_json_put_int(writer, "interrupted", sum->hours[i].interrupted);
        wf_json_close(writer, '}');
    }
    wf_json_close(writer, ']');
}

static void put_durations(wf_json_writer_t *writer, const sum_t *sum)
{
    char bound[WF_SECONDS_TEXT_LEN + 1];

    wf_json_open(writer, "durations", '[');
    for (int i = 0; i < WF_HISTORY_BUCKETS; i++) {
        wf_json_open(writer, NULL, '{');
        if (i < WF_HISTOGRAM_BUCKETS) {
            wf_seconds_format(bound, wf_time_bounds[i]);
            wf_json_put_raw(writer, "upTo", wf_slice(bound));
        }
        wf_json_put_int(writer, "runs", sum->durations[i]);
        wf_json_close(writer, '}');
    }
    wf_json_close(writer, ']');
}

apr_status_t wf_endpoint_statistics(wf_request_t *req, wf_result_t *result)
{
    apr_pool_t *pool = req->r->pool;
    wf_store_t *store = req->shared->store;
    wf_buf_t *text = apr_pcalloc(pool, sizeof(*text));
    wf_json_writer_t writer;
    wf_history_query_t query;
    wf_history_t history;
    sum_t sum = {0};
    apr_status_t status = read_query(&query, req->r, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = store->history(&history, store, &query, result, pool);
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(req, status, result);
    }
    add_visible(&sum, req, &history);
    wf_buf_bind(text, pool);
    wf_json_writer_init(&writer, text);
    wf_json_open(&writer, NULL, '{');
    put_time(&writer, "since", history.since);
    put_hours(&writer, &sum, &history);
    put_durations(&writer, &sum);
    wf_json_close(&writer, '}');
    return wf_answer_json_state(req, text);
}
