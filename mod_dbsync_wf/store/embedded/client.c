/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store contract over the keeper's socket: each call is a request and what its answer means.
 * Those of runners are in client_runner.c.
 */
#include "store/embedded/client.h"

#include <unistd.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "store/embedded/client_call.h"
#include "store/embedded/client_configurations.h"
#include "store/embedded/client_runner.h"
#include "store/embedded/client_watch.h"
#include "store/embedded/record.h"
#include "store/embedded/stats_wire.h"

/* The run that an answer carries. */
static apr_status_t take_run(wf_run_t **run, const wf_message_t *message, apr_pool_t *pool)
{
    *run = apr_palloc(pool, sizeof(**run));
    return wf_record_decode(*run, message->field[WF_FIELD_RUN], pool);
}

/* The same for an answer that says more than success: `status`, where the run can be read. */
static apr_status_t take_run_of(apr_status_t status, wf_run_t **run, const wf_call_t *call,
                                apr_pool_t *pool)
{
    apr_status_t rv = take_run(run, &call->message, pool);

    return rv == APR_SUCCESS ? status : rv;
}

static apr_status_t create_run(wf_run_t **run, wf_store_t *store, const wf_new_run_t *spec,
                               wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call;
    wf_run_t fresh;
    apr_size_t mark;
    apr_status_t rv;

    memset(&fresh, 0, sizeof(fresh));
    fresh.pid = spec->pid;
    fresh.vhost = spec->vhost;
    fresh.project = spec->project;
    fresh.task = spec->task;
    fresh.source = spec->source;
    fresh.trigger = spec->trigger;
    fresh.user = spec->user;
    fresh.idempotency_key = spec->idempotency_key;
    fresh.concurrency = spec->concurrency;
    fresh.rerun_when_lost = spec->rerun_when_lost;
    fresh.callback.status = spec->wants_callback ? WF_CALLBACK_WANTED : WF_CALLBACK_NONE;
    call = wf_call_begin(wf_client_of(store), WF_OP_CREATE, pool);
    mark = wf_field_open(&call->request, WF_FIELD_RUN);
    wf_record_encode(&call->request, &fresh);
    wf_field_close(&call->request, mark);
    wf_field_add_u64(&call->request, WF_FIELD_OVERLAP, (apr_uint64_t)spec->refuse_overlap);
    wf_field_add_u64(&call->request, WF_FIELD_QUEUE, spec->queue_limit);
    wf_field_add_u64(&call->request, WF_FIELD_REVISION, spec->revision);
    if (spec->rate) {
        wf_field_add_u64(&call->request, WF_FIELD_RATE, spec->rate);
        wf_field_add_u64(&call->request, WF_FIELD_PERIOD, (apr_uint64_t)spec->rate_period);
    }
    wf_field_add(&call->request, WF_FIELD_PAYLOAD, spec->payload);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    if (rv == WF_ERATE && spec->retry) {
        *spec->retry = (apr_interval_time_t)wf_message_u64(&call->message, WF_FIELD_RETRY);
    }
    return rv == APR_SUCCESS || rv == WF_EOVERLAP ? take_run_of(rv, run, call, pool) : rv;
}

static wf_call_t *begin_for_run(wf_store_t *store, wf_op_e op, const char *vhost,
                                const wf_uuid_t *pid, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), op, pool);

    wf_field_add_text(&call->request, WF_FIELD_VHOST, vhost);
    wf_field_add(&call->request, WF_FIELD_PID, wf_slice_of(pid, sizeof(*pid)));
    return call;
}

static apr_status_t interrupt_run(wf_run_t **run, wf_store_t *store, const char *vhost,
                                  const wf_uuid_t *pid, const char *by, wf_result_t *result,
                                  apr_pool_t *pool)
{
    wf_call_t *call = begin_for_run(store, WF_OP_INTERRUPT, vhost, pid, pool);
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_BY, by);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    return rv == APR_SUCCESS || rv == WF_EENDED ? take_run_of(rv, run, call, pool) : rv;
}

