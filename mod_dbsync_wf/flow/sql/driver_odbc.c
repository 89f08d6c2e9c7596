/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever ODBC has a driver for, by apr_dbd alone. Values are handed over and come back as text.
 * apr_dbd has no way to end a statement at work: a run that is to end does so when it is done.
 */
#include "flow/sql/driver.h"

#include <apr_lib.h>
#include <apr_strings.h>

#define ROWS_A_POOL 256 /* apr_dbd allocates for each row */

typedef struct own_t {
    apr_dbd_transaction_t *transaction; /* NULL: none is open */
    apr_pool_t *transaction_pool;
} own_t;

typedef struct statement_t {
    apr_dbd_prepared_t *prepared;
    apr_dbd_results_t *results;
    apr_pool_t *pool; /* of one execution, or some rows */
    int rows;         /* taken since the pool was cleared */
} statement_t;

static apr_status_t adopt(wf_sql_t *sql)
{
    own_t *own = apr_pcalloc(sql->pool, sizeof(*own));

    apr_pool_create(&own->transaction_pool, sql->pool);
    sql->own = own;
    return APR_SUCCESS;
}

static void disown(wf_sql_t *sql)
{
    (void)sql;
}

/* Whether the driver says so of rows that there are none of: no failure (ODBC, SQLExecute). */
static int is_no_data(const wf_sql_t *sql)
{
    const char *text = apr_dbd_error(sql->dbd, sql->handle, 0);

    return text && strstr(text, "SQL_NO_DATA") != NULL;
}

static apr_status_t fail(wf_sql_t *sql, int rc)
{
    const char *text = apr_dbd_error(sql->dbd, sql->handle, rc);
    const char *place = text ? strstr(text, "apr_dbd_odbc.c:") : NULL;
    const char *said = place ? strpbrk(place, " \n") : NULL;

    /* apr_dbd puts first where in its own source it was called. */
    text = said ? said : text;
    /*
     * Which SQLSTATE is in there depends on the driver: any refusal may be the row's fault. Kept
     * before the look at the connection, which writes its own over it.
     */
    wf_sql_fail(sql, WF_FAULT_ROW, text && *text ? text : "the driver gave no reason");
    if (apr_dbd_check_conn(sql->dbd, sql->pool, sql->handle) != APR_SUCCESS) {
        sql->fault = WF_FAULT_CONNECTION;
        sql->broken = 1;
    }
    return APR_EGENERAL;
}

static apr_status_t prepare(wf_sql_prepared_t *prepared)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = apr_pcalloc(prepared->pool, sizeof(*own));
    int rc = apr_dbd_prepare(sql->dbd, prepared->pool, sql->handle, prepared->text, NULL,
                             &own->prepared);

    apr_pool_create(&own->pool, prepared->pool);
    prepared->own = own;
    return rc == 0 ? APR_SUCCESS : fail(sql, rc);
}

static void end(wf_sql_prepared_t *prepared)
{
    statement_t *own = prepared->own;

    /* Results are closed by their pool's cleanup. */
    own->results = NULL;
    apr_pool_clear(prepared->row_pool);
    apr_pool_clear(own->pool);
}

static void finish(wf_sql_prepared_t *prepared)
{
    end(prepared);
}

/* apr_dbd counts texts by their NUL. */
static apr_status_t make_args(const char ***args, wf_sql_prepared_t *prepared,
                              const wf_value_t *values, apr_pool_t *pool)
{
    *args = apr_pcalloc(pool, sizeof(**args) * ((apr_size_t)prepared->place_count + 1));
    for (int i = 0; i < prepared->place_count; i++) {
        wf_slice_t text = values[i].text;

        if (values[i].kind == WF_VALUE_NULL) {
            continue;
        }
        if (values[i].kind == WF_VALUE_BYTES || (text.len && memchr(text.data, '\0', text.len))) {
            return wf_sql_fail(prepared->sql, WF_FAULT_ROW,
                               "bytes, and texts with a NUL character, cannot be handed to ODBC");
        }
        if (values[i].kind == WF_VALUE_BOOL) {
            text = wf_slice(wf_slice_is(text, "true") ? "1" : "0");
        }
        (*args)[i] = wf_slice_dup(text, pool).data;
    }
    return APR_SUCCESS;
}

