/* SPDX-License-Identifier: Apache-2.0 */
/* store/embedded/rates.h: exactly as many runs are let in as may be, whatever the rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/result.h"
#include "pool_util.h"
#include "store/embedded/rates.h"

#define SECOND apr_time_from_sec(1)
#define DAY    apr_time_from_sec(86400)
#define BEGIN  (APR_INT64_C(20) * 365 * DAY) /* a machine that has been up for long */

static wf_rates_t rates;

static int make_rates(void **state)
{
    int failed = make_pool(state);

    if (!failed) {
        wf_rates_init(&rates, pool);
    }
    return failed;
}

/* Asks, and takes where one is let in. */
static apr_status_t run(apr_interval_time_t *retry, const char *key, wf_rate_t rate, apr_time_t now)
{
    apr_status_t rv = wf_rates_ask(retry, &rates, wf_slice(key), &rate, now);

    if (rv == APR_SUCCESS) {
        wf_rates_take(&rates, wf_slice(key), &rate, now);
    }
    return rv;
}

/* How many are let in at that time, `most` at most. */
static int runs_at(const char *key, wf_rate_t rate, apr_time_t now, int most)
{
    apr_interval_time_t retry;
    int count = 0;

    while (count < most && run(&retry, key, rate, now) == APR_SUCCESS) {
        count++;
    }
    wf_rates_commit(&rates);
    return count;
}

static void as_many_as_may_be_are_let_in_at_once(void **state)
{
    static const wf_rate_t rows[] = {
        {1, SECOND},       {1, DAY},       {2, SECOND + 1},   {7, SECOND},
        {1000000, SECOND}, {1000000, DAY}, {999983, DAY - 1}, {3, 10 * SECOND + 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *key = apr_psprintf(pool, "%d", (int)i);

        assert_true(wf_rate_is_valid(&rows[i]));
        assert_int_equal(runs_at(key, rows[i], BEGIN, 2000000), rows[i].runs);
        assert_int_equal(runs_at(key, rows[i], BEGIN + rows[i].period - 1, 2000000),
                         rows[i].runs - 1);
        assert_int_equal(runs_at(key, rows[i], BEGIN + 3 * rows[i].period, 2000000), rows[i].runs);
    }
}

/* One is let in at the time that was told, and not a microsecond earlier. */
static void the_time_that_is_told_is_the_first(void **state)
{
    static const wf_rate_t rows[] = {
        {1, SECOND}, {1, DAY}, {7, SECOND}, {999983, DAY - 1}, {1000000, SECOND}, {3, 61 * SECOND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *key = apr_psprintf(pool, "%d", (int)i);
        apr_interval_time_t most = rows[i].period / rows[i].runs + 1, retry = 0;
        apr_time_t now = BEGIN;

        runs_at(key, rows[i], now, 2000000);
        for (int n = 0; n < 100; n++) {
            assert_int_equal(run(&retry, key, rows[i], now), WF_ERATE);
            assert_true(retry > 0 && retry <= most);
            now += retry;
            if (retry > 1) {
                assert_int_equal(run(&retry, key, rows[i], now - 1), WF_ERATE);
                assert_int_equal(retry, 1);
            }
            assert_int_equal(run(&retry, key, rows[i], now), APR_SUCCESS);
        }
    }
}

/* In no time have more been let in than a bucket and what has drained of it. */
static void no_stretch_of_time_has_more(void **state)
{
    static const wf_rate_t rows[] = {{1, SECOND}, {5, SECOND}, {7, 3 * SECOND + 1}, {100, SECOND}};
    apr_time_t *let_in = apr_palloc(pool, 20000 * sizeof(*let_in));

    (void)state;
    srand(7);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *key = apr_psprintf(pool, "%d", (int)i);
        apr_time_t now = BEGIN;
        apr_interval_time_t retry;
        int count = 0;

        for (int n = 0; n < 20000; n++) {
            now += rand() % (int)(rows[i].period / rows[i].runs * (n % 1000 < 900 ? 1 : 30));
            if (run(&retry, key, rows[i], now) == APR_SUCCESS) {
                let_in[count++] = now;
            }
        }
        wf_rates_commit(&rates);
        assert_true(count > 1000);
        for (int from = 0; from < count; from++) {
            for (int to = from; to < count && to < from + 300; to++) {
                assert_true((to - from + 1 - (apr_int64_t)rows[i].runs) * rows[i].period <=
                            (let_in[to] - let_in[from]) * (apr_int64_t)rows[i].runs);
            }
        }
    }
}

static void keys_are_apart(void **state)
{
    const wf_rate_t rate = {3, SECOND};

    (void)state;
    assert_int_equal(runs_at("a", rate, BEGIN, 10), 3);
    assert_int_equal(runs_at("b", rate, BEGIN, 10), 3);
    assert_int_equal(runs_at("a", rate, BEGIN, 10), 0);
}

static void what_was_undone_was_never_taken(void **state)
{
    const wf_rate_t rate = {4, 4 * SECOND};
    apr_interval_time_t retry;

    (void)state;
    assert_int_equal(runs_at("a", rate, BEGIN, 2), 2);
    assert_int_equal(run(&retry, "a", rate, BEGIN + SECOND / 2), APR_SUCCESS);
    assert_int_equal(run(&retry, "a", rate, BEGIN + SECOND / 2), APR_SUCCESS);
    assert_int_equal(run(&retry, "b", rate, BEGIN + SECOND / 2), APR_SUCCESS);
    assert_int_equal(run(&retry, "a", rate, BEGIN + SECOND / 2), WF_ERATE);
    wf_rates_rollback(&rates);
    assert_int_equal(runs_at("b", rate, BEGIN + SECOND / 2, 10), 4);
    assert_int_equal(runs_at("a", rate, BEGIN + SECOND / 2, 10), 2);
    assert_int_equal(run(&retry, "a", rate, BEGIN + SECOND / 2), WF_ERATE);
    assert_int_equal(retry, SECOND / 2);
    /* Nothing is given back twice, and nothing of an earlier batch. */
    wf_rates_rollback(&rates);
    assert_int_equal(runs_at("a", rate, BEGIN + SECOND / 2, 10), 0);
}

static void another_limit_holds_at_once(void **state)
{
    static const struct {
        wf_rate_t before, after;
        int used, left;
    } rows[] = {
        {{10, 60 * SECOND}, {100, 60 * SECOND}, 10, 90}, /* raised: as many more */
        {{100, 60 * SECOND}, {10, 60 * SECOND}, 100, 0}, /* lowered: no debt is left of it ... */
        {{100, 60 * SECOND}, {10, 60 * SECOND}, 4, 6},
        {{10, SECOND}, {10, DAY}, 7, 3},
        {{10, DAY}, {10, SECOND}, 7, 3},
        {{1000000, DAY}, {1000000, SECOND}, 999999, 1},
        {{1, SECOND}, {1000000, DAY}, 1, 999999},
    };
    apr_interval_time_t retry;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *key = apr_psprintf(pool, "%d", (int)i);

        assert_int_equal(runs_at(key, rows[i].before, BEGIN, rows[i].used), rows[i].used);
        assert_int_equal(runs_at(key, rows[i].after, BEGIN, 2000000), rows[i].left);
        assert_int_equal(run(&retry, key, rows[i].after, BEGIN), WF_ERATE);
        /* ... beyond a full bucket. */
        assert_true(retry <= rows[i].after.period / rows[i].after.runs + 1);
    }
}

