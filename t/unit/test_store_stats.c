/* SPDX-License-Identifier: Apache-2.0 */
/* The store's figures: they move by exactly what was done, and by nothing that was not. */
#include "store_util.h"

#include <sys/mman.h>
#include "store/embedded/stats_wire.h"
#include "store/embedded/tally.h"

static wf_store_stats_t stats_of(fixture_t *f, const char *vhost)
{
    wf_store_stats_t stats;

    assert_int_equal(f->store->stats(&stats, f->store, vhost, 0, NULL, f->pool), APR_SUCCESS);
    return stats;
}

/* The row of a task, NULL where there is none. */
static const wf_task_stats_t *row_of(const wf_store_stats_t *stats, const char *task)
{
    for (int i = 0; i < stats->tasks->nelts; i++) {
        const wf_task_stats_t *row = &APR_ARRAY_IDX(stats->tasks, i, wf_task_stats_t);

        if (strcmp(row->task, task) == 0) {
            return row;
        }
    }
    return NULL;
}

static void assert_row(fixture_t *f, const char *task, const apr_uint64_t expected[6])
{
    wf_store_stats_t stats = stats_of(f, VHOST);
    const wf_task_stats_t *row = row_of(&stats, task);

    assert_non_null(row);
    assert_string_equal(row->project, "569");
    assert_int_equal(row->submitted, expected[0]);
    assert_int_equal(row->completed, expected[1]);
    assert_int_equal(row->error, expected[2]);
    assert_int_equal(row->interrupted, expected[3]);
    assert_int_equal(row->queued, expected[4]);
    assert_int_equal(row->running, expected[5]);
}

#define ASSERT_ROW(f, task, ...) assert_row(f, task, (const apr_uint64_t[6]){__VA_ARGS__})

/* All values are in a bucket, and their sum is at least as great as their buckets say. */
static void assert_histogram(const wf_histogram_t *histogram, const apr_uint64_t *bounds,
                             apr_uint64_t count)
{
    apr_uint64_t in_buckets = 0, least = 0;

    for (int i = 0; i < WF_HISTOGRAM_BUCKETS; i++) {
        in_buckets += histogram->buckets[i];
        least += histogram->buckets[i] * (i > 0 ? bounds[i - 1] : 0);
    }
    assert_int_equal(histogram->count, count);
    assert_int_equal(in_buckets, count);
    assert_true(histogram->sum >= least);
}

static void finish_ok(fixture_t *f, wf_token_t token, wf_run_status_e status)
{
    wf_finish_t finish = completed(token);

    finish.status = status;
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
}

static void runs_are_counted_once(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t runner = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_store_stats_t stats;
    wf_claim_t claim;

    assert_int_equal(stats_of(f, VHOST).tasks->nelts, 0);
    create_ok(f, &spec);
    create_ok(f, &spec); /* the same call again */
    ASSERT_ROW(f, "12", 1, 0, 0, 0, 1, 0);
    claim = claim_one(f, runner);
    ASSERT_ROW(f, "12", 1, 0, 0, 0, 0, 1);
    finish_ok(f, claim.token, WF_RUN_COMPLETED);
    finish_ok(f, claim.token, WF_RUN_COMPLETED); /* likewise */
    ASSERT_ROW(f, "12", 1, 1, 0, 0, 0, 0);
    spec = new_run("12");
    create_ok(f, &spec);
    finish_ok(f, claim_one(f, runner).token, WF_RUN_ERROR);
    ASSERT_ROW(f, "12", 2, 1, 1, 0, 0, 0);
    stats = stats_of(f, VHOST);
    assert_histogram(&row_of(&stats, "12")->wait, wf_time_bounds, 2);
    assert_histogram(&row_of(&stats, "12")->execution, wf_time_bounds, 2);
    assert_int_equal(stats.runners, 1);
}

