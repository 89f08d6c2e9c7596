/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract's watch: nobody misses a change, nobody waits longer than he said. */
#include <poll.h>
#include <pthread.h>
#include "store_util.h"

#define LONG     apr_time_from_sec(30)
#define AT_ONCE  apr_time_from_sec(10) /* what did not wait for LONG */
#define WATCHERS 40
#define PLACES   (2 * WATCHERS) /* await_watchers takes one now and then */
#define CROWD    500
#define CROWD_KB 16 /* for each of it */

typedef struct watcher_t {
    fixture_t *f;
    wf_uuid_t pid;
    apr_uint64_t version;
    pthread_t thread;
    apr_status_t status;
    apr_interval_time_t took;
} watcher_t;

static apr_status_t call(fixture_t *f, const wf_uuid_t *pid, apr_uint64_t version,
                         apr_uint32_t most, apr_interval_time_t timeout, apr_pool_t *pool)
{
    wf_watch_t watch = {*pid, version, most, timeout, NULL, NULL};

    return f->store->watch(f->store, &watch, pool);
}

static void *watch(void *data)
{
    watcher_t *w = data;
    apr_time_t begin = wf_clock();
    apr_pool_t *pool;

    apr_pool_create_unmanaged(&pool);
    w->status = call(w->f, &w->pid, w->version, PLACES, LONG, pool);
    w->took = wf_clock() - begin;
    apr_pool_destroy(pool);
    return NULL;
}

static void begin_watch(watcher_t *w, fixture_t *f, const wf_uuid_t *pid, apr_uint64_t version)
{
    w->f = f;
    w->pid = *pid;
    w->version = version;
    assert_int_equal(pthread_create(&w->thread, NULL, watch, w), 0);
}

static void assert_woken(watcher_t *w)
{
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    assert_int_equal(w->status, APR_SUCCESS);
    assert_true(w->took < AT_ONCE);
}

/* Waits until that many watch: one more is then refused. */
static void await_watchers(fixture_t *f, const wf_uuid_t *pid, apr_uint32_t count)
{
    apr_time_t deadline = wf_clock() + AT_ONCE;

    while (call(f, pid, 0, count, 0, f->pool) != WF_EFULL) {
        assert_true(wf_clock() < deadline);
    }
}

static void the_time_is_up(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_time_t begin = wf_clock();
    apr_interval_time_t timeout = apr_time_from_msec(200);

    create_ok(f, &spec);
    assert_int_equal(call(f, &spec.pid, 0, 1, timeout, f->pool), APR_TIMEUP);
    assert_true(wf_clock() - begin >= timeout);
    assert_true(wf_clock() - begin < AT_ONCE);
    assert_int_equal(call(f, &spec.pid, 0, 1, 0, f->pool), APR_TIMEUP);
}

static void what_is_not_under_way_has_ended(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run;

    assert_int_equal(call(f, &spec.pid, 0, 1, LONG, f->pool), APR_SUCCESS);
    create_ok(f, &spec);
    assert_true(get_ok(f, &spec.pid)->version != 0);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(get_ok(f, &spec.pid)->version, 0);
    assert_int_equal(call(f, &spec.pid, 0, 1, LONG, f->pool), APR_SUCCESS);
}

/* Every change gives another version, and wakes who waits for any; the end alone wakes the other.
 */
