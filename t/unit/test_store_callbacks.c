/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract's callbacks: which ends are to be told, by whom, and what is not lost. */
#include "callback_util.h"

#include "store_damage.h"

static wf_new_run_t wanted_run(const char *task)
{
    wf_new_run_t spec = new_run(task);

    spec.wants_callback = 1;
    return spec;
}

static void an_end_is_told_where_that_is_wanted(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t quiet = ended_run(f, a, 0);
    wf_uuid_t pid = ended_run(f, a, 1);
    const wf_callback_claim_t *claim;
    apr_array_header_t *claims;

    assert_callback(f, &quiet, WF_CALLBACK_NONE, 0);
    assert_callback(f, &pid, WF_CALLBACK_PENDING, 0);
    claims = claim_ends(f, a, 8);
    assert_int_equal(claims->nelts, 1);
    claim = &APR_ARRAY_IDX(claims, 0, wf_callback_claim_t);
    assert_memory_equal(&claim->run.pid, &pid, sizeof(pid));
    assert_int_equal(claim->run.status, WF_RUN_COMPLETED);
    assert_true(claim->run.result.len > 0);
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    assert_callback(f, &pid, WF_CALLBACK_DELIVERED, 1);
    assert_int_equal(get_ok(f, &pid)->callback.http_status, 200);
    assert_null(get_ok(f, &pid)->callback.reason);
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
}

/* As it is when the end is claimed, not as it was when the run was made. */
static void the_configuration_comes_along(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_stored_configuration_t next = {.vhost = VHOST,
                                      .project = "569",
                                      .task = "12",
                                      .document = wf_slice("{\"enabled\": true}"),
                                      .changed_by = "alice"};
    wf_stored_configuration_t *stored;
    const wf_stored_configuration_t *got;
    apr_array_header_t *claims;

    ended_run(f, a, 1);
    claims = claim_ends(f, a, 8);
    got = &APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).configuration;
    assert_int_equal(got->revision, 0);
    ended_run(f, a, 1);
    assert_int_equal(wf_uuid_make(&next.change), APR_SUCCESS);
    assert_int_equal(f->store->set_configuration(&stored, f->store, &next, 0, NULL, f->pool),
                     APR_SUCCESS);
    claims = claim_ends(f, a, 8);
    got = &APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).configuration;
    assert_int_equal(got->revision, stored->revision);
    assert_true(wf_slice_equal(got->document, next.document));
}

static void nothing_is_told_before_the_end(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = wanted_run("12");

    assert_int_equal(create_ok(f, &spec)->callback.status, WF_CALLBACK_WANTED);
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
    claim_one(f, a);
    assert_callback(f, &spec.pid, WF_CALLBACK_WANTED, 0);
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
    assert_int_equal(tell(f, &spec.pid, 1, 200), WF_ESTALE);
}

static void an_interrupt_while_queued_is_told(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = wanted_run("12");
    wf_run_t *run;

    create_ok(f, &spec);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "alice", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(run->status, WF_RUN_INTERRUPTED);
    assert_claims(f, a, &spec.pid);
}

static void a_lost_run_is_told(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = wanted_run("12");

    create_ok(f, &spec);
    claim_one(f, a);
    a = join_ok(f, "a"); /* the runner before is lost */
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_ERROR);
    assert_claims(f, a, &spec.pid);
}

static void an_interrupted_run_that_is_given_back_is_told(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = wanted_run("12");
    wf_claim_t claim;
    wf_run_t *run;

    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "alice", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(f->store->release(f->store, &claim.token, f->pool), APR_SUCCESS);
    assert_claims(f, a, &spec.pid);
}

/* Nothing of what was to be told is lost with a keeper, and what was told is not told again. */
static void a_keeper_that_is_killed_forgets_no_end(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t told = ended_run(f, a, 1);
    wf_uuid_t failed, pid;

    assert_claims(f, a, &told);
    assert_int_equal(tell(f, &told, 1, 200), APR_SUCCESS);
    failed = ended_run(f, a, 1);
    assert_claims(f, a, &failed);
    assert_int_equal(tell(f, &failed, 1, 500), APR_SUCCESS);
    pid = ended_run(f, a, 1);
    assert_claims(f, a, &pid);
    restart_keeper(f, SIGKILL);
    assert_claims(f, a, &pid); /* its claim was in the keeper's memory */
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    assert_callback(f, &told, WF_CALLBACK_DELIVERED, 1);
    assert_callback(f, &failed, WF_CALLBACK_PENDING, 1);
    assert_callback(f, &pid, WF_CALLBACK_DELIVERED, 1);
}

