/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store contract (store/store.h), held against the embedded store: a real keeper in a process
 * of its own, over its real socket, killed where a promise is about that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/client.h"
#include "store/embedded/keeper.h"
#include "store/embedded/socket.h"

#define PATIENCE apr_time_from_sec(20)
#define TTL      apr_time_from_sec(30)
#define VHOST    "example.org:80"

typedef struct fixture_t {
    apr_pool_t *pool;
    char dir[64];
    const char *socket;
    int listener;
    pid_t keeper;
    wf_store_t *store;
} fixture_t;

static void start_keeper(fixture_t *f)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    f->keeper = fork();
    assert_true(f->keeper >= 0);
    if (f->keeper == 0) {
        wf_keeper_config_t config = {f->dir, 4 * 1024 * 1024, f->listener, ready[1]};

        wf_log_bind(NULL, NULL, WF_LOG_ERROR);
        _exit(wf_keeper_run(&config, f->pool) == APR_SUCCESS ? 0 : 1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static int end_keeper(fixture_t *f, int sig)
{
    int status = 0;

    assert_int_equal(kill(f->keeper, sig), 0);
    assert_int_equal(waitpid(f->keeper, &status, 0), f->keeper);
    return status;
}

static void restart_keeper(fixture_t *f, int sig)
{
    end_keeper(f, sig);
    start_keeper(f);
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));

    apr_pool_create(&f->pool, NULL);
    strcpy(f->dir, "/tmp/wf-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->socket = wf_embedded_socket_path(f->dir, f->pool);
    assert_int_equal(wf_socket_listen(&f->listener, f->socket), APR_SUCCESS);
    start_keeper(f);
    assert_int_equal(wf_embedded_open(&f->store, f->socket, PATIENCE, f->pool), APR_SUCCESS);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    int status = end_keeper(f, SIGTERM);

    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(f->listener);
    assert_int_equal(
        system(apr_psprintf(f->pool, "rm -rf \"$(readlink -f %s/env)\" %s", f->dir, f->dir)), 0);
    apr_pool_destroy(f->pool);
    free(f);
    return 0;
}

static wf_new_run_t new_run(const char *task)
{
    wf_new_run_t spec;

    memset(&spec, 0, sizeof(spec));
    assert_int_equal(wf_uuid_make(&spec.pid), APR_SUCCESS);
    spec.vhost = VHOST;
    spec.project = "569";
    spec.task = task;
    spec.source = "/srv/projects";
    spec.trigger = "API";
    spec.user = "alice";
    spec.payload = wf_slice("{\"name\": \"x\\u0000\"}");
    return spec;
}

static wf_run_t *create_ok(fixture_t *f, const wf_new_run_t *spec)
{
    wf_run_t *run = NULL;
    wf_result_t result;

    wf_result_init(&result, f->pool);
    assert_int_equal(f->store->create(&run, f->store, spec, &result, f->pool), APR_SUCCESS);
    return run;
}

static wf_run_t *get_ok(fixture_t *f, const wf_uuid_t *pid)
{
    wf_run_t *run = NULL;

    assert_int_equal(f->store->get(&run, f->store, VHOST, pid, NULL, f->pool), APR_SUCCESS);
    return run;
}

static apr_uint64_t join_ok(fixture_t *f, const char *host)
{
    apr_uint64_t incarnation = 0;

    assert_int_equal(f->store->join(&incarnation, f->store, host, 4, TTL, f->pool), APR_SUCCESS);
    assert_true(incarnation > 0);
    return incarnation;
}

static apr_array_header_t *claim_ok(fixture_t *f, apr_uint64_t incarnation, apr_uint32_t max)
{
    apr_array_header_t *claims = NULL;

    assert_int_equal(f->store->claim(&claims, f->store, incarnation, max, f->pool), APR_SUCCESS);
    return claims;
}

static wf_claim_t claim_one(fixture_t *f, apr_uint64_t incarnation)
{
    apr_array_header_t *claims = claim_ok(f, incarnation, 1);

    assert_int_equal(claims->nelts, 1);
    return APR_ARRAY_IDX(claims, 0, wf_claim_t);
}

static wf_finish_t completed(wf_token_t token)
{
    wf_finish_t finish;

    memset(&finish, 0, sizeof(finish));
    finish.token = token;
    finish.status = WF_RUN_COMPLETED;
    finish.result = wf_slice("{\"n\": 123456789012345678901234567890}");
    return finish;
}

static void a_run_keeps_all_that_was_said(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run = create_ok(f, &spec);

    assert_int_equal(run->status, WF_RUN_SUBMITTED);
    run = get_ok(f, &spec.pid);
    assert_memory_equal(&run->pid, &spec.pid, sizeof(spec.pid));
    assert_string_equal(run->vhost, VHOST);
    assert_string_equal(run->project, "569");
    assert_string_equal(run->task, "12");
    assert_string_equal(run->source, "/srv/projects");
    assert_string_equal(run->trigger, "API");
    assert_string_equal(run->user, "alice");
    assert_int_equal(run->status, WF_RUN_SUBMITTED);
    assert_true(run->submitted > 0);
    assert_int_equal(run->started, 0);
    assert_null(run->error.type);
}

static void create_again_gives_the_first(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_time_t first = create_ok(f, &spec)->submitted;
    apr_uint64_t incarnation = join_ok(f, "a");

    assert_int_equal(create_ok(f, &spec)->submitted, first);
    assert_int_equal(claim_ok(f, incarnation, 10)->nelts, 1);
    assert_int_equal(create_ok(f, &spec)->status, WF_RUN_RUNNING);
    assert_int_equal(claim_ok(f, incarnation, 10)->nelts, 0);
}

static void another_vhost_does_not_know_it(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run;

    create_ok(f, &spec);
    assert_int_equal(f->store->get(&run, f->store, "other:80", &spec.pid, NULL, f->pool),
                     APR_NOTFOUND);
    assert_int_equal(
        f->store->interrupt(&run, f->store, "other:80", &spec.pid, "eve", NULL, f->pool),
        APR_NOTFOUND);
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_SUBMITTED);
}

