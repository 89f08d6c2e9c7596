/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "write": rows from a source, mapped, into a table, a batch at a time.
 *
 *   source ─→ map ─→ batch ─→ one transaction ─→ onSuccess, onFailure, progress
 *
 * Nothing of a row is kept longer than its batch, so the memory is the same for ten rows and for
 * ten million. What a committed batch wrote stays, whatever comes after it.
 */
#ifndef WF_FLOW_SQL_WRITE_H
#define WF_FLOW_SQL_WRITE_H

#include "flow/action.h"
#include "flow/sql/bulk.h"
#include "flow/sql/connector.h"
#include "flow/sql/params.h"

/* The most rows of a batch, and the bytes after which one is full. */
#define WF_BATCH_ROWS_MOST 100000
#define WF_BATCH_BYTES     ((apr_size_t)4 * 1024 * 1024)

/* A column of the table, and what it becomes. */
typedef struct wf_mapped_t {
    const char *name; /* as the project spells it */
    int is_key;
    wf_expr_t expr;
} wf_mapped_t;

/* A statement for each row that was written, or was not. */
typedef struct wf_hook_t {
    const wf_connector_t *connector; /* NULL: there is no such hook */
    wf_call_t call;
} wf_hook_t;

enum { WF_HOOK_SUCCESS, WF_HOOK_FAILURE, WF_HOOK_COUNT };

/* What the project says. */
typedef struct wf_write_spec_t {
    const wf_connector_t *connector;
    const char *object;
    wf_write_e operation;
    int column_count;
    const wf_mapped_t *columns;
    const wf_template_t *from;    /* NULL: the body */
    const wf_connector_t *source; /* whose statement gives the rows; NULL: none */
    wf_call_t source_call;
    const char *field; /* incremental: the source's column; NULL: it is not */
    apr_int64_t batch; /* rows; 0: as the driver likes */
    apr_int64_t skip;  /* rows that may fail; 0: the first one stops */
    wf_hook_t hooks[WF_HOOK_COUNT];
} wf_write_spec_t;

/* The action's parse, in write_parse.c. */
apr_status_t wf_write_parse(void **spec, const wf_check_t *at, const wf_loader_t *loader);
extern const char *const wf_write_members[];

/* ---- where rows come from (write_source.c) ---- */

typedef struct wf_source_t wf_source_t;

/* Begins; all of it goes with pool, which must go before the run's connections. */
apr_status_t wf_source_open(wf_source_t **source, const wf_write_spec_t *spec,
                            const wf_action_context_t *context, wf_result_t *result,
                            apr_pool_t *pool);

/* The next row, valid until the next call; APR_EOF after the last. */
apr_status_t wf_source_next(const wf_row_t **row, wf_source_t *source, wf_result_t *result);

/* ---- rows that failed (write_failed.c) ---- */

#define WF_FAILED_ROWS_SHOWN  100
#define WF_FAILED_BYTES_SHOWN ((apr_size_t)64 * 1024)

typedef struct wf_failed_t {
    apr_uint64_t count;
    apr_uint64_t shown;
    wf_buf_t json; /* the objects, with commas */
} wf_failed_t;

/* Counts one; keeps the row, a JSON object, and the reason while there is room. */
void wf_failed_add(wf_failed_t *failed, wf_slice_t row, const char *reason);

/* Puts "failedRows" into the action's object, where there are any. */
void wf_failed_put(const wf_failed_t *failed, wf_json_writer_t *writer);

/* ---- a batch (write_batch.c) ---- */

typedef struct wf_batch_t wf_batch_t;

/* What a batch came to. */
typedef struct wf_batch_end_t {
    apr_uint64_t written; /* inserted or upserted; updated or deleted, as the database counts */
    apr_uint64_t failed;
} wf_batch_end_t;

/*
 * Makes an empty one for a target whose columns these are, in pool. Rows have `extra` values behind
 * the target's columns, for the hooks and the marker.
 */
apr_status_t wf_batch_open(wf_batch_t **batch, const wf_target_t *target,
                           const wf_write_spec_t *spec, int extra, wf_result_t *result,
                           apr_pool_t *pool);

/* The values of a row to come, to be filled in, and whose bytes wf_batch_add copies. */
wf_value_t *wf_batch_row(wf_batch_t *batch);
void wf_batch_add(wf_batch_t *batch, apr_uint64_t number);

/*
 * Lets the database begin with the rows that are there while others are read, where its driver has
 * a way to, and the batch before was filled quickly: a transaction is not kept open for a source
 * that is slow. WF_ECANCELLED; any other failure will come again, and be told of, in the write.
 */
apr_status_t wf_batch_feed(wf_batch_t *batch);

/* Takes back what wf_batch_feed began, where there will be no write. */
void wf_batch_drop(wf_batch_t *batch);

int wf_batch_is_full(const wf_batch_t *batch);
int wf_batch_count(const wf_batch_t *batch);
const wf_value_t *wf_batch_at(const wf_batch_t *batch, int row);

/* Why a row failed; NULL where it did not, or is not written yet. */
const char *wf_batch_reason(const wf_batch_t *batch, int row);

/*
 * Writes all its rows in a transaction; those that the database refuses are left out and noted in
 * `failed`. APR_SUCCESS; an error after which nothing of the batch is in the database, one more
 * row than may fail among them (WF_PROBLEM_ROWS).
 */
apr_status_t wf_batch_write(wf_batch_end_t *end, wf_batch_t *batch, wf_failed_t *failed,
                            wf_result_t *result);

void wf_batch_clear(wf_batch_t *batch);

/* ---- the marker of an incremental copy (write_marker.c) ---- */

/* Whether a value is greater than another, as numbers, as points in time, or as bytes. */
int wf_marker_is_greater(const wf_value_t *a, const wf_value_t *b);

#endif
