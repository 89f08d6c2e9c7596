/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox: from the end of a run that is to be told until it is told, or given up. */
#include "store/embedded/state.h"

#include <stdlib.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"

#define SAY_EVERY  apr_time_from_sec(60)
#define SECONDS(n) ((apr_interval_time_t)(n)*APR_USEC_PER_SEC)

const apr_interval_time_t wf_callback_pauses[WF_CALLBACK_PAUSES] = {
    SECONDS(5),    SECONDS(30),       SECONDS(2 * 60),   SECONDS(10 * 60),  SECONDS(30 * 60),
    SECONDS(3600), SECONDS(2 * 3600), SECONDS(4 * 3600), SECONDS(8 * 3600),
};

/* Of one end: who tells it. */
typedef struct claim_t {
    wf_uuid_t pid;
    apr_uint64_t incarnation;
    apr_uint64_t sequence; /* of the call that claimed it */
    apr_time_t due;
} claim_t;

static apr_time_t outbox_now(const wf_outbox_t *outbox)
{
    return outbox->base + wf_clock();
}

/* Sees to it that somebody is told by then. */
static void wake_at(wf_outbox_t *outbox, apr_time_t due)
{
    if (due < outbox->next) {
        outbox->next = due;
    }
}

static void drop_claim(wf_outbox_t *outbox, claim_t *claim)
{
    if (claim) {
        apr_hash_set(outbox->claims, &claim->pid, sizeof(claim->pid), NULL);
        free(claim);
    }
}

static claim_t *find_claim(const wf_outbox_t *outbox, const wf_uuid_t *pid)
{
    return apr_hash_get(outbox->claims, pid, sizeof(*pid));
}

/*
 * What has been suspended, or whose clock was set, shows times as others do again. Between two
 * looks at a clock a busy machine may let any time pass: of some, the one in which least did
 * counts.
 */
static void set_clock(wf_outbox_t *outbox)
{
    apr_interval_time_t least = -1;

    for (int i = 0; i < 5; i++) {
        apr_time_t before = wf_clock();
        apr_time_t now = apr_time_now();
        apr_interval_time_t passed = wf_clock() - before;

        if (least < 0 || passed < least) {
            least = passed;
            outbox->base = now - before - passed / 2;
        }
    }
}

static apr_status_t free_claims(void *claims)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, claims); i; i = apr_hash_next(i)) {
        free(apr_hash_this_val(i));
    }
    return APR_SUCCESS;
}

apr_status_t wf_outbox_open(wf_state_t *state)
{
    wf_outbox_t *outbox = &state->outbox;
    apr_status_t rv;

    outbox->claims = apr_hash_make(state->pool);
    apr_pool_cleanup_register(state->pool, outbox->claims, free_claims, apr_pool_cleanup_null);
    set_clock(outbox);
    outbox->next = 0; /* not known: to be looked at when there is somebody to tell */
    outbox->pauses = wf_callback_pauses;
    rv = wf_counters_get(&outbox->pending, &state->tables, WF_COUNTER_CALLBACKS, state->pool);
    outbox->committed = outbox->pending;
    return rv;
}

apr_status_t wf_outbox_save(wf_state_t *state)
{
    const wf_outbox_t *outbox = &state->outbox;

    return outbox->pending == outbox->committed
               ? APR_SUCCESS
               : wf_counters_put(&state->tables, WF_COUNTER_CALLBACKS, outbox->pending);
}

void wf_outbox_commit(wf_state_t *state)
{
    state->outbox.committed = state->outbox.pending;
}

void wf_outbox_rollback(wf_state_t *state)
{
    state->outbox.pending = state->outbox.committed;
    state->outbox.next = 0;
}

static apr_status_t put_row(wf_state_t *state, const wf_run_t *run)
{
    apr_status_t rv = wf_callbacks_put(&state->tables, run->callback.next, &run->pid);

    if (rv == APR_SUCCESS) {
        state->outbox.pending++;
        wake_at(&state->outbox, run->callback.next);
    }
    return rv;
}

