/* SPDX-License-Identifier: Apache-2.0 */
/* Families and samples. */
#include "http/metrics_text.h"

#include <stddef.h>
#include <stdlib.h>
#include <apr_strings.h>
#include "base/clock.h"

#define PREFIX "dbsync_wf_"
#define OTHERS "*" /* no project or task has such an id */

/* A family with one sample: where its number is in wf_store_stats_t. */
typedef struct number_t {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
    int is_time; /* microseconds, which become seconds */
} number_t;

#define NUMBER(member) offsetof(wf_store_stats_t, member)

/* What is known in any state, and what only of a store that is open. */
static const number_t always[] = {
    {"keeper_start_time_seconds", "gauge",
     "When the store's process began, and with it all counters, as seconds since 1970.",
     NUMBER(started), 1},
    {"keeper_restarts_total", "counter",
     "Times that the store's process had to be started again, since its supervisor began.",
     NUMBER(keeper_restarts), 0},
    {"runner_restarts_total", "counter",
     "Times that the process that executes runs had to be started again, likewise.",
     NUMBER(runner_restarts), 0},
    {"store_open", "gauge",
     "0 where the store cannot be opened (a full disk, damage) and refuses every call.",
     NUMBER(is_open), 0},
};
static const number_t when_open[] = {
    {"store_writable", "gauge",
     "0 while nothing can be written, such as on a full disk: runs are refused then.",
     NUMBER(is_writable), 0},
    {"store_checkpointing", "gauge", "0 while checkpoints fail, so that the store's log grows.",
     NUMBER(takes_checkpoints), 0},
    {"store_damaged_calls_total", "counter",
     "Calls that were refused because what is stored is damaged.", NUMBER(damaged), 0},
    {"runners", "gauge", "Processes that execute runs; more than one while one is replaced.",
     NUMBER(runners), 0},
    {"runs_queued", "gauge", "Runs that wait to be executed, of all virtual hosts.", NUMBER(queued),
     0},
    {"runs_running", "gauge", "Runs that are being executed, of all virtual hosts.",
     NUMBER(running), 0},
    {"callbacks_pending", "gauge", "Ends of runs that are to be told by a callback.",
     NUMBER(callbacks_pending), 0},
    {"waiters", "gauge", "Requests that wait for a run, of all virtual hosts.", NUMBER(watchers),
     0},
};

static void put_number(wf_buf_t *out, apr_uint64_t number)
{
    char digits[24];

    apr_snprintf(digits, sizeof(digits), "%" APR_UINT64_T_FMT, number);
    wf_buf_add_text(out, digits);
}

static void put_seconds(wf_buf_t *out, apr_uint64_t time)
{
    char text[WF_SECONDS_TEXT_LEN + 1];

    wf_seconds_format(text, time);
    wf_buf_add_text(out, text);
}

static void put_head(wf_buf_t *out, const char *name, const char *type, const char *help)
{
    const char *const parts[] = {
        "# HELP " PREFIX, name, " ", help, "\n# TYPE " PREFIX, name, " ", type, "\n"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        wf_buf_add_text(out, parts[i]);
    }
}

/* A label's value; what the format escapes cannot be in an id, but it costs nothing to be sure. */
static void put_label(wf_buf_t *out, const char *name, const char *value)
{
    wf_buf_add_text(out, name);
    wf_buf_add_text(out, "=\"");
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n') {
            wf_buf_add_char(out, '\\');
        }
        wf_buf_add_char(out, *value == '\n' ? 'n' : *value);
    }
    wf_buf_add_char(out, '"');
}

static void put_task_labels(wf_buf_t *out, const wf_task_stats_t *task)
{
    int is_one = *task->project != '\0';

    put_label(out, "project", is_one ? task->project : OTHERS);
    wf_buf_add_char(out, ',');
    put_label(out, "task", is_one ? task->task : OTHERS);
}