static void each_change_wakes(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a"), seen;
    wf_run_progress_t progress = {"one", 1, 2};
    wf_run_records_t records = {0, 0, 0};
    watcher_t any, end;
    wf_finish_t finish;
    wf_run_t *run;

    create_ok(f, &spec);
    begin_watch(&end, f, &spec.pid, 0);
    for (int change = 0; change < 4; change++) {
        seen = get_ok(f, &spec.pid)->version;
        begin_watch(&any, f, &spec.pid, seen);
        await_watchers(f, &spec.pid, 2);
        if (change == 0) {
            finish = completed(claim_one(f, a).token);
        } else if (change == 1) {
            assert_int_equal(
                f->store->progress(f->store, &finish.token, &progress, &records, f->pool),
                APR_SUCCESS);
        } else if (change == 2) {
            assert_int_equal(
                f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                APR_SUCCESS);
        } else {
            assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
        }
        assert_woken(&any);
        assert_true(get_ok(f, &spec.pid)->version != seen);
        assert_int_equal(call(f, &spec.pid, seen, 2, LONG, f->pool), APR_SUCCESS);
    }
    assert_woken(&end);
}

/* A list's version, which two lists have in common that nothing has happened between. */
static apr_uint64_t version_of_all(fixture_t *f)
{
    wf_run_query_t query = {.vhost = VHOST, .limit = 1};
    wf_run_list_t first, second;

    assert_int_equal(f->store->list(&first, f->store, &query, NULL, f->pool), APR_SUCCESS);
    query.vhost = "another";
    query.limit = 5;
    assert_int_equal(f->store->list(&second, f->store, &query, NULL, f->pool), APR_SUCCESS);
    assert_true(first.version != 0);
    assert_true(first.version == second.version);
    return first.version;
}

/* Two who watch all runs, as what they have seen stands. */
static void begin_to_watch_all(watcher_t any[2], fixture_t *f)
{
    static const wf_uuid_t all = {{0}};
    apr_uint64_t seen = version_of_all(f);
    apr_time_t deadline = wf_clock() + AT_ONCE;

    begin_watch(&any[0], f, &all, seen);
    begin_watch(&any[1], f, &all, seen);
    while (call(f, &all, seen, 2, 0, f->pool) != WF_EFULL) {
        assert_true(wf_clock() < deadline);
    }
}

/* That both were told, and that there is no way to miss it. */
static void assert_all_told(watcher_t any[2], fixture_t *f)
{
    apr_uint64_t seen = any[0].version;

    assert_woken(&any[0]);
    assert_woken(&any[1]);
    assert_true(version_of_all(f) != seen);
    assert_int_equal(call(f, &any[0].pid, seen, 2, LONG, f->pool), APR_SUCCESS);
}

static void whatever_a_list_may_show_wakes_who_watches_all(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12"), lost = new_run("12");
    apr_uint64_t a = join_ok(f, "a"), count;
    wf_run_progress_t progress = {"one", 1, 2};
    wf_run_records_t records = {0, 0, 0};
    wf_finish_t finish;
    watcher_t any[2];
    wf_run_t *run;
    int more;

    begin_to_watch_all(any, f);
    create_ok(f, &spec);
    assert_all_told(any, f);
    begin_to_watch_all(any, f);
    finish = completed(claim_one(f, a).token);
    assert_all_told(any, f);
    begin_to_watch_all(any, f);
    assert_int_equal(f->store->progress(f->store, &finish.token, &progress, &records, f->pool),
                     APR_SUCCESS);
    assert_all_told(any, f);
    begin_to_watch_all(any, f);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_all_told(any, f);
    begin_to_watch_all(any, f);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_all_told(any, f);
    begin_to_watch_all(any, f);
    assert_int_equal(f->store->purge(&count, &more, f->store, 0, f->pool), APR_SUCCESS);
    assert_int_equal(count, 1);
    assert_all_told(any, f);
    create_ok(f, &lost);
    claim_one(f, a);
    begin_to_watch_all(any, f);
    join_ok(f, "a"); /* the run is lost with the runner that had it */
    assert_all_told(any, f);
}

/* What no list shows is no news: a run's output, a runner, who reads, and a run that was refused.
 */