static void a_claim_goes_to_one_and_finish_ends_it(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a"), b = join_ok(f, "b");
    wf_claim_t claim;
    wf_finish_t finish;
    wf_run_t *run;

    assert_true(a != b);
    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(claim_ok(f, b, 10)->nelts, 0);
    assert_true(wf_slice_equal(claim.payload, spec.payload));
    assert_int_equal(claim.run.status, WF_RUN_RUNNING);
    finish = completed(claim.token);
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), APR_SUCCESS);
    finish.status = WF_RUN_ERROR;
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), WF_ESTALE);
    run = get_ok(f, &spec.pid);
    assert_int_equal(run->status, WF_RUN_COMPLETED);
    assert_true(wf_slice_equal(run->result, completed(claim.token).result));
    assert_true(run->completed >= run->started && run->started >= run->submitted);
}

static void a_fence_only_grows_and_a_stale_one_changes_nothing(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a");
    wf_claim_t first, second;
    wf_finish_t finish;

    create_ok(f, &spec);
    first = claim_one(f, a);
    assert_int_equal(f->store->release(f->store, &first.token, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->release(f->store, &first.token, f->pool), APR_SUCCESS);
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_SUBMITTED);
    restart_keeper(f, SIGKILL);
    second = claim_one(f, a);
    assert_true(second.token.fence > first.token.fence);
    finish = completed(first.token);
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), WF_ESTALE);
    assert_int_equal(f->store->release(f->store, &first.token, f->pool), WF_ESTALE);
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_RUNNING);
}

static void interrupt_ends_a_queued_run_at_once(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run = NULL;

    create_ok(f, &spec);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(run->status, WF_RUN_INTERRUPTED);
    assert_string_equal(run->interrupted_by, "bob");
    assert_int_equal(claim_ok(f, join_ok(f, "a"), 10)->nelts, 0);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     WF_EENDED);
    assert_int_equal(run->status, WF_RUN_INTERRUPTED);
}