/* Nobody knows where to, until it is stored anew: an attempt that failed. */
static void a_damaged_configuration_holds_up_its_own_task_alone(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t damaged = ended_run(f, a, 1);
    wf_new_run_t other = wanted_run("13");
    wf_run_t *run;

    create_ok(f, &other);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &other.pid, "alice", NULL, f->pool),
                     APR_SUCCESS);
    put_for_task(f, offsetof(wf_tables_t, configurations), "12", wf_slice("nonsense"));
    assert_claims(f, a, &other.pid);
    assert_callback(f, &damaged, WF_CALLBACK_PENDING, 1);
    assert_string_equal(get_ok(f, &damaged)->callback.reason,
                        "the task's configuration is damaged");
}

/* What lies before the damage is told, and runs end. */
static void damage_of_the_outbox_ends_there(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1);
    apr_array_header_t *claims;

    put_bytes(f, offsetof(wf_tables_t, callbacks), wf_slice("nonsense"), wf_slice(""));
    assert_claims(f, a, &pid);
    assert_int_equal(f->store->claim_callbacks(&claims, f->store, a, 8, f->pool), WF_EDAMAGED);
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    pid = ended_run(f, a, 1);
    assert_claims(f, a, &pid);
}

static void a_lost_runner_loses_what_it_claimed(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a"), b;
    wf_uuid_t pid = ended_run(f, a, 1);
    apr_array_header_t *claims;

    assert_claims(f, a, &pid);
    b = join_ok(f, "b");
    assert_int_equal(claim_ends(f, b, 8)->nelts, 0);
    join_ok(f, "a");
    assert_int_equal(f->store->claim_callbacks(&claims, f->store, a, 8, f->pool), WF_ESTALE);
    assert_claims(f, b, &pid);
}

static void a_runner_that_drains_keeps_what_it_claimed(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a"), b = join_ok(f, "b");
    wf_uuid_t pid = ended_run(f, a, 1);
    apr_array_header_t *claims;

    assert_claims(f, a, &pid);
    assert_int_equal(f->store->drain(f->store, a, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->claim_callbacks(&claims, f->store, a, 8, f->pool), WF_ESTALE);
    assert_int_equal(claim_ends(f, b, 8)->nelts, 0);
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    assert_callback(f, &pid, WF_CALLBACK_DELIVERED, 1);
}

/* A call whose answer was lost is repeated with its number: it gives the same. */
static void a_claim_can_be_repeated(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1);
    wf_store_t *other; /* which counts its calls from the same number on */

    assert_claims(f, a, &pid);
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
    assert_int_equal(wf_embedded_open(&other, f->socket, PATIENCE, f->pool), APR_SUCCESS);
    f->store = other;
    assert_claims(f, a, &pid);
}

static void a_purged_run_is_not_told(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1), other = ended_run(f, a, 1);
    wf_store_stats_t stats;
    apr_uint64_t count;
    int more;

    assert_int_equal(claim_ends(f, a, 1)->nelts, 1);
    assert_int_equal(f->store->stats(&stats, f->store, NULL, 0, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(stats.callbacks_pending, 2);
    assert_int_equal(f->store->purge(&count, &more, f->store, 0, f->pool), APR_SUCCESS);
    assert_int_equal(count, 2);
    assert_int_equal(f->store->stats(&stats, f->store, NULL, 0, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(stats.callbacks_pending, 0);
    assert_int_equal(tell(f, &pid, 1, 200), WF_ESTALE);
    assert_int_equal(tell(f, &other, 1, 200), WF_ESTALE);
    restart_keeper(f, SIGKILL);
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_end_is_told_where_that_is_wanted),
        STORE_TEST(the_configuration_comes_along),
        STORE_TEST(nothing_is_told_before_the_end),
        STORE_TEST(an_interrupt_while_queued_is_told),
        STORE_TEST(a_lost_run_is_told),
        STORE_TEST(an_interrupted_run_that_is_given_back_is_told),
        STORE_TEST(a_keeper_that_is_killed_forgets_no_end),
        STORE_TEST(a_damaged_configuration_holds_up_its_own_task_alone),
        STORE_TEST(damage_of_the_outbox_ends_there),
        STORE_TEST(a_lost_runner_loses_what_it_claimed),
        STORE_TEST(a_runner_that_drains_keeps_what_it_claimed),
        STORE_TEST(a_claim_can_be_repeated),
        STORE_TEST(a_purged_run_is_not_told),
    };

    return apr_initialize() == APR_SUCCESS ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
