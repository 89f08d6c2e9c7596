/* SPDX-License-Identifier: Apache-2.0 */
/* http/metrics_text.h: the lines that Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include "http/metrics_text.h"

static const wf_settings_t settings = {.threads = 16, .queue_limit = 100000};

/* What is written of figures, as a text that lives in pool. */
static const char *text_of(wf_store_stats_t *stats, apr_pool_t *pool)
{
    wf_buf_t out = {NULL, 0, 0};
    const char *text;

    wf_metrics_text(&out, stats, &settings);
    text = wf_slice_dup(wf_buf_slice(&out), pool).data;
    wf_buf_free(&out);
    return text;
}

static void assert_has(const char *text, const char *lines)
{
    if (!strstr(text, lines)) {
        print_error("%s\nis not in\n%s", lines, text);
    }
    assert_non_null(strstr(text, lines));
}

static wf_store_stats_t open_stats(apr_pool_t *pool)
{
    wf_store_stats_t stats = {.is_open = 1, .is_writable = 1, .queued = 7};

    stats.tasks = apr_array_make(pool, 4, sizeof(wf_task_stats_t));
    return stats;
}

static wf_task_stats_t *add_task(wf_store_stats_t *stats, const char *project, const char *task)
{
    wf_task_stats_t *row = apr_array_push(stats->tasks);

    row->project = project;
    row->task = task;
    return row;
}

static void numbers_have_their_heads(void **state)
{
    apr_pool_t *pool = *state;
    wf_store_stats_t stats = open_stats(pool);
    const char *text;

    stats.started = APR_UINT64_C(1764000000250000);
    stats.keeper_restarts = 2;
    text = text_of(&stats, pool);
    assert_has(text, "# TYPE dbsync_wf_keeper_restarts_total counter\n"
                     "dbsync_wf_keeper_restarts_total 2\n");
    assert_has(text, "# TYPE dbsync_wf_keeper_start_time_seconds gauge\n"
                     "dbsync_wf_keeper_start_time_seconds 1764000000.25\n");
    assert_has(text, "# HELP dbsync_wf_runs_queued Runs that wait to be executed, of all virtual "
                     "hosts.\n# TYPE dbsync_wf_runs_queued gauge\ndbsync_wf_runs_queued 7\n");
    assert_has(text, "\ndbsync_wf_threads 16\n");
    assert_has(text, "\ndbsync_wf_queue_limit 100000\n");
    assert_has(text, "\ndbsync_wf_store_writable 1\n");
}

static void tasks_are_in_order(void **state)
{
    apr_pool_t *pool = *state;
    wf_store_stats_t stats = open_stats(pool);
    const char *text;

    add_task(&stats, "570", "a")->submitted = 3;
    add_task(&stats, "569", "b")->error = 2;
    add_task(&stats, "569", "a")->running = 1;
    add_task(&stats, "", "")->submitted = 4;
    text = text_of(&stats, pool);
    assert_has(text, "# TYPE dbsync_wf_runs_total counter\n"
                     "dbsync_wf_runs_total{project=\"*\",task=\"*\",status=\"submitted\"} 4\n"
                     "dbsync_wf_runs_total{project=\"*\",task=\"*\",status=\"completed\"} 0\n"
                     "dbsync_wf_runs_total{project=\"*\",task=\"*\",status=\"error\"} 0\n"
                     "dbsync_wf_runs_total{project=\"*\",task=\"*\",status=\"interrupted\"} 0\n"
                     "dbsync_wf_runs_total{project=\"569\",task=\"a\",status=\"submitted\"} 0\n");
    assert_has(text, "dbsync_wf_runs_total{project=\"569\",task=\"b\",status=\"error\"} 2\n");
    assert_true(strstr(text, "task=\"b\",status=\"submitted\"") <
                strstr(text, "project=\"570\",task=\"a\",status=\"submitted\""));
    /* A gauge only where it is not 0. */
    assert_has(text, "# TYPE dbsync_wf_task_runs_running gauge\n"
                     "dbsync_wf_task_runs_running{project=\"569\",task=\"a\"} 1\n#");
    assert_has(text, "# TYPE dbsync_wf_task_runs_queued gauge\n#");
}