static void interrupt_of_a_running_one_reaches_its_runner_and_survives_a_crash(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a");
    apr_array_header_t *list;
    unsigned events = 0;
    wf_claim_t claim;
    wf_run_t *run;

    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(f->store->wait(&events, f->store, a, 0, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(run->status, WF_RUN_RUNNING);
    assert_true(run->interrupt_requested > 0);
    assert_int_equal(f->store->wait(&events, f->store, a, PATIENCE, f->pool), APR_SUCCESS);
    assert_true(events & WF_EVENT_INTERRUPT);
    restart_keeper(f, SIGKILL);
    assert_int_equal(f->store->heartbeat(&list, f->store, a, TTL, f->pool), APR_SUCCESS);
    assert_int_equal(list->nelts, 1);
    assert_memory_equal(&APR_ARRAY_IDX(list, 0, wf_token_t).pid, &claim.token.pid,
                        sizeof(wf_uuid_t));
    assert_int_equal(APR_ARRAY_IDX(list, 0, wf_token_t).fence, claim.token.fence);
}

static void an_acknowledged_run_survives_kill(void **state)
{
    fixture_t *f = *state;

    for (int i = 0; i < 20; i++) {
        wf_new_run_t spec = new_run("12");

        create_ok(f, &spec);
        restart_keeper(f, SIGKILL);
        assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_SUBMITTED);
    }
}

static void a_new_runner_of_the_host_ends_what_the_last_one_held(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t lost = new_run("12"), again = new_run("13"), asked = new_run("14");
    apr_uint64_t a = join_ok(f, "a"), b;
    apr_array_header_t *list;
    wf_finish_t finish;
    wf_claim_t claim;
    wf_run_t *run;

    again.rerun_when_lost = 1;
    create_ok(f, &lost);
    create_ok(f, &again);
    create_ok(f, &asked);
    claim = APR_ARRAY_IDX(claim_ok(f, a, 3), 0, wf_claim_t);
    f->store->interrupt(&run, f->store, VHOST, &asked.pid, "bob", NULL, f->pool);
    b = join_ok(f, "a");
    run = get_ok(f, &lost.pid);
    assert_int_equal(run->status, WF_RUN_ERROR);
    assert_string_equal(run->error.type, "process-lost");
    assert_int_equal(get_ok(f, &asked.pid)->status, WF_RUN_INTERRUPTED);
    assert_int_equal(get_ok(f, &again.pid)->status, WF_RUN_SUBMITTED);
    assert_int_equal(f->store->heartbeat(&list, f->store, a, TTL, f->pool), WF_ESTALE);
    assert_int_equal(f->store->claim(&list, f->store, a, 1, f->pool), WF_ESTALE);
    finish = completed(claim.token);
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), WF_ESTALE);
    claim = claim_one(f, b);
    assert_memory_equal(&claim.token.pid, &again.pid, sizeof(wf_uuid_t));
}

static void a_lease_that_is_not_renewed_ends(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_time_t deadline = wf_clock() + PATIENCE;
    apr_array_header_t *list;
    apr_uint64_t a = 0;

    assert_int_equal(f->store->join(&a, f->store, "a", 1, apr_time_from_sec(1), f->pool),
                     APR_SUCCESS);
    create_ok(f, &spec);
    claim_one(f, a);
    while (get_ok(f, &spec.pid)->status == WF_RUN_RUNNING && wf_clock() < deadline) {
        unsigned events;

        /* Nothing wakes it but the end of its lease. */
        f->store->wait(&events, f->store, a, apr_time_from_msec(200), f->pool);
    }
    assert_string_equal(get_ok(f, &spec.pid)->error.type, "process-lost");
    assert_int_equal(f->store->heartbeat(&list, f->store, a, TTL, f->pool), WF_ESTALE);
}

static void tasks_take_turns_and_keep_their_limit(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t flood[6], single = new_run("single");
    apr_array_header_t *claims;
    wf_finish_t finish;
    wf_claim_t next;
    int singles = 0;

    for (int i = 0; i < 6; i++) {
        flood[i] = new_run("flood");
        flood[i].concurrency = 2;
        create_ok(f, &flood[i]);
    }
    create_ok(f, &single);
    claims = claim_ok(f, a, 10);
    assert_int_equal(claims->nelts, 3);
    for (int i = 0; i < 2; i++) {
        singles += strcmp(APR_ARRAY_IDX(claims, i, wf_claim_t).run.task, "single") == 0;
    }
    assert_int_equal(singles, 1);
    assert_int_equal(claim_ok(f, a, 10)->nelts, 0);
    restart_keeper(f, SIGKILL);
    assert_int_equal(claim_ok(f, a, 10)->nelts, 0);
    assert_memory_equal(&APR_ARRAY_IDX(claims, 0, wf_claim_t).token.pid, &flood[0].pid,
                        sizeof(wf_uuid_t));
    finish = completed(APR_ARRAY_IDX(claims, 0, wf_claim_t).token);
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), APR_SUCCESS);
    next = claim_one(f, a);
    assert_memory_equal(&next.token.pid, &flood[2].pid, sizeof(wf_uuid_t));
}

static void a_draining_runner_claims_no_more_but_finishes(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t one = new_run("12"), two = new_run("12");
    apr_array_header_t *claims;
    wf_finish_t finish;

    create_ok(f, &one);
    create_ok(f, &two);
    finish = completed(claim_one(f, a).token);
    assert_int_equal(f->store->drain(f->store, a, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->claim(&claims, f->store, a, 1, f->pool), WF_ESTALE);
    assert_int_equal(f->store->finish(f->store, &finish, f->pool), APR_SUCCESS);
}

static void progress_shows_and_the_last_one_wins(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_run_progress_t progress = {"write customer", 1200, 5000};
    wf_claim_t claim;

    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, f->pool), APR_SUCCESS);
    progress.done = 1300;
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, f->pool), APR_SUCCESS);
    assert_string_equal(get_ok(f, &spec.pid)->progress.action, "write customer");
    assert_int_equal(get_ok(f, &spec.pid)->progress.done, 1300);
    claim.token.fence++;
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, f->pool), WF_ESTALE);
}

