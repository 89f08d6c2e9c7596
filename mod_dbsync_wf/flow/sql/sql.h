/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to a database, whatever its kind. It belongs to one run, and is used by the thread
 * that executes it; whatever it waits for, it waits for the run's cancel and deadline too.
 *
 * Every call that may fail returns
 *   APR_SUCCESS
 *   WF_ECANCELLED  the cancel was requested, or the deadline has passed (then it requests TIMEOUT);
 *                  the statement at work has been ended
 *   APR_EGENERAL   the database refused (WF_PROBLEM_SQL), or cannot be reached any more
 *                  (WF_PROBLEM_CONNECTOR); the detail names the connector, and has the database's
 *                  own reason without password, host or path
 */
#ifndef WF_FLOW_SQL_SQL_H
#define WF_FLOW_SQL_SQL_H

#include <apr_time.h>
#include "base/result.h"
#include "flow/cancel.h"
#include "flow/secret.h"
#include "flow/sql/dialect.h"
#include "flow/value.h"

typedef struct wf_sql_driver_t wf_sql_driver_t;
typedef struct wf_sql_t wf_sql_t;
typedef struct wf_sql_prepared_t wf_sql_prepared_t;

/* What a project says of a database. */
typedef struct wf_sql_config_t {
    const wf_sql_driver_t *driver;
    const char *params;          /* as apr_dbd_open takes them, without the password */
    const wf_secret_t *password; /* NULL: none */
    apr_interval_time_t connect_timeout;
} wf_sql_config_t;

/* The drivers' names, NULL-terminated, in the order of wf_sql_driver's numbers. */
extern const char *const wf_sql_driver_names[];

/* A driver by its number. NULL where this build is without it; *reason says then what is missing.
 */
const wf_sql_driver_t *wf_sql_driver(int number, const char **reason);

const wf_sql_dialect_t *wf_sql_driver_dialect(const wf_sql_driver_t *driver);

/*
 * Opens a connection, which is closed with pool. `connector` is its name, for messages; deadline is
 * a wf_clock time, 0 for none; cancel must live as long as pool.
 */
apr_status_t wf_sql_open(wf_sql_t **sql, const char *connector, const wf_sql_config_t *config,
                         wf_cancel_t *cancel, apr_time_t deadline, wf_result_t *result,
                         apr_pool_t *pool);

/* Whether the connection is of no use any more: close it, and open another. */
int wf_sql_is_broken(const wf_sql_t *sql);

const wf_sql_dialect_t *wf_sql_dialect(const wf_sql_t *sql);
const wf_sql_driver_t *wf_sql_driver_of(const wf_sql_t *sql);

/*
 * Prepares a statement whose text has places in the connection's dialect. It is finished with pool,
 * or by wf_sql_finish.
 */
apr_status_t wf_sql_prepare(wf_sql_prepared_t **prepared, wf_sql_t *sql, const char *text,
                            int place_count, wf_result_t *result, apr_pool_t *pool);
void wf_sql_finish(wf_sql_prepared_t *prepared);

/* Executes it with a value for each place; rows that it gives are passed over. affected may be
 * NULL. */
apr_status_t wf_sql_execute(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values, wf_result_t *result);

/*
 * Executes it for its rows: _query, then _next until APR_EOF, then _end, which may come earlier. A
 * row is valid until the next call. Rows are read as they come; what is not read is not kept.
 */
apr_status_t wf_sql_query(wf_sql_prepared_t *prepared, const wf_value_t *values,
                          wf_result_t *result);
apr_status_t wf_sql_next(const wf_row_t **row, wf_sql_prepared_t *prepared, wf_result_t *result);
void wf_sql_end(wf_sql_prepared_t *prepared);

/*
 * A transaction. _rollback goes on though the cancel was requested, for some seconds at most; what
 * cannot be rolled back breaks the connection, which ends it for the database.
 */
apr_status_t wf_sql_begin(wf_sql_t *sql, wf_result_t *result);
apr_status_t wf_sql_commit(wf_sql_t *sql, wf_result_t *result);
void wf_sql_rollback(wf_sql_t *sql);

/* Executes a statement of this program's own, without values: a savepoint, say. */
apr_status_t wf_sql_run(wf_sql_t *sql, const char *text, wf_result_t *result);

/*
 * Whether the last failure was the fault of what was written, such as a duplicate key or a text
 * that is no number, so that other rows may do better; and the database's reason.
 */
int wf_sql_is_row_fault(const wf_sql_t *sql);

/* Puts the last failure into a result, for who passed none and now finds it final. Returns rv. */
apr_status_t wf_sql_tell(const wf_sql_t *sql, apr_status_t rv, wf_result_t *result);
const char *wf_sql_reason(const wf_sql_t *sql);

#endif
