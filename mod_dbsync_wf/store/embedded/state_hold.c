/* SPDX-License-Identifier: Apache-2.0 */
/* What runners do: join, claim, renew, report, finish; and what happens to those that are lost. */
#include "store/embedded/state.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"

/* The holder of an incarnation that is in force. */
static apr_status_t find_holder(wf_holder_t **holder, wf_state_t *state, apr_uint64_t incarnation)
{
    *holder = wf_board_holder(&state->board, incarnation);
    return *holder ? APR_SUCCESS : WF_ESTALE;
}

apr_status_t wf_state_find_held(wf_entry_t **entry, wf_state_t *state, const wf_token_t *token)
{
    *entry = wf_board_find(&state->board, &token->pid);
    return *entry && (*entry)->holder && (*entry)->fence == token->fence ? APR_SUCCESS : WF_ESTALE;
}

/* Ends one run of a lost runner, or queues it again. */
static apr_status_t give_up(wf_state_t *state, wf_entry_t *entry, apr_pool_t *pool)
{
    wf_run_t run;
    wf_run_t end = {.status = WF_RUN_ERROR};

    if (entry->interrupt_requested) {
        end.status = WF_RUN_INTERRUPTED;
    } else if (entry->rerun_when_lost || entry->is_unread) {
        wf_board_unhold(&state->board, entry);
        return wf_state_save(state, entry);
    } else {
        end.error.type = wf_problem_info(WF_PROBLEM_PROCESS_LOST)->slug;
        end.error.detail = "The process that executed the run ended or stopped answering before "
                           "the run did. What it had done by then stays done.";
    }
    return wf_state_end(&run, state, entry, &end, pool);
}

/* Expires a holder for ever: its runs are given up, its row goes. */
static apr_status_t expire(apr_uint64_t *count, wf_state_t *state, wf_holder_t *holder,
                           apr_pool_t *pool)
{
    wf_entry_t *entry;
    apr_status_t rv = APR_SUCCESS;
    apr_uint64_t given_up = 0;

    while (rv == APR_SUCCESS && (entry = TAILQ_FIRST(&holder->held)) != NULL) {
        rv = give_up(state, entry, pool);
        given_up++;
    }
    if (rv == APR_SUCCESS) {
        rv = wf_runners_delete(&state->tables, holder->incarnation);
    }
    if (rv == APR_SUCCESS) {
        if (given_up) {
            wf_log_warning(0, "WF0125",
                           "runner %" APR_UINT64_T_FMT " was lost with %" APR_UINT64_T_FMT " runs",
                           holder->incarnation, given_up);
        }
        wf_outbox_release(state, holder->incarnation);
        wf_board_remove_holder(&state->board, holder);
        *count += given_up;
    }
    return rv;
}

typedef int (*is_lost_t)(const wf_holder_t *holder, const void *what);

/* Expires all holders that is_lost says are lost. */
static apr_status_t expire_all(apr_uint64_t *count, wf_state_t *state, is_lost_t is_lost,
                               const void *what, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;

    for (apr_hash_index_t *i = apr_hash_first(pool, state->board.holders); i && rv == APR_SUCCESS;
         i = apr_hash_next(i)) {
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        if (is_lost(value, what)) {
            rv = expire(count, state, value, pool);
        }
    }
    return rv;
}

static int is_of_host(const wf_holder_t *holder, const void *host)
{
    return strcmp(holder->host, host) == 0;
}

apr_status_t wf_state_join(wf_holder_t **holder, wf_state_t *state, const char *host,
                           apr_interval_time_t ttl, apr_pool_t *pool)
{
    apr_uint64_t count = 0;
    apr_status_t rv;

    if (!host || ttl <= 0) {
        return WF_EINVALID;
    }
    /* A host has one runner at a time, and starts one when all that came of the last has ended. */
    rv = expire_all(&count, state, is_of_host, host, pool);
    if (rv == APR_SUCCESS) {
        state->incarnation++;
        rv = wf_counters_put(&state->tables, WF_COUNTER_INCARNATION, state->incarnation);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_runners_put(&state->tables, state->incarnation, host);
    }
    if (rv == APR_SUCCESS) {
        *holder = wf_board_add_holder(&state->board, state->incarnation, host);
        (*holder)->lease_end = wf_clock() + ttl;
    }
    return rv;
}

