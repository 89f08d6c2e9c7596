/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many runs leave: the room that purged runs took is used again, log files go, and a keeper
 * that is killed under load serves again soon, however many runs there have been.
 *
 * WF_GROWTH_RUNS sets how many runs in all; a million takes some minutes.
 */
#include "store_util.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define THREADS     8
#define GENERATIONS 10
#define RUNS        20000 /* in all, where nothing else is said */

/* What README promises: a run takes so much, its body and output apart, and the log so much. */
#define BYTES_PER_RUN 1200
#define BYTES_OF_LOG  (24 * 1024 * 1024)
#define SLACK         (1024 * 1024) /* empty tables, and pages that wait for a checkpoint */
#define SETTLING      3             /* generations until the files have their size */
#define START_MOST    apr_time_from_sec(2)

#define LARGE_CACHE   (256 * 1024 * 1024)
#define CLAIM_MOST    apr_time_from_sec(20)

#define LEASE         apr_time_from_sec(3600) /* renewed by nobody */

static off_t bytes, room;

static int add_size(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path;
    (void)ftw;
    bytes += type == FTW_F ? st->st_size : 0;
    room += type == FTW_F ? st->st_blocks * 512 : 0;
    return 0;
}

/* The bytes of the files in a folder of the state directory. */
static off_t size_of(fixture_t *f, const char *folder)
{
    bytes = 0;
    assert_int_equal(nftw(apr_pstrcat(f->pool, f->dir, "/", folder, NULL), add_size, 8, FTW_PHYS),
                     0);
    return bytes;
}

/* What these files have of their file system. */
static off_t room_of(fixture_t *f, const char *folder)
{
    room = 0;
    size_of(f, folder);
    return room;
}

typedef struct worker_t {
    fixture_t *f;
    apr_thread_t *thread;
    int number;
    int runs;     /* to create */
    int finishes; /* whether it also claims and finishes */
    int failed;
} worker_t;

/* Finishes what may be claimed. */
static int finish_some(wf_store_t *store, apr_uint64_t incarnation, apr_pool_t *pool)
{
    apr_array_header_t *claims;
    int failed = store->claim(&claims, store, incarnation, 64, 0, pool) != APR_SUCCESS;

    for (int i = 0; i < claims->nelts; i++) {
        wf_finish_t finish = completed(APR_ARRAY_IDX(claims, i, wf_claim_t).token);

        failed += store->finish(NULL, store, &finish, pool) != APR_SUCCESS;
    }
    return failed;
}

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    worker_t *w = data;
    apr_uint64_t incarnation = 0;
    wf_store_t *store;
    apr_pool_t *own, *pool;

    apr_pool_create(&own, NULL);
    apr_pool_create(&pool, own);
    w->failed += wf_embedded_open(&store, w->f->socket, PATIENCE, own) != APR_SUCCESS;
    if (w->finishes) {
        w->failed += store->join(&incarnation, store, apr_itoa(own, w->number), 64, LEASE, own);
    }
    for (int i = 0; i < w->runs && !w->failed; i++) {
        wf_new_run_t spec = new_run("12");
        wf_run_t *run;

        w->failed += store->create(&run, store, &spec, NULL, pool) != APR_SUCCESS;
        if (w->finishes) {
            w->failed += finish_some(store, incarnation, pool);
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void start_workers(worker_t workers[THREADS], fixture_t *f, int runs, int finishes)
{
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker_t){f, NULL, i, runs / THREADS, finishes, 0};
        assert_int_equal(apr_thread_create(&workers[i].thread, NULL, work, &workers[i], f->pool),
                         APR_SUCCESS);
    }
}

static void join_workers(worker_t workers[THREADS])
{
    for (int i = 0; i < THREADS; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, workers[i].thread);
        assert_int_equal(workers[i].failed, 0);
    }
}

/* Deletes all that has ended, and says how many. */
static apr_uint64_t purge_all(fixture_t *f)
{
    apr_uint64_t count, all = 0;
    apr_pool_t *pool;
    int more = 1;

    apr_pool_create(&pool, f->pool);
    while (more) {
        assert_int_equal(f->store->purge(&count, &more, f->store, 0, pool), APR_SUCCESS);
        all += count;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return all;
}

static int runs_in_all(void)
{
    const char *text = getenv("WF_GROWTH_RUNS");
    int runs = text ? atoi(text) : RUNS;

    assert_true(runs >= GENERATIONS * THREADS);
    return runs / (GENERATIONS * THREADS) * (GENERATIONS * THREADS);
}

static void the_state_directory_stays_bounded(void **state)
{
    fixture_t *f = *state;
    int runs = runs_in_all() / GENERATIONS;
    off_t settled = 0, data = 0, log = 0;

    for (int generation = 0; generation < GENERATIONS; generation++) {
        worker_t workers[THREADS];

        start_workers(workers, f, runs, 1);
        join_workers(workers);
        data = size_of(f, "data");
        log = size_of(f, "log");
        assert_true(data <= (off_t)runs * BYTES_PER_RUN + SLACK);
        if (generation < SETTLING) {
            settled = data > settled ? data : settled;
        } else {
            assert_true(data <= settled + settled / 10 + SLACK);
        }
        assert_true(log <= BYTES_OF_LOG);
        assert_int_equal(purge_all(f), runs);
    }
    print_message("%d runs, %d at a time: the tables have %ld KB, the log %ld KB\n",
                  runs * GENERATIONS, runs, (long)(data / 1024), (long)(log / 1024));
}

static void a_keeper_that_is_killed_under_load_serves_again_soon(void **state)
{
    fixture_t *f = *state;
    int runs = runs_in_all() / GENERATIONS;
    apr_interval_time_t slowest = 0;

    for (int round = 0; round < 3; round++) {
        worker_t workers[THREADS];
        apr_time_t began;

        start_workers(workers, f, runs, 0);
        /* When some of its load has come. */
        while (size_of(f, "data") < (off_t)runs * BYTES_PER_RUN / 4 * (round + 1)) {
            wf_run_t *run;
            wf_new_run_t spec = new_run("12");

            assert_int_equal(f->store->create(&run, f->store, &spec, NULL, f->pool), APR_SUCCESS);
        }
        end_keeper(f, SIGKILL);
        began = wf_clock();
        start_keeper(f);
        slowest = wf_clock() - began > slowest ? wf_clock() - began : slowest;
        join_workers(workers);
    }
    print_message("with up to %d runs queued, a start took up to %ld ms\n", runs * 3,
                  (long)apr_time_as_msec(slowest));
    assert_true(slowest < START_MOST);
}

/* All that a large cache may come to need is claimed, and calls are answered meanwhile. */
static void a_large_cache_is_claimed_while_it_serves(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_time_t deadline;

    end_keeper(f, SIGKILL);
    f->cache_size = LARGE_CACHE;
    start_keeper(f);
    create_ok(f, &spec);
    deadline = wf_clock() + CLAIM_MOST;
    while (room_of(f, "env/.") < LARGE_CACHE / 4 * 5) {
        assert_true(wf_clock() < deadline);
        get_ok(f, &spec.pid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_state_directory_stays_bounded),
        STORE_TEST(a_keeper_that_is_killed_under_load_serves_again_soon),
        STORE_TEST(a_large_cache_is_claimed_while_it_serves),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store, growth", tests, NULL, NULL);
}
