/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract's callbacks: which ends are to be told, when, by whom, and how often. */
#include "store_util.h"

#define SOON  apr_time_from_sec(10) /* for what is to happen in a moment */
#define PAUSE apr_time_from_msec(50)

/* With short pauses between attempts. */
static int setup_short(void **state)
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

static wf_new_run_t wanted_run(const char *task)
{
    wf_new_run_t spec = new_run(task);

    spec.wants_callback = 1;
    return spec;
}

/* Creates, claims and finishes a run. */
static wf_uuid_t ended_run(fixture_t *f, apr_uint64_t incarnation, int wants)
{
    wf_new_run_t spec = new_run("12");
    wf_finish_t finish;

    spec.wants_callback = wants;
    create_ok(f, &spec);
    finish = completed(claim_one(f, incarnation).token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    return spec.pid;
}

static apr_array_header_t *claim_ends(fixture_t *f, apr_uint64_t incarnation, apr_uint32_t max)
{
    apr_array_header_t *claims = NULL;

    assert_int_equal(f->store->claim_callbacks(&claims, f->store, incarnation, max, f->pool),
                     APR_SUCCESS);
    return claims;
}

static void assert_claims(fixture_t *f, apr_uint64_t incarnation, const wf_uuid_t *pid)
{
    apr_array_header_t *claims = claim_ends(f, incarnation, 8);

    assert_int_equal(claims->nelts, 1);
    assert_memory_equal(&APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).run.pid, pid, sizeof(*pid));
}

/* Claims again and again until there is something, which is that. */
static void await_claim(fixture_t *f, apr_uint64_t incarnation, const wf_uuid_t *pid)
{
    apr_time_t deadline = wf_clock() + SOON;
    apr_array_header_t *claims;

    while ((claims = claim_ends(f, incarnation, 8))->nelts == 0) {
        unsigned events;

        assert_true(wf_clock() < deadline);
        assert_int_equal(
            f->store->wait(&events, f->store, incarnation, apr_time_from_msec(20), f->pool),
            APR_SUCCESS);
    }
    assert_int_equal(claims->nelts, 1);
    assert_memory_equal(&APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).run.pid, pid, sizeof(*pid));
}

static apr_status_t tell(fixture_t *f, const wf_uuid_t *pid, apr_uint32_t attempt,
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

static void assert_callback(fixture_t *f, const wf_uuid_t *pid, wf_callback_status_e status,
                            apr_uint32_t attempts)
{
    const wf_run_callback_t *callback = &get_ok(f, pid)->callback;

    assert_int_equal(callback->status, status);
    assert_int_equal(callback->attempts, attempts);
    assert_int_equal(callback->next != 0, status == WF_CALLBACK_PENDING);
    assert_int_equal(callback->last != 0, attempts != 0);
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

static void what_is_due_longest_is_first(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pids[5];
    apr_array_header_t *claims;

    for (int i = 0; i < 5; i++) {
        pids[i] = ended_run(f, a, 1);
    }
    claims = claim_ends(f, a, 2);
    assert_int_equal(claims->nelts, 2);
    assert_int_equal(claim_ends(f, a, 0)->nelts, 0);
    apr_array_cat(claims, claim_ends(f, a, 8));
    assert_int_equal(claims->nelts, 5);
    for (int i = 0; i < 5; i++) {
        assert_memory_equal(&APR_ARRAY_IDX(claims, i, wf_callback_claim_t).run.pid, &pids[i],
                            sizeof(wf_uuid_t));
    }
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
}

static void an_outcome_told_again_changes_nothing(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1);
    wf_uuid_t unknown;
    apr_time_t next;

    claim_ends(f, a, 8);
    assert_int_equal(tell(f, &pid, 2, 200), WF_ESTALE); /* there is no such attempt yet */
    assert_int_equal(tell(f, &pid, 0, 200), WF_ESTALE);
    assert_int_equal(tell(f, &pid, 1, 500), APR_SUCCESS);
    assert_callback(f, &pid, WF_CALLBACK_PENDING, 1);
    next = get_ok(f, &pid)->callback.next;
    assert_int_equal(tell(f, &pid, 1, 500), APR_SUCCESS);
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    assert_callback(f, &pid, WF_CALLBACK_PENDING, 1);
    assert_int_equal(get_ok(f, &pid)->callback.next, next);
    assert_string_equal(get_ok(f, &pid)->callback.reason, "it said no");
    assert_int_equal(get_ok(f, &pid)->callback.http_status, 500);
    assert_int_equal(wf_uuid_make(&unknown), APR_SUCCESS);
    assert_int_equal(tell(f, &unknown, 1, 200), WF_ESTALE);
}

/* The first pause of a server is 5 seconds, a tenth more or less. */
static void the_next_attempt_is_due_after_a_pause(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1);
    const wf_run_callback_t *callback;

    assert_claims(f, a, &pid);
    assert_int_equal(tell(f, &pid, 1, 500), APR_SUCCESS);
    callback = &get_ok(f, &pid)->callback;
    assert_true(callback->next - callback->last >= apr_time_from_msec(4500));
    assert_true(callback->next - callback->last <= apr_time_from_msec(5500));
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
}

