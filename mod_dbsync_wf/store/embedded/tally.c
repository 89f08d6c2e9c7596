/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's counts. */
#include "store/embedded/tally.h"

#include <stdlib.h>
#include "store/embedded/hours.h"

/* One task of a vhost; with empty names, those of the vhost that have no row of their own. */
typedef struct row_t {
    const char *vhost;
    wf_task_stats_t stats;
    int is_met;        /* by what is counted for stats; otherwise it is there for its hours alone */
    wf_hours_t *hours; /* NULL: no run of it has ended in them */
    int members;       /* of the latter: how many rows its vhost has beside it */
    apr_time_t missed; /* of the latter, which has no hours: when a run ended last */
} row_t;

/* Something that counts once the batch is on disk. */
typedef struct event_t {
    apr_uint64_t *counter;     /* NULL: none */
    wf_histogram_t *histogram; /* of times; NULL: none */
    apr_uint64_t value;
    row_t *ended; /* whose run it is that has ended, with `value` as its time; NULL: none has */
    wf_run_status_e status;
    apr_time_t completed;
} event_t;

static apr_status_t free_hours(void *rows)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, rows); i; i = apr_hash_next(i)) {
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        free(((row_t *)value)->hours);
    }
    return APR_SUCCESS;
}

void wf_tally_init(wf_tally_t *tally, apr_pool_t *pool)
{
    memset(tally, 0, sizeof(*tally));
    tally->rows = apr_hash_make(pool);
    tally->pending = apr_array_make(pool, 64, sizeof(event_t));
    apr_pool_cleanup_register(pool, tally->rows, free_hours, apr_pool_cleanup_null);
    tally->began = tally->since = apr_time_now();
    tally->pool = pool;
}

/* A key is the three names, each with its NUL. Rows are never removed, so the key of one may lie in
 * the pool. */
static row_t *make_row(wf_tally_t *tally, wf_slice_t key)
{
    row_t *row = apr_pcalloc(tally->pool, sizeof(*row));

    key = wf_slice_dup(key, tally->pool);
    row->vhost = key.data;
    row->stats.project = row->vhost + strlen(row->vhost) + 1;
    row->stats.task = row->stats.project + strlen(row->stats.project) + 1;
    apr_hash_set(tally->rows, key.data, (apr_ssize_t)key.len, row);
    return row;
}

/* The row of a key; where there is none it is made, if `may_make` says so. */
static row_t *find_row(wf_tally_t *tally, const char *vhost, const char *project, const char *task,
                       int may_make)
{
    wf_buf_t key = {NULL, 0, 0};
    row_t *row;

    wf_buf_add(&key, vhost, strlen(vhost) + 1);
    wf_buf_add(&key, project, strlen(project) + 1);
    wf_buf_add(&key, task, strlen(task) + 1);
    row = apr_hash_get(tally->rows, key.data, (apr_ssize_t)key.len);
    if (!row && may_make) {
        row = make_row(tally, wf_buf_slice(&key));
    }
    wf_buf_free(&key);
    return row;
}

/* Where a task is counted. */
static row_t *row_of(wf_tally_t *tally, const char *vhost, const char *project, const char *task)
{
    row_t *row = find_row(tally, vhost, project, task, 0);
    row_t *others;

    if (row) {
        return row;
    }
    others = find_row(tally, vhost, "", "", 1);
    if (others->members == WF_STATS_TASKS) {
        return others;
    }
    others->members++;
    return find_row(tally, vhost, project, task, 1);
}

/* The same for something that happens to a run now. */
static row_t *meet(wf_tally_t *tally, const char *vhost, const char *project, const char *task)
{
    row_t *row = row_of(tally, vhost, project, task);

    row->is_met = 1;
    return row;
}

static row_t *row_of_run(wf_tally_t *tally, const wf_run_t *run)
{
    return meet(tally, run->vhost, run->project, run->task);
}

static void note_event(wf_tally_t *tally, event_t event)
{
    APR_ARRAY_PUSH(tally->pending, event_t) = event;
}

static void note(wf_tally_t *tally, apr_uint64_t *counter)
{
    note_event(tally, (event_t){.counter = counter});
}