static apr_status_t delete_row(wf_state_t *state, apr_time_t due, const wf_uuid_t *pid)
{
    apr_status_t rv = wf_callbacks_delete(&state->tables, due, pid);

    if (rv == APR_SUCCESS && state->outbox.pending) {
        state->outbox.pending--;
    }
    return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t wf_state_post(wf_state_t *state, wf_run_t *run)
{
    apr_status_t rv;

    if (state->outbox.pending == 0) {
        set_clock(&state->outbox);
    }
    run->callback.status = WF_CALLBACK_PENDING;
    run->callback.next = outbox_now(&state->outbox);
    rv = put_row(state, run);
    if (rv == WF_EDAMAGED) {
        /* A run ends, whatever has become of this table. */
        run->callback.status = WF_CALLBACK_FAILED;
        run->callback.next = 0;
        run->callback.reason = "what is stored of callbacks is damaged";
        wf_tally_callback(&state->tally, 0);
        rv = APR_SUCCESS;
    }
    return rv;
}

apr_status_t wf_state_unpost(wf_state_t *state, const wf_run_t *run)
{
    if (run->callback.status != WF_CALLBACK_PENDING) {
        return APR_SUCCESS;
    }
    drop_claim(&state->outbox, find_claim(&state->outbox, &run->pid));
    return delete_row(state, run->callback.next, &run->pid);
}

/* What claiming goes through: the rows that are due, the earliest first. */
typedef struct look_t {
    const wf_outbox_t *outbox;
    apr_uint64_t incarnation;
    apr_uint64_t sequence;
    apr_uint32_t max;
    apr_time_t now;
    apr_array_header_t *found; /* claim_t */
    apr_time_t next;           /* when the first is due that is nobody's */
    int is_empty;              /* there was no row at all */
} look_t;

/* APR_EOF ends the walk. */
static apr_status_t look_at(void *baton, apr_time_t due, const wf_uuid_t *pid)
{
    look_t *look = baton;

    look->is_empty = 0;
    if (find_claim(look->outbox, pid)) {
        return APR_SUCCESS;
    }
    if (due > look->now || (apr_uint32_t)look->found->nelts == look->max) {
        look->next = due;
        return APR_EOF;
    }
    APR_ARRAY_PUSH(look->found, claim_t) = (claim_t){*pid, look->incarnation, look->sequence, due};
    return APR_SUCCESS;
}

/* The ends that this very claim took when it was asked for before. */
static void find_again(look_t *look)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, look->outbox->claims); i;
         i = apr_hash_next(i)) {
        const claim_t *claim;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        claim = value;
        if (claim->incarnation == look->incarnation && claim->sequence == look->sequence) {
            APR_ARRAY_PUSH(look->found, claim_t) = *claim;
        }
    }
}

static void hold(wf_outbox_t *outbox, const claim_t *found)
{
    claim_t *claim = find_claim(outbox, &found->pid);

    if (claim) {
        return; /* it was found again */
    }
    claim = malloc(sizeof(*claim));
    if (!claim) {
        abort();
    }
    *claim = *found;
    apr_hash_set(outbox->claims, &claim->pid, sizeof(claim->pid), claim);
}

/* A row whose run is not there, or cannot be read, or does not know of it: nobody can be told. */
static apr_status_t forget(wf_state_t *state, const claim_t *found)
{
    char pid[WF_UUID_TEXT_LEN + 1];

    wf_uuid_format(pid, &found->pid);
    wf_log_error(0, "WF0155", "run %s: its record is damaged, and its end cannot be told", pid);
    drop_claim(&state->outbox, find_claim(&state->outbox, &found->pid));
    return delete_row(state, found->due, &found->pid);
}

static apr_status_t add_claim(apr_array_header_t *claims, wf_state_t *state, const claim_t *found,
                              apr_pool_t *pool)
{
    wf_callback_claim_t claim;
    apr_status_t rv;

    memset(&claim, 0, sizeof(claim));
    rv = wf_runs_get(&claim.run, NULL, &state->tables, &found->pid, pool);
    if (rv == WF_EDAMAGED || rv == APR_NOTFOUND ||
        (rv == APR_SUCCESS && (claim.run.callback.status != WF_CALLBACK_PENDING ||
                               claim.run.callback.next != found->due))) {
        return forget(state, found);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_state_get_configuration(&claim.configuration, state, claim.run.vhost,
                                        claim.run.project, claim.run.task, pool);
    }
    if (rv == WF_EDAMAGED) {
        /* Until it is stored anew, nobody knows where to. */
        wf_callback_outcome_t outcome = {.pid = found->pid,
                                         .attempt = claim.run.callback.attempts + 1,
                                         .reason = "the task's configuration is damaged"};

        return wf_state_tell_callback(state, &outcome, pool);
    }
    if (rv == APR_SUCCESS) {
        APR_ARRAY_PUSH(claims, wf_callback_claim_t) = claim;
        hold(&state->outbox, found);
    }
    return rv;
}