static void ten_attempts_are_all(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1);

    for (apr_uint32_t i = 1; i <= WF_CALLBACK_ATTEMPTS; i++) {
        await_claim(f, a, &pid);
        assert_int_equal(tell(f, &pid, i, 500), APR_SUCCESS);
        assert_callback(f, &pid,
                        i < WF_CALLBACK_ATTEMPTS ? WF_CALLBACK_PENDING : WF_CALLBACK_FAILED, i);
    }
    assert_int_equal(tell(f, &pid, 11, 200), WF_ESTALE);
    assert_int_equal(tell(f, &pid, 10, 500), APR_SUCCESS);
    restart_keeper(f, SIGKILL);
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
    assert_callback(f, &pid, WF_CALLBACK_FAILED, 10);
}

static void what_is_given_up_is_not_tried_again(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid = ended_run(f, a, 1);

    assert_claims(f, a, &pid);
    assert_int_equal(tell(f, &pid, 1, 410), APR_SUCCESS);
    assert_callback(f, &pid, WF_CALLBACK_FAILED, 1);
    assert_int_equal(tell(f, &pid, 2, 200), WF_ESTALE);
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

static unsigned events_of(fixture_t *f, apr_uint64_t incarnation, apr_interval_time_t timeout)
{
    unsigned events = 0;

    assert_int_equal(f->store->wait(&events, f->store, incarnation, timeout, f->pool), APR_SUCCESS);
    return events;
}

static void a_runner_is_woken_when_something_is_due(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_uuid_t pid;
    apr_time_t begun = wf_clock();

    events_of(f, a, 0); /* what a new one is told */
    assert_int_equal(claim_ends(f, a, 8)->nelts, 0);
    assert_int_equal(events_of(f, a, 0), 0);
    pid = ended_run(f, a, 1);
    assert_int_equal(events_of(f, a, SOON), WF_EVENT_CALLBACK);
    assert_int_equal(events_of(f, a, 0), 0); /* once */
    assert_claims(f, a, &pid);
    assert_int_equal(tell(f, &pid, 1, 500), APR_SUCCESS);
    assert_int_equal(events_of(f, a, SOON), WF_EVENT_CALLBACK); /* without any request */
    assert_true(wf_clock() - begun >= PAUSE * 9 / 10);
    assert_true(wf_clock() - begun < SOON);
    assert_claims(f, a, &pid);
    assert_int_equal(events_of(f, a, 0), 0);
}

static void what_a_claim_has_left_is_told_of(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");

    ended_run(f, a, 1);
    ended_run(f, a, 1);
    events_of(f, a, 0);
    assert_int_equal(claim_ends(f, a, 1)->nelts, 1);
    assert_int_equal(events_of(f, a, SOON), WF_EVENT_CALLBACK);
    assert_int_equal(claim_ends(f, a, 1)->nelts, 1);
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

static void what_becomes_of_them_is_counted(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_store_stats_t stats;
    wf_uuid_t pids[3];

    for (int i = 0; i < 3; i++) {
        pids[i] = ended_run(f, a, 1);
    }
    assert_int_equal(claim_ends(f, a, 8)->nelts, 3);
    assert_int_equal(tell(f, &pids[0], 1, 200), APR_SUCCESS);
    assert_int_equal(tell(f, &pids[1], 1, 410), APR_SUCCESS);
    assert_int_equal(tell(f, &pids[2], 1, 500), APR_SUCCESS);
    assert_int_equal(f->store->stats(&stats, f->store, NULL, 0, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(stats.callbacks_pending, 1);
    assert_int_equal(stats.callbacks_delivered, 1);
    assert_int_equal(stats.callbacks_failed, 1);
    restart_keeper(f, SIGKILL);
    assert_int_equal(f->store->stats(&stats, f->store, NULL, 0, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(stats.callbacks_pending, 1);
    assert_int_equal(stats.callbacks_delivered, 0);
}

#define SHORT_TEST(name) cmocka_unit_test_setup_teardown(name, setup_short, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_end_is_told_where_that_is_wanted),
        STORE_TEST(the_configuration_comes_along),
        STORE_TEST(nothing_is_told_before_the_end),
        STORE_TEST(an_interrupt_while_queued_is_told),
        STORE_TEST(a_lost_run_is_told),
        STORE_TEST(an_interrupted_run_that_is_given_back_is_told),
        STORE_TEST(what_is_due_longest_is_first),
        STORE_TEST(an_outcome_told_again_changes_nothing),
        STORE_TEST(the_next_attempt_is_due_after_a_pause),
        SHORT_TEST(ten_attempts_are_all),
        STORE_TEST(what_is_given_up_is_not_tried_again),
        STORE_TEST(a_keeper_that_is_killed_forgets_no_end),
        STORE_TEST(a_lost_runner_loses_what_it_claimed),
        STORE_TEST(a_runner_that_drains_keeps_what_it_claimed),
        STORE_TEST(a_claim_can_be_repeated),
        SHORT_TEST(a_runner_is_woken_when_something_is_due),
        STORE_TEST(what_a_claim_has_left_is_told_of),
        STORE_TEST(a_purged_run_is_not_told),
        STORE_TEST(what_becomes_of_them_is_counted),
    };

    return apr_initialize() == APR_SUCCESS ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
