/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLAIM: who waits for something to claim. One a connection. A run that is made ready by a batch is
 * claimed in that batch, so that it costs no commit of its own, and is on its way to its runner
 * when its creation is answered.
 */
#include "store/embedded/keeper_internal.h"

#include "base/clock.h"

/* The sequences of claims that follow an end, apart from those that runners count. */
#define FOLLOWING ((apr_uint64_t)1 << 63)

void wf_claims_drop(wf_keeper_t *keeper, wf_peer_t *peer)
{
    if (peer->is_claiming) {
        TAILQ_REMOVE(&keeper->claiming, peer, claim);
        peer->is_claiming = 0;
    }
}

apr_status_t wf_claims_begin(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_claims_drop(keeper, peer);
    peer->claimer = (wf_claimer_t){
        .incarnation = wf_message_u64(m, WF_FIELD_INCARNATION),
        .sequence = wf_message_u64(m, WF_FIELD_SEQUENCE),
        .max = (apr_uint32_t)wf_message_u64(m, WF_FIELD_MAX),
        .call = m->call,
        .end = wf_clock() + wf_keeper_bounded(wf_message_u64(m, WF_FIELD_TIMEOUT), 0, WF_WAIT_MAX),
        .is_fresh = 1,
        .is_unknown = 1,
    };
    peer->is_claiming = 1;
    TAILQ_INSERT_TAIL(&keeper->claiming, peer, claim);
    return APR_SUCCESS;
}

static void add_claim(wf_buf_t *out, const wf_claim_t *claim)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_CLAIM);

    wf_keeper_add_run(out, &claim->run);
    wf_field_add(out, WF_FIELD_PAYLOAD, claim->payload);
    for (int i = 0; i < claim->markers->nelts; i++) {
        wf_marker_encode(out, WF_FIELD_MARKER, &APR_ARRAY_IDX(claim->markers, i, wf_run_marker_t));
    }
    wf_field_add_u64(out, WF_FIELD_OFFSET, claim->output);
    wf_field_close(out, mark);
}

/* `claims` may be NULL. */
static void answer(wf_keeper_t *keeper, wf_peer_t *peer, apr_status_t rv,
                   const apr_array_header_t *claims)
{
    apr_size_t mark;

    wf_peer_touch(keeper, peer);
    mark = wf_frame_begin(&peer->out, (unsigned char)wf_answer_code(rv), peer->claimer.call);
    for (int i = 0; rv == APR_SUCCESS && claims && i < claims->nelts; i++) {
        add_claim(&peer->out, &APR_ARRAY_IDX(claims, i, wf_claim_t));
    }
    wf_frame_end(&peer->out, mark);
    peer->claimer.is_answered = 1;
}

apr_status_t wf_claims_follow(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m,
                              apr_uint64_t fence)
{
    wf_claimer_t *claimer = &peer->claimer;
    apr_array_header_t *claims;
    apr_status_t rv;

    /* One by one, an end does not fail for what is damaged of another run. */
    if (!m->field[WF_FIELD_INCARNATION].len || keeper->one_by_one || peer->is_claiming) {
        return APR_SUCCESS;
    }
    claimer->incarnation = wf_message_u64(m, WF_FIELD_INCARNATION);
    claimer->sequence = FOLLOWING | fence;
    rv = wf_state_claim(&claims, &keeper->state, claimer->incarnation, claimer->sequence, 1,
                        keeper->batch);
    if (rv == APR_SUCCESS && claims->nelts) {
        claimer->is_unread = 1;
        add_claim(&peer->out, &APR_ARRAY_IDX(claims, 0, wf_claim_t));
    }
    return rv == WF_ESTALE ? APR_SUCCESS : rv;
}

/* Whether claiming may come to something. */
static int is_worth_it(wf_keeper_t *keeper, const wf_claimer_t *claimer)
{
    const wf_holder_t *holder = wf_board_holder(&keeper->state.board, claimer->incarnation);

    return claimer->is_unknown || !holder || holder->draining ||
           wf_board_is_ready(&keeper->state.board);
}

static apr_status_t claim(wf_keeper_t *keeper, wf_peer_t *peer, int is_late)
{
    wf_claimer_t *claimer = &peer->claimer;
    apr_uint64_t changes = wf_bdb_changes(keeper->bdb);
    apr_array_header_t *claims;
    apr_status_t rv = wf_state_claim(&claims, &keeper->state, claimer->incarnation,
                                     claimer->sequence, claimer->max, keeper->batch);
    apr_status_t settled = wf_keeper_may_answer(rv) ? wf_keeper_settle(keeper, rv, changes) : rv;

    if (settled != APR_SUCCESS) {
        return settled;
    }
    claimer->is_unknown = 0;
    if (rv != APR_SUCCESS || claims->nelts || is_late) {
        answer(keeper, peer, rv, claims);
    }
    /* What has changed without a claim are runs that ended because they are damaged. */
    return keeper->one_by_one ? wf_state_commit(&keeper->state) : APR_SUCCESS;
}

apr_status_t wf_claims_serve(wf_keeper_t *keeper)
{
    apr_time_t now = TAILQ_EMPTY(&keeper->claiming) ? 0 : wf_clock();
    apr_status_t rv = APR_SUCCESS;
    wf_peer_t *peer;

    TAILQ_FOREACH(peer, &keeper->claiming, claim)
    {
        int is_late = peer->claimer.end <= now;

        if (rv != APR_SUCCESS || peer->claimer.is_answered || peer->closing) {
            continue;
        }
        if (!keeper->read_only && is_worth_it(keeper, &peer->claimer)) {
            rv = claim(keeper, peer, is_late);
        } else if (is_late) {
            answer(keeper, peer, APR_SUCCESS, NULL);
        }
    }
    return rv;
}

void wf_claims_done(wf_keeper_t *keeper)
{
    wf_peer_t *peer, *next;

    for (peer = TAILQ_FIRST(&keeper->claiming); peer; peer = next) {
        next = TAILQ_NEXT(peer, claim);
        peer->claimer.is_fresh = 0;
        if (peer->claimer.is_answered) {
            peer->claimer.is_unread = 1;
            wf_claims_drop(keeper, peer);
        }
    }
}

void wf_claims_undo(wf_keeper_t *keeper)
{
    wf_peer_t *peer, *next;

    for (peer = TAILQ_FIRST(&keeper->claiming); peer; peer = next) {
        next = TAILQ_NEXT(peer, claim);
        peer->claimer.is_answered = 0;
        peer->claimer.is_unknown = 1;
        if (peer->claimer.is_fresh) {
            wf_claims_drop(keeper, peer);
        }
    }
}

void wf_claims_gone(wf_keeper_t *keeper, wf_peer_t *peer, int is_reset)
{
    const wf_claimer_t *claimer = &peer->claimer;

    if (is_reset && claimer->is_unread) {
        wf_state_unread(&keeper->state, claimer->incarnation, claimer->sequence);
    }
}

apr_time_t wf_claims_next(const wf_keeper_t *keeper, apr_time_t next)
{
    const wf_peer_t *peer;

    TAILQ_FOREACH(peer, &keeper->claiming, claim)
    {
        next = peer->claimer.end < next ? peer->claimer.end : next;
    }
    return next;
}
