/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency keys: the same request with the same key is the same run, for everybody who sends it
 * at a time, through a keeper's death, for a day and no longer. The wall's clock is the test's own.
 */
#include "store_util.h"

#include <sys/mman.h>

#define THREADS 16
#define KEYS    100
#define REPEATS 10000
#define DAY     apr_time_from_sec(24 * 3600)

/* What the wall's clock is ahead of the machine's; shared with the keeper. */
static apr_time_t *ahead;

apr_time_t __real_apr_time_now(void);
apr_time_t __wrap_apr_time_now(void);
apr_time_t __wrap_apr_time_now(void)
{
    return __real_apr_time_now() + *(volatile apr_time_t *)ahead;
}

static wf_new_run_t keyed(const char *task, const char *key)
{
    wf_new_run_t spec = new_run(task);

    spec.idempotency_key = key;
    return spec;
}

static apr_status_t create_status(fixture_t *f, const wf_new_run_t *spec)
{
    wf_run_t *run;

    return f->store->create(&run, f->store, spec, NULL, f->pool);
}

static void assert_same_run(fixture_t *f, const wf_new_run_t *spec, const wf_new_run_t *first)
{
    assert_memory_equal(&create_ok(f, spec)->pid, &first->pid, sizeof(first->pid));
}

static void assert_run_of_its_own(fixture_t *f, const wf_new_run_t *spec)
{
    assert_same_run(f, spec, spec);
}

static void the_same_request_is_the_first_run(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = keyed("12", "k"), again = keyed("12", "k");
    apr_uint64_t a = join_ok(f, "a");
    wf_finish_t finish;
    wf_run_t *run;

    assert_run_of_its_own(f, &first);
    assert_same_run(f, &again, &first);
    assert_same_run(f, &first, &first);
    finish = completed(claim_one(f, a).token);
    assert_int_equal(claim_ok(f, a, 10)->nelts, 0);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    restart_keeper(f, SIGKILL);
    run = create_ok(f, &again);
    assert_memory_equal(&run->pid, &first.pid, sizeof(first.pid));
    assert_int_equal(run->status, WF_RUN_COMPLETED);
    assert_true(wf_slice_equal(run->result, finish.result));
    assert_int_equal(f->store->get(&run, f->store, VHOST, &again.pid, NULL, f->pool), APR_NOTFOUND);
}

static void another_request_is_a_conflict(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = keyed("12", "k");
    wf_new_run_t project = keyed("12", "k"), task = keyed("13", "k"), body = keyed("12", "k"),
                 longer = keyed("12", "k");
    wf_run_t *run;

    project.project = "570";
    body.payload = wf_slice("{\"name\": \"y\\u0000\"}");
    longer.payload = wf_slice("{\"name\": \"x\\u0000\"} ");
    assert_run_of_its_own(f, &first);
    assert_int_equal(create_status(f, &project), WF_ECONFLICT);
    assert_int_equal(create_status(f, &task), WF_ECONFLICT);
    assert_int_equal(create_status(f, &body), WF_ECONFLICT);
    assert_int_equal(create_status(f, &longer), WF_ECONFLICT);
    assert_int_equal(f->store->get(&run, f->store, VHOST, &task.pid, NULL, f->pool), APR_NOTFOUND);
    assert_int_equal(claim_ok(f, join_ok(f, "a"), 10)->nelts, 1);
}

/* A short body is kept beside its run, whose end is written over it; a longer one apart from it. */
static void bodies_of_any_length_are_told_apart_after_the_end(void **state)
{
    static const apr_size_t lengths[] = {1, 1023, 1024, 1025, 5000};
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    char text[5000];

    memset(text, '1', sizeof(text));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const char *key = apr_psprintf(f->pool, "k%d", (int)i);
        wf_new_run_t first = keyed("12", key), again = keyed("12", key), other = keyed("12", key);
        wf_finish_t finish;
        wf_claim_t claim;

        first.payload = again.payload = wf_slice_of(text, lengths[i]);
        other.payload = wf_slice_of(text, lengths[i] - 1);
        create_ok(f, &first);
        claim = claim_one(f, a);
        assert_true(wf_slice_equal(claim.payload, first.payload));
        finish = completed(claim.token);
        assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
        assert_same_run(f, &again, &first);
        assert_int_equal(create_status(f, &other), WF_ECONFLICT);
    }
}

static void a_key_is_of_its_vhost_and_user(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = keyed("12", "k"), user = keyed("13", "k"), vhost = keyed("14", "k"),
                 other = keyed("15", "K"), nobody = keyed("16", "k"), none = new_run("12");

    user.user = "bob";
    vhost.vhost = "other:80";
    nobody.user = NULL;
    assert_run_of_its_own(f, &first);
    assert_run_of_its_own(f, &user);
    assert_run_of_its_own(f, &vhost);
    assert_run_of_its_own(f, &other);
    assert_run_of_its_own(f, &nobody);
    assert_run_of_its_own(f, &none);
}

static void a_refused_run_leaves_no_key(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = new_run("12"), refused = keyed("12", "k"), other = keyed("13", "k");

    refused.refuse_overlap = 1;
    create_ok(f, &first);
    assert_int_equal(create_status(f, &refused), WF_EOVERLAP);
    assert_run_of_its_own(f, &other);
}

