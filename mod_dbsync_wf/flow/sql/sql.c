/* SPDX-License-Identifier: Apache-2.0 */
/* What all databases share: the drivers' table, statements' life, transactions and failures. */
#include "flow/sql/driver.h"

#include <apr_lib.h>
#include "base/clock.h"

#define ROLLBACK_PATIENCE apr_time_from_sec(3)

/* By the numbers that wf_sql_driver takes. */
const char *const wf_sql_driver_names[] = {"sqlite3", "pgsql", "mysql", "odbc", NULL};

const wf_sql_driver_t *wf_sql_driver(int number, const char **reason)
{
    static const wf_sql_driver_t *const drivers[] = {
#ifdef WF_HAVE_SQLITE3
        &wf_sql_sqlite3,
#else
        NULL,
#endif
#ifdef WF_HAVE_LIBPQ
        &wf_sql_pgsql,
#else
        NULL,
#endif
#ifdef WF_HAVE_MARIADB
        &wf_sql_mysql,
#else
        NULL,
#endif
        &wf_sql_odbc,
    };
    static const char *const libraries[] = {"sqlite3", "libpq", "libmariadb", ""};

    *reason = libraries[number];
    return drivers[number];
}

const wf_sql_dialect_t *wf_sql_driver_dialect(const wf_sql_driver_t *driver)
{
    return &driver->dialect;
}

const wf_sql_dialect_t *wf_sql_dialect(const wf_sql_t *sql)
{
    return &sql->driver->dialect;
}

const wf_sql_driver_t *wf_sql_driver_of(const wf_sql_t *sql)
{
    return sql->driver;
}

int wf_sql_is_broken(const wf_sql_t *sql)
{
    return sql->broken;
}

int wf_sql_is_row_fault(const wf_sql_t *sql)
{
    return sql->fault == WF_FAULT_ROW;
}

const char *wf_sql_reason(const wf_sql_t *sql)
{
    return sql->reason.len ? sql->reason.data : "";
}

apr_status_t wf_sql_fail(wf_sql_t *sql, wf_sql_fault_e fault, const char *reason)
{
    int space = 0;

    sql->fault = fault;
    sql->broken |= fault == WF_FAULT_CONNECTION;
    wf_buf_reset(&sql->reason);
    for (; *reason; reason++) {
        if (apr_isspace(*reason) || apr_iscntrl(*reason)) {
            space = sql->reason.len > 0;
            continue;
        }
        if (space) {
            wf_buf_add_char(&sql->reason, ' ');
            space = 0;
        }
        wf_buf_add_char(&sql->reason, *reason);
    }
    wf_buf_add_char(&sql->reason, '\0');
    return APR_EGENERAL;
}

int wf_sql_is_asked(wf_sql_t *sql)
{
    if (sql->ending) {
        return wf_clock() >= sql->ending;
    }
    if (sql->deadline && wf_clock() >= sql->deadline) {
        wf_cancel_request(sql->cancel, WF_CANCEL_TIMEOUT);
    }
    return wf_cancel_reason(sql->cancel) != WF_CANCEL_NONE;
}

apr_status_t wf_sql_tell(const wf_sql_t *sql, apr_status_t rv, wf_result_t *result)
{
    if (rv != APR_EGENERAL) {
        return rv;
    }
    return wf_result_set(result, rv,
                         sql->fault == WF_FAULT_CONNECTION ? WF_PROBLEM_CONNECTOR : WF_PROBLEM_SQL,
                         "connector \"%s\": %s", sql->connector, wf_sql_reason(sql));
}

/* Whether a call may begin at all. */
static apr_status_t may_begin(wf_sql_t *sql)
{
    if (sql->broken) {
        sql->fault = WF_FAULT_CONNECTION;
        return APR_EGENERAL;
    }
    return wf_sql_is_asked(sql) ? WF_ECANCELLED : APR_SUCCESS;
}

/* ---- statements ---- */

static apr_status_t finish_prepared(void *data)
{
    wf_sql_prepared_t *prepared = data;

    prepared->sql->driver->finish(prepared);
    return APR_SUCCESS;
}

void wf_sql_finish(wf_sql_prepared_t *prepared)
{
    apr_pool_destroy(prepared->pool);
}

apr_status_t wf_sql_prepare(wf_sql_prepared_t **prepared, wf_sql_t *sql, const char *text,
                            int place_count, wf_result_t *result, apr_pool_t *pool)
{
    wf_sql_prepared_t *made;
    apr_pool_t *own;
    apr_status_t rv = may_begin(sql);

    if (rv != APR_SUCCESS) {
        return wf_sql_tell(sql, rv, result);
    }
    apr_pool_create(&own, pool);
    apr_pool_tag(own, "wf_sql_prepared");
    made = apr_pcalloc(own, sizeof(*made));
    made->sql = sql;
    made->text = text;
    made->place_count = place_count;
    made->pool = own;
    apr_pool_create(&made->row_pool, own);
    rv = sql->driver->prepare(made);
    if (rv != APR_SUCCESS) {
        apr_pool_destroy(own);
        return wf_sql_tell(sql, rv, result);
    }
    /* Before the pool's own memory and its subpools go. */
    apr_pool_pre_cleanup_register(own, made, finish_prepared);
    *prepared = made;
    return APR_SUCCESS;
}

