/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract's callbacks: when an end is due, how often it is tried, and who is woken. */
#include "callback_util.h"

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
    apr_time_t before, after;

    assert_claims(f, a, &pid);
    before = apr_time_now();
    assert_int_equal(tell(f, &pid, 1, 500), APR_SUCCESS);
    after = apr_time_now();
    callback = &get_ok(f, &pid)->callback;
    assert_true(callback->last >= before && callback->last <= after);
    /* By the store's clock, which it has compared with the wall's to a millisecond or better. */
    assert_true(callback->next >= before + apr_time_from_msec(4500 - 1));
    assert_true(callback->next <= after + apr_time_from_msec(5500 + 1));
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

static apr_uint64_t version_of_list(fixture_t *f)
{
    wf_run_query_t query = {.vhost = VHOST, .limit = 1};
    wf_run_list_t list;

    assert_int_equal(f->store->list(&list, f->store, &query, NULL, f->pool), APR_SUCCESS);
    return list.version;
}

static void who_watches_a_list_sees_what_came_of_it(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a"), version;
    wf_uuid_t pid = ended_run(f, a, 1);

    assert_claims(f, a, &pid);
    version = version_of_list(f);
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    assert_true(version_of_list(f) != version);
    version = version_of_list(f);
    assert_int_equal(tell(f, &pid, 1, 200), APR_SUCCESS);
    assert_true(version_of_list(f) == version);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_due_longest_is_first),
        STORE_TEST(an_outcome_told_again_changes_nothing),
        STORE_TEST(the_next_attempt_is_due_after_a_pause),
        SHORT_TEST(ten_attempts_are_all),
        STORE_TEST(what_is_given_up_is_not_tried_again),
        SHORT_TEST(a_runner_is_woken_when_something_is_due),
        STORE_TEST(what_a_claim_has_left_is_told_of),
        STORE_TEST(who_watches_a_list_sees_what_came_of_it),
        STORE_TEST(what_becomes_of_them_is_counted),
    };

    return apr_initialize() == APR_SUCCESS ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
