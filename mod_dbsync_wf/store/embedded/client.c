/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract over the keeper's socket: each call is a request and what its answer means. */
#include "store/embedded/client.h"

#include <unistd.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "store/embedded/client_call.h"
#include "store/embedded/client_watch.h"
#include "store/embedded/record.h"
#include "store/embedded/stats_wire.h"

static wf_client_t *client_of(wf_store_t *store)
{
    return store->impl;
}

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
    call = wf_call_begin(client_of(store), WF_OP_CREATE, pool);
    mark = wf_field_open(&call->request, WF_FIELD_RUN);
    wf_record_encode(&call->request, &fresh);
    wf_field_close(&call->request, mark);
    wf_field_add_u64(&call->request, WF_FIELD_OVERLAP, (apr_uint64_t)spec->refuse_overlap);
    wf_field_add_u64(&call->request, WF_FIELD_QUEUE, spec->queue_limit);
    wf_field_add(&call->request, WF_FIELD_PAYLOAD, spec->payload);
    rv = wf_call_send(call, client_of(store), 0, result);
    return rv == APR_SUCCESS || rv == WF_EOVERLAP ? take_run_of(rv, run, call, pool) : rv;
}

static apr_status_t join(apr_uint64_t *incarnation, wf_store_t *store, const char *host,
                         apr_uint32_t slots, apr_interval_time_t ttl, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_JOIN, pool);
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_HOST, host);
    wf_field_add_u64(&call->request, WF_FIELD_SLOTS, slots);
    wf_field_add_u64(&call->request, WF_FIELD_TTL, (apr_uint64_t)ttl);
    rv = wf_call_send(call, client_of(store), 0, NULL);
    *incarnation = wf_message_u64(&call->message, WF_FIELD_INCARNATION);
    return rv;
}

static apr_status_t drain(wf_store_t *store, apr_uint64_t incarnation, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_DRAIN, pool);

    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    return wf_call_send(call, client_of(store), 0, NULL);
}

