/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MySQL and MariaDB, by MariaDB Connector/C. Statements are prepared on the server; rows come one
 * by one, and are read as text.
 */
#include "flow/sql/mysql.h"

#include <apr_strings.h>

#define CELL_FIRST 256 /* bytes for a column's value, at first */
#define BINARY_SET 63  /* the character set "binary" */

typedef struct statement_t {
    MYSQL_STMT *stmt;
    MYSQL_BIND *params;
    long long *numbers;
    MYSQL_BIND *cells; /* of the result's columns */
    wf_buf_t *texts;
    unsigned long *lengths;
    my_bool *nulls;
    wf_value_kind_e *kinds;
    int reading;
} statement_t;

static apr_status_t adopt(wf_sql_t *sql)
{
    my_bool off = 0;

    /* A connection made anew behind our back would be without its transaction. */
    if (mysql_options(sql->native, MYSQL_OPT_RECONNECT, &off) != 0 ||
        mysql_options(sql->native, MYSQL_OPT_NONBLOCK, 0) != 0 ||
        mysql_set_character_set(sql->native, "utf8mb4") != 0) {
        return wf_sql_fail(sql, WF_FAULT_CONNECTION, mysql_error(sql->native));
    }
    return APR_SUCCESS;
}

static void disown(wf_sql_t *sql)
{
    (void)sql;
}

static apr_status_t prepare(wf_sql_prepared_t *prepared)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = apr_pcalloc(prepared->pool, sizeof(*own));
    apr_size_t count = (apr_size_t)prepared->place_count + 1;
    apr_status_t rv;
    my_bool closed;
    int rc = 0;

    own->stmt = mysql_stmt_init(sql->native);
    if (!own->stmt) {
        return wf_mysql_fail(sql, NULL);
    }
    WF_MYSQL_CALL(sql, rc, mysql_stmt_prepare, own->stmt, prepared->text,
                  (unsigned long)strlen(prepared->text));
    if (rc != 0) {
        rv = wf_mysql_fail(sql, own->stmt);
        WF_MYSQL_CALL(sql, closed, mysql_stmt_close, own->stmt);
        return rv;
    }
    own->params = apr_pcalloc(prepared->pool, count * sizeof(*own->params));
    own->numbers = apr_pcalloc(prepared->pool, count * sizeof(*own->numbers));
    prepared->own = own;
    return APR_SUCCESS;
}

/* Reads past what is left of a result; the server is asked to end it where that takes long. */
static void end(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    my_bool failed = 0;

    if (own->reading && !prepared->sql->broken) {
        WF_MYSQL_CALL(prepared->sql, failed, mysql_stmt_free_result, own->stmt);
    }
    own->reading = 0;
}

static void finish(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    my_bool closed;

    if (own) {
        end(prepared);
        WF_MYSQL_CALL(prepared->sql, closed, mysql_stmt_close, own->stmt);
    }
}

static void bind_value(MYSQL_BIND *bind, long long *number, const wf_value_t *value)
{
    apr_int64_t integer;

    memset(bind, 0, sizeof(*bind));
    switch (value->kind) {
    case WF_VALUE_NULL:
        bind->buffer_type = MYSQL_TYPE_NULL;
        return;
    case WF_VALUE_BOOL:
        *number = wf_slice_is(value->text, "true");
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = number;
        return;
    case WF_VALUE_NUMBER:
        if (wf_sql_integer(&integer, value->text)) {
            *number = integer;
            bind->buffer_type = MYSQL_TYPE_LONGLONG;
            bind->buffer = number;
            return;
        }
        break;
    default:
        break;
    }
    bind->buffer_type = value->kind == WF_VALUE_BYTES ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
    bind->buffer = (void *)(value->text.data ? value->text.data : "");
    bind->buffer_length = value->text.len;
    bind->length_value = value->text.len;
    bind->length = &bind->length_value;
}