apr_status_t wf_sql_execute(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values, wf_result_t *result)
{
    wf_sql_t *sql = prepared->sql;
    apr_status_t rv = may_begin(sql);
    apr_int64_t count = 0;

    if (rv == APR_SUCCESS) {
        rv = sql->driver->execute(&count, prepared, values);
    }
    if (affected) {
        *affected = count;
    }
    return wf_sql_tell(sql, rv, result);
}

apr_status_t wf_sql_query(wf_sql_prepared_t *prepared, const wf_value_t *values,
                          wf_result_t *result)
{
    wf_sql_t *sql = prepared->sql;
    apr_status_t rv = may_begin(sql);

    apr_pool_clear(prepared->row_pool);
    memset(&prepared->row, 0, sizeof(prepared->row));
    if (rv == APR_SUCCESS) {
        rv = sql->driver->query(prepared, values);
    }
    return wf_sql_tell(sql, rv, result);
}

apr_status_t wf_sql_next(const wf_row_t **row, wf_sql_prepared_t *prepared, wf_result_t *result)
{
    wf_sql_t *sql = prepared->sql;
    apr_status_t rv = sql->driver->next(prepared);

    *row = &prepared->row;
    return wf_sql_tell(sql, rv, result);
}

void wf_sql_end(wf_sql_prepared_t *prepared)
{
    prepared->sql->driver->end(prepared);
}

void wf_sql_set_columns(wf_sql_prepared_t *prepared, int count)
{
    apr_size_t room = (apr_size_t)(count > 0 ? count : 1);

    prepared->names = apr_pcalloc(prepared->row_pool, room * sizeof(*prepared->names));
    prepared->values = apr_pcalloc(prepared->row_pool, room * sizeof(*prepared->values));
    prepared->row.count = count;
    prepared->row.names = prepared->names;
    prepared->row.values = prepared->values;
}

/* ---- transactions ---- */

apr_status_t wf_sql_begin(wf_sql_t *sql, wf_result_t *result)
{
    apr_status_t rv = may_begin(sql);

    sql->transactions++;
    return wf_sql_tell(sql, rv == APR_SUCCESS ? sql->driver->transact(sql, WF_TRANSACT_BEGIN) : rv,
                       result);
}

apr_status_t wf_sql_commit(wf_sql_t *sql, wf_result_t *result)
{
    apr_status_t rv = may_begin(sql);

    return wf_sql_tell(sql, rv == APR_SUCCESS ? sql->driver->transact(sql, WF_TRANSACT_COMMIT) : rv,
                       result);
}

void wf_sql_rollback(wf_sql_t *sql)
{
    wf_sql_fault_e fault = sql->fault;
    wf_buf_t reason = sql->reason;

    if (sql->broken) {
        return;
    }
    /* What is asked afterwards is why the rows could not be written, not how this went. */
    memset(&sql->reason, 0, sizeof(sql->reason));
    sql->ending = wf_clock() + ROLLBACK_PATIENCE;
    if (sql->driver->transact(sql, WF_TRANSACT_ROLLBACK) != APR_SUCCESS) {
        sql->broken = 1;
    }
    sql->ending = 0;
    sql->fault = fault;
    wf_buf_free(&sql->reason);
    sql->reason = reason;
}

apr_status_t wf_sql_run(wf_sql_t *sql, const char *text, wf_result_t *result)
{
    apr_status_t rv = may_begin(sql);

    return wf_sql_tell(sql, rv == APR_SUCCESS ? sql->driver->run(sql, text) : rv, result);
}

/* ---- numbers ---- */

int wf_sql_integer(apr_int64_t *out, wf_slice_t text)
{
    apr_size_t i = text.len > 0 && text.data[0] == '-';
    apr_uint64_t number = 0;
    apr_uint64_t most = i ? (apr_uint64_t)APR_INT64_MAX + 1 : (apr_uint64_t)APR_INT64_MAX;

    if (i == text.len || text.len - i > 19) {
        return 0;
    }
    for (; i < text.len; i++) {
        if (!apr_isdigit(text.data[i])) {
            return 0;
        }
        number = number * 10 + (apr_uint64_t)(text.data[i] - '0');
    }
    if (number > most) {
        return 0;
    }
    *out = text.data[0] == '-' ? (apr_int64_t)(0 - number) : (apr_int64_t)number;
    return 1;
}

wf_value_kind_e wf_sql_number_kind(wf_slice_t text)
{
    return wf_json_check(text, 1, NULL) == APR_SUCCESS && wf_json_type(text) == WF_JSON_NUMBER
               ? WF_VALUE_NUMBER
               : WF_VALUE_TEXT;
}