/* "name_suffix{labels": a `more` label is to follow, and then the brace. `task` may be NULL. */
static void open_sample(wf_buf_t *out, const char *name, const char *suffix,
                        const wf_task_stats_t *task)
{
    wf_buf_add_text(out, PREFIX);
    wf_buf_add_text(out, name);
    wf_buf_add_text(out, suffix);
    if (task) {
        wf_buf_add_char(out, '{');
        put_task_labels(out, task);
    }
}

/* Ends the labels, where there are any. */
static void close_labels(wf_buf_t *out, int has_labels)
{
    wf_buf_add_text(out, has_labels ? "} " : " ");
}

static void put_simple(wf_buf_t *out, const number_t *number, apr_uint64_t value)
{
    put_head(out, number->name, number->type, number->help);
    open_sample(out, number->name, "", NULL);
    close_labels(out, 0);
    if (number->is_time) {
        put_seconds(out, value);
    } else {
        put_number(out, value);
    }
    wf_buf_add_char(out, '\n');
}

static void put_bucket(wf_buf_t *out, const char *name, const wf_task_stats_t *task,
                       const apr_uint64_t *bound, int is_time, apr_uint64_t count)
{
    open_sample(out, name, "_bucket", task);
    wf_buf_add_text(out, task ? ",le=\"" : "{le=\"");
    if (!bound) {
        wf_buf_add_text(out, "+Inf");
    } else if (is_time) {
        put_seconds(out, *bound);
    } else {
        put_number(out, *bound);
    }
    wf_buf_add_text(out, "\"} ");
    put_number(out, count);
    wf_buf_add_char(out, '\n');
}

/* The samples of a histogram; of times in seconds where it is a task's. */
static void put_histogram(wf_buf_t *out, const char *name, const wf_task_stats_t *task,
                          const wf_histogram_t *histogram)
{
    const apr_uint64_t *bounds = task ? wf_time_bounds : wf_call_bounds;
    apr_uint64_t count = 0;

    for (int i = 0; i < WF_HISTOGRAM_BUCKETS; i++) {
        count += histogram->buckets[i];
        put_bucket(out, name, task, &bounds[i], task != NULL, count);
    }
    put_bucket(out, name, task, NULL, 0, histogram->count);
    open_sample(out, name, "_sum", task);
    close_labels(out, task != NULL);
    if (task) {
        put_seconds(out, histogram->sum);
    } else {
        put_number(out, histogram->sum);
    }
    wf_buf_add_char(out, '\n');
    open_sample(out, name, "_count", task);
    close_labels(out, task != NULL);
    put_number(out, histogram->count);
    wf_buf_add_char(out, '\n');
}

static void put_runs(wf_buf_t *out, const wf_task_stats_t *task, const char *status,
                     apr_uint64_t count)
{
    open_sample(out, "runs_total", "", task);
    wf_buf_add_char(out, ',');
    put_label(out, "status", status);
    close_labels(out, 1);
    put_number(out, count);
    wf_buf_add_char(out, '\n');
}

static void put_outcome(wf_buf_t *out, const char *outcome, apr_uint64_t count)
{
    open_sample(out, "callbacks_total", "", NULL);
    wf_buf_add_char(out, '{');
    put_label(out, "outcome", outcome);
    close_labels(out, 1);
    put_number(out, count);
    wf_buf_add_char(out, '\n');
}

static void put_callbacks(wf_buf_t *out, const wf_store_stats_t *stats)
{
    put_head(out, "callbacks_total", "counter",
             "Ends of runs that were told by a callback, and that were given up.");
    put_outcome(out, "delivered", stats->callbacks_delivered);
    put_outcome(out, "failed", stats->callbacks_failed);
}

static const wf_task_stats_t *row(const wf_store_stats_t *stats, int i)
{
    return &APR_ARRAY_IDX(stats->tasks, i, wf_task_stats_t);
}

