/* SPDX-License-Identifier: Apache-2.0 */
/* One batch: every request that has arrived, what is due besides, one commit, the answers. */
#include "store/embedded/keeper_internal.h"

#include "base/clock.h"
#include "base/log.h"

#define FAILURE_PAUSE apr_time_from_sec(1) /* after a batch failed, before leases are ended */
#define PURGE_LEAST   apr_time_from_sec(1) /* between two passes over what has been kept */
#define PURGE_MOST    apr_time_from_sec(60)
#define PURGE_PART    16 /* else this part of the retention */

/* Executes the frames of one peer that have arrived whole. */
static apr_status_t execute_frames(wf_keeper_t *keeper, wf_peer_t *peer)
{
    apr_status_t rv;
    wf_slice_t frame;
    apr_size_t need;

    for (;;) {
        wf_slice_t rest = wf_slice_of(peer->in.data + peer->done, peer->in.len - peer->done);

        rv = wf_frame_next(&frame, &need, rest);
        if (rv == WF_EPROTOCOL) {
            peer->closing = 1;
        }
        if (rv != APR_SUCCESS) {
            return APR_SUCCESS;
        }
        rv = wf_keeper_execute(keeper, peer, frame);
        if (rv == APR_SUCCESS && keeper->one_by_one) {
            rv = wf_state_commit(&keeper->state);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        peer->done += need;
    }
}

static apr_status_t execute_all(wf_keeper_t *keeper)
{
    wf_peer_t *peer;
    apr_status_t rv = APR_SUCCESS;

    TAILQ_FOREACH(peer, &keeper->touched, touch)
    {
        if (rv == APR_SUCCESS && peer->in.len) {
            rv = execute_frames(keeper, peer);
        }
    }
    return rv;
}

/* When leases are looked at next, 0: there are none. */
static apr_time_t next_reap(wf_keeper_t *keeper)
{
    apr_time_t next = wf_state_next_expiry(&keeper->state);

    return next && next < keeper->reap_after ? keeper->reap_after : next;
}

/* Ends leases that have run out. After the requests: a runner whose heartbeat is here is alive. */
static apr_status_t reap(wf_keeper_t *keeper)
{
    apr_time_t next = next_reap(keeper);
    apr_uint64_t count;

    return next && next <= wf_clock() ? wf_state_reap(&count, &keeper->state, keeper->batch)
                                      : APR_SUCCESS;
}

static apr_time_t next_pass(const wf_keeper_t *keeper)
{
    apr_interval_time_t pause = keeper->retention / PURGE_PART;

    if (pause < PURGE_LEAST) {
        pause = PURGE_LEAST;
    }
    return wf_clock() + (pause > PURGE_MOST ? PURGE_MOST : pause);
}

/* Deletes a few of the runs that have been kept long enough; steps follow until there are no more.
 */
static apr_status_t purge(wf_keeper_t *keeper)
{
    apr_uint64_t changes = wf_bdb_changes(keeper->bdb);
    apr_uint64_t count;
    int more;
    apr_status_t rv;

    if (!keeper->retention || wf_clock() < keeper->purge_next) {
        return APR_SUCCESS;
    }
    rv = wf_state_purge(&count, &more, &keeper->state, keeper->retention, keeper->batch);
    if (rv == WF_EDAMAGED || (rv == APR_SUCCESS && !more)) {
        keeper->purge_next = next_pass(keeper);
    }
    return rv == WF_EDAMAGED && changes == wf_bdb_changes(keeper->bdb) ? APR_SUCCESS : rv;
}

/* Executes the batch so that each writer is refused and each reader gets what is on disk. */
static apr_status_t execute_reads(wf_keeper_t *keeper)
{
    apr_status_t rv;

    keeper->read_only = 1;
    rv = execute_all(keeper);
    if (rv == APR_SUCCESS) {
        rv = wf_claims_serve(keeper);
    }
    keeper->read_only = 0;
    return rv;
}

/* Undoes the batch: the requests are there still, and nothing has been answered. */
static apr_status_t undo_batch(wf_keeper_t *keeper, apr_status_t why)
{
    wf_peer_t *peer;

    if (wf_bdb_is_broken(keeper->bdb) || wf_state_rollback(&keeper->state) != APR_SUCCESS ||
        wf_bdb_is_broken(keeper->bdb)) {
        wf_log_error(why, "WF0140", "a batch of requests failed and could not be undone");
        return why;
    }
    TAILQ_FOREACH(peer, &keeper->touched, touch)
    {
        peer->done = 0;
        peer->out.len = peer->mark;
    }
    wf_claims_undo(keeper);
    return APR_SUCCESS;
}

/* Executes the batch and makes it durable. */
static apr_status_t write_batch(wf_keeper_t *keeper)
{
    apr_status_t rv = execute_all(keeper);

    if (rv == APR_SUCCESS) {
        rv = reap(keeper);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_claims_serve(keeper);
    }
    if (rv == APR_SUCCESS) {
        rv = purge(keeper);
    }
    if (rv == APR_SUCCESS && keeper->writing.status != APR_SUCCESS) {
        /* Also where nobody asks: so that it is known when it works. */
        wf_state_touch(&keeper->state);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_state_commit(&keeper->state);
    }
    if (rv == APR_SUCCESS) {
        wf_trouble_over(&keeper->writing);
    }
    return rv;
}

/* Whether nothing is to be written before it is tried again; then no lease is ended either, and
 * nothing purged. */
static int must_wait(wf_keeper_t *keeper)
{
    const wf_trouble_t *checkpointing = &keeper->checkpointing;

    if (checkpointing->status != APR_SUCCESS && wf_bdb_is_laden(keeper->bdb)) {
        keeper->reap_after = keeper->purge_next = keeper->writing.retry = checkpointing->retry;
        return 1;
    }
    return wf_trouble_waits(&keeper->writing);
}

apr_status_t wf_keeper_do_batch(wf_keeper_t *keeper)
{
    apr_status_t rv;

    if (keeper->refuses || must_wait(keeper)) {
        return execute_reads(keeper);
    }
    rv = write_batch(keeper);
    if (rv == WF_EDAMAGED && undo_batch(keeper, rv) == APR_SUCCESS) {
        keeper->one_by_one = 1;
        rv = write_batch(keeper);
        keeper->one_by_one = 0;
    }
    if (rv == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    if (undo_batch(keeper, rv) != APR_SUCCESS) {
        return rv;
    }
    wf_trouble_note(&keeper->writing, rv);
    keeper->reap_after = keeper->purge_next = wf_clock() + FAILURE_PAUSE;
    return execute_reads(keeper);
}

void wf_keeper_answer_all(wf_keeper_t *keeper)
{
    wf_peer_t *peer;

    while ((peer = TAILQ_FIRST(&keeper->touched)) != NULL) {
        TAILQ_REMOVE(&keeper->touched, peer, touch);
        peer->is_touched = 0;
        wf_buf_consume(&peer->in, peer->done);
        peer->done = 0;
        wf_peer_flush(keeper, peer);
    }
}

apr_time_t wf_keeper_next(wf_keeper_t *keeper, apr_time_t next)
{
    apr_time_t lease = next_reap(keeper);
    wf_peer_t *peer;

    if (keeper->recalls) {
        return wf_clock();
    }
    if (lease && lease < next) {
        next = lease;
    }
    if (keeper->retention && keeper->purge_next < next) {
        next = keeper->purge_next;
    }
    /* While nothing can be written, neither of them can be done. */
    if (wf_trouble_waits(&keeper->writing) && next < keeper->writing.retry) {
        next = keeper->writing.retry;
    }
    next = wf_trouble_next(&keeper->writing, next);
    if (keeper->watch_next < next) {
        next = keeper->watch_next;
    }
    if (wf_outbox_next(&keeper->state) < next) {
        next = wf_outbox_next(&keeper->state);
    }
    TAILQ_FOREACH(peer, &keeper->waiting, wait)
    {
        if (peer->wait_end < next) {
            next = peer->wait_end;
        }
    }
    return wf_claims_next(keeper, next);
}
