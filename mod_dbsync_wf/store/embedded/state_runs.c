/* SPDX-License-Identifier: Apache-2.0 */
/* What clients do to runs: create, get, interrupt; and how a run ends. */
#include "store/embedded/state.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"

/* Bytes of a body that goes with its run: far less than a page, and less than its end writes. */
#define SHORT_BODY 1024u

/* Lays what the board knows of a run that is under way over its record. */
static void overlay(wf_run_t *run, const wf_entry_t *entry)
{
    wf_run_t row;

    wf_entry_row(&row, entry);
    run->status = row.status;
    run->started = row.started;
    run->interrupt_requested = row.interrupt_requested;
    run->interrupted_by = row.interrupted_by;
    run->fence = row.fence;
    run->incarnation = row.incarnation;
    run->progress = row.progress;
    run->records = row.records;
}

apr_status_t wf_state_read(wf_run_t *run, wf_state_t *state, const wf_uuid_t *pid, apr_pool_t *pool)
{
    apr_status_t rv = wf_runs_get(run, NULL, &state->tables, pid, pool);
    const wf_entry_t *entry = wf_board_find(&state->board, pid);

    if (rv == APR_SUCCESS && entry) {
        overlay(run, entry);
    }
    return rv;
}

/*
 * The run that the key of a new one names, where it is in force and of the same request:
 * WF_ECONFLICT where it is of another one, APR_NOTFOUND where the key is free.
 */
static apr_status_t find_keyed(wf_run_t *run, wf_state_t *state, const wf_run_t *spec,
                               wf_slice_t payload, apr_pool_t *pool)
{
    wf_slice_t first;
    wf_uuid_t pid;
    apr_status_t rv = wf_idempotency_get(&pid, &state->tables, spec, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_state_read(run, state, &pid, pool);
    }
    if (rv != APR_SUCCESS || memcmp(&pid, &spec->pid, sizeof(pid)) == 0) {
        return rv;
    }
    if (run->submitted + WF_KEY_LIFE <= apr_time_now()) {
        return APR_NOTFOUND;
    }
    if (strcmp(run->project, spec->project) != 0 || strcmp(run->task, spec->task) != 0) {
        return WF_ECONFLICT;
    }
    rv = wf_state_body(&first, state, &pid, pool);
    return rv == APR_SUCCESS && !wf_slice_equal(first, payload) ? WF_ECONFLICT : rv;
}

static int is_full(wf_state_t *state, const wf_run_t *spec, apr_uint32_t task_limit)
{
    return (state->queue_limit && state->board.queued >= state->queue_limit) ||
           (task_limit && wf_board_queued(&state->board, spec) >= task_limit);
}

static apr_status_t ask_rate(wf_state_t *state, const wf_run_t *spec,
                             const wf_admission_t *admission)
{
    wf_buf_t key = {NULL, 0, 0};
    apr_status_t rv;

    wf_task_key(&key, spec->vhost, spec->project, spec->task);
    rv = wf_rates_ask(admission->retry, &state->rates, wf_buf_slice(&key), &admission->rate,
                      wf_clock());
    wf_buf_free(&key);
    return rv;
}

static void take_rate(wf_state_t *state, const wf_run_t *run, const wf_admission_t *admission)
{
    wf_buf_t key = {NULL, 0, 0};

    wf_task_key(&key, run->vhost, run->project, run->task);
    wf_rates_take(&state->rates, wf_buf_slice(&key), &admission->rate, wf_clock());
    wf_buf_free(&key);
}

/* What a run is refused with, and for WF_EOVERLAP the run that stands in its way; APR_SUCCESS where
 * it is not. */
