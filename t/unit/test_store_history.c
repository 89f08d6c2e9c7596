/* SPDX-License-Identifier: Apache-2.0 */
/* How runs ended, hour by hour: each end counts once, in its hour, and a new keeper knows it too.
 */
#include <pthread.h>
#include "store_util.h"

#include "store/embedded/hours.h"
#include "store/embedded/stats_wire.h"
#include "store/embedded/tally.h"

#define DEADLINE apr_time_from_sec(20)
#define MANY     5200 /* more runs than a keeper looks back at */
#define LOOKED   5000
#define THREADS  8

static wf_history_t history_of(fixture_t *f, const char *vhost, const char *project,
                               const char *task)
{
    wf_history_query_t query = {vhost, project, task, WF_HISTORY_HOURS};
    wf_history_t history;

    assert_int_equal(f->store->history(&history, f->store, &query, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(history.hours, WF_HISTORY_HOURS);
    assert_int_equal(history.hour % WF_HOUR, 0);
    assert_true(history.since <= apr_time_now());
    return history;
}

/* The ends of all hours of a task together: a test may run at the turn of an hour. */
static wf_ends_t ends_of(const wf_history_t *history, const char *task)
{
    wf_ends_t sum = {0, 0, 0};

    for (int i = 0; i < history->tasks->nelts; i++) {
        const wf_task_history_t *row = &APR_ARRAY_IDX(history->tasks, i, wf_task_history_t);

        for (apr_uint32_t hour = 0; strcmp(row->task, task) == 0 && hour < history->hours; hour++) {
            sum.completed += row->hours[hour].completed;
            sum.error += row->hours[hour].error;
            sum.interrupted += row->hours[hour].interrupted;
        }
    }
    return sum;
}

static apr_uint32_t durations_of(const wf_history_t *history, const char *task)
{
    apr_uint32_t sum = 0;

    for (int i = 0; i < history->tasks->nelts; i++) {
        const wf_task_history_t *row = &APR_ARRAY_IDX(history->tasks, i, wf_task_history_t);

        for (int bucket = 0; strcmp(row->task, task) == 0 && bucket < WF_HISTORY_BUCKETS;
             bucket++) {
            sum += row->durations[bucket];
        }
    }
    return sum;
}

static void assert_ends(fixture_t *f, const char *task, apr_uint32_t completed, apr_uint32_t error,
                        apr_uint32_t interrupted)
{
    wf_history_t history = history_of(f, VHOST, NULL, NULL);
    wf_ends_t ends = ends_of(&history, task);

    assert_int_equal(ends.completed, completed);
    assert_int_equal(ends.error, error);
    assert_int_equal(ends.interrupted, interrupted);
    assert_int_equal(durations_of(&history, task), completed + error);
}

/* A run of a task that ends so. */
static wf_uuid_t run_one(fixture_t *f, apr_uint64_t runner, const char *vhost, const char *task,
                         wf_run_status_e status)
{
    wf_new_run_t spec = new_run(task);
    wf_finish_t finish;

    spec.vhost = vhost;
    create_ok(f, &spec);
    finish = completed(claim_one(f, runner).token);
    finish.status = status;
    for (int i = 0; i < 2; i++) { /* the same call again */
        assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    }
    return spec.pid;
}

/* One that ends in the queue. */
static void interrupt_one(fixture_t *f, const char *task, apr_pool_t *pool)
{
    wf_new_run_t spec = new_run(task);
    wf_run_t *run;

    assert_int_equal(f->store->create(&run, f->store, &spec, NULL, pool), APR_SUCCESS);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, pool),
                     APR_SUCCESS);
}

static void each_end_counts_once(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t runner = join_ok(f, "a");
    apr_time_t began = apr_time_now();
    wf_history_t history = history_of(f, VHOST, NULL, NULL);

    assert_int_equal(history.tasks->nelts, 0);
    assert_true(history.since <= began); /* there was nothing before */
    run_one(f, runner, VHOST, "12", WF_RUN_COMPLETED);
    run_one(f, runner, VHOST, "12", WF_RUN_COMPLETED);
    run_one(f, runner, VHOST, "12", WF_RUN_ERROR);
    run_one(f, runner, VHOST, "12", WF_RUN_INTERRUPTED);
    interrupt_one(f, "12", f->pool);
    interrupt_one(f, "13", f->pool);
    assert_ends(f, "12", 2, 1, 2);
    assert_ends(f, "13", 0, 0, 1);
    history = history_of(f, VHOST, NULL, NULL);
    assert_true(history.hour <= apr_time_now() && apr_time_now() - history.hour < 2 * WF_HOUR);
}