static void buckets_add_up(void **state)
{
    apr_pool_t *pool = *state;
    wf_store_stats_t stats = open_stats(pool);
    wf_task_stats_t *task = add_task(&stats, "569", "12");
    static const apr_uint64_t times[] = {0, 1000, 1001, 25000, 7200000000, 7200000001};
    const char *text;

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        wf_histogram_add(&task->wait, wf_time_bounds, times[i]);
    }
    wf_histogram_add(&stats.commits, wf_call_bounds, 3);
    text = text_of(&stats, pool);
#define BUCKET "dbsync_wf_queue_wait_seconds_bucket{project=\"569\",task=\"12\",le="
    assert_has(text, BUCKET "\"0.001\"} 2\n" BUCKET "\"0.005\"} 3\n" BUCKET "\"0.025\"} 4\n" BUCKET
                            "\"0.1\"} 4\n" BUCKET "\"0.5\"} 4\n" BUCKET "\"1\"} 4\n");
    assert_has(text, BUCKET "\"1800\"} 4\n" BUCKET "\"7200\"} 5\n" BUCKET "\"+Inf\"} 6\n"
                            "dbsync_wf_queue_wait_seconds_sum{project=\"569\",task=\"12\"} "
                            "14400.027002\n"
                            "dbsync_wf_queue_wait_seconds_count{project=\"569\",task=\"12\"} 6\n");
    assert_has(text, "dbsync_wf_commit_calls_bucket{le=\"2\"} 0\n"
                     "dbsync_wf_commit_calls_bucket{le=\"4\"} 1\n");
    assert_has(text, "dbsync_wf_commit_calls_sum 3\ndbsync_wf_commit_calls_count 1\n");
}

static void callbacks_are_told_by_outcome(void **state)
{
    apr_pool_t *pool = *state;
    wf_store_stats_t stats = open_stats(pool);
    const char *text;

    stats.callbacks_pending = 3;
    stats.callbacks_delivered = 2;
    stats.callbacks_failed = 1;
    text = text_of(&stats, pool);
    assert_has(text, "# TYPE dbsync_wf_callbacks_total counter\n"
                     "dbsync_wf_callbacks_total{outcome=\"delivered\"} 2\n"
                     "dbsync_wf_callbacks_total{outcome=\"failed\"} 1\n");
    assert_has(text, "# TYPE dbsync_wf_callbacks_pending gauge\ndbsync_wf_callbacks_pending 3\n");
}

static void labels_are_escaped(void **state)
{
    apr_pool_t *pool = *state;
    wf_store_stats_t stats = open_stats(pool);

    add_task(&stats, "a\"b\\c\nd", "x")->queued = 1;
    assert_has(text_of(&stats, pool),
               "task_runs_queued{project=\"a\\\"b\\\\c\\nd\",task=\"x\"} 1\n");
}

/* Of a store that is not open nothing is said that is not known. */
static void a_closed_store_says_so(void **state)
{
    apr_pool_t *pool = *state;
    wf_store_stats_t stats = open_stats(pool);
    const char *text;

    stats.is_open = 0;
    add_task(&stats, "569", "12");
    text = text_of(&stats, pool);
    assert_has(text, "\ndbsync_wf_store_open 0\n");
    assert_null(strstr(text, "runs_queued"));
    assert_null(strstr(text, "runs_total"));
}

static int make_pool(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) == APR_SUCCESS ? 0 : -1;
}

static int drop_pool(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

#define TEXT_TEST(name) cmocka_unit_test_setup_teardown(name, make_pool, drop_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEXT_TEST(numbers_have_their_heads), TEXT_TEST(tasks_are_in_order),
        TEXT_TEST(buckets_add_up),           TEXT_TEST(labels_are_escaped),
        TEXT_TEST(a_closed_store_says_so),   TEXT_TEST(callbacks_are_told_by_outcome),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("metrics_text", tests, NULL, NULL);
}