static apr_status_t send_statement(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    statement_t *own = prepared->own;
    int rc = 0;

    for (int i = 0; i < prepared->place_count; i++) {
        bind_value(&own->params[i], &own->numbers[i], &values[i]);
    }
    if (prepared->place_count > 0 && mysql_stmt_bind_param(own->stmt, own->params) != 0) {
        return wf_mysql_fail(prepared->sql, own->stmt);
    }
    WF_MYSQL_CALL(prepared->sql, rc, mysql_stmt_execute, own->stmt);
    return rc == 0 ? APR_SUCCESS : wf_mysql_fail(prepared->sql, own->stmt);
}

/*
 * Reads the rows of a statement that nobody asked for rows, for what may still go wrong in it. One
 * that was ended may say that all went well: SLEEP() does.
 */
static apr_status_t pass_over(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    int rc = 0;
    apr_status_t rv = APR_SUCCESS;

    own->reading = 1;
    while (rc == 0 || rc == MYSQL_DATA_TRUNCATED) {
        WF_MYSQL_CALL(prepared->sql, rc, mysql_stmt_fetch, own->stmt);
    }
    if (rc != MYSQL_NO_DATA) {
        rv = wf_mysql_fail(prepared->sql, own->stmt);
    } else if (wf_sql_is_asked(prepared->sql)) {
        rv = WF_ECANCELLED;
    }
    end(prepared);
    return rv;
}

static apr_status_t execute(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values)
{
    statement_t *own = prepared->own;
    apr_status_t rv = send_statement(prepared, values);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (mysql_stmt_field_count(own->stmt) > 0) {
        return pass_over(prepared);
    }
    *affected = (apr_int64_t)mysql_stmt_affected_rows(own->stmt);
    return APR_SUCCESS;
}

/* ---- rows ---- */

static wf_value_kind_e kind_of(const MYSQL_FIELD *field)
{
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return WF_VALUE_NUMBER;
    case MYSQL_TYPE_BIT:
        return WF_VALUE_BYTES;
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_VARCHAR:
        return field->charsetnr == BINARY_SET ? WF_VALUE_BYTES : WF_VALUE_TEXT;
    default:
        return WF_VALUE_TEXT;
    }
}

static void set_cell(statement_t *own, int column)
{
    wf_buf_t *text = &own->texts[column];
    MYSQL_BIND *cell = &own->cells[column];

    memset(cell, 0, sizeof(*cell));
    /* Whole bytes as they are; anything else the library turns into text. */
    cell->buffer_type = own->kinds[column] == WF_VALUE_BYTES ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
    cell->buffer = text->data;
    cell->buffer_length = text->room;
    cell->length = &own->lengths[column];
    cell->is_null = &own->nulls[column];
}

static apr_status_t set_columns(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    int count = (int)mysql_stmt_field_count(own->stmt);
    apr_size_t room = (apr_size_t)count + 1;
    apr_pool_t *pool = prepared->row_pool;
    MYSQL_RES *meta = mysql_stmt_result_metadata(own->stmt);

    wf_sql_set_columns(prepared, count);
    own->cells = apr_pcalloc(pool, room * sizeof(*own->cells));
    own->texts = apr_pcalloc(pool, room * sizeof(*own->texts));
    own->lengths = apr_pcalloc(pool, room * sizeof(*own->lengths));
    own->nulls = apr_pcalloc(pool, room * sizeof(*own->nulls));
    own->kinds = apr_pcalloc(pool, room * sizeof(*own->kinds));
    for (int i = 0; meta && i < count; i++) {
        const MYSQL_FIELD *field = mysql_fetch_field_direct(meta, (unsigned)i);

        prepared->names[i] = wf_slice_dup(wf_slice(field->name), pool);
        own->kinds[i] = kind_of(field);
        wf_buf_reserve(&own->texts[i], CELL_FIRST);
        wf_buf_bind(&own->texts[i], pool);
        set_cell(own, i);
    }
    mysql_free_result(meta);
    if (count > 0 && mysql_stmt_bind_result(own->stmt, own->cells) != 0) {
        return wf_mysql_fail(prepared->sql, own->stmt);
    }
    return APR_SUCCESS;
}

static apr_status_t query(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    statement_t *own = prepared->own;
    apr_status_t rv = send_statement(prepared, values);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    own->reading = 1;
    return set_columns(prepared);
}

