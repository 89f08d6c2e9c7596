/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of databases share: a SQLite file in a scratch folder, and statements on it. */
#ifndef WF_UNIT_SQL_UTIL_H
#define WF_UNIT_SQL_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "flow/sql/sql.h"

static char scratch[] = "/tmp/wf-unit-XXXXXX";
static apr_pool_t *pool;
static wf_cancel_t *cancel;
static wf_result_t result;
static wf_sql_config_t config;
static wf_sql_t *sql;

static inline int open_database(void **state)
{
    const char *reason;

    (void)state;
    apr_pool_create(&pool, NULL);
    wf_result_init(&result, pool);
    config.driver = wf_sql_driver(0, &reason);
    config.params = apr_pstrcat(pool, scratch, "/test.db", NULL);
    config.connect_timeout = apr_time_from_sec(10);
    return wf_cancel_create(&cancel, pool) == APR_SUCCESS &&
                   wf_sql_open(&sql, "crm", &config, cancel, 0, &result, pool) == APR_SUCCESS
               ? 0
               : -1;
}

static inline int close_database(void **state)
{
    char *file = apr_pstrdup(pool, config.params);
    int rc;

    (void)state;
    rc = unlink(file);
    apr_pool_destroy(pool);
    return rc;
}

static inline int set_up_scratch(void **state)
{
    (void)state;
    return apr_initialize() == APR_SUCCESS && mkdtemp(scratch) ? 0 : -1;
}

static inline int tear_down_scratch(void **state)
{
    (void)state;
    return rmdir(scratch);
}

static inline wf_value_t value_of(wf_value_kind_e kind, const char *text)
{
    return (wf_value_t){kind, wf_slice(text)};
}

/* Executes a statement; gives the rows that it touched. */
static inline apr_int64_t execute_text(const char *text, const wf_value_t *values, int count)
{
    wf_sql_prepared_t *prepared;
    apr_int64_t affected = -1;

    if (wf_sql_prepare(&prepared, sql, text, count, &result, pool) != APR_SUCCESS ||
        wf_sql_execute(&affected, prepared, values, &result) != APR_SUCCESS) {
        fail_msg("%s: %s", text, result.detail);
    }
    wf_sql_finish(prepared);
    return affected;
}

/* The rows of a query as JSON, one a line. */
static inline const char *query_text(const char *text)
{
    wf_sql_prepared_t *prepared;
    wf_buf_t json = {0};
    const wf_row_t *row;
    const char *rows;
    apr_status_t rv;

    assert_int_equal(wf_sql_prepare(&prepared, sql, text, 0, &result, pool), APR_SUCCESS);
    assert_int_equal(wf_sql_query(prepared, NULL, &result), APR_SUCCESS);
    while ((rv = wf_sql_next(&row, prepared, &result)) == APR_SUCCESS) {
        wf_row_json(&json, row);
        wf_buf_add_char(&json, '\n');
    }
    assert_int_equal(rv, APR_EOF);
    wf_sql_end(prepared);
    wf_sql_finish(prepared);
    rows = apr_pstrmemdup(pool, json.data ? json.data : "", json.len);
    wf_buf_free(&json);
    return rows;
}

#endif
