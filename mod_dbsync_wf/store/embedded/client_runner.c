/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the store contract that runners make. */
#include "store/embedded/client_runner.h"

#include "store/embedded/client_call.h"
#include "store/embedded/record.h"

apr_status_t wf_client_join(apr_uint64_t *incarnation, wf_store_t *store, const char *host,
                            apr_uint32_t slots, apr_interval_time_t ttl, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_JOIN, pool);
    apr_status_t rv;

    wf_field_add_text(&call->request, WF_FIELD_HOST, host);
    wf_field_add_u64(&call->request, WF_FIELD_SLOTS, slots);
    wf_field_add_u64(&call->request, WF_FIELD_TTL, (apr_uint64_t)ttl);
    rv = wf_call_send(call, wf_client_of(store), 0, NULL);
    *incarnation = wf_message_u64(&call->message, WF_FIELD_INCARNATION);
    return rv;
}

apr_status_t wf_client_drain(wf_store_t *store, apr_uint64_t incarnation, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_DRAIN, pool);

    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    return wf_call_send(call, wf_client_of(store), 0, NULL);
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

apr_status_t wf_client_claim(apr_array_header_t **claims, wf_store_t *store,
                             apr_uint64_t incarnation, apr_uint32_t max,
                             apr_interval_time_t timeout, apr_pool_t *pool)
{
    wf_call_t *call;
    wf_client_t *client = wf_client_of(store);
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

apr_status_t wf_client_heartbeat(apr_array_header_t **interrupted, wf_store_t *store,
                                 apr_uint64_t incarnation, apr_interval_time_t ttl,
                                 apr_pool_t *pool)
{
    wf_call_t *call;
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value, rest;

    *interrupted = apr_array_make(pool, 4, sizeof(wf_token_t));
    call = wf_call_begin(wf_client_of(store), WF_OP_HEARTBEAT, pool);
    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&call->request, WF_FIELD_TTL, (apr_uint64_t)ttl);
    rv = wf_call_send(call, wf_client_of(store), 0, NULL);
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

apr_status_t wf_client_progress(wf_store_t *store, const wf_token_t *token,
                                const wf_run_progress_t *progress, const wf_run_records_t *records,
                                apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_PROGRESS, pool);

    wf_token_encode(&call->request, token);
    wf_field_add_text(&call->request, WF_FIELD_ACTION, progress->action);
    wf_field_add_u64(&call->request, WF_FIELD_DONE, progress->done);
    wf_field_add_u64(&call->request, WF_FIELD_TOTAL, progress->total);
    wf_field_add_u64(&call->request, WF_FIELD_READ, records->read);
    wf_field_add_u64(&call->request, WF_FIELD_WRITTEN, records->written);
    wf_field_add_u64(&call->request, WF_FIELD_FAILED, records->failed);
    return wf_call_send(call, wf_client_of(store), 0, NULL);
}

static void add_output(wf_call_t *call, apr_uint64_t offset, wf_slice_t bytes)
{
    if (bytes.len) {
        wf_field_add_u64(&call->request, WF_FIELD_OFFSET, offset);
        wf_field_add(&call->request, WF_FIELD_OUTPUT, bytes);
    }
}

apr_status_t wf_client_append_output(wf_store_t *store, const wf_token_t *token,
                                     apr_uint64_t offset, wf_slice_t bytes, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_APPEND, pool);

    wf_token_encode(&call->request, token);
    add_output(call, offset, bytes);
    return wf_call_send(call, wf_client_of(store), 0, NULL);
}

/* The claim in an answer, where there is one. */
static apr_status_t take_next(wf_claim_t **next, wf_slice_t body, apr_pool_t *pool)
{
    apr_array_header_t *claims = apr_array_make(pool, 1, sizeof(wf_claim_t));
    apr_status_t rv = take_claims(claims, body, pool);

    *next = claims->nelts ? &APR_ARRAY_IDX(claims, 0, wf_claim_t) : NULL;
    return rv;
}

apr_status_t wf_client_finish(wf_claim_t **next, wf_store_t *store, const wf_finish_t *finish,
                              apr_pool_t *pool)
{
    apr_status_t rv;
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
    call = wf_call_begin(wf_client_of(store), WF_OP_FINISH, pool);
    mark = wf_field_open(&call->request, WF_FIELD_RUN);
    wf_record_encode(&call->request, &ended);
    wf_field_close(&call->request, mark);
    for (int i = 0; i < finish->marker_count; i++) {
        wf_marker_encode(&call->request, WF_FIELD_MARKER, &finish->markers[i]);
    }
    add_output(call, finish->output_offset, finish->output);
    if (!next) {
        return wf_call_send(call, wf_client_of(store), 0, NULL);
    }
    *next = NULL;
    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, finish->incarnation);
    rv = wf_call_send(call, wf_client_of(store), 0, NULL);
    return rv == APR_SUCCESS ? take_next(next, call->message.body, pool) : rv;
}

apr_status_t wf_client_release(wf_store_t *store, const wf_token_t *token, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_RELEASE, pool);

    wf_token_encode(&call->request, token);
    return wf_call_send(call, wf_client_of(store), 0, NULL);
}

apr_status_t wf_client_wait(unsigned *events, wf_store_t *store, apr_uint64_t incarnation,
                            apr_interval_time_t timeout, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_WAIT, pool);
    apr_status_t rv;

    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&call->request, WF_FIELD_TIMEOUT, (apr_uint64_t)timeout);
    rv = wf_call_send(call, wf_client_of(store), timeout, NULL);
    *events = (unsigned)wf_message_u64(&call->message, WF_FIELD_EVENTS);
    return rv;
}