static apr_status_t get_run(wf_run_t **run, wf_store_t *store, const char *vhost,
                            const wf_uuid_t *pid, wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = begin_for_run(store, WF_OP_GET, vhost, pid, pool);
    apr_status_t rv;

    rv = wf_call_send(call, wf_client_of(store), 0, result);
    if (rv == APR_SUCCESS) {
        rv = take_run(run, &call->message, pool);
    }
    if (rv == APR_SUCCESS) {
        (*run)->version = wf_message_u64(&call->message, WF_FIELD_VERSION);
    }
    return rv;
}

static apr_status_t read_output(wf_output_part_t *part, wf_store_t *store, const char *vhost,
                                const wf_uuid_t *pid, apr_uint64_t offset, apr_size_t most,
                                wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = begin_for_run(store, WF_OP_READ, vhost, pid, pool);
    apr_status_t rv;

    wf_field_add_u64(&call->request, WF_FIELD_OFFSET, offset);
    wf_field_add_u64(&call->request, WF_FIELD_MAX, most);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    part->bytes = call->message.field[WF_FIELD_OUTPUT]; /* of the call, which lives in pool */
    part->total = wf_message_u64(&call->message, WF_FIELD_TOTAL);
    part->version = wf_message_u64(&call->message, WF_FIELD_VERSION);
    return rv;
}

static apr_status_t take_runs(apr_array_header_t *runs, wf_slice_t body, apr_pool_t *pool)
{
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value;

    while ((rv = wf_field_next(&tag, &value, &body)) == APR_SUCCESS) {
        if (tag == WF_FIELD_RUN) {
            rv = wf_record_decode(apr_array_push(runs), value, pool);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t list_runs(wf_run_list_t *list, wf_store_t *store, const wf_run_query_t *query,
                              wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = begin_for_run(store, WF_OP_LIST, query->vhost, &query->before, pool);
    apr_status_t rv;

    memset(list, 0, sizeof(*list));
    list->runs = apr_array_make(pool, (int)query->limit, sizeof(wf_run_t));
    wf_field_add_text(&call->request, WF_FIELD_PROJECT, query->project);
    wf_field_add_text(&call->request, WF_FIELD_TASK, query->task);
    wf_field_add_text(&call->request, WF_FIELD_USER, query->user);
    wf_field_add_u64(&call->request, WF_FIELD_STATUS, (apr_uint64_t)query->status);
    wf_field_add_u64(&call->request, WF_FIELD_FROM, (apr_uint64_t)query->from);
    wf_field_add_u64(&call->request, WF_FIELD_TO, (apr_uint64_t)query->to);
    wf_field_add_u64(&call->request, WF_FIELD_MAX, query->limit);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    list->more = wf_message_u64(&call->message, WF_FIELD_MORE) != 0;
    list->version = wf_message_u64(&call->message, WF_FIELD_VERSION);
    rv = wf_message_pid(&list->next, &call->message);
    return rv == APR_SUCCESS ? take_runs(list->runs, call->message.body, pool) : rv;
}

static apr_status_t count_under_way(wf_under_way_t *count, wf_store_t *store, const char *vhost,
                                    const char *project, const char *task, wf_result_t *result,
                                    apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_UNDER_WAY, pool);
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_VHOST, vhost);
    wf_field_add_text(&call->request, WF_FIELD_PROJECT, project);
    wf_field_add_text(&call->request, WF_FIELD_TASK, task);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    if (rv == APR_SUCCESS) {
        count->queued = (apr_uint32_t)wf_message_u64(&call->message, WF_FIELD_QUEUE);
        count->running = (apr_uint32_t)wf_message_u64(&call->message, WF_FIELD_COUNT);
    }
    return rv;
}

static apr_status_t reap(apr_uint64_t *count, wf_store_t *store, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_REAP, pool);
    apr_status_t rv;

    rv = wf_call_send(call, wf_client_of(store), 0, NULL);
    *count = wf_message_u64(&call->message, WF_FIELD_COUNT);
    return rv;
}