/* Values that are longer than their room: the room grows, and stays. */
static apr_status_t fetch_long_ones(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    int grown = 0;

    for (int i = 0; i < prepared->row.count; i++) {
        if (own->nulls[i] || own->lengths[i] <= own->texts[i].room) {
            continue;
        }
        wf_buf_reserve(&own->texts[i], own->lengths[i]);
        set_cell(own, i);
        if (mysql_stmt_fetch_column(own->stmt, &own->cells[i], (unsigned)i, 0) != 0) {
            return wf_mysql_fail(prepared->sql, own->stmt);
        }
        grown = 1;
    }
    if (grown && mysql_stmt_bind_result(own->stmt, own->cells) != 0) {
        return wf_mysql_fail(prepared->sql, own->stmt);
    }
    return APR_SUCCESS;
}

static wf_value_t read_value(const statement_t *own, int column)
{
    wf_value_t value = {WF_VALUE_NULL, {"", 0}};

    if (!own->nulls[column]) {
        value.kind = own->kinds[column];
        value.text = wf_slice_of(own->texts[column].data, own->lengths[column]);
        if (value.kind == WF_VALUE_NUMBER) {
            value.kind = wf_sql_number_kind(value.text);
        }
    }
    return value;
}

static apr_status_t next(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    apr_status_t rv;
    int rc = 0;

    if (wf_sql_is_asked(prepared->sql)) {
        return WF_ECANCELLED;
    }
    if (!own->reading || mysql_stmt_field_count(own->stmt) == 0) {
        return APR_EOF;
    }
    WF_MYSQL_CALL(prepared->sql, rc, mysql_stmt_fetch, own->stmt);
    if (rc == MYSQL_NO_DATA) {
        end(prepared);
        return APR_EOF;
    }
    if (rc != 0 && rc != MYSQL_DATA_TRUNCATED) {
        return wf_mysql_fail(prepared->sql, own->stmt);
    }
    rv = fetch_long_ones(prepared);
    for (int i = 0; i < prepared->row.count && rv == APR_SUCCESS; i++) {
        prepared->values[i] = read_value(own, i);
    }
    return rv;
}

/* ---- transactions ---- */

static apr_status_t run(wf_sql_t *sql, const char *text)
{
    int rc = 0;

    WF_MYSQL_CALL(sql, rc, mysql_real_query, (MYSQL *)sql->native, text,
                  (unsigned long)strlen(text));
    return rc == 0 ? APR_SUCCESS : wf_mysql_fail(sql, NULL);
}

static apr_status_t transact(wf_sql_t *sql, wf_transact_e what)
{
    switch (what) {
    case WF_TRANSACT_BEGIN:
        return run(sql, "START TRANSACTION");
    case WF_TRANSACT_COMMIT:
        return run(sql, "COMMIT");
    default:
        return run(sql, "ROLLBACK");
    }
}

/*
 * apr_dbd's driver ends a value at white space and some signs, and has no quotes. Rows that an
 * update finds are counted, as elsewhere, not those that it changes.
 */
static const char *add_password(const char *params, const char *password, apr_pool_t *pool)
{
    if (password && strpbrk(password, " \r\n\t;|,")) {
        return NULL;
    }
    return apr_pstrcat(pool, params, ",flags=CLIENT_FOUND_ROWS", password ? ",pass=" : "",
                       password ? password : "", NULL);
}

#define VISIBLE "table_schema = COALESCE(?, DATABASE())"

const wf_sql_driver_t wf_sql_mysql = {
    .name = "mysql",
    .dialect = {.place = WF_PLACE_QUESTION,
                .upsert = WF_UPSERT_DUPLICATE,
                .quote = '`',
                .backslash = 1,
                .hash = 1},
    .needs_savepoints = 1,
    .batch_rows = 1000,
    .columns_sql = "SELECT column_name, data_type FROM information_schema.columns WHERE " VISIBLE
                   " AND table_name = ? ORDER BY ordinal_position",
    .tables_sql = "SELECT table_name FROM information_schema.tables WHERE " VISIBLE
                  " AND ? IS NOT NULL ORDER BY table_name",
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
    .bulk = &wf_mysql_bulk,
};