/* The times are the wall clock's, which may have been set back in between. */
static apr_uint64_t time_between(apr_time_t begin, apr_time_t end)
{
    return end > begin ? (apr_uint64_t)(end - begin) : 0;
}

void wf_tally_submitted(wf_tally_t *tally, const wf_run_t *run)
{
    note(tally, &row_of_run(tally, run)->stats.submitted);
}

void wf_tally_started(wf_tally_t *tally, const wf_run_t *run)
{
    note_event(tally, (event_t){.histogram = &row_of_run(tally, run)->stats.wait,
                                .value = time_between(run->submitted, run->started)});
}

/* How long a run took that has ended; one that never started, no time. */
static apr_uint64_t time_of(const wf_run_t *run)
{
    return run->started ? time_between(run->started, run->completed) : 0;
}

void wf_tally_ended(wf_tally_t *tally, const wf_run_t *run)
{
    row_t *row = row_of_run(tally, run);
    wf_task_stats_t *stats = &row->stats;

    note_event(tally, (event_t){.counter = run->status == WF_RUN_COMPLETED     ? &stats->completed
                                           : run->status == WF_RUN_INTERRUPTED ? &stats->interrupted
                                                                               : &stats->error,
                                .histogram = run->started ? &stats->execution : NULL,
                                .value = time_of(run),
                                .ended = row,
                                .status = run->status,
                                .completed = run->completed});
}

void wf_tally_callback(wf_tally_t *tally, int is_delivered)
{
    note(tally, is_delivered ? &tally->callbacks_delivered : &tally->callbacks_failed);
}

void wf_tally_call(wf_tally_t *tally)
{
    tally->calls++;
}

void wf_tally_damage(wf_tally_t *tally)
{
    note(tally, &tally->damaged);
}

static apr_uint32_t hour_of(apr_time_t when)
{
    return (apr_uint32_t)(when / WF_HOUR);
}

/* Forgets the hours of tasks that have had no run for so long that none of them is left. */
static void forget_old(wf_tally_t *tally, apr_uint32_t present)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, tally->rows); i; i = apr_hash_next(i)) {
        void *value;
        row_t *row;

        apr_hash_this(i, NULL, NULL, &value);
        row = value;
        if (row->hours && wf_hours_is_over(row->hours, present)) {
            free(row->hours);
            row->hours = NULL;
        }
    }
}

static void count_end(row_t *row, wf_run_status_e status, apr_time_t completed, apr_uint64_t time)
{
    if (*row->stats.project == '\0') {
        row->missed = completed > row->missed ? completed : row->missed;
        return;
    }
    if (!row->hours) {
        row->hours = wf_hours_create();
    }
    wf_hours_count(row->hours, hour_of(completed), status, time);
}

/* The same in the present, which goes on with the runs that end. */
static void count_present_end(wf_tally_t *tally, const event_t *event)
{
    apr_uint32_t hour = hour_of(event->completed);

    if (hour != tally->hour) {
        tally->hour = hour;
        forget_old(tally, hour);
    }
    count_end(event->ended, event->status, event->completed, event->value);
}

void wf_tally_recall(wf_tally_t *tally, const wf_run_t *run)
{
    if (run->completed < tally->began &&
        run->completed > tally->began - WF_HISTORY_HOURS * WF_HOUR) {
        count_end(row_of(tally, run->vhost, run->project, run->task), run->status, run->completed,
                  time_of(run));
    }
}

void wf_tally_recalled(wf_tally_t *tally, apr_time_t since)
{
    tally->since = since < tally->began ? since : tally->began;
}

void wf_tally_commit(wf_tally_t *tally, int wrote)
{
    for (int i = 0; i < tally->pending->nelts; i++) {
        const event_t *event = &APR_ARRAY_IDX(tally->pending, i, event_t);

        if (event->counter) {
            (*event->counter)++;
        }
        if (event->histogram) {
            wf_histogram_add(event->histogram, wf_time_bounds, event->value);
        }
        if (event->ended) {
            count_present_end(tally, event);
        }
    }
    if (wrote) {
        wf_histogram_add(&tally->commits, wf_call_bounds, tally->calls);
    }
    wf_tally_rollback(tally);
}

void wf_tally_rollback(wf_tally_t *tally)
{
    tally->pending->nelts = 0;
    tally->calls = 0;
}