static apr_status_t refusal(const wf_entry_t **overlap, wf_state_t *state, const wf_run_t *spec,
                            const wf_admission_t *admission, apr_pool_t *pool)
{
    apr_status_t rv = wf_state_check_revision(state, spec, admission->revision, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    *overlap = admission->refuse_overlap ? wf_board_overlap(&state->board, spec) : NULL;
    if (*overlap) {
        return WF_EOVERLAP;
    }
    if (is_full(state, spec, admission->queue_limit)) {
        return WF_EFULL;
    }
    return admission->rate.runs ? ask_rate(state, spec, admission) : APR_SUCCESS;
}

/*
 * Whether a run is let in: APR_NOTFOUND where it is; what it is refused with (WF_EOVERLAP: *run is
 * set) where it is not; APR_SUCCESS where it would not be and is there, because it is the same call
 * again.
 */
static apr_status_t admit(wf_run_t *run, wf_state_t *state, const wf_run_t *spec,
                          const wf_admission_t *admission, apr_pool_t *pool)
{
    const wf_entry_t *overlap = NULL;
    apr_status_t refused = refusal(&overlap, state, spec, admission, pool);
    apr_status_t rv;

    if (refused == APR_SUCCESS) {
        return APR_NOTFOUND;
    }
    rv = wf_state_read(run, state, &spec->pid, pool);
    if (rv == APR_NOTFOUND && refused == WF_EOVERLAP) {
        rv = wf_state_read(run, state, &overlap->pid, pool);
        return rv == APR_SUCCESS ? WF_EOVERLAP : rv;
    }
    return rv == APR_NOTFOUND ? refused : rv;
}

apr_status_t wf_state_body(wf_slice_t *body, wf_state_t *state, const wf_uuid_t *pid,
                           apr_pool_t *pool)
{
    wf_run_t run;
    apr_status_t rv = wf_runs_get(&run, body, &state->tables, pid, pool);

    if (rv == APR_SUCCESS && body->len == 0) {
        rv = wf_payloads_get(body, &state->tables, pid, pool);
        if (rv == APR_NOTFOUND) {
            return wf_tables_nonsense(&state->tables, "payloads.db");
        }
    }
    return rv;
}

/* Writes a run that is let in, with its queue entry and its key. */
static apr_status_t add_run(wf_run_t *run, wf_state_t *state, const wf_admission_t *admission,
                            wf_slice_t payload, apr_pool_t *pool)
{
    int is_short = payload.len && payload.len <= SHORT_BODY;
    apr_status_t rv = wf_runs_add(&state->tables, run, is_short ? payload : wf_slice(NULL));

    if (rv == APR_EEXIST) {
        const wf_uuid_t pid = run->pid;

        return wf_state_read(run, state, &pid, pool); /* the same call again */
    }
    if (rv == APR_SUCCESS && admission->rate.runs) {
        take_rate(state, run, admission);
    }
    if (rv == APR_SUCCESS && !is_short) {
        rv = wf_payloads_put(&state->tables, &run->pid, payload);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_by_project_put(&state->tables, run);
    }
    if (rv == APR_SUCCESS && run->idempotency_key) {
        rv = wf_idempotency_put(&state->tables, run);
    }
    if (rv == APR_SUCCESS) {
        wf_tally_submitted(&state->tally, run);
        rv = wf_state_save(state, wf_board_queue(&state->board, run));
    }
    return rv;
}

apr_status_t wf_state_create(wf_run_t *run, wf_state_t *state, const wf_run_t *spec,
                             const wf_admission_t *admission, wf_slice_t payload, apr_pool_t *pool)
{
    apr_status_t rv;

    if (!spec->vhost || !spec->project || !spec->task || !wf_rate_is_valid(&admission->rate)) {
        return WF_EINVALID;
    }
    if (spec->idempotency_key &&
        (rv = find_keyed(run, state, spec, payload, pool)) != APR_NOTFOUND) {
        return rv;
    }
    rv = admit(run, state, spec, admission, pool);
    if (rv != APR_NOTFOUND) {
        return rv;
    }
    *run = *spec;
    run->status = WF_RUN_SUBMITTED;
    run->callback = (wf_run_callback_t){.status = spec->callback.status};
    run->submitted = apr_time_now();
    return add_run(run, state, admission, payload, pool);
}

apr_status_t wf_state_get(wf_run_t *run, wf_state_t *state, const char *vhost, const wf_uuid_t *pid,
                          apr_pool_t *pool)
{
    apr_status_t rv = wf_state_read(run, state, pid, pool);

    if (rv == APR_SUCCESS && (!vhost || !run->vhost || strcmp(vhost, run->vhost) != 0)) {
        return APR_NOTFOUND;
    }
    return rv;
}

/*
 * A run whose record cannot be read ends without one: nobody can be told of it, and it must not
 * stand in the way of others (of its runner's lease, of the next claim, of its task's concurrency).
 */
static apr_status_t forget_damaged(wf_run_t *run, wf_state_t *state, wf_entry_t *entry)
{
    char pid[WF_UUID_TEXT_LEN + 1];
    apr_status_t rv;

    wf_uuid_format(pid, &entry->pid);
    wf_log_error(0, "WF0123", "run %s: its record is damaged, and its end cannot be recorded", pid);
    memset(run, 0, sizeof(*run));
    run->pid = entry->pid;
    rv = wf_active_delete(&state->tables, &entry->pid);
    if (rv == APR_SUCCESS) {
        wf_board_remove(&state->board, entry);
    }
    return rv;
}

apr_status_t wf_state_end(wf_run_t *run, wf_state_t *state, wf_entry_t *entry, const wf_run_t *end,
                          apr_pool_t *pool)
{
    wf_slice_t body;
    apr_status_t rv = wf_runs_get(run, &body, &state->tables, &entry->pid, pool);

    if (rv == WF_EDAMAGED) {
        return forget_damaged(run, state, entry);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    overlay(run, entry);
    run->status = end->status;
    run->completed = apr_time_now();
    run->result = end->result;
    run->result_cut = end->result_cut;
    run->actions = end->actions;
    run->error = end->error;
    if (end->progress.total) {
        run->progress = end->progress;
        run->records = end->records;
    }
    if (run->callback.status == WF_CALLBACK_WANTED) {
        rv = wf_state_post(state, run);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_runs_put(&state->tables, run, body);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_active_delete(&state->tables, &entry->pid);
    }
    if (rv == APR_SUCCESS) {
        /* overlay lent texts of the entry, which goes away. */
        run->interrupted_by = apr_pstrdup(pool, run->interrupted_by);
        run->progress.action = apr_pstrdup(pool, run->progress.action);
        wf_board_remove(&state->board, entry);
        wf_tally_ended(&state->tally, run);
    }
    return rv;
}

apr_status_t wf_state_interrupt(wf_run_t *run, wf_state_t *state, const char *vhost,
                                const wf_uuid_t *pid, const char *by, apr_pool_t *pool)
{
    wf_entry_t *entry;
    apr_status_t rv = wf_state_get(run, state, vhost, pid, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    entry = wf_board_find(&state->board, pid);
    if (!entry) {
        return WF_EENDED;
    }
    if (!entry->interrupt_requested) {
        wf_entry_set_interrupt(entry, apr_time_now(), by);
    }
    if (!entry->holder) {
        wf_run_t end = {.status = WF_RUN_INTERRUPTED};

        return wf_state_end(run, state, entry, &end, pool);
    }
    entry->holder->news |= WF_EVENT_INTERRUPT;
    overlay(run, entry);
    return wf_state_save(state, entry);
}
