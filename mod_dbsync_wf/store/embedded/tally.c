/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's counts. */
#include "store/embedded/tally.h"

/* One task of a vhost; with empty names, those of the vhost that have no row of their own. */
typedef struct row_t {
    const char *vhost;
    wf_task_stats_t stats;
    int members; /* of the latter: how many rows its vhost has beside it */
} row_t;

/* Something that counts once the batch is on disk. */
typedef struct event_t {
    apr_uint64_t *counter;     /* NULL: none */
    wf_histogram_t *histogram; /* of times; NULL: none */
    apr_uint64_t value;
} event_t;

void wf_tally_init(wf_tally_t *tally, apr_pool_t *pool)
{
    memset(tally, 0, sizeof(*tally));
    tally->rows = apr_hash_make(pool);
    tally->pending = apr_array_make(pool, 64, sizeof(event_t));
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

static wf_task_stats_t *stats_of(wf_tally_t *tally, const wf_run_t *run)
{
    return &row_of(tally, run->vhost, run->project, run->task)->stats;
}

static void note(wf_tally_t *tally, apr_uint64_t *counter)
{
    event_t event = {.counter = counter};

    APR_ARRAY_PUSH(tally->pending, event_t) = event;
}

/* The times are the wall clock's, which may have been set back in between. */
static void note_time(wf_tally_t *tally, wf_histogram_t *histogram, apr_interval_time_t time)
{
    event_t event = {.histogram = histogram, .value = time > 0 ? (apr_uint64_t)time : 0};

    APR_ARRAY_PUSH(tally->pending, event_t) = event;
}

void wf_tally_submitted(wf_tally_t *tally, const wf_run_t *run)
{
    note(tally, &stats_of(tally, run)->submitted);
}

void wf_tally_started(wf_tally_t *tally, const wf_run_t *run)
{
    note_time(tally, &stats_of(tally, run)->wait, run->started - run->submitted);
}

void wf_tally_ended(wf_tally_t *tally, const wf_run_t *run)
{
    wf_task_stats_t *stats = stats_of(tally, run);

    note(tally, run->status == WF_RUN_COMPLETED     ? &stats->completed
                : run->status == WF_RUN_INTERRUPTED ? &stats->interrupted
                                                    : &stats->error);
    if (run->started) {
        note_time(tally, &stats->execution, run->completed - run->started);
    }
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
            wf_task_stats_t *row = &row_of(tally, group->vhost, group->project, group->task)->stats;

            row->queued += group->queued;
            row->running += group->running;
        }
    }
}

/* Whether there is anything to tell of a row. */
static int is_used(const wf_task_stats_t *row)
{
    return *row->project != '\0' || row->submitted || row->completed || row->error ||
           row->interrupted || row->wait.count || row->queued || row->running;
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
        if (is_of(row->vhost, vhost) && is_used(&row->stats)) {
            APR_ARRAY_PUSH(stats->tasks, wf_task_stats_t) = row->stats;
        }
    }
}
