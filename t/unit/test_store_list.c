/* SPDX-License-Identifier: Apache-2.0 */
/* The list of runs: what it finds, in which order, and that its pages hold while runs are added. */
#include "store_util.h"

#include <apr_atomic.h>

#define RUNS   10000
#define ADDERS 2
#define ENDED  1100 /* more than one call looks at */

static wf_run_query_t anything(void)
{
    return (wf_run_query_t){.vhost = VHOST, .limit = 100};
}

static wf_run_list_t list_ok(fixture_t *f, const wf_run_query_t *query)
{
    wf_run_list_t list;

    assert_int_equal(f->store->list(&list, f->store, query, NULL, f->pool), APR_SUCCESS);
    assert_true(list.runs->nelts <= (int)query->limit);
    return list;
}

static const wf_run_t *run_at(const wf_run_list_t *list, int i)
{
    assert_true(i < list->runs->nelts);
    return &APR_ARRAY_IDX(list->runs, i, wf_run_t);
}

/* Goes through all pages, and counts; each pid is smaller than the last. */
static int count_all(fixture_t *f, wf_run_query_t query)
{
    wf_run_list_t list;
    wf_uuid_t last;
    int count = 0;

    memset(&last, 0xff, sizeof(last));
    do {
        list = list_ok(f, &query);
        for (int i = 0; i < list.runs->nelts; i++) {
            assert_true(memcmp(&run_at(&list, i)->pid, &last, sizeof(last)) < 0);
            last = run_at(&list, i)->pid;
        }
        count += list.runs->nelts;
        assert_true(!list.more || memcmp(&list.next, &last, sizeof(last)) <= 0);
        query.before = list.next;
    } while (list.more);
    return count;
}

static void assert_lists(fixture_t *f, const wf_run_query_t *query, const wf_new_run_t *const *runs,
                         int count)
{
    wf_run_list_t list = list_ok(f, query);

    assert_int_equal(list.runs->nelts, count);
    assert_false(list.more);
    for (int i = 0; i < count; i++) {
        assert_memory_equal(&run_at(&list, i)->pid, &runs[i]->pid, sizeof(wf_uuid_t));
    }
}

#define ASSERT_LISTS(f, query, ...)                                                                \
    do {                                                                                           \
        const wf_new_run_t *const runs_[] = {__VA_ARGS__};                                         \
        assert_lists(f, query, runs_, (int)(sizeof(runs_) / sizeof(runs_[0])));                    \
    } while (0)

static void an_empty_store_lists_nothing(void **state)
{
    fixture_t *f = *state;
    wf_run_query_t query = anything();
    wf_run_list_t list;

    assert_lists(f, &query, NULL, 0);
    query.project = "569";
    assert_lists(f, &query, NULL, 0);
    query.limit = 0;
    assert_int_equal(f->store->list(&list, f->store, &query, NULL, f->pool), WF_EINVALID);
}

static void each_filter_finds_its_own(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t a = new_run("12"), b = new_run("13"), c = new_run("12"), d = new_run("12"),
                 other = new_run("12");
    wf_run_query_t query = anything();
    wf_run_t *run;

    b.user = "bob";
    c.project = "57";
    d.project = "5699";
    other.vhost = "other:80";
    create_ok(f, &a);
    create_ok(f, &b);
    create_ok(f, &c);
    create_ok(f, &d);
    create_ok(f, &other);
    ASSERT_LISTS(f, &query, &d, &c, &b, &a);
    query.task = "12";
    ASSERT_LISTS(f, &query, &d, &c, &a);
    query.project = "569";
    ASSERT_LISTS(f, &query, &a);
    query.task = NULL;
    ASSERT_LISTS(f, &query, &b, &a);
    query.user = "bob";
    ASSERT_LISTS(f, &query, &b);
    query.user = "carol";
    assert_lists(f, &query, NULL, 0);
    query = anything();
    query.vhost = "other:80";
    ASSERT_LISTS(f, &query, &other);
    query.project = "57";
    assert_lists(f, &query, NULL, 0);

    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &b.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    query = anything();
    query.status = WF_RUN_SUBMITTED;
    ASSERT_LISTS(f, &query, &d, &c, &a);
    query.status = WF_RUN_INTERRUPTED;
    ASSERT_LISTS(f, &query, &b);
    query.status = WF_RUN_RUNNING;
    assert_lists(f, &query, NULL, 0);
}

static void times_are_those_of_the_submission(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t a = new_run("12"), b = new_run("12"), c = new_run("12");
    wf_run_query_t query = anything();
    apr_time_t when;

    create_ok(f, &a);
    when = create_ok(f, &b)->submitted;
    create_ok(f, &c);
    for (int by_project = 0; by_project < 2; by_project++) {
        query = anything();
        query.project = by_project ? "569" : NULL;
        query.from = when;
        ASSERT_LISTS(f, &query, &c, &b);
        query.to = when + 1;
        ASSERT_LISTS(f, &query, &b);
        query.from = 0;
        ASSERT_LISTS(f, &query, &b, &a);
        query.to = when;
        ASSERT_LISTS(f, &query, &a);
        query.to = 1;
        assert_lists(f, &query, NULL, 0);
        query.to = 0;
        query.from = when + apr_time_from_sec(3600);
        assert_lists(f, &query, NULL, 0);
        query.from = when - apr_time_from_sec(3600);
        query.to = when + apr_time_from_sec(3600);
        ASSERT_LISTS(f, &query, &c, &b, &a);
    }
}

