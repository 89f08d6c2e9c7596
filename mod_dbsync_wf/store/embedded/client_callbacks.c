/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the store contract that tell ends of runs. */
#include "store/embedded/client_call.h"
#include "store/embedded/client_runner.h"
#include "store/embedded/record.h"
#include "store/embedded/record_configuration.h"

static apr_status_t take_claim(wf_callback_claim_t *claim, wf_slice_t bytes, apr_pool_t *pool)
{
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value;

    memset(claim, 0, sizeof(*claim));
    while ((rv = wf_field_next(&tag, &value, &bytes)) == APR_SUCCESS) {
        if (tag == WF_FIELD_RUN) {
            rv = wf_record_decode(&claim->run, value, pool);
        } else if (tag == WF_FIELD_CONFIGURATION) {
            rv = wf_stored_configuration_decode(&claim->configuration, value, pool);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t wf_client_claim_callbacks(apr_array_header_t **claims, wf_store_t *store,
                                       apr_uint64_t incarnation, apr_uint32_t max, apr_pool_t *pool)
{
    wf_client_t *client = wf_client_of(store);
    wf_call_t *call = wf_call_begin(client, WF_OP_CLAIM_CALLBACKS, pool);
    unsigned char tag;
    wf_slice_t value, rest;
    apr_status_t rv;

    *claims = apr_array_make(pool, 8, sizeof(wf_callback_claim_t));
    wf_field_add_u64(&call->request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&call->request, WF_FIELD_SEQUENCE, client->callback_sequence);
    wf_field_add_u64(&call->request, WF_FIELD_MAX, max);
    rv = wf_call_send(call, client, 0, NULL);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    client->callback_sequence++; /* only now, as for runs */
    rest = call->message.body;
    while ((rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag == WF_FIELD_CALLBACK) {
            rv = take_claim(apr_array_push(*claims), value, pool);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t wf_client_tell_callback(wf_store_t *store, const wf_callback_outcome_t *outcome,
                                     apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_TELL_CALLBACK, pool);
    wf_callback_status_e status = outcome->is_delivered  ? WF_CALLBACK_DELIVERED
                                  : outcome->is_given_up ? WF_CALLBACK_FAILED
                                                         : WF_CALLBACK_PENDING;

    wf_field_add(&call->request, WF_FIELD_PID, wf_slice_of(&outcome->pid, sizeof(outcome->pid)));
    wf_field_add_u64(&call->request, WF_FIELD_COUNT, outcome->attempt);
    wf_field_add_u64(&call->request, WF_FIELD_STATUS, (apr_uint64_t)status);
    wf_field_add_u64(&call->request, WF_FIELD_ANSWER, outcome->http_status);
    wf_field_add_text(&call->request, WF_FIELD_REASON, outcome->reason);
    return wf_call_send(call, wf_client_of(store), 0, NULL);
}
