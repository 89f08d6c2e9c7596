/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract (store/store.h): what stays true when keepers are killed and runners lost. */
#include "store_damage.h"

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

static void the_lock_is_held_as_long_as_a_keeper_lives(void **state)
{
    fixture_t *f = *state;
    int other;

    assert_int_equal(wf_lock_try(&other, f->dir), APR_EAGAIN);
    close(f->lock);
    assert_int_equal(wf_lock_try(&other, f->dir), APR_EAGAIN);
    assert_int_equal(other, -1);
    end_keeper(f, SIGKILL);
    assert_int_equal(wf_lock_try(&f->lock, f->dir), APR_SUCCESS);
    start_keeper(f);
    assert_int_equal(wf_lock_try(&other, "/no/such/folder"), APR_ENOENT);
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
    assert_int_equal(f->store->claim(&list, f->store, a, 1, 0, f->pool), WF_ESTALE);
    finish = completed(claim.token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), WF_ESTALE);
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
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), WF_ESTALE);
    assert_int_equal(f->store->release(f->store, &first.token, f->pool), WF_ESTALE);
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_RUNNING);
}

static void put_record(fixture_t *f, const wf_uuid_t *pid, wf_slice_t bytes)
{
    put_bytes(f, offsetof(wf_tables_t, runs), wf_slice_of(pid, sizeof(*pid)), bytes);
}

/* The bytes of a run's record, in f->pool. */
static wf_slice_t record_of(fixture_t *f, const wf_run_t *run)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_slice_t bytes;

    wf_record_encode(&buf, run);
    bytes = wf_slice_dup(wf_buf_slice(&buf), f->pool);
    wf_buf_free(&buf);
    return bytes;
}

static void a_record_that_is_not_what_was_written_is_an_error(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12"), other = new_run("13");
    wf_run_t *run = create_ok(f, &spec), without = *run;
    wf_run_t strange = *run;
    wf_slice_t records[] = {
        wf_slice_of("", 0),
        wf_slice_of("\1", 1), /* a version, and nothing else */
        wf_slice_of("\2nonsense", 9),
        wf_slice_of("\1nonsense", 9),
        record_of(f, create_ok(f, &other)), /* another run's */
        {NULL, 0},
        {NULL, 0},
    };

    without.vhost = NULL;
    records[5] = record_of(f, &without);
    strange.status = (wf_run_status_e)77;
    records[6] = record_of(f, &strange);
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        wf_run_t *got;

        put_record(f, &spec.pid, records[i]);
        assert_int_equal(f->store->get(&got, f->store, VHOST, &spec.pid, NULL, f->pool),
                         WF_EDAMAGED);
        assert_int_equal(
            f->store->interrupt(&got, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
            WF_EDAMAGED);
        assert_int_equal(f->store->create(&got, f->store, &spec, NULL, f->pool), WF_EDAMAGED);
        assert_int_equal(get_ok(f, &other.pid)->status, WF_RUN_SUBMITTED);
    }
}

static void a_damaged_run_stands_in_nobodys_way(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t queued = new_run("12"), next = new_run("12"), held = new_run("13");
    apr_uint64_t a = join_ok(f, "a");
    wf_claim_t claim;
    wf_finish_t finish;

    create_ok(f, &held);
    claim = claim_one(f, a);
    queued.concurrency = next.concurrency = 1;
    create_ok(f, &queued);
    create_ok(f, &next);
    put_record(f, &queued.pid, wf_slice("nonsense"));
    put_record(f, &held.pid, wf_slice("nonsense"));
    finish = completed(claim.token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    claim = claim_one(f, a);
    assert_memory_equal(&claim.token.pid, &next.pid, sizeof(wf_uuid_t));
    /* One whose runner is lost, too. */
    put_record(f, &next.pid, wf_slice("nonsense"));
    join_ok(f, "a");
    held = new_run("13");
    create_ok(f, &held);
}

/* Of ends that are to be told, too: one that cannot be is forgotten, and the others are told. */
static void a_damaged_end_stands_in_nobodys_way(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t damaged = new_run("12"), next = new_run("12");
    apr_uint64_t a = join_ok(f, "a");
    apr_array_header_t *claims;
    wf_finish_t finish;

    damaged.wants_callback = next.wants_callback = 1;
    create_ok(f, &damaged);
    finish = completed(claim_one(f, a).token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    create_ok(f, &next);
    finish = completed(claim_one(f, a).token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    put_record(f, &damaged.pid, wf_slice("nonsense"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f->store->claim_callbacks(&claims, f->store, a, 8, f->pool), APR_SUCCESS);
        assert_int_equal(claims->nelts, 1);
        assert_memory_equal(&APR_ARRAY_IDX(claims, 0, wf_callback_claim_t).run.pid, &next.pid,
                            sizeof(wf_uuid_t));
        restart_keeper(f, SIGKILL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(interrupt_of_a_running_one_reaches_its_runner_and_survives_a_crash),
        STORE_TEST(the_lock_is_held_as_long_as_a_keeper_lives),
        STORE_TEST(an_acknowledged_run_survives_kill),
        STORE_TEST(a_new_runner_of_the_host_ends_what_the_last_one_held),
        STORE_TEST(a_lease_that_is_not_renewed_ends),
        STORE_TEST(a_large_body_comes_back_byte_for_byte),
        STORE_TEST(creates_of_many_threads_survive_kills_and_are_claimed_once),
        STORE_TEST(no_keeper_is_said_after_the_patience),
        STORE_TEST(a_fence_only_grows_and_a_stale_one_changes_nothing),
        STORE_TEST(a_record_that_is_not_what_was_written_is_an_error),
        STORE_TEST(a_damaged_run_stands_in_nobodys_way),
        STORE_TEST(a_damaged_end_stands_in_nobodys_way),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store, faults", tests, NULL, NULL);
}
