/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, committing and undoing the state. */
#include "store/embedded/state.h"

#include "base/clock.h"
#include "base/log.h"

static apr_status_t load_runner(void *baton, apr_uint64_t incarnation, const char *host)
{
    wf_state_t *state = baton;
    wf_holder_t *holder = wf_board_holder(&state->board, incarnation);

    if (!holder) {
        holder = wf_board_add_holder(&state->board, incarnation, host);
        holder->lease_end = wf_clock() + WF_LEASE_GRACE;
    }
    holder->seen = 1;
    if (incarnation > state->incarnation) {
        state->incarnation = incarnation; /* the counter was lost with a damaged table */
    }
    return APR_SUCCESS;
}

static apr_status_t load_entry(void *baton, const wf_run_t *row, apr_uint64_t sequence)
{
    wf_state_t *state = baton;
    wf_entry_t *entry = wf_board_queue(&state->board, row);
    wf_holder_t *holder = wf_board_holder(&state->board, row->incarnation);

    entry->sequence = sequence;
    if (row->fence > state->fence) {
        state->fence = row->fence; /* likewise */
    }
    if (row->status == WF_RUN_RUNNING) {
        if (!holder) {
            /* Cannot be: a runner's row goes in the transaction that ends its runs. */
            wf_log_error(0, "WF0120",
                         "a run is held by a runner that is not known; " WF_BDB_ADVICE);
            return WF_EDAMAGED;
        }
        wf_board_hold(&state->board, entry, holder);
    }
    return APR_SUCCESS;
}

/* Forgets the holders that the runners table does not have: their join was undone. */
static void drop_unseen(wf_state_t *state)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, state->board.holders); i;
         i = apr_hash_next(i)) {
        wf_holder_t *holder;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        holder = value;
        if (!holder->seen) {
            wf_board_remove_holder(&state->board, holder);
        } else {
            holder->seen = 0;
        }
    }
}

static apr_status_t load(wf_state_t *state)
{
    apr_pool_t *scratch;
    apr_status_t rv = apr_pool_create(&scratch, state->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    wf_board_clear(&state->board);
    state->fence_moved = 0;
    memset(&state->purge_at, 0, sizeof(state->purge_at));
    if ((rv = wf_counters_get(&state->fence, &state->tables, WF_COUNTER_FENCE, scratch)) ==
            APR_SUCCESS &&
        (rv = wf_counters_get(&state->incarnation, &state->tables, WF_COUNTER_INCARNATION,
                              scratch)) == APR_SUCCESS &&
        (rv = wf_runners_walk(&state->tables, load_runner, state, scratch)) == APR_SUCCESS) {
        rv = wf_active_walk(&state->tables, load_entry, state, scratch);
        drop_unseen(state);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_state_load_revisions(state, scratch);
    }
    apr_pool_destroy(scratch);
    return rv;
}

apr_status_t wf_state_open(wf_state_t *state, wf_bdb_t *bdb, apr_pool_t *pool)
{
    apr_status_t rv;

    memset(state, 0, sizeof(*state));
    state->pool = pool;
    state->damaged = apr_hash_make(pool);
    memset(&state->recall.before, 0xff, sizeof(state->recall.before));
    wf_board_init(&state->board, pool);
    wf_tally_init(&state->tally, pool);
    wf_rates_init(&state->rates, pool);
    rv = wf_tables_open(&state->tables, bdb, pool);
    if (rv == APR_SUCCESS) {
        rv = wf_outbox_open(state);
    }
    if (rv == APR_SUCCESS) {
        rv = load(state);
    }
    if (rv == APR_SUCCESS) {
        wf_log_info(0, "WF0121", "the store is open: %u runs under way, %u runners known",
                    apr_hash_count(state->board.entries), apr_hash_count(state->board.holders));
    }
    return rv;
}

apr_status_t wf_state_commit(wf_state_t *state)
{
    apr_status_t rv = APR_SUCCESS;
    apr_uint64_t changes;

    if (state->fence_moved) {
        rv = wf_counters_put(&state->tables, WF_COUNTER_FENCE, state->fence);
        state->fence_moved = 0;
    }
    if (rv == APR_SUCCESS) {
        rv = wf_outbox_save(state);
    }
    changes = wf_bdb_changes(state->tables.bdb);
    if (rv == APR_SUCCESS) {
        rv = wf_bdb_commit(state->tables.bdb);
    }
    if (rv == APR_SUCCESS) {
        wf_tally_commit(&state->tally, changes != state->changes);
        wf_outbox_commit(state);
        wf_rates_commit(&state->rates);
        state->changes = changes;
    }
    return rv;
}

void wf_state_touch(wf_state_t *state)
{
    state->fence_moved = 1;
}

apr_status_t wf_state_rollback(wf_state_t *state)
{
    wf_bdb_abort(state->tables.bdb);
    wf_tally_rollback(&state->tally);
    wf_outbox_rollback(state);
    wf_rates_rollback(&state->rates);
    state->changes = wf_bdb_changes(state->tables.bdb);
    return load(state);
}

apr_status_t wf_state_save(wf_state_t *state, const wf_entry_t *entry)
{
    wf_run_t row;

    wf_entry_row(&row, entry);
    return wf_active_put(&state->tables, &row, entry->sequence);
}