static void a_listed_run_is_as_it_stands_without_its_outcome(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_run_progress_t progress = {"write customer", 1, 2};
    wf_run_records_t records = {7, 5, 2};
    wf_run_query_t query = anything();
    wf_run_list_t list;
    wf_claim_t claim;
    wf_finish_t finish;

    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, &records, f->pool),
                     APR_SUCCESS);
    list = list_ok(f, &query);
    assert_int_equal(run_at(&list, 0)->status, WF_RUN_RUNNING);
    assert_string_equal(run_at(&list, 0)->progress.action, "write customer");
    assert_string_equal(run_at(&list, 0)->user, "alice");
    finish = completed(claim.token);
    finish.actions = wf_slice("[]");
    finish.status = WF_RUN_ERROR;
    finish.error = (wf_run_error_t){"exit-code", "it failed"};
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    list = list_ok(f, &query);
    assert_int_equal(run_at(&list, 0)->status, WF_RUN_ERROR);
    assert_string_equal(run_at(&list, 0)->error.detail, "it failed");
    assert_true(run_at(&list, 0)->completed > 0);
    assert_int_equal(run_at(&list, 0)->result.len, 0);
    assert_int_equal(run_at(&list, 0)->actions.len, 0);
    assert_true(get_ok(f, &spec.pid)->result.len > 0);
}

/* The first page has it, although more runs have ended since than a call looks at. */
static void what_is_under_way_is_found_among_many_that_ended(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = new_run("12"), runs = new_run("12"), waits = new_run("12");
    wf_run_query_t query = anything();
    apr_pool_t *pool;

    runs.concurrency = waits.concurrency = first.concurrency = 2;
    create_ok(f, &first);
    create_ok(f, &runs);
    claim_one(f, a);
    claim_one(f, a);
    create_ok(f, &waits);
    apr_pool_create(&pool, f->pool);
    for (int i = 0; i < ENDED; i++) {
        wf_new_run_t spec = new_run("13");
        wf_run_t *run;

        assert_int_equal(f->store->create(&run, f->store, &spec, NULL, pool), APR_SUCCESS);
        assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, pool),
                         APR_SUCCESS);
        apr_pool_clear(pool);
    }
    for (int by_project = 0; by_project < 2; by_project++) {
        query.project = by_project ? "569" : NULL;
        query.status = WF_RUN_RUNNING;
        ASSERT_LISTS(f, &query, &runs, &first);
        query.status = WF_RUN_SUBMITTED;
        ASSERT_LISTS(f, &query, &waits);
        query.before = waits.pid;
        assert_lists(f, &query, NULL, 0);
        memset(&query.before, 0, sizeof(query.before));
    }
    query.project = "570";
    assert_lists(f, &query, NULL, 0);
}

typedef struct adder_t {
    fixture_t *f;
    apr_thread_t *thread;
    int number;
    int runs;
    int failed;
    volatile apr_uint32_t *stop; /* NULL: the runs are counted */
} adder_t;

