/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract's claim, where it waits: for something to claim, and for nothing longer. */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include "store/embedded/socket.h"
#include "store/embedded/wire.h"
#include "store_util.h"

#define LONG    apr_time_from_sec(30)
#define AT_ONCE apr_time_from_sec(10) /* what did not wait for LONG */

typedef struct claimer_t {
    fixture_t *f;
    apr_uint64_t incarnation;
    apr_uint32_t max;
    pthread_t thread;
    apr_pool_t *pool;
    apr_status_t status;
    apr_array_header_t *claims;
    apr_interval_time_t took;
} claimer_t;

static void *claim(void *data)
{
    claimer_t *c = data;
    wf_store_t *store = c->f->store;
    apr_time_t begin = wf_clock();

    c->status = store->claim(&c->claims, store, c->incarnation, c->max, LONG, c->pool);
    c->took = wf_clock() - begin;
    return NULL;
}

static void begin_claim(claimer_t *c, fixture_t *f, apr_uint64_t incarnation, apr_uint32_t max)
{
    memset(c, 0, sizeof(*c));
    c->f = f;
    c->incarnation = incarnation;
    c->max = max;
    assert_int_equal(apr_pool_create_unmanaged(&c->pool), APR_SUCCESS);
    assert_int_equal(pthread_create(&c->thread, NULL, claim, c), 0);
}

static void end_claim(claimer_t *c)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
    assert_true(c->took < AT_ONCE);
}

static void assert_claimed(claimer_t *c, const wf_uuid_t *pid)
{
    const wf_claim_t *first;

    end_claim(c);
    assert_int_equal(c->status, APR_SUCCESS);
    assert_int_equal(c->claims->nelts, 1);
    first = &APR_ARRAY_IDX(c->claims, 0, wf_claim_t);
    assert_memory_equal(&first->token.pid, pid, sizeof(*pid));
    assert_true(first->token.fence > 0);
    assert_int_equal(first->run.status, WF_RUN_RUNNING);
}

static void the_time_is_up(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    apr_interval_time_t timeout = apr_time_from_msec(200);
    apr_time_t begin = wf_clock();
    apr_array_header_t *claims;

    assert_int_equal(f->store->claim(&claims, f->store, a, 1, timeout, f->pool), APR_SUCCESS);
    assert_int_equal(claims->nelts, 0);
    assert_true(wf_clock() - begin >= timeout);
    assert_true(wf_clock() - begin < AT_ONCE);
}

static void a_new_run_ends_the_wait(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    claimer_t c;

    begin_claim(&c, f, join_ok(f, "a"), 4);
    assert_int_equal(create_ok(f, &spec)->status, WF_RUN_SUBMITTED);
    assert_claimed(&c, &spec.pid);
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_RUNNING);
    apr_pool_destroy(c.pool);
}

static void a_run_that_must_wait_for_another_is_claimed_when_that_ends(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = new_run("12"), second = new_run("12");
    wf_finish_t finish;
    claimer_t c;

    first.concurrency = second.concurrency = 1;
    create_ok(f, &first);
    finish = completed(claim_one(f, a).token);
    create_ok(f, &second);
    begin_claim(&c, f, a, 4);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_claimed(&c, &second.pid);
    apr_pool_destroy(c.pool);
}

static void a_drain_ends_the_wait(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    claimer_t c;

    begin_claim(&c, f, a, 4);
    assert_int_equal(f->store->drain(f->store, a, f->pool), APR_SUCCESS);
    end_claim(&c);
    assert_int_equal(c.status, WF_ESTALE);
    apr_pool_destroy(c.pool);
}

static void the_next_runner_of_the_host_ends_the_wait(void **state)
{
    fixture_t *f = *state;
    claimer_t c;

    begin_claim(&c, f, join_ok(f, "a"), 4);
    join_ok(f, "a");
    end_claim(&c);
    assert_int_equal(c.status, WF_ESTALE);
    apr_pool_destroy(c.pool);
}

/* As the promise says for every call; the run is held by whom it was given to, once. */
static void the_wait_outlasts_a_keeper(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    claimer_t c;

    begin_claim(&c, f, a, 4);
    restart_keeper(f, SIGKILL);
    create_ok(f, &spec);
    assert_claimed(&c, &spec.pid);
    assert_int_equal(claim_ok(f, a, 4)->nelts, 0);
    apr_pool_destroy(c.pool);
}

/* A runner that asks, and is stopped before it reads. */
static int send_claim(fixture_t *f, apr_uint64_t incarnation)
{
    wf_buf_t request = {NULL, 0, 0};
    apr_size_t mark = wf_frame_begin(&request, WF_OP_CLAIM, 1);
    int fd;

    wf_field_add_u64(&request, WF_FIELD_INCARNATION, incarnation);
    wf_field_add_u64(&request, WF_FIELD_SEQUENCE, 1000);
    wf_field_add_u64(&request, WF_FIELD_MAX, 4);
    wf_field_add_u64(&request, WF_FIELD_TIMEOUT, (apr_uint64_t)LONG);
    wf_frame_end(&request, mark);
    assert_int_equal(wf_socket_connect(&fd, wf_embedded_socket_path(f->dir, f->pool)), APR_SUCCESS);
    assert_int_equal(send(fd, request.data, request.len, 0), request.len);
    wf_buf_free(&request);
    return fd;
}

/* Each call is a turn of the keeper's: it accepts, reads, and reads that nobody is there. */
static void take_turns(fixture_t *f, apr_uint64_t incarnation)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(claim_ok(f, incarnation, 4)->nelts, 0);
    }
}

static void nothing_is_given_to_whom_has_gone(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_claim_t claim;

    close(send_claim(f, a));
    take_turns(f, a);
    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_memory_equal(&claim.token.pid, &spec.pid, sizeof(spec.pid));
}