static void tasks_and_vhosts_are_apart(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t runner = join_ok(f, "a");
    wf_history_query_t query = {NULL, NULL, NULL, 1};
    wf_history_t history;

    run_one(f, runner, VHOST, "12", WF_RUN_COMPLETED);
    run_one(f, runner, VHOST, "13", WF_RUN_COMPLETED);
    run_one(f, runner, "other.example:80", "14", WF_RUN_COMPLETED);
    assert_int_equal(history_of(f, VHOST, NULL, NULL).tasks->nelts, 2);
    assert_int_equal(history_of(f, VHOST, "569", NULL).tasks->nelts, 2);
    assert_int_equal(history_of(f, VHOST, "570", NULL).tasks->nelts, 0);
    history = history_of(f, VHOST, "569", "13");
    assert_int_equal(history.tasks->nelts, 1);
    assert_int_equal(ends_of(&history, "13").completed, 1);
    history = history_of(f, "other.example:80", NULL, NULL);
    assert_int_equal(history.tasks->nelts, 1);
    assert_int_equal(ends_of(&history, "14").completed, 1);
    assert_int_equal(history_of(f, "third.example:80", NULL, NULL).tasks->nelts, 0);
    assert_int_equal(f->store->history(&history, f->store, &query, NULL, f->pool), WF_EINVALID);
}

/* Waits until a keeper that has begun knows of so many ends of a task. */
static void await_ends(fixture_t *f, const char *task, apr_uint32_t count)
{
    apr_time_t deadline = wf_clock() + DEADLINE;
    wf_ends_t ends;

    do {
        wf_history_t history = history_of(f, VHOST, NULL, NULL);

        ends = ends_of(&history, task);
        assert_true(wf_clock() < deadline);
    } while (ends.completed + ends.error + ends.interrupted < count);
}

