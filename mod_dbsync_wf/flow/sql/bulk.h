/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows on their way into a table. A target is a table, what is done to it, and the columns that
 * rows have; a bulk kind is a way to do it: one statement a row for every driver, or a faster one
 * of the driver's own.
 */
#ifndef WF_FLOW_SQL_BULK_H
#define WF_FLOW_SQL_BULK_H

#include "flow/sql/sql.h"

typedef enum { WF_WRITE_INSERT, WF_WRITE_UPDATE, WF_WRITE_UPSERT, WF_WRITE_DELETE } wf_write_e;

/* What is written, and where. Names are as the catalogue spells them. */
typedef struct wf_target_t {
    wf_sql_t *sql;
    wf_write_e operation;
    const char *table; /* quoted, with its schema */
    int column_count;
    const wf_slice_t *names;  /* not quoted */
    const char *const *types; /* as the catalogue has them; "" where it does not say */
    const int *is_key;        /* whether a column belongs to the key */
    apr_pool_t *pool;
} wf_target_t;

/* Rows of a target's columns, one behind the other. */
typedef struct wf_rows_t {
    int count;
    int stride;               /* values from one row to the next, at least the target's columns */
    const wf_value_t *values; /* of the first row */
} wf_rows_t;

static inline const wf_value_t *wf_rows_at(const wf_rows_t *rows, int row)
{
    return rows->values + (apr_size_t)row * (apr_size_t)rows->stride;
}

typedef struct wf_bulk_kind_t {
    /* Prepares what it needs; a void * of its own, in target->pool. */
    apr_status_t (*open)(void **bulk, const wf_target_t *target, wf_result_t *result);
    /*
     * Writes rows in the open transaction: all, or none, and then the transaction may be spoiled
     * where the driver says so (wf_sql_driver_t.needs_savepoints). Of rows with the same key the
     * last one counts. *affected: as the database counts.
     */
    apr_status_t (*write)(apr_int64_t *affected, void *bulk, const wf_rows_t *rows,
                          wf_result_t *result);
    int most; /* rows that one call takes; 0: any number */
    /*
     * Sends rows ahead of the write that is to come of them, those from `from` on, in the open
     * transaction: the database works while others are read. After an error none is. NULL: there is
     * no such way.
     */
    apr_status_t (*feed)(void *bulk, const wf_rows_t *rows, int from);
    /* There will be no write of what was sent ahead; the transaction is to be rolled back. */
    void (*give_up)(void *bulk);
} wf_bulk_kind_t;

/* One prepared statement, executed once a row: for every driver. */
extern const wf_bulk_kind_t wf_rowwise;

/* The way of a connection's driver. */
const wf_bulk_kind_t *wf_bulk_of(const wf_sql_t *sql);

/* Appends the names of a target's columns, quoted, with commas: those of the key, the others, all.
 */
typedef enum { WF_COLUMNS_ALL, WF_COLUMNS_KEY, WF_COLUMNS_OTHER } wf_columns_e;
void wf_target_columns(wf_buf_t *out, const wf_target_t *target, wf_columns_e which,
                       const char *prefix);

/*
 * Appends "column = source" for columns, with `between` between them: "a"=excluded."a", … The
 * source of a column is `before`, its quoted name, and `after`.
 */
void wf_target_pairs(wf_buf_t *out, const wf_target_t *target, wf_columns_e which,
                     const char *between, const char *left, const char *before, const char *after);

/* Appends what makes an insert an upsert, as the connection's dialect has it. */
void wf_target_upsert(wf_buf_t *out, const wf_target_t *target);

/* How many columns there are of these. */
int wf_target_count(const wf_target_t *target, wf_columns_e which);

#endif
