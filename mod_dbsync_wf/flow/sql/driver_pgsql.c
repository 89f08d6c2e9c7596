/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PostgreSQL. Values are bound as text (bytes as they are), and their types left to the server;
 * rows come one by one, in libpq's single-row mode.
 */
#include "flow/sql/pgsql.h"

#include <stdlib.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define JSON_DEPTH 200 /* a deeper document stays a text */

/* Types whose text is more than text: their numbers in pg_type are fixed. */
enum {
    TYPE_BOOL = 16,
    TYPE_BYTES = 17,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_OID = 26,
    TYPE_JSON = 114,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_NUMERIC = 1700,
    TYPE_JSONB = 3802
};

typedef struct statement_t {
    char name[16]; /* on the server; empty until it is executed a second time */
    int executed;
    int reading; /* a query is at work */
    PGresult *row;
    const char **values;
    int *lengths;
    int *formats;
    wf_buf_t scratch; /* decoded bytes of the row */
} statement_t;

static void keep_silent(void *baton, const char *message)
{
    (void)baton;
    (void)message;
}

static apr_status_t adopt(wf_sql_t *sql)
{
    PGconn *conn = sql->native;
    PGresult *result;
    apr_status_t rv = APR_SUCCESS;

    sql->own = apr_pcalloc(sql->pool, sizeof(wf_pgsql_t));
    PQsetNoticeProcessor(conn, keep_silent, NULL);
    result = PQexec(conn, "SET client_encoding TO 'UTF8'; SET datestyle TO 'ISO';"
                          " SET bytea_output TO 'hex'");
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        rv = wf_pgsql_fail(sql, result);
    }
    PQclear(result);
    /* For when this process dies under a statement. Servers before PostgreSQL 14 do not know it. */
    PQclear(PQexec(conn, "SET client_connection_check_interval TO '1s'"));
    if (rv == APR_SUCCESS && PQsetnonblocking(conn, 1) != 0) {
        rv = wf_pgsql_fail(sql, NULL);
    }
    return rv;
}

static void disown(wf_sql_t *sql)
{
    (void)sql;
}

static apr_status_t prepare(wf_sql_prepared_t *prepared)
{
    apr_size_t count = (apr_size_t)(prepared->place_count > 0 ? prepared->place_count : 1);
    statement_t *own = apr_pcalloc(prepared->pool, sizeof(*own));

    own->values = apr_pcalloc(prepared->pool, count * sizeof(*own->values));
    own->lengths = apr_pcalloc(prepared->pool, count * sizeof(*own->lengths));
    own->formats = apr_pcalloc(prepared->pool, count * sizeof(*own->formats));
    wf_buf_bind(&own->scratch, prepared->pool);
    prepared->own = own;
    return APR_SUCCESS;
}

static void end(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;

    PQclear(own->row);
    own->row = NULL;
    if (own->reading && !prepared->sql->broken) {
        wf_pgsql_stop(prepared->sql);
    }
    own->reading = 0;
}

/* A statement of the server's that is left behind goes with the connection. */
static void finish(wf_sql_prepared_t *prepared)
{
    end(prepared);
}

/*
 * A text with a NUL is handed over with its length, as binary, for the server to refuse it: as text
 * it would be cut there, silently.
 */
static void bind_values(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    statement_t *own = prepared->own;
    wf_buf_t *scratch = &own->scratch;
    apr_size_t need = 0;

    for (int i = 0; i < prepared->place_count; i++) {
        need += values[i].text.len + 1;
    }
    /* All of it at once, so that none of it moves. */
    wf_buf_reset(scratch);
    wf_buf_reserve(scratch, need);
    for (int i = 0; i < prepared->place_count; i++) {
        wf_slice_t text = values[i].text;

        if (values[i].kind == WF_VALUE_NULL) {
            own->values[i] = NULL;
            continue;
        }
        own->values[i] = scratch->data + scratch->len;
        own->lengths[i] = (int)text.len;
        own->formats[i] = values[i].kind == WF_VALUE_BYTES ||
                          (text.len > 0 && memchr(text.data, '\0', text.len) != NULL);
        wf_buf_add_slice(scratch, text);
        wf_buf_add_char(scratch, '\0');
    }
}