static void a_large_body_comes_back_byte_for_byte(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    apr_size_t size = 20u * 1024 * 1024;
    char *body = malloc(size);
    wf_claim_t claim;

    assert_non_null(body);
    for (apr_size_t i = 0; i < size; i++) {
        body[i] = (char)(i * 2654435761u >> 13);
    }
    spec.payload = wf_slice_of(body, size);
    create_ok(f, &spec);
    restart_keeper(f, SIGKILL);
    claim = claim_one(f, a);
    assert_int_equal(claim.payload.len, size);
    assert_memory_equal(claim.payload.data, body, size);
    free(body);
}

typedef struct worker_t {
    fixture_t *f;
    int created;
    apr_thread_t *thread;
} worker_t;

static void *APR_THREAD_FUNC create_many(apr_thread_t *thread, void *data)
{
    worker_t *w = data;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    for (int i = 0; i < 200; i++) {
        wf_new_run_t spec = new_run("12");
        wf_run_t *run;

        w->created += w->f->store->create(&run, w->f->store, &spec, NULL, pool) == APR_SUCCESS;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void creates_of_many_threads_survive_kills_and_are_claimed_once(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    worker_t workers[8];
    int created = 0, claimed = 0, got;
    apr_hash_t *seen = apr_hash_make(f->pool);

    for (int i = 0; i < 8; i++) {
        workers[i] = (worker_t){f, 0, NULL};
        assert_int_equal(
            apr_thread_create(&workers[i].thread, NULL, create_many, &workers[i], f->pool),
            APR_SUCCESS);
    }
    for (int i = 0; i < 5; i++) {
        apr_array_header_t *claims = claim_ok(f, a, 50);

        for (int k = 0; k < claims->nelts; k++) {
            wf_claim_t *claim = &APR_ARRAY_IDX(claims, k, wf_claim_t);

            assert_null(apr_hash_get(seen, &claim->token.pid, sizeof(wf_uuid_t)));
            apr_hash_set(seen, &claim->token.pid, sizeof(wf_uuid_t), claim);
        }
        claimed += claims->nelts;
        restart_keeper(f, SIGKILL);
    }
    for (int i = 0; i < 8; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, workers[i].thread);
        created += workers[i].created;
    }
    assert_int_equal(created, 1600);
    do {
        got = claim_ok(f, a, 100)->nelts;
        claimed += got;
    } while (got);
    assert_int_equal(claimed, 1600);
}

static void no_keeper_is_said_after_the_patience(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_store_t *store;
    wf_result_t result;
    wf_run_t *run;

    wf_result_init(&result, f->pool);
    assert_int_equal(wf_embedded_open(&store, apr_pstrcat(f->pool, f->dir, "/none", NULL),
                                      apr_time_from_msec(100), f->pool),
                     APR_SUCCESS);
    wf_log_bind(NULL, NULL, (wf_log_level_e)-1);
    assert_int_equal(store->create(&run, store, &spec, &result, f->pool), WF_EUNAVAILABLE);
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    assert_int_equal(result.problem, WF_PROBLEM_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_run_keeps_all_that_was_said),
        TEST(create_again_gives_the_first),
        TEST(another_vhost_does_not_know_it),
        TEST(a_claim_goes_to_one_and_finish_ends_it),
        TEST(a_fence_only_grows_and_a_stale_one_changes_nothing),
        TEST(interrupt_ends_a_queued_run_at_once),
        TEST(interrupt_of_a_running_one_reaches_its_runner_and_survives_a_crash),
        TEST(an_acknowledged_run_survives_kill),
        TEST(a_new_runner_of_the_host_ends_what_the_last_one_held),
        TEST(a_lease_that_is_not_renewed_ends),
        TEST(tasks_take_turns_and_keep_their_limit),
        TEST(a_draining_runner_claims_no_more_but_finishes),
        TEST(progress_shows_and_the_last_one_wins),
        TEST(a_large_body_comes_back_byte_for_byte),
        TEST(creates_of_many_threads_survive_kills_and_are_claimed_once),
        TEST(no_keeper_is_said_after_the_patience),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
