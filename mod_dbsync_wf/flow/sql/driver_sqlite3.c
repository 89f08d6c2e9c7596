/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite. Statements are prepared, bound and stepped on the library's own handle; its progress
 * handler ends one at work, its busy handler waits for another connection's lock.
 */
#include "flow/sql/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <poll.h>
#include <apr_lib.h>
#include <sqlite3.h>
#include "base/clock.h"

#define PROGRESS_STEPS 2000                  /* of SQLite's virtual machine, between two looks */
#define LOCK_PATIENCE  apr_time_from_sec(30) /* for the locks of other connections */
#define LOCK_PAUSE     apr_time_from_msec(10)
#define NUMBER_MOST    32 /* bytes of a number's text */

typedef struct own_t {
    apr_time_t locked_until; /* when a wait for a lock is given up; 0: none waits */
} own_t;

typedef struct statement_t {
    sqlite3_stmt *stmt;
    char (*numbers)[NUMBER_MOST]; /* one for each column */
} statement_t;

static int look_around(void *baton)
{
    return wf_sql_is_asked(baton);
}

static int wait_for_lock(void *baton, int count)
{
    wf_sql_t *sql = baton;
    own_t *own = sql->own;
    struct pollfd asked = {wf_cancel_fd(sql->cancel), POLLIN, 0};

    if (count == 0) {
        own->locked_until = wf_clock() + LOCK_PATIENCE;
    }
    if (wf_sql_is_asked(sql) || wf_clock() >= own->locked_until) {
        return 0;
    }
    /* Whatever wakes it, it is looked at next time; a rollback has no use for the cancel. */
    poll(&asked, sql->ending ? 0 : 1, (int)apr_time_as_msec(LOCK_PAUSE));
    return 1;
}

static apr_status_t adopt(wf_sql_t *sql)
{
    sqlite3 *db = sql->native;

    sql->own = apr_pcalloc(sql->pool, sizeof(own_t));
    sqlite3_extended_result_codes(db, 1);
    sqlite3_progress_handler(db, PROGRESS_STEPS, look_around, sql);
    sqlite3_busy_handler(db, wait_for_lock, sql);
    return APR_SUCCESS;
}

static void disown(wf_sql_t *sql)
{
    sqlite3_progress_handler(sql->native, 0, NULL, NULL);
    sqlite3_busy_handler(sql->native, NULL, NULL);
}

static apr_status_t fail(wf_sql_t *sql, int rc)
{
    const char *reason = sqlite3_errmsg(sql->native);

    if (rc == SQLITE_INTERRUPT || (rc & 0xff) == SQLITE_BUSY) {
        if (wf_sql_is_asked(sql)) {
            return WF_ECANCELLED;
        }
    }
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return wf_sql_fail(sql, WF_FAULT_ROW, reason);
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
        return wf_sql_fail(sql, WF_FAULT_CONNECTION, reason);
    default:
        return wf_sql_fail(sql, WF_FAULT_STATEMENT, reason);
    }
}

/* Whether nothing but white space, comments and semicolons follows a statement. */
static int is_blank(const wf_sql_dialect_t *dialect, const char *tail)
{
    wf_slice_t text = wf_slice(tail);
    apr_size_t at = 0;

    while (at < text.len) {
        apr_size_t len = wf_sql_opaque(dialect, text, at);

        if (len == 0 && !apr_isspace(text.data[at]) && text.data[at] != ';') {
            return 0;
        }
        if (len > 0 && text.data[at] != '-' && text.data[at] != '/') {
            return 0;
        }
        at += len > 0 ? len : 1;
    }
    return 1;
}