static void a_new_keeper_recalls(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t runner = join_ok(f, "a");
    wf_uuid_t first = run_one(f, runner, VHOST, "12", WF_RUN_COMPLETED);
    apr_time_t submitted = get_ok(f, &first)->submitted, deadline = wf_clock() + DEADLINE;
    wf_store_stats_t stats;
    wf_new_run_t lasting = new_run("12");
    wf_finish_t finish;

    run_one(f, runner, VHOST, "12", WF_RUN_ERROR);
    interrupt_one(f, "12", f->pool);
    create_ok(f, &lasting);
    finish = completed(claim_one(f, runner).token);
    for (int i = 1; i <= 2; i++) {
        restart_keeper(f, SIGKILL);
        await_ends(f, "12", 3);
        assert_ends(f, "12", 1, 1, 1);
        while (history_of(f, VHOST, NULL, NULL).since > submitted) { /* it looks for more still */
            assert_true(wf_clock() < deadline);
        }
    }
    /* What was under way counts when it ends; and figures begin anew all the same. */
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_ends(f, "12", 2, 1, 1);
    assert_int_equal(f->store->stats(&stats, f->store, VHOST, 0, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(stats.tasks->nelts, 1);
    assert_int_equal(APR_ARRAY_IDX(stats.tasks, 0, wf_task_stats_t).completed, 1);
    restart_keeper(f, SIGTERM);
    await_ends(f, "12", 4);
    assert_ends(f, "12", 2, 1, 1);
    assert_int_equal(f->store->stats(&stats, f->store, VHOST, 0, NULL, f->pool), APR_SUCCESS);
    assert_int_equal(stats.tasks->nelts, 0);
}

static void *interrupt_many(void *data)
{
    apr_pool_t *pool;

    apr_pool_create_unmanaged(&pool);
    for (int i = 0; i < MANY / THREADS; i++) {
        interrupt_one(data, "12", pool);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* It looks back at so many and no more, serves meanwhile, and says that there may be others. */
static void what_is_recalled_has_a_bound(void **state)
{
    fixture_t *f = *state;
    pthread_t threads[THREADS];
    wf_new_run_t first = new_run("12"), later = new_run("13");
    apr_time_t submitted = create_ok(f, &first)->submitted, ended;
    wf_history_t history;
    apr_uint32_t found, before;

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, interrupt_many, f), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    ended = apr_time_now();
    restart_keeper(f, SIGKILL);
    create_ok(f, &later);
    await_ends(f, "12", 1);
    found = 0;
    do { /* a step follows each answer, until it has ended */
        before = found;
        history = history_of(f, VHOST, NULL, NULL);
        found = ends_of(&history, "12").interrupted;
    } while (found != before);
    assert_in_range(found, LOOKED - 1, LOOKED); /* `later` may be one of those looked at */
    assert_true(history.since > submitted && history.since >= ended);
    interrupt_one(f, "12", f->pool);
    history = history_of(f, VHOST, NULL, NULL);
    assert_int_equal(ends_of(&history, "12").interrupted, found + 1);
}

/* Runs of tasks that share a row are not told, and nothing is said to be complete that is not. */
static void tasks_without_a_row_are_missed(void **state)
{
    fixture_t *f = *state;
    wf_tally_t tally;
    wf_run_t run = {.vhost = VHOST, .project = "569", .status = WF_RUN_COMPLETED};
    wf_history_query_t query = {VHOST, NULL, NULL, 2};
    wf_history_t history;

    wf_tally_init(&tally, f->pool);
    run.started = run.completed = tally.began;
    for (int i = 0; i < WF_STATS_TASKS; i++) {
        run.task = apr_psprintf(f->pool, "t%d", i);
        wf_tally_ended(&tally, &run);
    }
    wf_tally_commit(&tally, 1);
    wf_tally_history(&history, &tally, &query, f->pool);
    assert_int_equal(history.tasks->nelts, WF_STATS_TASKS);
    assert_true(history.since <= run.completed);
    run.task = "another";
    run.completed++;
    wf_tally_ended(&tally, &run);
    wf_tally_commit(&tally, 1);
    wf_tally_history(&history, &tally, &query, f->pool);
    assert_int_equal(history.tasks->nelts, WF_STATS_TASKS);
    assert_true(history.since == run.completed + 1);
    run.completed = tally.began - 1; /* an earlier one, found later */
    wf_tally_recall(&tally, &run);
    wf_tally_history(&history, &tally, &query, f->pool);
    assert_true(history.since == tally.began + 2);
    query.vhost = "other.example:80";
    wf_tally_history(&history, &tally, &query, f->pool);
    assert_true(history.since <= tally.began);
}

static apr_uint32_t count_all(wf_tally_t *tally, apr_pool_t *pool)
{
    wf_history_query_t query = {VHOST, NULL, NULL, WF_HISTORY_HOURS};
    wf_history_t history;

    wf_tally_history(&history, tally, &query, pool);
    return ends_of(&history, "12").completed;
}

/* What a batch did counts when it is on disk, and not at all where it was undone. */
static void undone_ends_are_none(void **state)
{
    fixture_t *f = *state;
    wf_tally_t tally;
    wf_run_t run = {.vhost = VHOST, .project = "569", .task = "12", .status = WF_RUN_COMPLETED};

    wf_tally_init(&tally, f->pool);
    run.started = run.completed = tally.began;
    wf_tally_ended(&tally, &run);
    wf_tally_rollback(&tally);
    wf_tally_commit(&tally, 1);
    assert_int_equal(count_all(&tally, f->pool), 0);
    wf_tally_ended(&tally, &run);
    assert_int_equal(count_all(&tally, f->pool), 0);
    wf_tally_commit(&tally, 1);
    assert_int_equal(count_all(&tally, f->pool), 1);
    /* Found on disk: what was counted as it came is not counted again, nor is what is too old. */
    wf_tally_recall(&tally, &run);
    assert_int_equal(count_all(&tally, f->pool), 1);
    run.completed = tally.began - WF_HISTORY_HOURS * WF_HOUR;
    wf_tally_recall(&tally, &run);
    run.completed = tally.began - 1;
    wf_tally_recall(&tally, &run);
    assert_int_equal(count_all(&tally, f->pool), 2);
}

/* A ring of hours: what is older than the oldest is over, and its place is another hour's. */
static void hours_go_round(void **state)
{
    const apr_uint32_t now = 500000;
    fixture_t *f = *state;
    wf_hours_t *hours = wf_hours_create();
    wf_task_history_t task;

    assert_false(wf_hours_read(&task, hours, now, WF_HISTORY_HOURS, f->pool));
    wf_hours_count(hours, now, WF_RUN_COMPLETED, 1000);
    wf_hours_count(hours, now, WF_RUN_INTERRUPTED, 0);
    wf_hours_count(hours, now - 1, WF_RUN_ERROR, APR_INT64_C(1) << 50);
    wf_hours_count(hours, now - WF_HISTORY_HOURS + 1, WF_RUN_COMPLETED, 1001);
    assert_true(wf_hours_read(&task, hours, now, WF_HISTORY_HOURS, f->pool));
    assert_int_equal(task.hours[WF_HISTORY_HOURS - 1].completed, 1);
    assert_int_equal(task.hours[WF_HISTORY_HOURS - 1].interrupted, 1);
    assert_int_equal(task.hours[WF_HISTORY_HOURS - 2].error, 1);
    assert_int_equal(task.hours[0].completed, 1);
    assert_int_equal(task.durations[0], 1);
    assert_int_equal(task.durations[1], 1);
    assert_int_equal(task.durations[WF_HISTORY_BUCKETS - 1], 1);
    assert_true(wf_hours_read(&task, hours, now, 1, f->pool));
    assert_int_equal(task.hours[0].completed, 1);
    assert_int_equal(task.durations[1], 0);
    /* An hour later the oldest is not shown, and then its place is taken. */
    assert_true(wf_hours_read(&task, hours, now + 1, WF_HISTORY_HOURS, f->pool));
    assert_int_equal(task.durations[1], 0);
    wf_hours_count(hours, now + 1, WF_RUN_COMPLETED, 0);
    assert_true(wf_hours_read(&task, hours, now + 1, 1, f->pool));
    assert_int_equal(task.hours[0].completed, 1);
    assert_int_equal(task.durations[0], 1);
    assert_false(wf_hours_is_over(hours, now + WF_HISTORY_HOURS));
    assert_true(wf_hours_is_over(hours, now + WF_HISTORY_HOURS + 1));
    assert_false(
        wf_hours_read(&task, hours, now + WF_HISTORY_HOURS + 1, WF_HISTORY_HOURS, f->pool));
    free(hours);
}

static void a_short_answer_is_refused(void **state)
{
    fixture_t *f = *state;
    wf_ends_t ends[2] = {{1, 2, 3}, {4, 5, 6}};
    wf_history_t history = {.since = 7, .hour = WF_HOUR, .hours = 2}, read;
    wf_task_history_t *task;
    wf_message_t message;
    wf_buf_t buf = {0};
    apr_size_t mark = wf_frame_begin(&buf, WF_ANSWER_OK, 1);

    history.tasks = apr_array_make(f->pool, 1, sizeof(*task));
    task = apr_array_push(history.tasks);
    *task = (wf_task_history_t){.project = "569", .task = "12", .hours = ends, .durations = {7, 8}};
    wf_history_encode(&buf, &history);
    wf_frame_end(&buf, mark);
    assert_int_equal(wf_message_read(&message, wf_slice_of(buf.data + 4, buf.len - 4)),
                     APR_SUCCESS);
    assert_int_equal(wf_history_decode(&read, &message, f->pool), APR_SUCCESS);
    assert_true(read.since == 7 && read.hour == WF_HOUR && read.hours == 2);
    task = &APR_ARRAY_IDX(read.tasks, 0, wf_task_history_t);
    assert_string_equal(task->project, "569");
    assert_string_equal(task->task, "12");
    assert_memory_equal(task->hours, ends, sizeof(ends));
    assert_int_equal(task->durations[1], 8);
    message.field[WF_FIELD_MAX] = wf_slice_of("\0\0\0\0\0\0\0\3", 8); /* more than there are */
    assert_int_equal(wf_history_decode(&read, &message, f->pool), WF_EPROTOCOL);
    message.field[WF_FIELD_MAX] = wf_slice_of("\0\0\0\0\0\0\0\x31", 8);
    assert_int_equal(wf_history_decode(&read, &message, f->pool), WF_EPROTOCOL);
    message.field[WF_FIELD_MAX] = wf_slice_of(NULL, 0);
    assert_int_equal(wf_history_decode(&read, &message, f->pool), WF_EPROTOCOL);
    wf_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(each_end_counts_once),
        STORE_TEST(tasks_and_vhosts_are_apart),
        STORE_TEST(a_new_keeper_recalls),
        STORE_TEST(what_is_recalled_has_a_bound),
        STORE_TEST(tasks_without_a_row_are_missed),
        STORE_TEST(undone_ends_are_none),
        STORE_TEST(hours_go_round),
        STORE_TEST(a_short_answer_is_refused),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_history", tests, NULL, NULL);
}