static void interrupted_runs_are_counted(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t runner = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_store_stats_t stats;
    wf_run_t *run;

    /* In the queue: it has not been executed. */
    create_ok(f, &spec);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            f->store->interrupt(&run, f->store, VHOST, &spec.pid, "alice", NULL, f->pool),
            i == 0 ? APR_SUCCESS : WF_EENDED);
    }
    ASSERT_ROW(f, "12", 1, 0, 0, 1, 0, 0);
    stats = stats_of(f, VHOST);
    assert_int_equal(row_of(&stats, "12")->execution.count, 0);
    /* With its runner. */
    spec = new_run("12");
    create_ok(f, &spec);
    claim_one(f, runner);
    join_ok(f, "a");
    ASSERT_ROW(f, "12", 2, 0, 1, 1, 0, 0);
}

/* A run that is executed again has ended once. */
static void reruns_are_claims(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_store_stats_t stats;

    spec.rerun_when_lost = 1;
    create_ok(f, &spec);
    claim_one(f, join_ok(f, "a"));
    finish_ok(f, claim_one(f, join_ok(f, "a")).token, WF_RUN_COMPLETED);
    ASSERT_ROW(f, "12", 1, 1, 0, 0, 0, 0);
    stats = stats_of(f, VHOST);
    assert_int_equal(row_of(&stats, "12")->wait.count, 2);
    assert_int_equal(row_of(&stats, "12")->execution.count, 1);
}

static void vhosts_are_apart(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_store_stats_t stats;

    create_ok(f, &spec);
    spec = new_run("13");
    spec.vhost = "other.example:80";
    create_ok(f, &spec);
    stats = stats_of(f, VHOST);
    assert_int_equal(stats.tasks->nelts, 1);
    assert_null(row_of(&stats, "13"));
    assert_int_equal(stats.queued, 2);
    stats = stats_of(f, "other.example:80");
    assert_int_equal(stats.tasks->nelts, 1);
    assert_non_null(row_of(&stats, "13"));
    assert_int_equal(stats_of(f, NULL).tasks->nelts, 0);
    assert_int_equal(stats_of(f, "third.example:80").tasks->nelts, 0);
}

/* However many tasks come, there is an end to the rows; what is done is still counted. */
static void rows_are_bounded(void **state)
{
    fixture_t *f = *state;
    wf_store_stats_t stats;
    apr_uint64_t submitted = 0, queued = 0;
    const int count = WF_STATS_TASKS + 20;

    for (int i = 0; i < count; i++) {
        wf_new_run_t spec = new_run(apr_psprintf(f->pool, "t%d", i));

        create_ok(f, &spec);
    }
    stats = stats_of(f, VHOST);
    assert_int_equal(stats.tasks->nelts, WF_STATS_TASKS + 1);
    assert_non_null(row_of(&stats, "t0"));
    assert_int_equal(row_of(&stats, "")->submitted, 20);
    for (int i = 0; i < stats.tasks->nelts; i++) {
        submitted += APR_ARRAY_IDX(stats.tasks, i, wf_task_stats_t).submitted;
        queued += APR_ARRAY_IDX(stats.tasks, i, wf_task_stats_t).queued;
    }
    assert_int_equal(submitted, count);
    assert_int_equal(queued, count);
}

/* One client at a time: each call that writes is a commit, and none that reads is. */
static void commits_are_counted(void **state)
{
    fixture_t *f = *state;
    wf_store_stats_t before = stats_of(f, VHOST), after;
    wf_new_run_t spec = new_run("12");

    create_ok(f, &spec);
    get_ok(f, &spec.pid);
    stats_of(f, VHOST);
    assert_int_equal(claim_ok(f, join_ok(f, "a"), 1)->nelts, 1);
    after = stats_of(f, VHOST);
    assert_int_equal(after.commits.count - before.commits.count, 3);
    assert_int_equal(after.commits.sum - before.commits.sum, 3);
    assert_histogram(&after.commits, wf_call_bounds, after.commits.count);
}