static apr_status_t take_claim(wf_claim_t *claim, wf_slice_t bytes, apr_pool_t *pool)
{
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value;

    memset(claim, 0, sizeof(*claim));
    claim->markers = apr_array_make(pool, 1, sizeof(wf_run_marker_t));
    while ((rv = wf_field_next(&tag, &value, &bytes)) == APR_SUCCESS) {
        if (tag == WF_FIELD_RUN) {
            rv = wf_record_decode(&claim->run, value, pool);
        } else if (tag == WF_FIELD_PAYLOAD) {
            claim->payload = wf_slice_dup(value, pool);
        } else if (tag == WF_FIELD_MARKER) {
            rv = wf_marker_decode(apr_array_push(claim->markers), value, pool);
        } else if (tag == WF_FIELD_OFFSET) {
            rv = wf_field_u64(&claim->output, value);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    claim->token.pid = claim->run.pid;
    claim->token.fence = claim->run.fence;
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t take_claims(apr_array_header_t *claims, wf_slice_t body, apr_pool_t *pool)
{
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value;

    while ((rv = wf_field_next(&tag, &value, &body)) == APR_SUCCESS) {
        if (tag == WF_FIELD_CLAIM) {
            rv = take_claim(apr_array_push(claims), value, pool);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t claim_runs(apr_array_header_t **claims, wf_store_t *store,
                               apr_uint64_t incarnation, apr_uint32_t max,
                               apr_interval_time_t timeout, apr_pool_t *pool)
{
    wf_call_t *call;
    wf_client_t *client = client_of(store);
    apr_status_t rv;

    *claims = apr_array_make(pool, 8, sizeof(wf_claim_t));
    call = wf_call_begin(client, WF_OP_CLAIM, pool);
    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&call->request, WF_FIELD_SEQUENCE, client->claim_sequence);
    wf_field_add_u64(&call->request, WF_FIELD_MAX, max);
    wf_field_add_u64(&call->request, WF_FIELD_TIMEOUT, (apr_uint64_t)timeout);
    rv = wf_call_send(call, client, timeout, NULL);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* Only now: a claim whose answer was lost is asked for again by its number. */
    client->claim_sequence++;
    return take_claims(*claims, call->message.body, pool);
}

static apr_status_t heartbeat(apr_array_header_t **interrupted, wf_store_t *store,
                              apr_uint64_t incarnation, apr_interval_time_t ttl, apr_pool_t *pool)
{
    wf_call_t *call;
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value, rest;

    *interrupted = apr_array_make(pool, 4, sizeof(wf_token_t));
    call = wf_call_begin(client_of(store), WF_OP_HEARTBEAT, pool);
    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&call->request, WF_FIELD_TTL, (apr_uint64_t)ttl);
    rv = wf_call_send(call, client_of(store), 0, NULL);
    rest = call->message.body;
    while (rv == APR_SUCCESS && (rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag == WF_FIELD_TOKEN && value.len == sizeof(wf_uuid_t) + 8) {
            wf_token_t *token = apr_array_push(*interrupted);

            memcpy(&token->pid, value.data, sizeof(wf_uuid_t));
            token->fence = wf_get_u64((const unsigned char *)value.data + sizeof(wf_uuid_t));
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t report_progress(wf_store_t *store, const wf_token_t *token,
                                    const wf_run_progress_t *progress,
                                    const wf_run_records_t *records, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_PROGRESS, pool);

    wf_token_encode(&call->request, token);
    wf_field_add_text(&call->request, WF_FIELD_ACTION, progress->action);
    wf_field_add_u64(&call->request, WF_FIELD_DONE, progress->done);
    wf_field_add_u64(&call->request, WF_FIELD_TOTAL, progress->total);
    wf_field_add_u64(&call->request, WF_FIELD_READ, records->read);
    wf_field_add_u64(&call->request, WF_FIELD_WRITTEN, records->written);
    wf_field_add_u64(&call->request, WF_FIELD_FAILED, records->failed);
    return wf_call_send(call, client_of(store), 0, NULL);
}

static void add_output(wf_call_t *call, apr_uint64_t offset, wf_slice_t bytes)
{
    if (bytes.len) {
        wf_field_add_u64(&call->request, WF_FIELD_OFFSET, offset);
        wf_field_add(&call->request, WF_FIELD_OUTPUT, bytes);
    }
}

static apr_status_t append_output(wf_store_t *store, const wf_token_t *token, apr_uint64_t offset,
                                  wf_slice_t bytes, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_APPEND, pool);

    wf_token_encode(&call->request, token);
    add_output(call, offset, bytes);
    return wf_call_send(call, client_of(store), 0, NULL);
}

static apr_status_t finish_run(wf_store_t *store, const wf_finish_t *finish, apr_pool_t *pool)
{
    wf_call_t *call;
    wf_run_t ended;
    apr_size_t mark;

    memset(&ended, 0, sizeof(ended));
    ended.pid = finish->token.pid;
    ended.fence = finish->token.fence;
    ended.status = finish->status;
    ended.progress = finish->progress;
    ended.records = finish->records;
    ended.result = finish->result;
    ended.result_cut = finish->result_cut;
    ended.actions = finish->actions;
    ended.error = finish->error;
    call = wf_call_begin(client_of(store), WF_OP_FINISH, pool);
    mark = wf_field_open(&call->request, WF_FIELD_RUN);
    wf_record_encode(&call->request, &ended);
    wf_field_close(&call->request, mark);
    for (int i = 0; i < finish->marker_count; i++) {
        wf_marker_encode(&call->request, WF_FIELD_MARKER, &finish->markers[i]);
    }
    add_output(call, finish->output_offset, finish->output);
    return wf_call_send(call, client_of(store), 0, NULL);
}

static apr_status_t release_run(wf_store_t *store, const wf_token_t *token, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_RELEASE, pool);

    wf_token_encode(&call->request, token);
    return wf_call_send(call, client_of(store), 0, NULL);
}

static wf_call_t *begin_for_run(wf_store_t *store, wf_op_e op, const char *vhost,
                                const wf_uuid_t *pid, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), op, pool);

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
    rv = wf_call_send(call, client_of(store), 0, result);
    return rv == APR_SUCCESS || rv == WF_EENDED ? take_run_of(rv, run, call, pool) : rv;
}

static apr_status_t get_run(wf_run_t **run, wf_store_t *store, const char *vhost,
                            const wf_uuid_t *pid, wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = begin_for_run(store, WF_OP_GET, vhost, pid, pool);
    apr_status_t rv;

    rv = wf_call_send(call, client_of(store), 0, result);
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
    rv = wf_call_send(call, client_of(store), 0, result);
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
    rv = wf_call_send(call, client_of(store), 0, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    list->more = wf_message_u64(&call->message, WF_FIELD_MORE) != 0;
    rv = wf_message_pid(&list->next, &call->message);
    return rv == APR_SUCCESS ? take_runs(list->runs, call->message.body, pool) : rv;
}

static apr_status_t count_under_way(wf_under_way_t *count, wf_store_t *store, const char *vhost,
                                    const char *project, const char *task, wf_result_t *result,
                                    apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_UNDER_WAY, pool);
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_VHOST, vhost);
    wf_field_add_text(&call->request, WF_FIELD_PROJECT, project);
    wf_field_add_text(&call->request, WF_FIELD_TASK, task);
    rv = wf_call_send(call, client_of(store), 0, result);
    if (rv == APR_SUCCESS) {
        count->queued = (apr_uint32_t)wf_message_u64(&call->message, WF_FIELD_QUEUE);
        count->running = (apr_uint32_t)wf_message_u64(&call->message, WF_FIELD_COUNT);
    }
    return rv;
}

static apr_status_t reap(apr_uint64_t *count, wf_store_t *store, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_REAP, pool);
    apr_status_t rv;

    rv = wf_call_send(call, client_of(store), 0, NULL);
    *count = wf_message_u64(&call->message, WF_FIELD_COUNT);
    return rv;
}