static void nothing_else_does(void **state)
{
    static const wf_uuid_t all = {{0}};
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a"), seen;
    wf_token_t token;
    wf_run_list_t list;
    wf_run_query_t query = {.vhost = VHOST, .limit = 5};

    create_ok(f, &spec);
    token = claim_one(f, a).token;
    seen = version_of_all(f);
    assert_int_equal(f->store->append_output(f->store, &token, 0, wf_slice("out"), f->pool),
                     APR_SUCCESS);
    join_ok(f, "b");
    create_ok(f, &spec); /* the same call again */
    assert_int_equal(f->store->list(&list, f->store, &query, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(call(f, &all, seen, 1, 0, f->pool), APR_TIMEUP);
    assert_true(version_of_all(f) == seen);
    assert_int_equal(call(f, &all, 0, 1, LONG, f->pool), APR_SUCCESS); /* of no list */
}

static void the_bound_is_kept(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12"), other = new_run("12");
    watcher_t watchers[WATCHERS];
    wf_run_t *run;

    create_ok(f, &spec);
    create_ok(f, &other);
    for (int i = 0; i < WATCHERS; i++) {
        begin_watch(&watchers[i], f, &spec.pid, i % 2 ? get_ok(f, &spec.pid)->version : 0);
    }
    await_watchers(f, &other.pid, WATCHERS);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    for (int i = 0; i < WATCHERS; i++) {
        assert_woken(&watchers[i]);
    }
    assert_int_equal(call(f, &other.pid, 0, 1, 0, f->pool), APR_TIMEUP);
}

/* A keeper that is killed: who waits for the end waits on, who waits for a change may be woken. */
static void a_new_keeper_is_watched_on(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    watcher_t any, end, all[2];
    wf_run_t *run;

    create_ok(f, &spec);
    begin_to_watch_all(all, f);
    begin_watch(&any, f, &spec.pid, get_ok(f, &spec.pid)->version);
    begin_watch(&end, f, &spec.pid, 0);
    await_watchers(f, &spec.pid, 4);
    restart_keeper(f, SIGKILL);
    assert_all_told(all, f); /* it cannot know whether they have missed something */
    await_watchers(f, &spec.pid, 1);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_woken(&any);
    assert_woken(&end);
}

/* Says no at the third time. */
static int is_wanted(void *baton)
{
    return ++*(int *)baton < 3;
}

static void nobody_waits_for_what_is_not_wanted(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    int asked = 0;
    wf_watch_t watch = {spec.pid, 0, 1, LONG, is_wanted, &asked};
    apr_time_t begin = wf_clock();

    create_ok(f, &spec);
    assert_int_equal(f->store->watch(f->store, &watch, f->pool), WF_ECANCELLED);
    assert_true(wf_clock() - begin < AT_ONCE);
    assert_true(asked >= 3);
    while (call(f, &spec.pid, 0, 1, 0, f->pool) != APR_TIMEUP) { /* its place is free again */
        assert_true(wf_clock() - begin < AT_ONCE);
    }
    /* Nor does it look for a keeper that is gone. */
    end_keeper(f, SIGKILL);
    assert_int_equal(f->store->watch(f->store, &watch, f->pool), WF_ECANCELLED);
    assert_true(wf_clock() - begin < AT_ONCE);
    start_keeper(f);
}

static int begin_many(fixture_t *f, const wf_uuid_t *pid, apr_uint32_t most,
                      apr_interval_time_t timeout)
{
    wf_watch_t watch = {*pid, 0, most, timeout, NULL, NULL};
    int fd = -1;

    assert_int_equal(f->store->watch_begin(&fd, f->store, &watch, f->pool), APR_SUCCESS);
    assert_true(fd >= 0);
    return fd;
}

/* What a watch comes to, once its descriptor can be read. */
static apr_status_t await_end(fixture_t *f, int fd)
{
    struct pollfd p = {fd, POLLIN, 0};

    assert_int_equal(poll(&p, 1, (int)apr_time_as_msec(AT_ONCE)), 1);
    return f->store->watch_end(f->store, fd);
}

static void many_are_watched_by_one_thread(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec[WATCHERS];
    int fd[WATCHERS];
    wf_run_t *run;

    for (int i = 0; i < WATCHERS; i++) {
        spec[i] = new_run("12");
        create_ok(f, &spec[i]);
        fd[i] = begin_many(f, &spec[i].pid, PLACES, LONG);
    }
    await_watchers(f, &spec[0].pid, WATCHERS);
    for (int i = 0; i < WATCHERS; i++) {
        assert_int_equal(
            f->store->interrupt(&run, f->store, VHOST, &spec[i].pid, "bob", NULL, f->pool),
            APR_SUCCESS);
        assert_int_equal(await_end(f, fd[i]), APR_SUCCESS);
    }
}

static void a_watch_that_is_begun_ends_in_every_way(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_watch_t watch = {spec.pid, 0, PLACES, LONG, NULL, NULL};
    apr_time_t begin = wf_clock();
    int first, second;

    create_ok(f, &spec);
    assert_int_equal(await_end(f, begin_many(f, &spec.pid, PLACES, 1)), APR_TIMEUP);
    assert_int_equal(await_end(f, begin_many(f, &spec.pid, 0, LONG)), WF_EFULL);
    first = begin_many(f, &spec.pid, PLACES, LONG);
    await_watchers(f, &spec.pid, 1);
    assert_int_equal(f->store->watch_end(f->store, first), WF_ECANCELLED);
    while (call(f, &spec.pid, 0, 1, 0, f->pool) != APR_TIMEUP) { /* its place is free again */
        assert_true(wf_clock() - begin < AT_ONCE);
    }

    /* A keeper that has gone is news, and one that is not there is no watch. */
    second = begin_many(f, &spec.pid, PLACES, LONG);
    await_watchers(f, &spec.pid, 1);
    end_keeper(f, SIGKILL);
    assert_int_equal(await_end(f, second), APR_SUCCESS);
    unlink(f->socket);
    assert_int_equal(f->store->watch_begin(&first, f->store, &watch, f->pool), WF_EUNAVAILABLE);
    close(f->listener);
    assert_int_equal(wf_socket_listen(&f->listener, f->socket), APR_SUCCESS);
    start_keeper(f);
}

/* Kilobytes that a process has asked for, whether or not it has used them. */
static long memory_of(const fixture_t *f)
{
    FILE *in = fopen(apr_psprintf(f->pool, "/proc/%d/status", (int)f->keeper), "r");
    char line[256];
    long size = 0;

    assert_non_null(in);
    while (size == 0 && fgets(line, sizeof(line), in)) {
        sscanf(line, "VmData: %ld kB", &size);
    }
    fclose(in);
    assert_true(size > 0);
    return size;
}

/* Clients that wait for long, and have asked for little, take little. */
static void a_crowd_takes_little_memory(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("1");
    int fds[CROWD];
    wf_run_t *run;
    long before;

    create_ok(f, &spec);
    before = memory_of(f);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = begin_many(f, &spec.pid, 2 * CROWD, LONG);
    }
    await_watchers(f, &spec.pid, CROWD);
    assert_true((memory_of(f) - before) / CROWD < CROWD_KB);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(await_end(f, fds[i]), APR_SUCCESS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(the_time_is_up),
        STORE_TEST(what_is_not_under_way_has_ended),
        STORE_TEST(each_change_wakes),
        STORE_TEST(whatever_a_list_may_show_wakes_who_watches_all),
        STORE_TEST(nothing_else_does),
        STORE_TEST(the_bound_is_kept),
        STORE_TEST(a_new_keeper_is_watched_on),
        STORE_TEST(nobody_waits_for_what_is_not_wanted),
        STORE_TEST(many_are_watched_by_one_thread),
        STORE_TEST(a_watch_that_is_begun_ends_in_every_way),
        STORE_TEST(a_crowd_takes_little_memory),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_watch", tests, NULL, NULL);
}
