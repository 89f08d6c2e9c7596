/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the PostgreSQL driver share. All of it waits by poll, on the connection's
 * socket and the run's cancel, and never inside libpq.
 */
#ifndef WF_FLOW_SQL_PGSQL_H
#define WF_FLOW_SQL_PGSQL_H

#include <libpq-fe.h>
#include "flow/sql/bulk.h"
#include "flow/sql/driver.h"

/* What the driver keeps of a connection. */
typedef struct wf_pgsql_t {
    int names;     /* of prepared statements, given so far */
    char state[6]; /* SQLSTATE of the last failure */
} wf_pgsql_t;

/*
 * Sends what libpq still holds of a statement, or of rows to copy. WF_ECANCELLED has ended nothing
 * yet: that is wf_pgsql_stop's.
 */
apr_status_t wf_pgsql_flush(wf_sql_t *sql);

/* Waits for the next result of the statement at work; NULL where there is none left. */
apr_status_t wf_pgsql_result(PGresult **result, wf_sql_t *sql);

/*
 * Waits for the statement's end. Each result must be a success; the rows that the last one says
 * were touched become *affected, which may be NULL. Cancelled, the statement has been ended.
 */
apr_status_t wf_pgsql_finish(apr_int64_t *affected, wf_sql_t *sql);

/*
 * Ends the statement at work: asks the server to cancel it, and reads what it still sends. Where
 * that takes longer than some seconds the connection is broken.
 */
void wf_pgsql_stop(wf_sql_t *sql);

/* Keeps why a result (NULL: the connection) failed. */
apr_status_t wf_pgsql_fail(wf_sql_t *sql, const PGresult *result);

/* Executes statements without values. */
apr_status_t wf_pgsql_run(apr_int64_t *affected, wf_sql_t *sql, const char *text);

/* What a target's rows are copied and merged by. The stage is a temporary table. */
typedef struct wf_pgsql_statements_t {
    const char *copy_direct; /* COPY … into the table itself; NULL: the operation has no such way */
    const char *make_stage;  /* makes it, where it is not there; a commit empties it */
    const char *empty_stage; /* for a second time in one transaction */
    const char *copy_stage;
    const char *merge;
    const char *merge_last; /* the same where several rows have one key; NULL: merge does for all */
    const char *merge_some; /* the same without the rows that are there already, just so; or NULL */
    const char *merge_some_last; /* both */
} wf_pgsql_statements_t;

/* Spells them, in target->pool. */
void wf_pgsql_spell(wf_pgsql_statements_t *out, const wf_target_t *target);

extern const wf_bulk_kind_t wf_pgsql_bulk;

#endif
