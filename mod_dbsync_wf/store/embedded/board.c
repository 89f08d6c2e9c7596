/* SPDX-License-Identifier: Apache-2.0 */
/* The board. */
#include "store/embedded/board.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/slice.h"

static void *allocate(apr_size_t size)
{
    void *memory = calloc(1, size);

    if (!memory) {
        abort();
    }
    return memory;
}

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = NULL;
    if (value) {
        apr_size_t size = strlen(value) + 1;

        *text = memcpy(allocate(size), value, size);
    }
}

void wf_board_init(wf_board_t *board, apr_pool_t *pool)
{
    board->entries = apr_hash_make(pool);
    board->groups = apr_hash_make(pool);
    board->holders = apr_hash_make(pool);
    TAILQ_INIT(&board->ready);
    board->queued = 0;
    board->version = (apr_uint64_t)wf_clock(); /* fewer are given out than there are microseconds */
    board->age = board->version;
    board->watchers = 0;
    board->stirred = apr_pcalloc(pool, sizeof(*board->stirred));
    wf_buf_bind(board->stirred, pool);
}

/* What is kept elsewhere of an entry has changed. */
static void stir_beside(wf_entry_t *entry)
{
    wf_board_t *board = entry->board;

    entry->version = ++board->version;
    if (board->watchers) {
        wf_buf_add(board->stirred, &entry->pid, sizeof(entry->pid));
    }
}

static void stir(wf_entry_t *entry)
{
    entry->board->age++;
    stir_beside(entry);
}

/* The hash's key lies in the entry: out of the hash first. */
static void forget_entry(wf_board_t *board, wf_entry_t *entry)
{
    apr_hash_set(board->entries, &entry->pid, sizeof(entry->pid), NULL);
    free(entry->interrupted_by);
    free(entry->action);
    free(entry);
}

static void forget_group(wf_board_t *board, wf_group_t *group)
{
    apr_hash_set(board->groups, group->key, (apr_ssize_t)group->key_len, NULL);
    free(group);
}

void wf_board_clear(wf_board_t *board)
{
    void *value;
    apr_hash_index_t *i;

    board->queued = 0;
    for (i = apr_hash_first(NULL, board->entries); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &value);
        forget_entry(board, value);
    }
    for (i = apr_hash_first(NULL, board->groups); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &value);
        forget_group(board, value);
    }
    for (i = apr_hash_first(NULL, board->holders); i; i = apr_hash_next(i)) {
        wf_holder_t *holder;

        apr_hash_this(i, NULL, NULL, &value);
        holder = value;
        TAILQ_INIT(&holder->held);
    }
    TAILQ_INIT(&board->ready);
}

wf_entry_t *wf_board_find(wf_board_t *board, const wf_uuid_t *pid)
{
    return apr_hash_get(board->entries, pid, sizeof(*pid));
}

/* Brings the ring of ready groups up to date with one group's counts. */
static void refresh(wf_board_t *board, wf_group_t *group)
{
    int ready = group->queued > 0 && (group->limit == 0 || group->running < group->limit);

    if (ready && !group->is_ready) {
        TAILQ_INSERT_TAIL(&board->ready, group, link);
    } else if (!ready && group->is_ready) {
        TAILQ_REMOVE(&board->ready, group, link);
    }
    group->is_ready = ready;
}

static void add_group_key(wf_buf_t *key, const wf_run_t *run)
{
    wf_buf_add(key, run->vhost, strlen(run->vhost) + 1);
    wf_buf_add(key, run->project, strlen(run->project) + 1);
    wf_buf_add(key, run->task, strlen(run->task) + 1);
}

/* The group of a run's task, NULL where none of it is under way. */
static wf_group_t *find_group(wf_board_t *board, const wf_run_t *run)
{
    wf_buf_t key = {NULL, 0, 0};
    wf_group_t *group;

    add_group_key(&key, run);
    group = apr_hash_get(board->groups, key.data, (apr_ssize_t)key.len);
    wf_buf_free(&key);
    return group;
}

apr_uint32_t wf_board_queued(wf_board_t *board, const wf_run_t *run)
{
    const wf_group_t *group = find_group(board, run);

    return group ? group->queued : 0;
}

wf_under_way_t wf_board_under_way(wf_board_t *board, const wf_run_t *run)
{
    const wf_group_t *group = find_group(board, run);

    return group ? (wf_under_way_t){group->queued, group->running} : (wf_under_way_t){0, 0};
}

wf_entry_t *wf_board_overlap(wf_board_t *board, const wf_run_t *run)
{
    apr_uint32_t most = run->concurrency ? run->concurrency : 1;
    wf_group_t *group = find_group(board, run);

    return group && group->queued + group->running >= most
               ? TAILQ_LAST(&group->members, wf_entry_queue)
               : NULL;
}

static wf_group_t *group_of(wf_board_t *board, const wf_run_t *run)
{
    wf_buf_t key = {NULL, 0, 0};
    wf_group_t *group;

    add_group_key(&key, run);
    group = apr_hash_get(board->groups, key.data, (apr_ssize_t)key.len);
    if (!group) {
        group = allocate(sizeof(*group) + key.len);
        memcpy(group->key, key.data, key.len);
        group->key_len = key.len;
        group->vhost = group->key;
        group->project = group->vhost + strlen(group->vhost) + 1;
        group->task = group->project + strlen(group->project) + 1;
        TAILQ_INIT(&group->queue);
        TAILQ_INIT(&group->members);
        apr_hash_set(board->groups, group->key, (apr_ssize_t)group->key_len, group);
    }
    wf_buf_free(&key);
    /* The newest run says what its task's file says today. */
    group->limit = run->concurrency;
    return group;
}