static void a_new_keeper_begins_anew(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_store_stats_t stats;

    create_ok(f, &spec);
    stats = stats_of(f, VHOST);
    assert_int_equal(stats.keeper_restarts, 0);
    assert_int_equal(stats.process, f->keeper);
    assert_true(stats.is_open && stats.is_writable && stats.takes_checkpoints);
    f->restarts.keeper = 3;
    restart_keeper(f, SIGKILL);
    f->restarts.runner = 2; /* while it runs */
    stats = stats_of(f, VHOST);
    assert_int_equal(stats.keeper_restarts, 3);
    assert_int_equal(stats.runner_restarts, 2);
    assert_int_equal(stats.process, f->keeper);
    /* What is under way is known, what was done is not. */
    ASSERT_ROW(f, "12", 0, 0, 0, 0, 1, 0);
}

/* Nobody answers: the caller's patience counts, not the client's. */
static void patience_is_kept(void **state)
{
    fixture_t *f = *state;
    apr_time_t began;
    wf_store_stats_t stats;

    assert_int_equal(kill(f->keeper, SIGSTOP), 0);
    began = wf_clock();
    assert_int_equal(
        f->store->stats(&stats, f->store, VHOST, apr_time_from_msec(300), NULL, f->pool),
        WF_EUNAVAILABLE);
    assert_true(wf_clock() - began < PATIENCE / 2);
    assert_int_equal(kill(f->keeper, SIGCONT), 0);
}

/* What a batch did counts when it is on disk, and not at all where it was undone. */
static void undone_events_are_none(void **state)
{
    fixture_t *f = *state;
    wf_run_t run = {.vhost = VHOST, .project = "569", .task = "12", .submitted = 1000};
    wf_store_stats_t stats = {0};
    wf_board_t board;
    wf_tally_t tally;

    wf_board_init(&board, f->pool);
    wf_tally_init(&tally, f->pool);
    wf_tally_submitted(&tally, &run);
    wf_tally_call(&tally);
    wf_tally_rollback(&tally);
    wf_tally_commit(&tally, 0);
    wf_tally_read(&stats, &tally, &board, VHOST, f->pool);
    assert_int_equal(row_of(&stats, "12")->submitted, 0);
    assert_int_equal(stats.commits.count, 0);
    run.started = 500; /* the wall clock was set back */
    wf_tally_started(&tally, &run);
    wf_tally_damage(&tally);
    wf_tally_commit(&tally, 1);
    wf_tally_read(&stats, &tally, &board, VHOST, f->pool);
    assert_int_equal(row_of(&stats, "12")->wait.count, 1);
    assert_int_equal(row_of(&stats, "12")->wait.sum, 0);
    assert_int_equal(stats.commits.count, 1);
    assert_int_equal(stats.damaged, 1);
}

static void a_short_answer_is_refused(void **state)
{
    fixture_t *f = *state;
    wf_store_stats_t stats = {.started = 7}, read;
    wf_message_t message = {0};
    wf_buf_t buf = {0};
    wf_slice_t value, rest;
    unsigned char tag;

    stats.tasks = apr_array_make(f->pool, 1, sizeof(wf_task_stats_t));
    wf_stats_encode(&buf, &stats);
    rest = wf_buf_slice(&buf);
    assert_int_equal(wf_field_next(&tag, &value, &rest), APR_SUCCESS);
    message.field[WF_FIELD_STATS] = value;
    assert_int_equal(wf_stats_decode(&read, &message, f->pool), APR_SUCCESS);
    assert_int_equal(read.started, 7);
    message.field[WF_FIELD_STATS] = wf_slice_of(value.data, value.len - 1);
    assert_int_equal(wf_stats_decode(&read, &message, f->pool), WF_EPROTOCOL);
    message.field[WF_FIELD_STATS] = wf_slice_of(NULL, 0);
    assert_int_equal(wf_stats_decode(&read, &message, f->pool), WF_EPROTOCOL);
    wf_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(runs_are_counted_once),    STORE_TEST(interrupted_runs_are_counted),
        STORE_TEST(reruns_are_claims),        STORE_TEST(vhosts_are_apart),
        STORE_TEST(rows_are_bounded),         STORE_TEST(commits_are_counted),
        STORE_TEST(a_new_keeper_begins_anew), STORE_TEST(patience_is_kept),
        STORE_TEST(undone_events_are_none),   STORE_TEST(a_short_answer_is_refused),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_stats", tests, NULL, NULL);
}