static void two_limits_by_turns_let_in_what_either_would(void **state)
{
    const wf_rate_t a = {3, 10 * SECOND}, b = {3, 11 * SECOND};
    apr_interval_time_t retry;
    int count = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        count += run(&retry, "a", i % 2 ? a : b, BEGIN + i * SECOND / 10) == APR_SUCCESS;
    }
    assert_in_range(count, 3 + 1000 / 37 - 1, 3 + 1000 / 33 + 1);
}

static void empty_buckets_are_forgotten(void **state)
{
    const wf_rate_t rate = {2, SECOND};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(runs_at(apr_psprintf(pool, "%d", i), rate, BEGIN + i * SECOND / 100, 1),
                         1);
        assert_true(apr_hash_count(rates.buckets) <= 200);
    }
}

/* One that a batch has taken from may be empty before that is on disk. */
static void a_bucket_is_kept_as_long_as_it_may_be_given_back(void **state)
{
    const wf_rate_t rate = {2, SECOND};
    apr_interval_time_t retry;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(run(&retry, apr_psprintf(pool, "%d", i), rate, BEGIN + i * SECOND),
                         APR_SUCCESS);
    }
    assert_int_equal(apr_hash_count(rates.buckets), 1000);
    wf_rates_rollback(&rates);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(runs_at(apr_psprintf(pool, "%d", i), rate, BEGIN + 1000 * SECOND, 10), 2);
    }
}

static void the_bounds_are_kept(void **state)
{
    static const wf_rate_t valid[] = {{0, 0}, {0, -1}, {1, SECOND}, {1000000, DAY}};
    static const wf_rate_t invalid[] = {
        {1, 0}, {1, SECOND - 1}, {1, DAY + 1}, {1000001, DAY}, {1, -DAY}, {4294967295u, SECOND},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++) {
        assert_true(wf_rate_is_valid(&valid[i]));
    }
    for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        assert_false(wf_rate_is_valid(&invalid[i]));
    }
}

#define RATES_TEST(name) cmocka_unit_test_setup_teardown(name, make_rates, drop_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RATES_TEST(as_many_as_may_be_are_let_in_at_once),
        RATES_TEST(the_time_that_is_told_is_the_first),
        RATES_TEST(no_stretch_of_time_has_more),
        RATES_TEST(keys_are_apart),
        RATES_TEST(what_was_undone_was_never_taken),
        RATES_TEST(another_limit_holds_at_once),
        RATES_TEST(two_limits_by_turns_let_in_what_either_would),
        RATES_TEST(empty_buckets_are_forgotten),
        RATES_TEST(a_bucket_is_kept_as_long_as_it_may_be_given_back),
        RATES_TEST(the_bounds_are_kept),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