apr_status_t wf_state_claim_callbacks(apr_array_header_t **claims, wf_state_t *state,
                                      apr_uint64_t incarnation, apr_uint64_t sequence,
                                      apr_uint32_t max, apr_pool_t *pool)
{
    wf_outbox_t *outbox = &state->outbox;
    const wf_holder_t *holder = wf_board_holder(&state->board, incarnation);
    look_t look = {outbox, incarnation,     sequence, max, outbox_now(outbox),
                   NULL,   WF_OUTBOX_NEVER, 1};
    apr_status_t rv = APR_SUCCESS;

    *claims = apr_array_make(pool, 8, sizeof(wf_callback_claim_t));
    look.found = apr_array_make(pool, 8, sizeof(claim_t));
    if (!holder) {
        return WF_ESTALE;
    }
    find_again(&look);
    if (!look.found->nelts) {
        if (holder->draining) {
            return WF_ESTALE;
        }
        rv = wf_callbacks_walk(&state->tables, look_at, &look);
        if (rv == APR_EOF || (rv == WF_EDAMAGED && look.found->nelts)) {
            rv = APR_SUCCESS; /* what lies before the damage is told */
        }
        if (rv == APR_SUCCESS) {
            outbox->next = look.next;
            /* Where the table was lost, or the counter, they agree again. */
            outbox->pending = look.is_empty ? 0 : outbox->pending;
        }
    }
    for (int i = 0; i < look.found->nelts && rv == APR_SUCCESS; i++) {
        rv = add_claim(*claims, state, &APR_ARRAY_IDX(look.found, i, claim_t), pool);
    }
    return rv;
}

void wf_outbox_release(wf_state_t *state, apr_uint64_t incarnation)
{
    wf_outbox_t *outbox = &state->outbox;

    for (apr_hash_index_t *i = apr_hash_first(NULL, outbox->claims); i; i = apr_hash_next(i)) {
        claim_t *claim;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        claim = value;
        if (claim->incarnation == incarnation) {
            wake_at(outbox, claim->due);
            drop_claim(outbox, claim);
        }
    }
}

/*
 * The pause behind an attempt, up to a tenth shorter or longer, so that what failed together is not
 * tried again together: a part of the pid that is random says which. The same for the same attempt,
 * should it be told once more.
 */
static apr_interval_time_t pause_after(const wf_outbox_t *outbox, const wf_run_t *run)
{
    apr_interval_time_t pause = outbox->pauses[run->callback.attempts - 1];
    unsigned char chance = run->pid.bytes[9 + run->callback.attempts % 7];

    return pause - pause / 10 + pause / 5 * chance / 255;
}

static void say_failed(wf_outbox_t *outbox, const wf_run_t *run)
{
    char pid[WF_UUID_TEXT_LEN + 1];
    apr_uint64_t left;

    if (wf_log_may(&outbox->limit, 1, SAY_EVERY, &left)) {
        wf_uuid_format(pid, &run->pid);
        wf_log_warning(0, "WF0225",
                       "run %s of %s/%s: nobody was told of its end, and nobody will be: %s "
                       "(%" APR_UINT64_T_FMT " more such since this was last said)",
                       pid, run->project, run->task, run->callback.reason, left);
    }
}

/* Puts what came of an attempt into the run, and a row where another one is to follow. */
static apr_status_t take_outcome(wf_run_t *run, wf_state_t *state,
                                 const wf_callback_outcome_t *outcome)
{
    wf_run_callback_t *callback = &run->callback;

    callback->attempts = outcome->attempt;
    callback->last = apr_time_now();
    callback->next = 0;
    callback->http_status = outcome->http_status;
    callback->reason = outcome->is_delivered ? NULL : outcome->reason;
    if (outcome->is_delivered) {
        callback->status = WF_CALLBACK_DELIVERED;
    } else if (outcome->is_given_up || callback->attempts >= WF_CALLBACK_ATTEMPTS) {
        callback->status = WF_CALLBACK_FAILED;
        say_failed(&state->outbox, run);
    } else {
        callback->next = outbox_now(&state->outbox) + pause_after(&state->outbox, run);
        return put_row(state, run);
    }
    wf_tally_callback(&state->tally, outcome->is_delivered);
    return APR_SUCCESS;
}

apr_status_t wf_state_tell_callback(wf_state_t *state, const wf_callback_outcome_t *outcome,
                                    apr_pool_t *pool)
{
    wf_run_t run;
    wf_slice_t body;
    apr_status_t rv = wf_runs_get(&run, &body, &state->tables, &outcome->pid, pool);

    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? WF_ESTALE : rv;
    }
    if (outcome->attempt && run.callback.attempts == outcome->attempt) {
        return APR_SUCCESS; /* the same call again */
    }
    if (run.callback.status != WF_CALLBACK_PENDING ||
        outcome->attempt != run.callback.attempts + 1) {
        return WF_ESTALE;
    }
    rv = wf_state_unpost(state, &run);
    if (rv == APR_SUCCESS) {
        rv = take_outcome(&run, state, outcome);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_runs_put(&state->tables, &run, body);
        wf_board_touch(&state->board); /* lists show it */
    }
    return rv;
}

int wf_outbox_is_due(const wf_state_t *state)
{
    return state->outbox.next != WF_OUTBOX_NEVER &&
           state->outbox.next <= outbox_now(&state->outbox);
}

apr_time_t wf_outbox_next(const wf_state_t *state)
{
    const wf_outbox_t *outbox = &state->outbox;

    return outbox->next == WF_OUTBOX_NEVER ? WF_OUTBOX_NEVER : outbox->next - outbox->base;
}