static apr_status_t execute(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = prepared->own;
    const char **args;
    int rows = 0, rc;
    apr_status_t rv;

    apr_pool_clear(own->pool);
    rv = make_args(&args, prepared, values, own->pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rc = apr_dbd_pquery(sql->dbd, own->pool, sql->handle, &rows, own->prepared,
                        prepared->place_count, args);
    *affected = rows > 0 ? rows : 0;
    return rc == 0 || is_no_data(sql) ? APR_SUCCESS : fail(sql, rc);
}

static apr_status_t query(wf_sql_prepared_t *prepared, const wf_value_t *values)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = prepared->own;
    const char **args;
    apr_status_t rv = make_args(&args, prepared, values, prepared->row_pool);
    int rc, count;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    own->results = NULL;
    rc = apr_dbd_pselect(sql->dbd, prepared->row_pool, sql->handle, &own->results, own->prepared, 0,
                         prepared->place_count, args);
    if (rc != 0) {
        return fail(sql, rc);
    }
    count = apr_dbd_num_cols(sql->dbd, own->results);
    wf_sql_set_columns(prepared, count);
    for (int i = 0; i < count; i++) {
        const char *name = apr_dbd_get_name(sql->dbd, own->results, i);

        prepared->names[i] = wf_slice_dup(wf_slice(name), prepared->row_pool);
    }
    return APR_SUCCESS;
}

static apr_status_t next(wf_sql_prepared_t *prepared)
{
    wf_sql_t *sql = prepared->sql;
    statement_t *own = prepared->own;
    apr_dbd_row_t *row = NULL;

    if (wf_sql_is_asked(sql)) {
        return WF_ECANCELLED;
    }
    if (own->rows++ % ROWS_A_POOL == 0) {
        apr_pool_clear(own->pool);
    }
    if (apr_dbd_get_row(sql->dbd, own->pool, own->results, &row, -1) != 0) {
        return is_no_data(sql) ? APR_EOF : fail(sql, 0);
    }
    for (int i = 0; i < prepared->row.count; i++) {
        const char *text = apr_dbd_get_entry(sql->dbd, row, i);

        prepared->values[i].kind = text ? WF_VALUE_TEXT : WF_VALUE_NULL;
        prepared->values[i].text = wf_slice(text);
    }
    return APR_SUCCESS;
}

static apr_status_t transact(wf_sql_t *sql, wf_transact_e what)
{
    own_t *own = sql->own;
    int rc;

    if (what == WF_TRANSACT_BEGIN) {
        apr_pool_clear(own->transaction_pool);
        rc = apr_dbd_transaction_start(sql->dbd, own->transaction_pool, sql->handle,
                                       &own->transaction);
        if (rc == 0) {
            /* A row that was refused does not end it; what does, rolls it back. */
            apr_dbd_transaction_mode_set(sql->dbd, own->transaction,
                                         APR_DBD_TRANSACTION_IGNORE_ERRORS);
        }
        return rc == 0 ? APR_SUCCESS : fail(sql, rc);
    }
    if (!own->transaction) {
        return APR_SUCCESS;
    }
    if (what == WF_TRANSACT_ROLLBACK) {
        apr_dbd_transaction_mode_set(sql->dbd, own->transaction, APR_DBD_TRANSACTION_ROLLBACK);
    }
    rc = apr_dbd_transaction_end(sql->dbd, own->transaction_pool, own->transaction);
    own->transaction = NULL;
    return rc == 0 ? APR_SUCCESS : fail(sql, rc);
}

static apr_status_t run(wf_sql_t *sql, const char *text)
{
    int rows = 0;
    int rc = apr_dbd_query(sql->dbd, sql->handle, &rows, text);

    return rc == 0 ? APR_SUCCESS : fail(sql, rc);
}

/* apr_dbd's driver ends a quoted value at the next quote, and knows no escape. */
static const char *add_password(const char *params, const char *password, apr_pool_t *pool)
{
    if (!password) {
        return params;
    }
    return strchr(password, '\'') ? NULL
                                  : apr_pstrcat(pool, params, ",PASSWORD='", password, "'", NULL);
}

const wf_sql_driver_t wf_sql_odbc = {
    .name = "odbc",
    .dialect = {.place = WF_PLACE_FORMAT,
                .upsert = WF_UPSERT_TWO_STEPS,
                .quote = '"',
                .brackets = 1,
                .own_places = 0},
    .batch_rows = 1000,
    .untyped = 1,
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
