/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: rows in memory, and the transaction that writes them.
 *
 * All rows are tried at once, as many as the driver's way takes in one call. Where the database
 * refuses them for a row's sake they are divided until the bad ones stand alone, which are left
 * out. A database whose transaction is spoiled by a failure (PostgreSQL) begins again then, with a
 * savepoint around each part.
 */
#include "flow/sql/write.h"

#include <stdlib.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "flow/sql/driver.h"

struct wf_batch_t {
    const wf_target_t *target;
    const wf_bulk_kind_t *kind;
    void *bulk;
    apr_int64_t allowed; /* rows of the whole action that may fail */
    int most;            /* rows */
    int stride;
    int count;
    int room;
    wf_value_t *values;    /* on the heap */
    const char **reasons;  /* of each row; NULL: it has not failed */
    apr_uint64_t *numbers; /* of each row, in the source */
    apr_size_t bytes;      /* that the values take */
    int fed;               /* rows sent ahead, in a transaction that is open then; -1: no more */
    int quick;             /* whether the batch before was filled quickly */
    apr_time_t begun;      /* when this one was begun to be filled */
    apr_pool_t *pool;      /* the values' bytes; cleared with the batch */
};

#define FEED_ROWS  500                     /* sent ahead at a time */
#define FILL_QUICK apr_time_from_msec(500) /* the most that filling a batch may take for that */

/* One go at a batch. */
typedef struct go_t {
    wf_batch_t *batch;
    wf_batch_end_t *end;
    wf_failed_t *failed;
    wf_result_t *result;
    int savepoints;
} go_t;

static apr_status_t free_batch(void *data)
{
    wf_batch_t *batch = data;

    free(batch->values);
    free(batch->reasons);
    free(batch->numbers);
    return APR_SUCCESS;
}

apr_status_t wf_batch_open(wf_batch_t **out, const wf_target_t *target, const wf_write_spec_t *spec,
                           int extra, wf_result_t *result, apr_pool_t *pool)
{
    wf_batch_t *batch = apr_pcalloc(pool, sizeof(*batch));

    *out = batch;
    batch->target = target;
    batch->kind = wf_bulk_of(target->sql);
    batch->allowed = spec->skip;
    batch->most = spec->batch ? (int)spec->batch : wf_sql_driver_of(target->sql)->batch_rows;
    batch->stride = target->column_count + extra;
    batch->begun = wf_clock();
    apr_pool_create(&batch->pool, pool);
    apr_pool_tag(batch->pool, "wf_batch");
    apr_pool_cleanup_register(pool, batch, free_batch, apr_pool_cleanup_null);
    return batch->kind->open(&batch->bulk, target, result);
}

/* ---- rows ---- */

static void *grow(void *old, int room, apr_size_t size)
{
    void *made = realloc(old, (apr_size_t)room * size);

    if (!made) {
        abort();
    }
    return made;
}

wf_value_t *wf_batch_row(wf_batch_t *batch)
{
    if (batch->count == batch->room) {
        batch->room = batch->room ? batch->room * 2 : 64;
        batch->values =
            grow(batch->values, batch->room, sizeof(*batch->values) * (apr_size_t)batch->stride);
        batch->reasons = grow(batch->reasons, batch->room, sizeof(*batch->reasons));
        batch->numbers = grow(batch->numbers, batch->room, sizeof(*batch->numbers));
    }
    return batch->values + (apr_size_t)batch->count * (apr_size_t)batch->stride;
}

void wf_batch_add(wf_batch_t *batch, apr_uint64_t number)
{
    wf_value_t *row = wf_batch_row(batch);
    apr_size_t need = 0;
    char *to;

    for (int i = 0; i < batch->stride; i++) {
        need += row[i].text.len;
    }
    to = apr_palloc(batch->pool, need + 1);
    for (int i = 0; i < batch->stride; i++) {
        if (row[i].text.len > 0) {
            memcpy(to, row[i].text.data, row[i].text.len);
        }
        row[i].text.data = to;
        to += row[i].text.len;
    }
    batch->reasons[batch->count] = NULL;
    batch->numbers[batch->count] = number;
    batch->bytes += need;
    batch->count++;
}

int wf_batch_is_full(const wf_batch_t *batch)
{
    return batch->count >= batch->most || batch->bytes >= WF_BATCH_BYTES;
}

int wf_batch_count(const wf_batch_t *batch)
{
    return batch->count;
}

const wf_value_t *wf_batch_at(const wf_batch_t *batch, int row)
{
    return batch->values + (apr_size_t)row * (apr_size_t)batch->stride;
}

const char *wf_batch_reason(const wf_batch_t *batch, int row)
{
    return batch->reasons[row];
}

void wf_batch_clear(wf_batch_t *batch)
{
    batch->count = 0;
    batch->bytes = 0;
    batch->fed = 0;
    batch->begun = wf_clock();
    apr_pool_clear(batch->pool);
}

/* ---- ahead of the write ---- */

static wf_rows_t rows_of(const wf_batch_t *batch, int from, int count)
{
    return (wf_rows_t){count, batch->stride, wf_batch_at(batch, from)};
}