static apr_status_t prepare(wf_sql_prepared_t *prepared)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = apr_pcalloc(prepared->pool, sizeof(*own));
    const char *tail = "";
    int rc = sqlite3_prepare_v3(sql->native, prepared->text, -1, SQLITE_PREPARE_PERSISTENT,
                                &own->stmt, &tail);

    prepared->own = own;
    if (rc != SQLITE_OK) {
        return fail(sql, rc);
    }
    if (own->stmt && is_blank(&sql->driver->dialect, tail)) {
        return APR_SUCCESS;
    }
    sqlite3_finalize(own->stmt);
    own->stmt = NULL;
    return wf_sql_fail(sql, WF_FAULT_STATEMENT,
                       *tail ? "there is more than one statement" : "there is no statement");
}

static void finish(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;

    sqlite3_finalize(own->stmt);
    own->stmt = NULL;
}

/* The values need live only until the statement is reset. */
static int bind_value(sqlite3_stmt *stmt, int place, const wf_value_t *value)
{
    const char *data = value->text.data ? value->text.data : "";
    apr_int64_t number;

    switch (value->kind) {
    case WF_VALUE_NULL:
        return sqlite3_bind_null(stmt, place);
    case WF_VALUE_BOOL:
        return sqlite3_bind_int(stmt, place, wf_slice_is(value->text, "true"));
    case WF_VALUE_BYTES:
        return sqlite3_bind_blob64(stmt, place, data, value->text.len, SQLITE_STATIC);
    case WF_VALUE_NUMBER:
        if (wf_sql_integer(&number, value->text)) {
            return sqlite3_bind_int64(stmt, place, number);
        }
        break;
    default:
        break;
    }
    return sqlite3_bind_text64(stmt, place, data, value->text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static apr_status_t bind_values(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    statement_t *own = prepared->own;

    for (int i = 0; i < prepared->place_count; i++) {
        int rc = bind_value(own->stmt, i + 1, &values[i]);

        if (rc != SQLITE_OK) {
            return fail(prepared->sql, rc);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t execute(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = prepared->own;
    sqlite3_int64 before = sqlite3_total_changes64(sql->native);
    apr_status_t rv = bind_values(prepared, values);
    int rc = SQLITE_ROW;

    while (rv == APR_SUCCESS && rc == SQLITE_ROW) {
        rc = sqlite3_step(own->stmt);
    }
    if (rv == APR_SUCCESS && rc != SQLITE_DONE) {
        rv = fail(sql, rc);
    } else if (rv == APR_SUCCESS) {
        /* The count of another statement stays where this one changes no rows by its kind. */
        *affected =
            sqlite3_total_changes64(sql->native) == before ? 0 : sqlite3_changes64(sql->native);
    }
    sqlite3_reset(own->stmt);
    return rv;
}

static apr_status_t query(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    apr_status_t rv = bind_values(prepared, values);

    if (rv != APR_SUCCESS) {
        sqlite3_reset(((statement_t *)prepared->own)->stmt);
    }
    return rv;
}

/* Known for sure after the first step, which may prepare the statement anew. */
static void set_columns(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    int count = sqlite3_column_count(own->stmt);

    wf_sql_set_columns(prepared, count);
    own->numbers =
        apr_pcalloc(prepared->row_pool, sizeof(*own->numbers) * (apr_size_t)(count ? count : 1));
    for (int i = 0; i < count; i++) {
        const char *name = sqlite3_column_name(own->stmt, i);

        prepared->names[i] = wf_slice_dup(wf_slice(name), prepared->row_pool);
    }
}

static apr_size_t write_integer(char text[NUMBER_MOST], sqlite3_int64 number)
{
    char digits[NUMBER_MOST];
    sqlite3_uint64 rest = number < 0 ? 0 - (sqlite3_uint64)number : (sqlite3_uint64)number;
    apr_size_t at = sizeof(digits), len;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        digits[--at] = '-';
    }
    len = sizeof(digits) - at;
    memcpy(text, digits + at, len);
    return len;
}

/* The fewest digits that give the same number again. */
static apr_size_t write_real(char text[NUMBER_MOST], double number)
{
    int len = 0;

    for (int digits = 15; digits <= 17; digits++) {
        len = snprintf(text, NUMBER_MOST, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    return (apr_size_t)len;
}

static wf_value_t read_value(statement_t *own, int column)
{
    char *number = own->numbers[column];
    wf_value_t value = {WF_VALUE_NULL, {"", 0}};

    switch (sqlite3_column_type(own->stmt, column)) {
    case SQLITE_INTEGER:
        value.kind = WF_VALUE_NUMBER;
        value.text =
            wf_slice_of(number, write_integer(number, sqlite3_column_int64(own->stmt, column)));
        break;
    case SQLITE_FLOAT:
        value.text =
            wf_slice_of(number, write_real(number, sqlite3_column_double(own->stmt, column)));
        value.kind = wf_sql_number_kind(value.text);
        break;
    case SQLITE_TEXT:
        value.kind = WF_VALUE_TEXT;
        value.text.data = (const char *)sqlite3_column_text(own->stmt, column);
        value.text.len = (apr_size_t)sqlite3_column_bytes(own->stmt, column);
        break;
    case SQLITE_BLOB:
        value.kind = WF_VALUE_BYTES;
        value.text.data = sqlite3_column_blob(own->stmt, column);
        value.text.len = (apr_size_t)sqlite3_column_bytes(own->stmt, column);
        break;
    default:
        break;
    }
    if (!value.text.data) {
        value.text = wf_slice(""); /* an empty blob, or no memory for a text */
    }
    return value;
}

static apr_status_t next(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    int rc = sqlite3_step(own->stmt);

    if (rc == SQLITE_DONE) {
        return APR_EOF;
    }
    if (rc != SQLITE_ROW) {
        return fail(prepared->sql, rc);
    }
    if (!prepared->row.names) {
        set_columns(prepared);
    }
    for (int i = 0; i < prepared->row.count; i++) {
        prepared->values[i] = read_value(own, i);
    }
    return APR_SUCCESS;
}

static void end(wf_sql_prepared_t *prepared)
{
    sqlite3_reset(((statement_t *)prepared->own)->stmt);
}

static apr_status_t run(wf_sql_t *sql, const char *text)
{
    int rc = sqlite3_exec(sql->native, text, NULL, NULL, NULL);

    return rc == SQLITE_OK ? APR_SUCCESS : fail(sql, rc);
}

static apr_status_t transact(wf_sql_t *sql, wf_transact_e what)
{
    switch (what) {
    case WF_TRANSACT_BEGIN:
        /* The lock at once: two that read first and write then would wait for each other. */
        return run(sql, "BEGIN IMMEDIATE");
    case WF_TRANSACT_COMMIT:
        return run(sql, "COMMIT");
    default:
        return sqlite3_get_autocommit(sql->native) ? APR_SUCCESS : run(sql, "ROLLBACK");
    }
}

/* There is none: the params are the file's name. */
static const char *add_password(const char *params, const char *password, apr_pool_t *pool)
{
    (void)password;
    (void)pool;
    return params;
}

const wf_sql_driver_t wf_sql_sqlite3 = {
    .name = "sqlite3",
    .dialect = {.place = WF_PLACE_NUMBERED,
                .upsert = WF_UPSERT_CONFLICT,
                .quote = '"',
                .brackets = 1,
                .own_places = 1},
    .writes_while_reading = 1,
    .batch_rows = 10000,
    .columns_sql = "SELECT name, type FROM pragma_table_xinfo(?2, coalesce(?1, 'main'))"
                   " WHERE hidden <> 1",
    .tables_sql = "SELECT name FROM pragma_table_list WHERE schema = coalesce(?1, 'main')"
                  " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND ?2 IS NOT NULL ORDER BY name",
    .add_password = add_password,
    .adopt = adopt,
    .disown = disown,
    .prepare = prepare,
    .finish = finish,
    .execute = execute,
    .query = query,
    .next = next,
    .end = end,
    .transact = transact,
    .run = run,
};
