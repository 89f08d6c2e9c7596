/* SPDX-License-Identifier: Apache-2.0 */
/* PostgreSQL: sending, waiting, ending a statement at work, and what its errors mean. */
#include "flow/sql/pgsql.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "flow/sql/aside.h"

#define CANCEL_PATIENCE apr_time_from_sec(1)    /* for the server to take a request */
#define DRAIN_PATIENCE  apr_time_from_msec(200) /* for the statement to end after that */
#define STOP_PATIENCE   apr_time_from_sec(5)    /* for one request or another to be of effect */

/* Waits until the socket is ready, or until asked to end. */
static apr_status_t await(wf_sql_t *sql, short events)
{
    PGconn *conn = sql->native;
    apr_time_t until = sql->ending ? sql->ending : sql->deadline;
    struct pollfd fds[2] = {{PQsocket(conn), events, 0},
                            {sql->ending ? -1 : wf_cancel_fd(sql->cancel), POLLIN, 0}};

    while (!wf_sql_is_asked(sql)) {
        int rc = poll(fds, 2, until ? wf_clock_poll_ms(until) : -1);

        if (rc < 0 && errno != EINTR) {
            return wf_pgsql_fail(sql, NULL);
        }
        if (rc > 0 && fds[0].revents) {
            return APR_SUCCESS;
        }
    }
    return WF_ECANCELLED;
}

apr_status_t wf_pgsql_flush(wf_sql_t *sql)
{
    PGconn *conn = sql->native;
    apr_status_t rv = APR_SUCCESS;
    int rc;

    while (rv == APR_SUCCESS && (rc = PQflush(conn)) != 0) {
        if (rc < 0) {
            return wf_pgsql_fail(sql, NULL);
        }
        rv = await(sql, POLLIN | POLLOUT);
        /* What the server says meanwhile must be read, or both sides would wait. */
        if (rv == APR_SUCCESS && !PQconsumeInput(conn)) {
            return wf_pgsql_fail(sql, NULL);
        }
    }
    return rv;
}

apr_status_t wf_pgsql_result(PGresult **result, wf_sql_t *sql)
{
    PGconn *conn = sql->native;
    apr_status_t rv;

    while (PQisBusy(conn)) {
        rv = await(sql, POLLIN);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!PQconsumeInput(conn)) {
            return wf_pgsql_fail(sql, NULL);
        }
    }
    *result = PQgetResult(conn);
    return APR_SUCCESS;
}

static int is_success(const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_EMPTY_QUERY:
        return 1;
    default:
        return 0;
    }
}

apr_status_t wf_pgsql_finish(apr_int64_t *affected, wf_sql_t *sql)
{
    apr_status_t rv = wf_pgsql_flush(sql);
    apr_status_t failed = APR_SUCCESS;
    PGresult *result = NULL;

    while (rv == APR_SUCCESS && (rv = wf_pgsql_result(&result, sql)) == APR_SUCCESS && result) {
        ExecStatusType status = PQresultStatus(result);

        if (failed == APR_SUCCESS && !is_success(result)) {
            failed = status == PGRES_COPY_IN || status == PGRES_COPY_OUT
                         ? wf_sql_fail(sql, WF_FAULT_CONNECTION, "COPY is no statement for here")
                         : wf_pgsql_fail(sql, result);
        } else if (affected) {
            *affected = strtoll(PQcmdTuples(result), NULL, 10);
        }
        PQclear(result);
        if (sql->broken) {
            return failed;
        }
    }
    if (rv == WF_ECANCELLED) {
        wf_pgsql_stop(sql);
    }
    return rv == APR_SUCCESS ? failed : rv;
}

apr_status_t wf_pgsql_run(apr_int64_t *affected, wf_sql_t *sql, const char *text)
{
    if (!PQsendQuery(sql->native, text)) {
        return wf_pgsql_fail(sql, NULL);
    }
    return wf_pgsql_finish(affected, sql);
}

/* ---- ending ---- */

static void request_cancel(void *baton)
{
    char error[256];

    /* Where it fails the statement does not end in time, and the connection is given up. */
    PQcancel(baton, error, sizeof(error));
}

static void free_cancel(void *baton)
{
    PQfreeCancel(baton);
}

/* Reads and drops results until the statement has ended. */
static apr_status_t drain(wf_sql_t *sql)
{
    PGresult *result = NULL;
    apr_status_t rv;

    do {
        rv = wf_pgsql_result(&result, sql);
        if (rv == APR_SUCCESS && result) {
            ExecStatusType status = PQresultStatus(result);

            PQclear(result);
            if (status == PGRES_COPY_IN && PQputCopyEnd(sql->native, "cancelled") < 0) {
                return APR_EGENERAL;
            }
            if (status == PGRES_COPY_IN) {
                rv = wf_pgsql_flush(sql);
            }
        }
    } while (rv == APR_SUCCESS && result);
    return rv;
}

static void ask_to_cancel(wf_sql_t *sql)
{
    PGcancel *cancel = PQgetCancel(sql->native);

    /* Aside, because it connects anew, and blocks. */
    if (cancel && wf_aside(request_cancel, free_cancel, cancel, NULL,
                           wf_clock() + CANCEL_PATIENCE) == APR_SUCCESS) {
        PQfreeCancel(cancel);
    }
}

void wf_pgsql_stop(wf_sql_t *sql)
{
    apr_time_t before = sql->ending;
    apr_time_t until = wf_clock() + STOP_PATIENCE;
    apr_status_t rv;

    /* Again, because a request is lost where the server has not begun the statement yet. */
    do {
        ask_to_cancel(sql);
        sql->ending = wf_clock() + DRAIN_PATIENCE;
        rv = drain(sql);
    } while (rv == WF_ECANCELLED && wf_clock() < until);
    if (rv != APR_SUCCESS) {
        sql->broken = 1;
    }
    sql->ending = before;
}

/* ---- failures ---- */

/* By the classes of SQLSTATE (PostgreSQL's manual, appendix A). */
static wf_sql_fault_e fault_of(const char *state)
{
    static const char *const rows[] = {"21", "22", "23", "44", "P0", NULL};
    static const char *const gone[] = {"08", "57P", NULL};

    for (int i = 0; rows[i]; i++) {
        if (strncmp(state, rows[i], strlen(rows[i])) == 0) {
            return WF_FAULT_ROW;
        }
    }
    for (int i = 0; gone[i]; i++) {
        if (strncmp(state, gone[i], strlen(gone[i])) == 0) {
            return WF_FAULT_CONNECTION;
        }
    }
    return WF_FAULT_STATEMENT;
}

apr_status_t wf_pgsql_fail(wf_sql_t *sql, const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
    wf_pgsql_t *own = sql->own;
    wf_buf_t reason = {0};

    apr_cpystrn(own->state, state ? state : "", sizeof(own->state));
    if (!text && result && PQstatus(sql->native) == CONNECTION_OK) {
        return wf_sql_fail(sql, WF_FAULT_STATEMENT, PQresultErrorMessage(result));
    }
    if (!text || PQstatus(sql->native) != CONNECTION_OK) {
        /* libpq's own words may name the host. */
        return wf_sql_fail(sql, WF_FAULT_CONNECTION, text ? text : "the connection was lost");
    }
    wf_buf_add_text(&reason, text);
    if (detail) {
        wf_buf_add_text(&reason, ": ");
        wf_buf_add_text(&reason, detail);
    }
    wf_buf_add_char(&reason, '\0');
    wf_sql_fail(sql, fault_of(own->state), reason.data);
    wf_buf_free(&reason);
    return APR_EGENERAL;
}