static apr_status_t purge(apr_uint64_t *count, int *more, wf_store_t *store,
                          apr_interval_time_t keep, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_PURGE, pool);
    apr_status_t rv;

    wf_field_add_u64(&call->request, WF_FIELD_KEEP, (apr_uint64_t)keep);
    rv = wf_call_send(call, client_of(store), 0, NULL);
    *count = wf_message_u64(&call->message, WF_FIELD_COUNT);
    *more = wf_message_u64(&call->message, WF_FIELD_MORE) != 0;
    return rv;
}

static apr_status_t wait_for_news(unsigned *events, wf_store_t *store, apr_uint64_t incarnation,
                                  apr_interval_time_t timeout, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_WAIT, pool);
    apr_status_t rv;

    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&call->request, WF_FIELD_TIMEOUT, (apr_uint64_t)timeout);
    rv = wf_call_send(call, client_of(store), timeout, NULL);
    *events = (unsigned)wf_message_u64(&call->message, WF_FIELD_EVENTS);
    return rv;
}

static int is_before(void *deadline)
{
    return wf_clock() < *(const apr_time_t *)deadline;
}

static apr_status_t read_stats(wf_store_stats_t *stats, wf_store_t *store, const char *vhost,
                               apr_interval_time_t patience, wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client_of(store), WF_OP_STATS, pool);
    apr_time_t deadline = wf_clock() + patience;
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_VHOST, vhost);
    if (patience) {
        call->is_wanted = is_before;
        call->baton = &deadline;
    }
    rv = wf_call_send(call, client_of(store), 0, result);
    if (rv == WF_ECANCELLED) {
        return wf_result_set(result, WF_EUNAVAILABLE, WF_PROBLEM_UNAVAILABLE,
                             "The run store does not answer. Try again in a moment.");
    }
    return rv == APR_SUCCESS ? wf_stats_decode(stats, &call->message, pool) : rv;
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
    .join = join,
    .drain = drain,
    .claim = claim_runs,
    .heartbeat = heartbeat,
    .progress = report_progress,
    .append_output = append_output,
    .finish = finish_run,
    .release = release_run,
    .interrupt = interrupt_run,
    .get = get_run,
    .read_output = read_output,
    .list = list_runs,
    .under_way = count_under_way,
    .reap = reap,
    .purge = purge,
    .wait = wait_for_news,
    .watch = wf_client_watch,
    .watch_begin = wf_client_watch_begin,
    .watch_end = wf_client_watch_end,
    .stats = read_stats,
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