apr_status_t wf_batch_feed(wf_batch_t *batch)
{
    wf_sql_t *sql = batch->target->sql;
    wf_rows_t rows = rows_of(batch, 0, batch->count);
    apr_status_t rv = APR_SUCCESS;

    if (!batch->kind->feed || !batch->quick || batch->fed < 0 ||
        batch->count - batch->fed < FEED_ROWS) {
        return APR_SUCCESS;
    }
    if (batch->fed == 0) {
        rv = wf_sql_begin(sql, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = batch->kind->feed(batch->bulk, &rows, batch->fed);
    }
    if (rv == APR_SUCCESS) {
        batch->fed = batch->count;
        return rv;
    }
    wf_sql_rollback(sql);
    batch->fed = -1;
    return rv == WF_ECANCELLED ? rv : APR_SUCCESS;
}

void wf_batch_drop(wf_batch_t *batch)
{
    if (batch->fed > 0) {
        batch->kind->give_up(batch->bulk);
        wf_sql_rollback(batch->target->sql);
    }
    batch->fed = 0;
}

/* ---- writing ---- */

static apr_status_t fail_row(go_t *go, int row)
{
    wf_batch_t *batch = go->batch;
    const wf_target_t *target = batch->target;
    wf_row_t columns = {
        .count = target->column_count, .names = target->names, .values = wf_batch_at(batch, row)};
    const char *reason = apr_pstrdup(batch->pool, wf_sql_reason(target->sql));
    wf_buf_t json = {0};

    batch->reasons[row] = reason;
    go->end->failed++;
    wf_row_json(&json, &columns);
    wf_failed_add(go->failed, wf_buf_slice(&json), reason);
    wf_buf_free(&json);
    if (go->failed->count <= (apr_uint64_t)batch->allowed) {
        return APR_SUCCESS;
    }
    return wf_result_set(go->result, APR_EGENERAL, WF_PROBLEM_ROWS,
                         "row %" APR_UINT64_T_FMT " could not be written%s: %s",
                         batch->numbers[row],
                         batch->allowed > 0 ? ", one more than may be skipped" : "", reason);
}

/* Writes rows in one call, or none of them. */
static apr_status_t write_part(go_t *go, int from, int count)
{
    const wf_batch_t *batch = go->batch;
    const wf_target_t *target = batch->target;
    wf_rows_t rows = rows_of(batch, from, count);
    apr_int64_t affected = 0;
    apr_status_t rv = APR_SUCCESS, undone;

    if (go->savepoints) {
        rv = wf_sql_run(target->sql, "SAVEPOINT wf", NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = batch->kind->write(&affected, batch->bulk, &rows, NULL);
    }
    if (rv == APR_SUCCESS) {
        int counted = target->operation == WF_WRITE_UPDATE || target->operation == WF_WRITE_DELETE;

        go->end->written += counted ? (apr_uint64_t)affected : (apr_uint64_t)count;
        return go->savepoints ? wf_sql_run(target->sql, "RELEASE SAVEPOINT wf", NULL) : rv;
    }
    if (go->savepoints && rv == APR_EGENERAL && wf_sql_is_row_fault(target->sql)) {
        undone = wf_sql_run(target->sql, "ROLLBACK TO SAVEPOINT wf", NULL);
        rv = undone == APR_SUCCESS ? rv : undone;
    }
    return rv;
}

/* Whether a failure is a row's, and the transaction still good for the others. */
static int may_divide(const go_t *go, apr_status_t rv)
{
    const wf_sql_t *sql = go->batch->target->sql;

    return rv == APR_EGENERAL && wf_sql_is_row_fault(sql) &&
           (go->savepoints || !wf_sql_driver_of(sql)->needs_savepoints);
}

/* Writes rows, those aside that the database refuses. Recursion is as deep as a batch's logarithm.
 */
static apr_status_t write_range(go_t *go, int from, int count)
{
    int half = count / 2;
    apr_status_t rv = write_part(go, from, count);

    if (!may_divide(go, rv)) {
        return rv;
    }
    if (count == 1) {
        return fail_row(go, from);
    }
    rv = write_range(go, from, half);
    return rv == APR_SUCCESS ? write_range(go, from + half, count - half) : rv;
}

static apr_status_t write_all(go_t *go)
{
    wf_sql_t *sql = go->batch->target->sql;
    int most = go->batch->kind->most ? go->batch->kind->most : go->batch->count;
    apr_status_t rv = go->batch->fed > 0 ? APR_SUCCESS : wf_sql_begin(sql, NULL);

    go->batch->fed = 0;
    /* What is checked at the commit otherwise could not be told of one row. */
    if (rv == APR_SUCCESS && go->savepoints && sql->driver->checks_now) {
        rv = wf_sql_run(sql, sql->driver->checks_now, NULL);
    }
    for (int from = 0; from < go->batch->count && rv == APR_SUCCESS; from += most) {
        int left = go->batch->count - from;

        rv = write_range(go, from, left < most ? left : most);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_sql_commit(sql, NULL);
    }
    if (rv != APR_SUCCESS) {
        wf_sql_rollback(sql);
        go->end->written = 0;
    }
    return rv;
}

apr_status_t wf_batch_write(wf_batch_end_t *end, wf_batch_t *batch, wf_failed_t *failed,
                            wf_result_t *result)
{
    go_t go = {.batch = batch, .end = end, .failed = failed, .result = result};
    wf_sql_t *sql = batch->target->sql;
    apr_status_t rv;

    memset(end, 0, sizeof(*end));
    batch->quick = wf_clock() - batch->begun < FILL_QUICK;
    rv = write_all(&go);
    if (rv == APR_EGENERAL && wf_sql_is_row_fault(sql) && wf_sql_driver_of(sql)->needs_savepoints &&
        !wf_sql_is_broken(sql)) {
        go.savepoints = 1;
        rv = write_all(&go);
    }
    return wf_sql_tell(sql, rv, result);
}
