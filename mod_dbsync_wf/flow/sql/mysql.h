/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the MySQL driver share. Calls of the client library go on in steps (MariaDB
 * Connector/C's non-blocking API), and between two steps this program waits, for the socket and for
 * the run's cancel.
 */
#ifndef WF_FLOW_SQL_MYSQL_H
#define WF_FLOW_SQL_MYSQL_H

#include <mysql.h>
#include "flow/sql/bulk.h"
#include "flow/sql/driver.h"

/*
 * Waits for what the library says that it waits for, its MYSQL_WAIT_ flags; gives what has come.
 * Where the run is to end it has the server end the statement, and where that does not help
 * closes the socket, so that the call comes to its end soon in any case.
 */
int wf_mysql_wait(wf_sql_t *sql, int flags);

/* Keeps why something failed; of a statement where stmt is not NULL. WF_ECANCELLED where the run
 * was to end. */
apr_status_t wf_mysql_fail(wf_sql_t *sql, MYSQL_STMT *stmt);

extern const wf_bulk_kind_t wf_mysql_bulk;

/* Does a call in steps: WF_MYSQL_CALL(sql, rc, mysql_stmt_execute, stmt). */
#define WF_MYSQL_CALL(sql, rc, call, object, ...)                                                  \
    do {                                                                                           \
        int wf_flags = call##_start(&(rc), (object)__VA_OPT__(, ) __VA_ARGS__);                    \
        while (wf_flags != 0) {                                                                    \
            wf_flags = call##_cont(&(rc), (object), wf_mysql_wait((sql), wf_flags));               \
        }                                                                                          \
    } while (0)

#endif