apr_status_t wf_state_drain(wf_state_t *state, apr_uint64_t incarnation)
{
    wf_holder_t *holder;
    apr_status_t rv = find_holder(&holder, state, incarnation);

    if (rv == APR_SUCCESS) {
        holder->draining = 1;
    }
    return rv;
}

/* Puts what an entry says into *claim. */
static apr_status_t fill_claim(wf_claim_t *claim, wf_state_t *state, wf_entry_t *entry,
                               const char *vhost, apr_pool_t *pool)
{
    apr_status_t rv = wf_state_get(&claim->run, state, vhost, &entry->pid, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_state_body(&claim->payload, state, &entry->pid, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_markers_get(&claim->markers, &state->tables, &claim->run, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_state_output_length(&claim->output, state, entry);
        /* Not being able to keep more of it is no reason not to execute the run. */
        rv = rv == WF_EDAMAGED ? APR_SUCCESS : rv;
    }
    claim->token.pid = entry->pid;
    claim->token.fence = entry->fence;
    return rv;
}

static apr_status_t claim_next(wf_state_t *state, wf_entry_t *entry, wf_holder_t *holder,
                               apr_uint64_t sequence)
{
    entry->fence = ++state->fence;
    state->fence_moved = 1;
    entry->sequence = sequence;
    entry->is_unread = 0;
    entry->started = apr_time_now();
    wf_board_hold(&state->board, entry, holder);
    return wf_state_save(state, entry);
}

/* Ends a run that cannot be executed, because its record or its body cannot be read. */
static apr_status_t end_damaged(wf_state_t *state, wf_entry_t *entry, apr_pool_t *pool)
{
    wf_run_t run;
    wf_run_t end = {.status = WF_RUN_ERROR};

    end.error.type = wf_problem_info(WF_PROBLEM_INTERNAL)->slug;
    end.error.detail =
        "What is stored of the run, or for its task, is damaged. It was not executed.";
    return wf_state_end(&run, state, entry, &end, pool);
}

/* Adds a run that is held to the claims, or ends it where it is damaged. */
static apr_status_t add_claim(apr_array_header_t *claims, wf_state_t *state, wf_entry_t *entry,
                              apr_pool_t *pool)
{
    wf_claim_t claim;
    apr_status_t rv = fill_claim(&claim, state, entry, entry->group->vhost, pool);

    if (rv == WF_EDAMAGED) {
        return end_damaged(state, entry, pool);
    }
    if (rv == APR_SUCCESS) {
        APR_ARRAY_PUSH(claims, wf_claim_t) = claim;
    }
    return rv;
}

/* The runs that this very claim took when it was asked for before. */
static apr_status_t claim_again(apr_array_header_t *claims, wf_state_t *state,
                                const wf_holder_t *holder, apr_uint64_t sequence, apr_pool_t *pool)
{
    wf_entry_t *entry, *next;
    apr_status_t rv = APR_SUCCESS;

    for (entry = TAILQ_FIRST(&holder->held); entry && rv == APR_SUCCESS; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->sequence == sequence) {
            entry->is_unread = 0;
            rv = add_claim(claims, state, entry, pool);
        }
    }
    return rv;
}

apr_status_t wf_state_claim(apr_array_header_t **claims, wf_state_t *state,
                            apr_uint64_t incarnation, apr_uint64_t sequence, apr_uint32_t max,
                            apr_pool_t *pool)
{
    wf_holder_t *holder;
    wf_entry_t *entry;
    apr_status_t rv = find_holder(&holder, state, incarnation);

    *claims = apr_array_make(pool, 8, sizeof(wf_claim_t));
    if (rv == APR_SUCCESS) {
        rv = claim_again(*claims, state, holder, sequence, pool);
    }
    if (rv != APR_SUCCESS || (*claims)->nelts) {
        return rv;
    }
    if (holder->draining) {
        return WF_ESTALE;
    }
    while (rv == APR_SUCCESS && (apr_uint32_t)(*claims)->nelts < max &&
           (entry = wf_board_next(&state->board)) != NULL) {
        rv = claim_next(state, entry, holder, sequence);
        if (rv == APR_SUCCESS) {
            rv = add_claim(*claims, state, entry, pool);
        }
    }
    for (int i = 0; i < (*claims)->nelts; i++) {
        wf_tally_started(&state->tally, &APR_ARRAY_IDX(*claims, i, wf_claim_t).run);
    }
    return rv;
}

void wf_state_unread(wf_state_t *state, apr_uint64_t incarnation, apr_uint64_t sequence)
{
    wf_holder_t *holder = wf_board_holder(&state->board, incarnation);
    wf_entry_t *entry;

    if (holder) {
        TAILQ_FOREACH(entry, &holder->held, link)
        {
            entry->is_unread |= entry->sequence == sequence;
        }
    }
}

apr_status_t wf_state_heartbeat(wf_holder_t **holder, wf_state_t *state, apr_uint64_t incarnation,
                                apr_interval_time_t ttl)
{
    apr_status_t rv = find_holder(holder, state, incarnation);

    if (rv == APR_SUCCESS) {
        (*holder)->lease_end = wf_clock() + ttl;
    }
    return rv;
}

apr_status_t wf_state_progress(wf_state_t *state, const wf_token_t *token,
                               const wf_run_progress_t *progress, const wf_run_records_t *records)
{
    wf_entry_t *entry;
    apr_status_t rv = wf_state_find_held(&entry, state, token);

    if (rv == APR_SUCCESS) {
        wf_entry_set_progress(entry, progress, records);
    }
    return rv;
}

apr_status_t wf_state_finish(wf_state_t *state, const wf_run_t *end,
                             const apr_array_header_t *markers, apr_uint64_t offset,
                             wf_slice_t rest, apr_pool_t *pool)
{
    wf_token_t token = {end->pid, end->fence};
    wf_entry_t *entry;
    wf_run_t run;
    apr_status_t rv;

    if (!wf_run_status_is_final(end->status)) {
        return WF_EINVALID;
    }
    if (wf_state_find_held(&entry, state, &token) == APR_SUCCESS) {
        rv = rest.len ? wf_state_append_output(state, &token, offset, rest) : APR_SUCCESS;
        if (rv == APR_SUCCESS) {
            rv = wf_state_end(&run, state, entry, end, pool);
        }
        if (rv == APR_SUCCESS && end->status == WF_RUN_COMPLETED && markers->nelts) {
            rv = wf_markers_set(&state->tables, &run, markers, pool);
        }
        return rv;
    }
    rv = wf_runs_get(&run, NULL, &state->tables, &end->pid, pool);
    if (rv == APR_SUCCESS && run.fence == end->fence && run.status == end->status) {
        return APR_SUCCESS; /* the same call again */
    }
    return rv == APR_SUCCESS || rv == APR_NOTFOUND ? WF_ESTALE : rv;
}

apr_status_t wf_state_release(wf_state_t *state, const wf_token_t *token, apr_pool_t *pool)
{
    wf_entry_t *entry;
    apr_status_t rv = wf_state_find_held(&entry, state, token);

    if (rv != APR_SUCCESS) {
        /* The same call again: the run is queued and has not been claimed since. */
        return entry && !entry->holder && entry->fence == token->fence ? APR_SUCCESS : rv;
    }
    if (entry->interrupt_requested) {
        wf_run_t run;
        wf_run_t end = {.status = WF_RUN_INTERRUPTED};

        return wf_state_end(&run, state, entry, &end, pool);
    }
    wf_board_unhold(&state->board, entry);
    return wf_state_save(state, entry);
}

static int is_expired(const wf_holder_t *holder, const void *now)
{
    return holder->lease_end <= *(const apr_time_t *)now;
}

apr_status_t wf_state_reap(apr_uint64_t *count, wf_state_t *state, apr_pool_t *pool)
{
    apr_time_t now = wf_clock();

    *count = 0;
    return expire_all(count, state, is_expired, &now, pool);
}

apr_time_t wf_state_next_expiry(wf_state_t *state)
{
    apr_time_t next = 0;

    for (apr_hash_index_t *i = apr_hash_first(NULL, state->board.holders); i;
         i = apr_hash_next(i)) {
        void *value;
        const wf_holder_t *holder;

        apr_hash_this(i, NULL, NULL, &value);
        holder = value;
        if (!next || holder->lease_end < next) {
            next = holder->lease_end;
        }
    }
    return next;
}
