/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs share that hold the store contract's callbacks against the embedded store. */
#ifndef WF_UNIT_CALLBACK_UTIL_H
#define WF_UNIT_CALLBACK_UTIL_H

#include "store_util.h"

#define SOON  apr_time_from_sec(10) /* for what is to happen in a moment */
#define PAUSE apr_time_from_msec(50)

/* With short pauses between attempts. */
static inline int setup_short(void **state)
{
    fixture_t *f;
    int rv = setup(state);

    f = *state;
    for (int i = 0; i < WF_CALLBACK_PAUSES; i++) {
        f->callback_pauses[i] = PAUSE;
    }
    restart_keeper(f, SIGKILL);
    return rv;
}

/* Creates, claims and finishes a run. */
static inline wf_uuid_t ended_run(fixture_t *f, apr_uint64_t incarnation, int wants)
{
    wf_new_run_t spec = new_run("12");
    wf_finish_t finish;

    spec.wants_callback = wants;
    create_ok(f, &spec);
    finish = completed(claim_one(f, incarnation).token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    return spec.pid;
}

static inline apr_array_header_t *claim_ends(fixture_t *f, apr_uint64_t incarnation,
                                             apr_uint32_t max)
{
    apr_array_header_t *claims = NULL;

    assert_int_equal(f->store->claim_callbacks(&claims, f->store, incarnation, max, f->pool),
                     APR_SUCCESS);
    return claims;
}

static inline void assert_claims(fixture_t *f, apr_uint64_t incarnation, const wf_uuid_t *pid)
{
    apr_array_header_t *claims = claim_ends(f, incarnation, 8);

    assert_int_equal(claims->nelts, 1);
    assert_memory_equal(&APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).run.pid, pid, sizeof(*pid));
}

static inline apr_status_t tell(fixture_t *f, const wf_uuid_t *pid, apr_uint32_t attempt,
                                apr_uint32_t http_status)
{
    wf_callback_outcome_t outcome = {*pid,
                                     attempt,
                                     http_status == 200,
                                     http_status == 410,
                                     http_status,
                                     http_status == 200 ? NULL : "it said no"};

    return f->store->tell_callback(f->store, &outcome, f->pool);
}

static inline void assert_callback(fixture_t *f, const wf_uuid_t *pid, wf_callback_status_e status,
                                   apr_uint32_t attempts)
{
    const wf_run_callback_t *callback = &get_ok(f, pid)->callback;

    assert_int_equal(callback->status, status);
    assert_int_equal(callback->attempts, attempts);
    assert_int_equal(callback->next != 0, status == WF_CALLBACK_PENDING);
    assert_int_equal(callback->last != 0, attempts != 0);
}

#define SHORT_TEST(name) cmocka_unit_test_setup_teardown(name, setup_short, teardown)

#endif