static void what_must_not_overlap_may_be_repeated(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = keyed("12", "k"), again = keyed("12", "k");

    first.refuse_overlap = again.refuse_overlap = 1;
    assert_run_of_its_own(f, &first);
    assert_same_run(f, &again, &first);
}

static void a_key_is_kept_for_a_day(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = keyed("12", "k"), again = keyed("12", "k"), other = keyed("13", "k"),
                 last = keyed("13", "k");

    assert_run_of_its_own(f, &first);
    *ahead += DAY - apr_time_from_sec(3600);
    assert_same_run(f, &again, &first);
    *ahead += apr_time_from_sec(3600);
    assert_run_of_its_own(f, &other);
    assert_same_run(f, &last, &other);
    /* The first one is as it was, and repeats of its own call find it. */
    assert_int_equal(get_ok(f, &first.pid)->status, WF_RUN_SUBMITTED);
}

static void purge_all(fixture_t *f)
{
    apr_uint64_t count;
    int more;

    do {
        assert_int_equal(f->store->purge(&count, &more, f->store, 0, f->pool), APR_SUCCESS);
    } while (more);
}

static void finish_next(fixture_t *f, apr_uint64_t incarnation)
{
    wf_finish_t finish = completed(claim_one(f, incarnation).token);

    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
}

static void a_key_goes_with_its_run(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = keyed("12", "k"), other = keyed("13", "k"), last = keyed("13", "k");

    assert_run_of_its_own(f, &first);
    finish_next(f, a);
    purge_all(f);
    assert_run_of_its_own(f, &other);
    finish_next(f, a);
    /* A key that a later run has taken over stays with that one. */
    *ahead += DAY;
    assert_run_of_its_own(f, &last);
    purge_all(f);
    first = keyed("13", "k");
    assert_same_run(f, &first, &last);
}

typedef struct racer_t {
    fixture_t *f;
    apr_thread_t *thread;
    int number;
    int failed;
    wf_uuid_t pids[KEYS]; /* that the key's first answer told */
} racer_t;

/* Sends its part of the repeats, key by key, each thread from another one on. */
static void *APR_THREAD_FUNC race(apr_thread_t *thread, void *data)
{
    racer_t *me = data;
    wf_store_t *store;
    apr_pool_t *own, *pool;

    apr_pool_create(&own, NULL);
    apr_pool_create(&pool, own);
    me->failed += wf_embedded_open(&store, me->f->socket, PATIENCE, own) != APR_SUCCESS;
    for (int i = 0; i < REPEATS / THREADS && !me->failed; i++) {
        int key = (i * KEYS / (REPEATS / THREADS) + me->number) % KEYS;
        wf_new_run_t spec = keyed("12", apr_psprintf(pool, "key-%d", key));
        wf_uuid_t none = {{0}};
        wf_run_t *run;

        me->failed += store->create(&run, store, &spec, NULL, pool) != APR_SUCCESS;
        if (!me->failed && memcmp(&me->pids[key], &none, sizeof(none)) == 0) {
            me->pids[key] = run->pid;
        }
        me->failed += !me->failed && memcmp(&me->pids[key], &run->pid, sizeof(run->pid)) != 0;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

/* While they race a keeper is killed, too. */
static void racing_repeats_are_one_run_a_key(void **state)
{
    fixture_t *f = *state;
    racer_t racers[THREADS];
    wf_uuid_t none = {{0}};

    memset(racers, 0, sizeof(racers));
    for (int i = 0; i < THREADS; i++) {
        racers[i].f = f;
        racers[i].number = i;
        assert_int_equal(apr_thread_create(&racers[i].thread, NULL, race, &racers[i], f->pool),
                         APR_SUCCESS);
    }
    restart_keeper(f, SIGKILL);
    for (int i = 0; i < THREADS; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, racers[i].thread);
        assert_int_equal(racers[i].failed, 0);
        for (int key = 0; key < KEYS; key++) {
            wf_uuid_t *pid = &racers[i].pids[key];
            int unseen = memcmp(pid, &none, sizeof(none)) == 0;

            assert_true(unseen || memcmp(pid, &racers[0].pids[key], sizeof(*pid)) == 0 ||
                        memcmp(&racers[0].pids[key], &none, sizeof(none)) == 0);
            racers[0].pids[key] = unseen ? racers[0].pids[key] : *pid;
        }
    }
    assert_int_equal(claim_ok(f, join_ok(f, "a"), 2 * KEYS)->nelts, KEYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_same_request_is_the_first_run),
        STORE_TEST(another_request_is_a_conflict),
        STORE_TEST(bodies_of_any_length_are_told_apart_after_the_end),
        STORE_TEST(a_key_is_of_its_vhost_and_user),
        STORE_TEST(a_refused_run_leaves_no_key),
        STORE_TEST(what_must_not_overlap_may_be_repeated),
        STORE_TEST(a_key_is_kept_for_a_day),
        STORE_TEST(a_key_goes_with_its_run),
        STORE_TEST(racing_repeats_are_one_run_a_key),
    };

    ahead = mmap(NULL, sizeof(*ahead), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(ahead != MAP_FAILED);
    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_keys", tests, NULL, NULL);
}