/* Makes a run that is given to a runner which does not read that it was. Its connection. */
static int give_unread(fixture_t *f, apr_uint64_t incarnation, const wf_new_run_t *spec)
{
    int fd = send_claim(f, incarnation);

    take_turns(f, incarnation);
    create_ok(f, spec);
    assert_int_equal(get_ok(f, &spec->pid)->status, WF_RUN_RUNNING);
    return fd;
}

/* Reads the answer, in which there is a claim, and closes. */
static void read_claim(int fd)
{
    char answer[4096];
    struct pollfd p = {fd, POLLIN, 0};
    ssize_t n;

    assert_int_equal(poll(&p, 1, (int)apr_time_as_msec(AT_ONCE)), 1);
    n = recv(fd, answer, sizeof(answer), 0);
    assert_true(n > (ssize_t)WF_WIRE_HEAD);
    assert_int_equal(wf_get_u32((const unsigned char *)answer), n - 4);
    assert_int_equal(answer[5], WF_ANSWER_OK);
    close(fd);
}

/* What was claimed for a call whose answer was lost is given to the same call again. */
static void a_lost_answer_is_given_again(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");

    close(give_unread(f, a, &spec));
    read_claim(send_claim(f, a));
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_RUNNING);
}

static void what_a_lost_runner_never_read_is_not_lost_with_it(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_claim_t claim;

    close(give_unread(f, a, &spec));
    take_turns(f, a);
    a = join_ok(f, "a");
    claim = claim_one(f, a);
    assert_memory_equal(&claim.token.pid, &spec.pid, sizeof(spec.pid));
}

static void what_it_has_read_is_lost_with_it(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");

    read_claim(give_unread(f, a, &spec));
    take_turns(f, a);
    join_ok(f, "a");
    assert_string_equal(get_ok(f, &spec.pid)->error.type, "process-lost");
}

/* ---- the claim that follows an end ---- */

/* Ends a run of runner `a`, which takes what comes next. */
static wf_claim_t *end_and_take(fixture_t *f, apr_uint64_t a, wf_token_t token)
{
    wf_finish_t finish = completed(token);
    wf_claim_t *next = NULL;

    finish.incarnation = a;
    assert_int_equal(f->store->finish(&next, f->store, &finish, f->pool), APR_SUCCESS);
    return next;
}

static void an_end_gives_the_next_run(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = new_run("12"), second = new_run("12"), third = new_run("13");
    wf_token_t token;
    wf_claim_t *next;

    first.concurrency = second.concurrency = 1;
    create_ok(f, &first);
    token = claim_one(f, a).token;
    assert_null(end_and_take(f, a, token)); /* there is none */
    create_ok(f, &second);
    next = end_and_take(f, a, token); /* the same again, which finds one */
    assert_memory_equal(&next->token.pid, &second.pid, sizeof(second.pid));
    assert_true(wf_slice_equal(next->payload, second.payload));
    create_ok(f, &third);
    next = end_and_take(f, a, next->token);
    assert_memory_equal(&next->token.pid, &third.pid, sizeof(third.pid));
    assert_int_equal(get_ok(f, &second.pid)->status, WF_RUN_COMPLETED);
    assert_int_equal(get_ok(f, &third.pid)->status, WF_RUN_RUNNING);
    assert_null(end_and_take(f, a, next->token));
}

static void the_same_end_gives_the_same_run(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = new_run("12"), second = new_run("12"), third = new_run("12");
    wf_token_t token;
    wf_claim_t *next, *again;

    create_ok(f, &first);
    token = claim_one(f, a).token;
    create_ok(f, &second);
    create_ok(f, &third);
    next = end_and_take(f, a, token);
    restart_keeper(f, SIGKILL);
    again = end_and_take(f, a, token);
    assert_memory_equal(&again->token.pid, &next->token.pid, sizeof(wf_uuid_t));
    assert_int_equal(again->token.fence, next->token.fence);
    assert_int_equal(get_ok(f, &third.pid)->status, WF_RUN_SUBMITTED);
}

static void who_drains_or_does_not_ask_is_given_nothing(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = new_run("12"), second = new_run("12"), third = new_run("12");
    wf_token_t one, other;
    wf_finish_t finish;

    create_ok(f, &first);
    create_ok(f, &second);
    one = claim_one(f, a).token;
    other = claim_one(f, a).token;
    create_ok(f, &third);
    finish = completed(one);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->drain(f->store, a, f->pool), APR_SUCCESS);
    assert_null(end_and_take(f, a, other));
    assert_int_equal(get_ok(f, &second.pid)->status, WF_RUN_COMPLETED);
    assert_int_equal(get_ok(f, &third.pid)->status, WF_RUN_SUBMITTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_time_is_up),
        STORE_TEST(a_new_run_ends_the_wait),
        STORE_TEST(a_run_that_must_wait_for_another_is_claimed_when_that_ends),
        STORE_TEST(a_drain_ends_the_wait),
        STORE_TEST(the_next_runner_of_the_host_ends_the_wait),
        STORE_TEST(the_wait_outlasts_a_keeper),
        STORE_TEST(nothing_is_given_to_whom_has_gone),
        STORE_TEST(a_lost_answer_is_given_again),
        STORE_TEST(what_a_lost_runner_never_read_is_not_lost_with_it),
        STORE_TEST(what_it_has_read_is_lost_with_it),
        STORE_TEST(an_end_gives_the_next_run),
        STORE_TEST(the_same_end_gives_the_same_run),
        STORE_TEST(who_drains_or_does_not_ask_is_given_nothing),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_claims", tests, NULL, NULL);
}