/* Executed again, it is worth a name on the server, which then need not plan it each time. */
static apr_status_t name_statement(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    wf_pgsql_t *shared = prepared->sql->own;
    apr_status_t rv;

    if (own->name[0] || own->executed < 1) {
        return APR_SUCCESS;
    }
    apr_snprintf(own->name, sizeof(own->name), "wf%d", ++shared->names);
    if (!PQsendPrepare(prepared->sql->native, own->name, prepared->text, 0, NULL)) {
        rv = wf_pgsql_fail(prepared->sql, NULL);
    } else {
        rv = wf_pgsql_finish(NULL, prepared->sql);
    }
    if (rv != APR_SUCCESS) {
        own->name[0] = '\0';
    }
    return rv;
}

static apr_status_t send_statement(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    statement_t *own = prepared->own;
    PGconn *conn = prepared->sql->native;
    apr_status_t rv = name_statement(prepared);
    int sent;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    bind_values(prepared, values);
    if (own->name[0]) {
        sent = PQsendQueryPrepared(conn, own->name, prepared->place_count, own->values,
                                   own->lengths, own->formats, 0);
    } else {
        sent = PQsendQueryParams(conn, prepared->text, prepared->place_count, NULL, own->values,
                                 own->lengths, own->formats, 0);
    }
    own->executed++;
    return sent ? APR_SUCCESS : wf_pgsql_fail(prepared->sql, NULL);
}

static apr_status_t execute(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values)
{
    apr_status_t rv = send_statement(prepared, values);

    return rv == APR_SUCCESS ? wf_pgsql_finish(affected, prepared->sql) : rv;
}

static apr_status_t query(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    statement_t *own = prepared->own;
    apr_status_t rv = send_statement(prepared, values);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    own->reading = 1;
    if (!PQsetSingleRowMode(prepared->sql->native)) {
        return wf_pgsql_fail(prepared->sql, NULL);
    }
    rv = wf_pgsql_flush(prepared->sql);
    if (rv == WF_ECANCELLED) {
        end(prepared);
    }
    return rv;
}

static void set_columns(wf_sql_prepared_t *prepared, const PGresult *result)
{
    int count = PQnfields(result);

    wf_sql_set_columns(prepared, count);
    for (int i = 0; i < count; i++) {
        prepared->names[i] = wf_slice_dup(wf_slice(PQfname(result, i)), prepared->row_pool);
    }
}

/* "\x" and hexadecimal digits. */
static wf_slice_t decode_bytes(wf_buf_t *out, wf_slice_t text)
{
    apr_size_t start = out->len;

    for (apr_size_t i = 2; i + 1 < text.len; i += 2) {
        const char pair[3] = {text.data[i], text.data[i + 1], '\0'};

        wf_buf_add_char(out, (char)strtol(pair, NULL, 16));
    }
    return wf_slice_of(out->data + start, out->len - start);
}

static wf_value_t read_value(statement_t *own, int column)
{
    wf_value_t value = {WF_VALUE_NULL, {"", 0}};

    if (PQgetisnull(own->row, 0, column)) {
        return value;
    }
    value.kind = WF_VALUE_TEXT;
    value.text.data = PQgetvalue(own->row, 0, column);
    value.text.len = (apr_size_t)PQgetlength(own->row, 0, column);
    switch (PQftype(own->row, column)) {
    case TYPE_BOOL:
        value.kind = WF_VALUE_BOOL;
        value.text = wf_slice(value.text.data[0] == 't' ? "true" : "false");
        break;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_OID:
        value.kind = WF_VALUE_NUMBER;
        break;
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
        value.kind = wf_sql_number_kind(value.text);
        break;
    case TYPE_JSON:
    case TYPE_JSONB:
        if (wf_json_check(value.text, JSON_DEPTH, NULL) == APR_SUCCESS) {
            value = wf_value_of_json(value.text, NULL);
        }
        break;
    case TYPE_BYTES:
        value.kind = WF_VALUE_BYTES;
        value.text = decode_bytes(&own->scratch, value.text);
        break;
    default:
        break;
    }
    return value;
}