/* Adds runs of the tasks t0 to t9 in turn. */
static void *APR_THREAD_FUNC add(apr_thread_t *thread, void *data)
{
    adder_t *me = data;
    wf_store_t *store;
    apr_pool_t *own, *pool;

    apr_pool_create(&own, NULL);
    apr_pool_create(&pool, own);
    me->failed += wf_embedded_open(&store, me->f->socket, PATIENCE, own) != APR_SUCCESS;
    for (int i = 0; i < me->runs && !me->failed && !(me->stop && apr_atomic_read32(me->stop));
         i++) {
        wf_new_run_t spec = new_run(apr_psprintf(pool, "t%d", i % 10));
        wf_run_t *run;

        spec.project = i % 2 ? "odd" : "even";
        me->failed += store->create(&run, store, &spec, NULL, pool) != APR_SUCCESS;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void start_adders(adder_t *adders, int count, fixture_t *f, int runs,
                         volatile apr_uint32_t *stop)
{
    for (int i = 0; i < count; i++) {
        adders[i] = (adder_t){f, NULL, i, runs, 0, stop};
        assert_int_equal(apr_thread_create(&adders[i].thread, NULL, add, &adders[i], f->pool),
                         APR_SUCCESS);
    }
}

static void join_adders(adder_t *adders, int count)
{
    for (int i = 0; i < count; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, adders[i].thread);
        assert_int_equal(adders[i].failed, 0);
    }
}

/* The pages of what was there when the first one was asked for, while others add runs. */
static void assert_pages_hold(fixture_t *f, wf_run_query_t query, const wf_uuid_t *newest,
                              int count)
{
    apr_hash_t *seen = apr_hash_make(f->pool);
    wf_run_list_t list;
    int old = 0;

    do {
        list = list_ok(f, &query);
        for (int i = 0; i < list.runs->nelts; i++) {
            const wf_run_t *run = run_at(&list, i);

            assert_null(apr_hash_get(seen, &run->pid, sizeof(run->pid)));
            apr_hash_set(seen, &run->pid, sizeof(run->pid), run);
            old += memcmp(&run->pid, newest, sizeof(*newest)) <= 0;
        }
        query.before = list.next;
    } while (list.more);
    assert_int_equal(old, count);
}

static void pages_hold_while_runs_are_added(void **state)
{
    fixture_t *f = *state;
    wf_run_query_t query = anything();
    volatile apr_uint32_t stop = 0;
    adder_t adders[8];
    wf_uuid_t newest;
    wf_run_list_t list;
    apr_pool_t *pool = f->pool;

    start_adders(adders, 8, f, RUNS / 8, NULL);
    join_adders(adders, 8);
    apr_pool_create(&f->pool, pool);
    query.limit = 137;
    assert_int_equal(count_all(f, query), RUNS);
    query.project = "odd";
    assert_int_equal(count_all(f, query), RUNS / 2);
    query.task = "t3";
    assert_int_equal(count_all(f, query), RUNS / 10);
    query.task = "t4";
    assert_int_equal(count_all(f, query), 0);
    query.project = NULL;
    query.limit = WF_LIST_MOST;
    assert_int_equal(count_all(f, query), RUNS / 10);
    /* A call looks at a part of them only. */
    query.task = "none";
    list = list_ok(f, &query);
    assert_int_equal(list.runs->nelts, 0);
    assert_true(list.more);
    assert_int_equal(count_all(f, query), 0);

    query = anything();
    list = list_ok(f, &query);
    newest = run_at(&list, 0)->pid;
    start_adders(adders, ADDERS, f, RUNS, &stop);
    assert_pages_hold(f, query, &newest, RUNS);
    query.project = "even";
    assert_pages_hold(f, query, &newest, RUNS / 2);
    apr_atomic_set32(&stop, 1);
    join_adders(adders, ADDERS);
    apr_pool_destroy(f->pool);
    f->pool = pool;
}

/* Large outcomes make a call look at fewer runs. */
static void a_call_reads_a_bounded_number_of_bytes(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_run_query_t query = anything();
    char *text = apr_palloc(f->pool, 400002);
    wf_run_list_t list;

    memset(text, 'x', 400002);
    text[0] = text[400001] = '"';
    for (int i = 0; i < 12; i++) {
        wf_new_run_t spec = new_run("12");
        wf_finish_t finish;

        create_ok(f, &spec);
        finish = completed(claim_one(f, a).token);
        finish.result = wf_slice_of(text, 400002);
        assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    }
    list = list_ok(f, &query);
    assert_true(list.more);
    assert_true(list.runs->nelts >= 1 && list.runs->nelts <= 4);
    assert_int_equal(count_all(f, query), 12);
}

static void assert_under_way(fixture_t *f, const char *vhost, const char *task, unsigned queued,
                             unsigned running)
{
    wf_under_way_t count;

    assert_int_equal(f->store->under_way(&count, f->store, vhost, "569", task, NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(count.queued, queued);
    assert_int_equal(count.running, running);
}

/* Of its own vhost, project and task alone, and after a keeper's death too. */
static void runs_under_way_are_counted(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "host");
    wf_under_way_t none;
    wf_finish_t finish;
    wf_run_t *run;

    assert_under_way(f, VHOST, "12", 0, 0);
    for (int i = 0; i < 4; i++) {
        wf_new_run_t spec = new_run("12"), other = new_run("13"), elsewhere = new_run("12");

        other.project = i < 2 ? "569" : "570";
        elsewhere.vhost = "other:80";
        create_ok(f, &spec);
        create_ok(f, &other);
        create_ok(f, &elsewhere);
    }
    assert_under_way(f, VHOST, "12", 4, 0);
    assert_under_way(f, VHOST, "13", 2, 0);
    assert_under_way(f, "other:80", "12", 4, 0);
    finish = completed(claim_one(f, a).token);
    run = get_ok(f, &finish.token.pid);
    assert_string_equal(run->task, "12");
    assert_under_way(f, VHOST, "12", 3, 1);
    restart_keeper(f, SIGKILL);
    assert_under_way(f, VHOST, "12", 3, 1);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_under_way(f, VHOST, "12", 3, 0);
    assert_int_equal(f->store->under_way(&none, f->store, VHOST, NULL, "12", NULL, f->pool),
                     WF_EINVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_empty_store_lists_nothing),
        STORE_TEST(each_filter_finds_its_own),
        STORE_TEST(times_are_those_of_the_submission),
        STORE_TEST(a_listed_run_is_as_it_stands_without_its_outcome),
        STORE_TEST(what_is_under_way_is_found_among_many_that_ended),
        STORE_TEST(pages_hold_while_runs_are_added),
        STORE_TEST(a_call_reads_a_bounded_number_of_bytes),
        STORE_TEST(runs_under_way_are_counted),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_list", tests, NULL, NULL);
}