wf_entry_t *wf_board_queue(wf_board_t *board, const wf_run_t *run)
{
    wf_entry_t *entry = allocate(sizeof(*entry));

    entry->pid = run->pid;
    entry->board = board;
    entry->group = group_of(board, run);
    entry->fence = run->fence;
    entry->started = run->started;
    entry->rerun_when_lost = run->rerun_when_lost;
    entry->output = run->fence ? WF_OUTPUT_UNKNOWN : 0; /* nobody has executed it yet */
    wf_entry_set_interrupt(entry, run->interrupt_requested, run->interrupted_by);
    TAILQ_INSERT_TAIL(&entry->group->queue, entry, link);
    TAILQ_INSERT_TAIL(&entry->group->members, entry, member);
    entry->group->queued++;
    board->queued++;
    apr_hash_set(board->entries, &entry->pid, sizeof(entry->pid), entry);
    refresh(board, entry->group);
    return entry;
}

int wf_board_is_ready(const wf_board_t *board)
{
    return !TAILQ_EMPTY(&board->ready);
}

wf_entry_t *wf_board_next(wf_board_t *board)
{
    wf_group_t *group;

    if (TAILQ_EMPTY(&board->ready)) {
        return NULL;
    }
    group = TAILQ_FIRST(&board->ready);
    TAILQ_REMOVE(&board->ready, group, link);
    TAILQ_INSERT_TAIL(&board->ready, group, link);
    return TAILQ_FIRST(&group->queue);
}

void wf_board_hold(wf_board_t *board, wf_entry_t *entry, wf_holder_t *holder)
{
    TAILQ_REMOVE(&entry->group->queue, entry, link);
    TAILQ_INSERT_TAIL(&holder->held, entry, link);
    entry->holder = holder;
    stir(entry);
    entry->group->queued--;
    board->queued--;
    entry->group->running++;
    refresh(board, entry->group);
}

/* Takes an entry out of where it stands and out of its group's counts. */
static void detach(wf_board_t *board, wf_entry_t *entry)
{
    if (entry->holder) {
        TAILQ_REMOVE(&entry->holder->held, entry, link);
        entry->group->running--;
    } else {
        TAILQ_REMOVE(&entry->group->queue, entry, link);
        entry->group->queued--;
        board->queued--;
    }
    entry->holder = NULL;
    refresh(board, entry->group);
}

void wf_board_unhold(wf_board_t *board, wf_entry_t *entry)
{
    detach(board, entry);
    stir(entry);
    entry->started = 0;
    TAILQ_INSERT_HEAD(&entry->group->queue, entry, link);
    entry->group->queued++;
    board->queued++;
    refresh(board, entry->group);
}

void wf_board_remove(wf_board_t *board, wf_entry_t *entry)
{
    wf_group_t *group = entry->group;

    detach(board, entry);
    stir(entry);
    TAILQ_REMOVE(&group->members, entry, member);
    forget_entry(board, entry);
    if (group->queued == 0 && group->running == 0) {
        forget_group(board, group);
    }
}

void wf_entry_row(wf_run_t *row, const wf_entry_t *entry)
{
    memset(row, 0, sizeof(*row));
    row->pid = entry->pid;
    row->vhost = entry->group->vhost;
    row->project = entry->group->project;
    row->task = entry->group->task;
    row->status = entry->holder ? WF_RUN_RUNNING : WF_RUN_SUBMITTED;
    row->started = entry->started;
    row->interrupt_requested = entry->interrupt_requested;
    row->interrupted_by = entry->interrupted_by;
    row->fence = entry->fence;
    row->incarnation = entry->holder ? entry->holder->incarnation : 0;
    row->concurrency = entry->group->limit;
    row->rerun_when_lost = entry->rerun_when_lost;
    row->progress.action = entry->action;
    row->progress.done = entry->done;
    row->progress.total = entry->total;
    row->records = entry->records;
}

void wf_entry_set_interrupt(wf_entry_t *entry, apr_time_t when, const char *by)
{
    stir(entry);
    entry->interrupt_requested = when;
    set_text(&entry->interrupted_by, by);
}

void wf_entry_set_progress(wf_entry_t *entry, const wf_run_progress_t *progress,
                           const wf_run_records_t *records)
{
    stir(entry);
    set_text(&entry->action, progress->action);
    entry->done = progress->done;
    entry->total = progress->total;
    entry->records = *records;
}

void wf_entry_touch(wf_entry_t *entry)
{
    stir_beside(entry);
}

void wf_board_touch(wf_board_t *board)
{
    board->age++;
}

wf_holder_t *wf_board_holder(wf_board_t *board, apr_uint64_t incarnation)
{
    return apr_hash_get(board->holders, &incarnation, sizeof(incarnation));
}

wf_holder_t *wf_board_add_holder(wf_board_t *board, apr_uint64_t incarnation, const char *host)
{
    wf_holder_t *holder = allocate(sizeof(*holder));

    holder->incarnation = incarnation;
    set_text(&holder->host, host);
    holder->news = WF_EVENT_RESYNC | WF_EVENT_INTERRUPT;
    TAILQ_INIT(&holder->held);
    apr_hash_set(board->holders, &holder->incarnation, sizeof(holder->incarnation), holder);
    return holder;
}

void wf_board_remove_holder(wf_board_t *board, wf_holder_t *holder)
{
    apr_hash_set(board->holders, &holder->incarnation, sizeof(holder->incarnation), NULL);
    free(holder->host);
    free(holder);
}