static void read_row(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    apr_size_t most = 0;

    wf_buf_reset(&own->scratch);
    for (int i = 0; i < prepared->row.count; i++) {
        most += (apr_size_t)PQgetlength(own->row, 0, i);
    }
    wf_buf_reserve(&own->scratch, most);
    for (int i = 0; i < prepared->row.count; i++) {
        prepared->values[i] = read_value(own, i);
    }
}

/* The statement's end has been seen, but for the NULL after it. */
static apr_status_t end_reading(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;

    own->reading = 0;
    return wf_pgsql_finish(NULL, prepared->sql);
}

static apr_status_t next(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;
    apr_status_t rv;

    PQclear(own->row);
    own->row = NULL;
    rv = wf_pgsql_result(&own->row, prepared->sql);
    if (rv == WF_ECANCELLED) {
        end(prepared);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    switch (PQresultStatus(own->row)) {
    case PGRES_SINGLE_TUPLE:
        if (!prepared->row.names) {
            set_columns(prepared, own->row);
        }
        read_row(prepared);
        return APR_SUCCESS;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        rv = end_reading(prepared);
        return rv == APR_SUCCESS ? APR_EOF : rv;
    default:
        rv = wf_pgsql_fail(prepared->sql, own->row);
        end_reading(prepared);
        return rv;
    }
}

static apr_status_t run(wf_sql_t *sql, const char *text)
{
    return wf_pgsql_run(NULL, sql, text);
}

static apr_status_t transact(wf_sql_t *sql, wf_transact_e what)
{
    switch (what) {
    case WF_TRANSACT_BEGIN:
        return run(sql, "BEGIN");
    case WF_TRANSACT_COMMIT:
        return run(sql, "COMMIT");
    default:
        return PQtransactionStatus(sql->native) == PQTRANS_IDLE ? APR_SUCCESS
                                                                : run(sql, "ROLLBACK");
    }
}

/* As PostgreSQL's manual has it, 34.1.1: keywords and values, or a URI. */
static const char *add_password(const char *params, const char *password, apr_pool_t *pool)
{
    int is_uri =
        strncmp(params, "postgresql://", 13) == 0 || strncmp(params, "postgres://", 11) == 0;
    wf_buf_t out = {0};
    const char *text;

    wf_buf_add_text(&out, is_uri ? "" : "fallback_application_name=mod_dbsync_wf ");
    wf_buf_add_text(&out, params);
    if (password) {
        wf_buf_add_text(&out, !is_uri               ? " password='"
                              : strchr(params, '?') ? "&password="
                                                    : "?password=");
        for (const char *c = password; *c; c++) {
            char escaped[4];

            if (is_uri) {
                apr_snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*c);
                wf_buf_add_text(&out, escaped);
                continue;
            }
            if (*c == '\'' || *c == '\\') {
                wf_buf_add_char(&out, '\\');
            }
            wf_buf_add_char(&out, *c);
        }
        wf_buf_add_text(&out, is_uri ? "" : "'");
    }
    text = apr_pstrmemdup(pool, out.data, out.len);
    wf_buf_free(&out);
    return text;
}

#define VISIBLE                                                                                    \
    "(n.nspname = $1 OR ($1 IS NULL AND pg_catalog.pg_table_is_visible(c.oid)))"                   \
    " AND c.relkind IN ('r', 'p', 'v', 'f')"

const wf_sql_driver_t wf_sql_pgsql = {
    .name = "pgsql",
    .dialect = {.place = WF_PLACE_DOLLAR,
                .upsert = WF_UPSERT_CONFLICT,
                .quote = '"',
                .postgres = 1},
    .needs_savepoints = 1,
    .checks_now = "SET CONSTRAINTS ALL IMMEDIATE",
    .batch_rows = 10000,
    .bytes_type = "bytea",
    .columns_sql =
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)"
        " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped AND " VISIBLE
        " ORDER BY a.attnum",
    .tables_sql = "SELECT c.relname FROM pg_catalog.pg_class c"
                  " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND $2::text IS NOT"
                  " NULL AND " VISIBLE " ORDER BY c.relname",
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
    .bulk = &wf_pgsql_bulk,
};
