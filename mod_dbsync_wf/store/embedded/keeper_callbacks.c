/* SPDX-License-Identifier: Apache-2.0 */
/* CLAIM_CALLBACKS and TELL_CALLBACK; and who is woken when an end is due to be told. */
#include "store/embedded/keeper_internal.h"

#define CLAIM_MOST 16 /* ends in one answer: each has a result and a configuration */

static void add_claim(wf_buf_t *out, const wf_callback_claim_t *claim)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_CALLBACK);
    apr_size_t configuration;

    wf_keeper_add_run(out, &claim->run);
    configuration = wf_field_open(out, WF_FIELD_CONFIGURATION);
    wf_stored_configuration_encode(out, &claim->configuration);
    wf_field_close(out, configuration);
    wf_field_close(out, mark);
}

apr_status_t wf_keeper_claim_callbacks(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_array_header_t *claims;
    apr_status_t rv = wf_state_claim_callbacks(
        &claims, &keeper->state, wf_message_u64(m, WF_FIELD_INCARNATION),
        wf_message_u64(m, WF_FIELD_SEQUENCE),
        (apr_uint32_t)wf_keeper_bounded(wf_message_u64(m, WF_FIELD_MAX), 0, CLAIM_MOST),
        keeper->batch);

    for (int i = 0; rv == APR_SUCCESS && i < claims->nelts; i++) {
        add_claim(&peer->out, &APR_ARRAY_IDX(claims, i, wf_callback_claim_t));
    }
    return rv;
}

apr_status_t wf_keeper_tell_callback(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_uint64_t status = wf_message_u64(m, WF_FIELD_STATUS);
    wf_callback_outcome_t outcome = {
        .attempt = (apr_uint32_t)wf_message_u64(m, WF_FIELD_COUNT),
        .is_delivered = status == WF_CALLBACK_DELIVERED,
        .is_given_up = status == WF_CALLBACK_FAILED,
        .http_status = (apr_uint32_t)wf_message_u64(m, WF_FIELD_ANSWER),
        .reason = wf_message_text(m, WF_FIELD_REASON, keeper->batch),
    };
    apr_status_t rv = wf_message_pid(&outcome.pid, m);

    (void)peer;
    return rv == APR_SUCCESS ? wf_state_tell_callback(&keeper->state, &outcome, keeper->batch) : rv;
}

/*
 * Once for what is due: from then on it is theirs to claim, until a claim has left something. A
 * runner that joins later looks by itself.
 */
void wf_keeper_wake_tellers(wf_keeper_t *keeper)
{
    if (keeper->refuses || !wf_outbox_is_due(&keeper->state)) {
        return;
    }
    keeper->state.outbox.next = WF_OUTBOX_NEVER;
    for (apr_hash_index_t *i = apr_hash_first(NULL, keeper->state.board.holders); i;
         i = apr_hash_next(i)) {
        wf_holder_t *holder;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        holder = value;
        if (!holder->draining) {
            holder->news |= WF_EVENT_CALLBACK;
        }
    }
}
