/* SPDX-License-Identifier: Apache-2.0 */
/* MySQL: waiting between the steps of a call, ending a statement at work, and errors' meaning. */
#include "flow/sql/mysql.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "flow/sql/aside.h"

#define KILL_PATIENCE  apr_time_from_sec(1)    /* for a connection that asks to end it */
#define DRAIN_PATIENCE apr_time_from_msec(200) /* for the statement to end after that */
#define STOP_PATIENCE  apr_time_from_sec(5)    /* for one request or another to be of effect */

/* What ends another connection's statement. */
typedef struct killer_t {
    apr_pool_t *pool; /* has no parent: it may change its thread */
    const apr_dbd_driver_t *dbd;
    const char *params;
    const char *statement;
} killer_t;

static void kill_query(void *baton)
{
    killer_t *killer = baton;
    const char *error = NULL;
    apr_dbd_t *handle = NULL;
    int rows = 0;

    if (apr_dbd_open_ex(killer->dbd, killer->pool, killer->params, &handle, &error) ==
        APR_SUCCESS) {
        /* Where it fails the statement does not end in time, and the socket is closed. */
        apr_dbd_query(killer->dbd, handle, &rows, killer->statement);
        apr_dbd_close(killer->dbd, handle);
    }
}

static void free_killer(void *baton)
{
    apr_pool_destroy(((killer_t *)baton)->pool);
}

static void ask_to_kill(wf_sql_t *sql)
{
    apr_pool_t *pool;
    killer_t *killer;
    wf_result_t unused;
    const char *password = NULL;

    apr_pool_create(&pool, NULL);
    killer = apr_pcalloc(pool, sizeof(*killer));
    killer->pool = pool;
    killer->dbd = sql->dbd;
    killer->statement = apr_psprintf(pool, "KILL QUERY %lu", mysql_thread_id(sql->native));
    wf_result_init(&unused, pool);
    if (sql->config->password) {
        wf_secret_read(&password, sql->config->password, sql->connector, &unused, pool);
    }
    killer->params =
        sql->driver->add_password(apr_pstrdup(pool, sql->config->params), password, pool);
    if (!killer->params || wf_aside(kill_query, free_killer, killer, NULL,
                                    wf_clock() + KILL_PATIENCE) == APR_SUCCESS) {
        free_killer(killer);
    }
}

/* What poll(2) saw, as the library's flags. */
static int seen(short revents)
{
    return (revents & (POLLIN | POLLHUP | POLLERR) ? MYSQL_WAIT_READ : 0) |
           (revents & (POLLOUT | POLLERR) ? MYSQL_WAIT_WRITE : 0) |
           (revents & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
}

/* Polls the socket until `until` (0: without end), and the cancel unless it is passed over. */
static int wait_for(wf_sql_t *sql, int flags, apr_time_t until, int cancel)
{
    short events =
        (short)((flags & MYSQL_WAIT_READ ? POLLIN : 0) | (flags & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
                (flags & MYSQL_WAIT_EXCEPT ? POLLPRI : 0));
    struct pollfd fds[2] = {{mysql_get_socket(sql->native), events, 0}, {cancel, POLLIN, 0}};

    do {
        int rc = poll(fds, 2, until ? wf_clock_poll_ms(until) : -1);

        if (rc > 0 && fds[0].revents) {
            return seen(fds[0].revents);
        }
        if (rc > 0) {
            return 0;
        }
    } while (!until || wf_clock() < until);
    return 0;
}

/* Again and again, because a request is lost where the server has not begun the statement yet. */
static int stop(wf_sql_t *sql, int flags)
{
    apr_time_t until = wf_clock() + STOP_PATIENCE;
    int got;

    do {
        ask_to_kill(sql);
        got = wait_for(sql, flags, wf_clock() + DRAIN_PATIENCE, -1);
    } while (!got && wf_clock() < until);
    return got;
}

int wf_mysql_wait(wf_sql_t *sql, int flags)
{
    int got = 0;

    if (!wf_sql_is_asked(sql)) {
        got = wait_for(sql, flags, sql->ending ? sql->ending : sql->deadline,
                       sql->ending ? -1 : wf_cancel_fd(sql->cancel));
    }
    if (got) {
        return got;
    }
    if (!sql->ending) {
        got = stop(sql, flags);
    }
    if (!got) {
        sql->broken = 1;
        shutdown(mysql_get_socket(sql->native), SHUT_RDWR);
        got = flags & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
    }
    return got;
}

/* ---- failures ---- */

/* By the classes of SQLSTATE, and by numbers where MySQL has no class for them. */
static wf_sql_fault_e fault_of(unsigned number, const char *state)
{
    switch (number) {
    case 1265: /* data truncated */
    case 1364: /* no default value */
    case 1366: /* incorrect value */
    case 1644: /* SIGNAL, of a trigger */
    case 4025: /* CHECK */
        return WF_FAULT_ROW;
    case 1053: /* the server shuts down */
    case 1927: /* the connection was killed */
    case 2006: /* has gone away */
    case 2013: /* lost */
        return WF_FAULT_CONNECTION;
    default:
        return strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 ? WF_FAULT_ROW
                                                                            : WF_FAULT_STATEMENT;
    }
}

apr_status_t wf_mysql_fail(wf_sql_t *sql, MYSQL_STMT *stmt)
{
    unsigned number = stmt ? mysql_stmt_errno(stmt) : mysql_errno(sql->native);
    const char *state = stmt ? mysql_stmt_sqlstate(stmt) : mysql_sqlstate(sql->native);
    const char *text = stmt ? mysql_stmt_error(stmt) : mysql_error(sql->native);
    wf_sql_fault_e fault = fault_of(number, state);

    if (fault == WF_FAULT_CONNECTION) {
        sql->broken = 1;
        text = "the connection was lost";
    }
    wf_sql_fail(sql, fault, text && *text ? text : "the database gave no reason");
    return !sql->ending && wf_sql_is_asked(sql) ? WF_ECANCELLED : APR_EGENERAL;
}
