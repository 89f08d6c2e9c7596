/* SPDX-License-Identifier: Apache-2.0 */
/* How the latest runs ended, found again by a keeper that begins. */
#include "store/embedded/state.h"

#include "store/embedded/hours.h"

#define STEP_BYTES (256 * 1024)       /* of what runs left, in one step, the last one apart */
#define ALL_BYTES  (32 * 1024 * 1024) /* the same in all */
#define ALL_RUNS   5000u

typedef struct step_t {
    wf_state_t *state;
    apr_pool_t *pool;
    apr_uint32_t seen;
    apr_size_t bytes;
    apr_time_t oldest; /* runs that were made before that are of no use */
    int is_cut;        /* whether there are more runs than those that it has looked at */
    int is_old;        /* whether these are of no use */
} step_t;

/* APR_EOF ends the walk. A run that cannot be read is nothing that could be told of. */
static apr_status_t look_at(void *baton, const wf_uuid_t *pid)
{
    step_t *step = baton;
    wf_run_t run;
    apr_status_t rv;

    step->is_old = wf_uuid_time(pid) < step->oldest;
    if (step->is_old || step->seen == WF_RECALL_STEP || step->bytes > STEP_BYTES) {
        step->is_cut = 1;
        return APR_EOF;
    }
    step->seen++;
    step->state->recall.before = *pid;
    rv = wf_runs_get(&run, NULL, &step->state->tables, pid, step->pool);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND || rv == WF_EDAMAGED ? APR_SUCCESS : rv;
    }
    step->bytes += run.result.len + run.actions.len;
    if (wf_run_status_is_final(run.status)) {
        wf_tally_recall(&step->state->tally, &run);
    }
    return APR_SUCCESS;
}

/* Since when the runs are known: those that are left have smaller pids, and what ended longer ago
 * than it is kept may be gone. */
static apr_time_t known_since(const step_t *step, apr_interval_time_t keep)
{
    const wf_state_t *state = step->state;
    apr_time_t since = state->tally.began;

    if (step->is_old) {
        since = step->oldest + WF_PID_SLACK;
    } else if (state->recall.seen) {
        since = wf_uuid_time(&state->recall.before) + (step->is_cut ? WF_PID_SLACK : 0);
    }
    return keep && since < state->tally.began - keep ? state->tally.began - keep : since;
}

apr_status_t wf_state_recall(int *more, wf_state_t *state, apr_interval_time_t keep,
                             apr_pool_t *pool)
{
    step_t step = {
        .state = state, .pool = pool, .oldest = state->tally.began - WF_HISTORY_HOURS * WF_HOUR};
    const wf_uuid_t before = state->recall.before;
    apr_status_t rv = wf_runs_walk_back(&state->tables, &before, look_at, &step);

    *more = 0;
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        return rv;
    }
    state->recall.seen += step.seen;
    state->recall.bytes += step.bytes;
    wf_tally_recalled(&state->tally, known_since(&step, keep));
    *more = step.is_cut && !step.is_old && state->recall.seen < ALL_RUNS &&
            state->recall.bytes < ALL_BYTES;
    return APR_SUCCESS;
}
