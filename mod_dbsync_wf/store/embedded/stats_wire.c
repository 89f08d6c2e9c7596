/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as bytes: numbers in the order of their lists, 8 bytes each, big-endian. */
#include "store/embedded/stats_wire.h"

#include <apr_strings.h>

static void put(wf_buf_t *out, apr_uint64_t number)
{
    unsigned char bytes[8];

    wf_put_u64(bytes, number);
    wf_buf_add(out, bytes, sizeof(bytes));
}

static void put_histogram(wf_buf_t *out, const wf_histogram_t *histogram)
{
    put(out, histogram->count);
    put(out, histogram->sum);
    for (int i = 0; i < WF_HISTOGRAM_BUCKETS; i++) {
        put(out, histogram->buckets[i]);
    }
}

static void put_task(wf_buf_t *out, const wf_task_stats_t *task)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_TASK_STATS);

    wf_buf_add(out, task->project, strlen(task->project) + 1);
    wf_buf_add(out, task->task, strlen(task->task) + 1);
#define PUT(name) put(out, task->name);
    WF_TASK_NUMBERS(PUT)
#undef PUT
    put_histogram(out, &task->wait);
    put_histogram(out, &task->execution);
    wf_field_close(out, mark);
}

void wf_stats_encode(wf_buf_t *out, const wf_store_stats_t *stats)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_STATS);

#define PUT(name) put(out, stats->name);
    WF_STORE_NUMBERS(PUT)
#undef PUT
    put_histogram(out, &stats->commits);
    wf_field_close(out, mark);
    for (int i = 0; i < stats->tasks->nelts; i++) {
        put_task(out, &APR_ARRAY_IDX(stats->tasks, i, wf_task_stats_t));
    }
}

/* What is read, and whether it was too short. */
typedef struct reader_t {
    wf_slice_t rest;
    int is_short;
} reader_t;

static apr_uint64_t take(reader_t *reader)
{
    apr_uint64_t number;

    if (reader->rest.len < 8) {
        reader->is_short = 1;
        return 0;
    }
    number = wf_get_u64((const unsigned char *)reader->rest.data);
    reader->rest = wf_slice_of(reader->rest.data + 8, reader->rest.len - 8);
    return number;
}

static const char *take_text(reader_t *reader, apr_pool_t *pool)
{
    const char *end = memchr(reader->rest.data, '\0', reader->rest.len);
    const char *text;

    if (!end) {
        reader->is_short = 1;
        return "";
    }
    text = apr_pstrdup(pool, reader->rest.data);
    reader->rest =
        wf_slice_of(end + 1, (apr_size_t)(reader->rest.data + reader->rest.len - end) - 1);
    return text;
}

static void take_histogram(wf_histogram_t *histogram, reader_t *reader)
{
    histogram->count = take(reader);
    histogram->sum = take(reader);
    for (int i = 0; i < WF_HISTOGRAM_BUCKETS; i++) {
        histogram->buckets[i] = take(reader);
    }
}

static apr_status_t take_store(wf_store_stats_t *stats, wf_slice_t value)
{
    reader_t reader = {value, 0};

#define TAKE(name) stats->name = take(&reader);
    WF_STORE_NUMBERS(TAKE)
#undef TAKE
    take_histogram(&stats->commits, &reader);
    return reader.is_short ? WF_EPROTOCOL : APR_SUCCESS;
}

static apr_status_t take_task(wf_task_stats_t *task, wf_slice_t value, apr_pool_t *pool)
{
    reader_t reader = {value, 0};

    task->project = take_text(&reader, pool);
    task->task = take_text(&reader, pool);
#define TAKE(name) task->name = take(&reader);
    WF_TASK_NUMBERS(TAKE)
#undef TAKE
    take_histogram(&task->wait, &reader);
    take_histogram(&task->execution, &reader);
    return reader.is_short ? WF_EPROTOCOL : APR_SUCCESS;
}

apr_status_t wf_stats_decode(wf_store_stats_t *stats, const wf_message_t *message, apr_pool_t *pool)
{
    wf_slice_t rest = message->body, value;
    unsigned char tag;
    apr_status_t rv = take_store(stats, message->field[WF_FIELD_STATS]);

    stats->tasks = apr_array_make(pool, 16, sizeof(wf_task_stats_t));
    while (rv == APR_SUCCESS && (rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag == WF_FIELD_TASK_STATS) {
            rv = take_task(apr_array_push(stats->tasks), value, pool);
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static void put_history(wf_buf_t *out, const wf_task_history_t *task, apr_uint32_t hours)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_HISTORY);

    wf_buf_add(out, task->project, strlen(task->project) + 1);
    wf_buf_add(out, task->task, strlen(task->task) + 1);
    for (apr_uint32_t i = 0; i < hours; i++) {
        put(out, task->hours[i].completed);
        put(out, task->hours[i].error);
        put(out, task->hours[i].interrupted);
    }
    for (int i = 0; i < WF_HISTORY_BUCKETS; i++) {
        put(out, task->durations[i]);
    }
    wf_field_close(out, mark);
}

void wf_history_encode(wf_buf_t *out, const wf_history_t *history)
{
    wf_field_add_u64(out, WF_FIELD_FROM, (apr_uint64_t)history->since);
    wf_field_add_u64(out, WF_FIELD_TO, (apr_uint64_t)history->hour);
    wf_field_add_u64(out, WF_FIELD_MAX, history->hours);
    for (int i = 0; i < history->tasks->nelts; i++) {
        put_history(out, &APR_ARRAY_IDX(history->tasks, i, wf_task_history_t), history->hours);
    }
}

static apr_status_t take_history(wf_task_history_t *task, wf_slice_t value, apr_uint32_t hours,
                                 apr_pool_t *pool)
{
    wf_ends_t *ends = apr_pcalloc(pool, hours * sizeof(*ends));
    reader_t reader = {value, 0};

    task->project = take_text(&reader, pool);
    task->task = take_text(&reader, pool);
    task->hours = ends;
    for (apr_uint32_t i = 0; i < hours; i++) {
        ends[i].completed = (apr_uint32_t)take(&reader);
        ends[i].error = (apr_uint32_t)take(&reader);
        ends[i].interrupted = (apr_uint32_t)take(&reader);
    }
    for (int i = 0; i < WF_HISTORY_BUCKETS; i++) {
        task->durations[i] = (apr_uint32_t)take(&reader);
    }
    return reader.is_short ? WF_EPROTOCOL : APR_SUCCESS;
}

apr_status_t wf_history_decode(wf_history_t *history, const wf_message_t *message, apr_pool_t *pool)
{
    wf_slice_t rest = message->body, value;
    unsigned char tag;
    apr_status_t rv = APR_SUCCESS;

    history->since = (apr_time_t)wf_message_u64(message, WF_FIELD_FROM);
    history->hour = (apr_time_t)wf_message_u64(message, WF_FIELD_TO);
    history->hours = (apr_uint32_t)wf_message_u64(message, WF_FIELD_MAX);
    history->tasks = apr_array_make(pool, 16, sizeof(wf_task_history_t));
    if (history->hours < 1 || history->hours > WF_HISTORY_HOURS) {
        return WF_EPROTOCOL;
    }
    while (rv == APR_SUCCESS && (rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag == WF_FIELD_HISTORY) {
            rv = take_history(apr_array_push(history->tasks), value, history->hours, pool);
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