static void put_all_runs(wf_buf_t *out, const wf_store_stats_t *stats)
{
    put_head(out, "runs_total", "counter",
             "Runs that were submitted, and those that have ended, by how they did.");
    for (int i = 0; i < stats->tasks->nelts; i++) {
        put_runs(out, row(stats, i), "submitted", row(stats, i)->submitted);
        put_runs(out, row(stats, i), "completed", row(stats, i)->completed);
        put_runs(out, row(stats, i), "error", row(stats, i)->error);
        put_runs(out, row(stats, i), "interrupted", row(stats, i)->interrupted);
    }
}

/* A gauge of each task for which it is not 0. */
static void put_gauges(wf_buf_t *out, const wf_store_stats_t *stats, const char *name,
                       const char *help, size_t offset)
{
    put_head(out, name, "gauge", help);
    for (int i = 0; i < stats->tasks->nelts; i++) {
        const wf_task_stats_t *task = row(stats, i);
        apr_uint64_t value = *(const apr_uint64_t *)((const char *)task + offset);

        if (value) {
            open_sample(out, name, "", task);
            close_labels(out, 1);
            put_number(out, value);
            wf_buf_add_char(out, '\n');
        }
    }
}

static void put_histograms(wf_buf_t *out, const wf_store_stats_t *stats, const char *name,
                           const char *help, size_t offset)
{
    put_head(out, name, "histogram", help);
    for (int i = 0; i < stats->tasks->nelts; i++) {
        const wf_task_stats_t *task = row(stats, i);

        put_histogram(out, name, task,
                      (const wf_histogram_t *)(const void *)((const char *)task + offset));
    }
}

static void put_tasks(wf_buf_t *out, const wf_store_stats_t *stats)
{
    put_all_runs(out, stats);
    put_gauges(out, stats, "task_runs_queued", "Runs of a task that wait to be executed.",
               offsetof(wf_task_stats_t, queued));
    put_gauges(out, stats, "task_runs_running", "Runs of a task that are being executed.",
               offsetof(wf_task_stats_t, running));
    put_histograms(out, stats, "queue_wait_seconds",
                   "From a run's submission until its execution began.",
                   offsetof(wf_task_stats_t, wait));
    put_histograms(out, stats, "execution_seconds",
                   "From the beginning of a run's execution to its end.",
                   offsetof(wf_task_stats_t, execution));
}

static void put_settings(wf_buf_t *out, const wf_settings_t *settings)
{
    static const number_t threads = {"threads", "gauge", "Runs that may execute at a time.", 0, 0};
    static const number_t limit = {"queue_limit", "gauge",
                                   "Runs that may wait at a time; 0: any number.", 0, 0};

    put_simple(out, &threads, settings->threads);
    put_simple(out, &limit, settings->queue_limit);
}

static void put_numbers(wf_buf_t *out, const wf_store_stats_t *stats, const number_t *numbers,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_simple(out, &numbers[i],
                   *(const apr_uint64_t *)((const char *)stats + numbers[i].offset));
    }
}

static int compare_rows(const void *a, const void *b)
{
    const wf_task_stats_t *x = a, *y = b;
    int order = strcmp(x->project, y->project);

    return order != 0 ? order : strcmp(x->task, y->task);
}

void wf_metrics_text(wf_buf_t *out, wf_store_stats_t *stats, const wf_settings_t *settings)
{
    put_numbers(out, stats, always, sizeof(always) / sizeof(always[0]));
    put_settings(out, settings);
    if (!stats->is_open) {
        return;
    }
    put_numbers(out, stats, when_open, sizeof(when_open) / sizeof(when_open[0]));
    put_callbacks(out, stats);
    put_head(out, "commit_calls", "histogram",
             "Calls that write, carried by one commit to the disk.");
    put_histogram(out, "commit_calls", NULL, &stats->commits);
    if (stats->tasks->nelts > 0) {
        qsort(stats->tasks->elts, (size_t)stats->tasks->nelts, sizeof(wf_task_stats_t),
              compare_rows);
    }
    put_tasks(out, stats);
}