static int is_of(const char *vhost, const char *asked)
{
    return asked && strcmp(vhost, asked) == 0;
}

/* What is under way: in all, and of the vhost's tasks in their rows. */
static void read_board(wf_store_stats_t *stats, wf_tally_t *tally, wf_board_t *board,
                       const char *vhost)
{
    void *value;

    for (apr_hash_index_t *i = apr_hash_first(NULL, tally->rows); i; i = apr_hash_next(i)) {
        wf_task_stats_t *row;

        apr_hash_this(i, NULL, NULL, &value);
        row = &((row_t *)value)->stats;
        row->queued = row->running = 0;
    }
    for (apr_hash_index_t *i = apr_hash_first(NULL, board->groups); i; i = apr_hash_next(i)) {
        const wf_group_t *group;

        apr_hash_this(i, NULL, NULL, &value);
        group = value;
        stats->queued += group->queued;
        stats->running += group->running;
        if (is_of(group->vhost, vhost)) {
            wf_task_stats_t *row = &meet(tally, group->vhost, group->project, group->task)->stats;

            row->queued += group->queued;
            row->running += group->running;
        }
    }
}

/* Whether there is anything to tell of a row. */
static int is_used(const row_t *row)
{
    const wf_task_stats_t *stats = &row->stats;

    return row->is_met &&
           (*stats->project != '\0' || stats->submitted || stats->completed || stats->error ||
            stats->interrupted || stats->wait.count || stats->queued || stats->running);
}

void wf_tally_read(wf_store_stats_t *stats, wf_tally_t *tally, wf_board_t *board, const char *vhost,
                   apr_pool_t *pool)
{
    stats->queued = stats->running = 0;
    read_board(stats, tally, board, vhost);
    stats->commits = tally->commits;
    stats->damaged = tally->damaged;
    stats->callbacks_delivered = tally->callbacks_delivered;
    stats->callbacks_failed = tally->callbacks_failed;
    stats->runners = apr_hash_count(board->holders);
    stats->watchers = board->watchers;
    stats->tasks = apr_array_make(pool, 16, sizeof(wf_task_stats_t));
    for (apr_hash_index_t *i = apr_hash_first(pool, tally->rows); i; i = apr_hash_next(i)) {
        const row_t *row;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        row = value;
        if (is_of(row->vhost, vhost) && is_used(row)) {
            APR_ARRAY_PUSH(stats->tasks, wf_task_stats_t) = row->stats;
        }
    }
}

static int is_asked(const row_t *row, const char *vhost, const char *project, const char *task)
{
    return is_of(row->vhost, vhost) && (!project || strcmp(row->stats.project, project) == 0) &&
           (!task || strcmp(row->stats.task, task) == 0);
}

/* Adds a row's hours, where there are any. */
static void add_history(wf_history_t *history, const row_t *row, apr_uint32_t present,
                        apr_pool_t *pool)
{
    wf_task_history_t task = {.project = row->stats.project, .task = row->stats.task};

    if (row->hours && wf_hours_read(&task, row->hours, present, history->hours, pool)) {
        APR_ARRAY_PUSH(history->tasks, wf_task_history_t) = task;
    }
}

void wf_tally_history(wf_history_t *history, wf_tally_t *tally, const wf_history_query_t *query,
                      apr_pool_t *pool)
{
    apr_uint32_t present = hour_of(apr_time_now());
    apr_time_t begin;

    history->hour = present * WF_HOUR;
    history->hours = query->hours;
    history->since = tally->since;
    history->tasks = apr_array_make(pool, 16, sizeof(wf_task_history_t));
    forget_old(tally, present);
    for (apr_hash_index_t *i = apr_hash_first(pool, tally->rows); i; i = apr_hash_next(i)) {
        const row_t *row;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        row = value;
        if (is_asked(row, query->vhost, query->project, query->task)) {
            add_history(history, row, present, pool);
        }
        if (is_of(row->vhost, query->vhost) && row->missed >= history->since) {
            history->since = row->missed + 1;
        }
    }
    begin = history->hour - (query->hours - 1) * WF_HOUR;
    history->since = history->since < begin ? begin : history->since;
}
