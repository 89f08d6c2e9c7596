/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting what has been kept long enough. */
#include "store/embedded/state.h"

#include <apr_strings.h>

/* One step: pids from state->purge_at on, up to those that were made after `end`. */
typedef struct step_t {
    wf_state_t *state;
    apr_time_t end;
    wf_uuid_t candidates[WF_PURGE_STEP]; /* those that are not under way */
    int count;
    int seen;
    apr_uint32_t room; /* parts of output that may still be deleted */
    wf_uuid_t next;    /* where the next step goes on, where `more` */
    int more;
} step_t;

static int is_damaged(const wf_state_t *state, const wf_uuid_t *pid)
{
    return apr_hash_get(state->damaged, pid, sizeof(*pid)) != NULL;
}

/* It stays for ever, and is not looked at again by this process. */
static void set_damaged(wf_state_t *state, const wf_uuid_t *pid)
{
    const wf_uuid_t *key = apr_pmemdup(state->pool, pid, sizeof(*pid));

    apr_hash_set(state->damaged, key, sizeof(*key), key);
}

/* APR_EOF ends the walk. */
static apr_status_t look_at(void *baton, const wf_uuid_t *pid)
{
    step_t *step = baton;

    if (wf_uuid_time(pid) > step->end) {
        return APR_EOF; /* it cannot have ended before it was made, nor can any after it */
    }
    if (step->seen == WF_PURGE_STEP) {
        step->next = *pid;
        step->more = 1;
        return APR_EOF;
    }
    step->seen++;
    if (!wf_board_find(&step->state->board, pid) && !is_damaged(step->state, pid)) {
        step->candidates[step->count++] = *pid;
    }
    return APR_SUCCESS;
}

/*
 * Deletes a run that ended at the step's end or before, with all that belongs to it. APR_INCOMPLETE
 * where its output is more than there is room for: the rest of it goes next, and then the run.
 */
static apr_status_t purge_run(apr_uint64_t *count, step_t *step, const wf_uuid_t *pid,
                              apr_pool_t *pool)
{
    wf_state_t *state = step->state;
    wf_run_t run;
    wf_slice_t body;
    int more;
    apr_status_t rv = wf_runs_get(&run, &body, &state->tables, pid, pool);

    if (rv != APR_SUCCESS || !wf_run_status_is_final(run.status) || run.completed > step->end) {
        return rv;
    }
    rv = wf_outputs_cut(&step->room, &more, &state->tables, pid);
    if (rv != APR_SUCCESS || more) {
        return rv == APR_SUCCESS ? APR_INCOMPLETE : rv;
    }
    if ((rv = wf_state_unpost(state, &run)) == APR_SUCCESS &&
        (rv = wf_by_project_delete(&state->tables, &run)) == APR_SUCCESS &&
        (body.len || (rv = wf_payloads_delete(&state->tables, pid)) == APR_SUCCESS)) {
        rv = wf_runs_delete(&state->tables, pid);
    }
    if (rv == APR_SUCCESS && run.idempotency_key) {
        rv = wf_idempotency_delete(&state->tables, &run, pool);
    }
    if (rv == APR_SUCCESS) {
        ++*count;
        wf_board_touch(&state->board);
    }
    return rv;
}

apr_status_t wf_state_purge(apr_uint64_t *count, int *more, wf_state_t *state,
                            apr_interval_time_t keep, apr_pool_t *pool)
{
    step_t step;
    apr_status_t rv;

    memset(&step, 0, sizeof(step));
    step.state = state;
    step.end = apr_time_now() - keep;
    step.room = WF_OUTPUT_CUT;
    *count = 0;
    *more = 0;
    rv = wf_runs_walk(&state->tables, &state->purge_at, look_at, &step);
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        return rv;
    }
    rv = APR_SUCCESS;
    for (int i = 0; i < step.count && rv == APR_SUCCESS; i++) {
        apr_uint64_t changes = wf_bdb_changes(state->tables.bdb);

        rv = purge_run(count, &step, &step.candidates[i], pool);
        if (rv == APR_INCOMPLETE) {
            step.next = step.candidates[i];
            step.more = 1;
            break;
        }
        if (rv == WF_EDAMAGED) {
            set_damaged(state, &step.candidates[i]);
            if (changes == wf_bdb_changes(state->tables.bdb)) {
                rv = APR_SUCCESS;
            }
        }
    }
    state->purge_at = step.next;
    *more = step.more;
    return rv == APR_INCOMPLETE ? APR_SUCCESS : rv;
}