static apr_status_t purge(apr_uint64_t *count, int *more, wf_store_t *store,
                          apr_interval_time_t keep, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_PURGE, pool);
    apr_status_t rv;

    wf_field_add_u64(&call->request, WF_FIELD_KEEP, (apr_uint64_t)keep);
    rv = wf_call_send(call, wf_client_of(store), 0, NULL);
    *count = wf_message_u64(&call->message, WF_FIELD_COUNT);
    *more = wf_message_u64(&call->message, WF_FIELD_MORE) != 0;
    return rv;
}

static int is_before(void *deadline)
{
    return wf_clock() < *(const apr_time_t *)deadline;
}

static apr_status_t read_stats(wf_store_stats_t *stats, wf_store_t *store, const char *vhost,
                               apr_interval_time_t patience, wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_STATS, pool);
    apr_time_t deadline = wf_clock() + patience;
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_VHOST, vhost);
    if (patience) {
        call->is_wanted = is_before;
        call->baton = &deadline;
    }
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    if (rv == WF_ECANCELLED) {
        return wf_result_set(result, WF_EUNAVAILABLE, WF_PROBLEM_UNAVAILABLE,
                             "The run store does not answer. Try again in a moment.");
    }
    return rv == APR_SUCCESS ? wf_stats_decode(stats, &call->message, pool) : rv;
}

static apr_status_t read_history(wf_history_t *history, wf_store_t *store,
                                 const wf_history_query_t *query, wf_result_t *result,
                                 apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_HISTORY, pool);
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_VHOST, query->vhost);
    wf_field_add_text(&call->request, WF_FIELD_PROJECT, query->project);
    wf_field_add_text(&call->request, WF_FIELD_TASK, query->task);
    wf_field_add_u64(&call->request, WF_FIELD_MAX, query->hours);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    return rv == APR_SUCCESS ? wf_history_decode(history, &call->message, pool) : rv;
}

static apr_status_t close_idle(void *data)
{
    wf_client_t *client = data;

    for (int i = 0; i < client->idle->nelts; i++) {
        close(APR_ARRAY_IDX(client->idle, i, int));
    }
    client->idle->nelts = 0;
    return APR_SUCCESS;
}

static const wf_store_t calls = {
    .name = "embedded",
    .create = create_run,
    .join = wf_client_join,
    .drain = wf_client_drain,
    .claim = wf_client_claim,
    .heartbeat = wf_client_heartbeat,
    .progress = wf_client_progress,
    .append_output = wf_client_append_output,
    .finish = wf_client_finish,
    .release = wf_client_release,
    .interrupt = interrupt_run,
    .get = get_run,
    .read_output = read_output,
    .list = list_runs,
    .under_way = count_under_way,
    .reap = reap,
    .purge = purge,
    .wait = wf_client_wait,
    .watch = wf_client_watch,
    .watch_begin = wf_client_watch_begin,
    .watch_end = wf_client_watch_end,
    .claim_callbacks = wf_client_claim_callbacks,
    .tell_callback = wf_client_tell_callback,
    .get_configuration = wf_client_get_configuration,
    .set_configuration = wf_client_set_configuration,
    .list_configurations = wf_client_list_configurations,
    .stats = read_stats,
    .history = read_history,
};

apr_status_t wf_embedded_open(wf_store_t **store, const char *socket_path,
                              apr_interval_time_t patience, apr_pool_t *pool)
{
    wf_client_t *client = apr_pcalloc(pool, sizeof(*client));
    apr_status_t rv;

    if (strlen(socket_path) > wf_embedded_path_max()) {
        return WF_EINVALID;
    }
    rv = apr_thread_mutex_create(&client->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    client->path = apr_pstrdup(pool, socket_path);
    client->patience = patience;
    client->idle = apr_array_make(pool, 64, sizeof(int));
    client->claim_sequence = 1;
    client->callback_sequence = 1;
    client->pool = pool;
    apr_pool_cleanup_register(pool, client, close_idle, apr_pool_cleanup_null);
    *store = apr_pmemdup(pool, &calls, sizeof(calls));
    (*store)->impl = client;
    return APR_SUCCESS;
}

const char *wf_embedded_socket_path(const char *state_dir, apr_pool_t *pool)
{
    return apr_pstrcat(pool, state_dir, "/keeper.sock", NULL);
}
