/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "sql": executes a statement, or several in one transaction.
 *
 *   {"action": "sql", "connector": "crm", "sql": "DELETE FROM basket WHERE customer = :id",
 *    "params": {"id": "{{customerId}}"}}
 *
 * Its result is {"affected": rows}.
 */
#include "flow/action.h"
#include "flow/sql/connector.h"
#include "flow/sql/params.h"

static const char *const members[] = {"connector", "sql", "params", NULL};

typedef struct spec_t {
    const wf_connector_t *connector;
    int count;
    wf_call_t *calls;
} spec_t;

static apr_status_t parse_sql(void **out, const wf_check_t *at, const wf_loader_t *loader)
{
    spec_t *spec = apr_pcalloc(at->pool, sizeof(*spec));
    const wf_sql_dialect_t *dialect = NULL;
    apr_status_t rv = wf_sql_connector_check(&spec->connector, &dialect, at, loader, "connector");

    *out = spec;
    return rv == APR_SUCCESS ? wf_call_check_many(&spec->calls, &spec->count, at, dialect) : rv;
}

static apr_status_t execute_call(apr_int64_t *affected, wf_sql_t *sql, const wf_call_t *call,
                                 const wf_action_context_t *context, wf_result_t *result,
                                 apr_pool_t *pool)
{
    wf_sql_prepared_t *prepared = NULL;
    const wf_value_t *values = NULL;
    apr_int64_t count = 0;
    apr_status_t rv = wf_call_values(&values, call, &context->scope, NULL, result, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_sql_prepare(&prepared, sql, call->statement.text, call->statement.place_count,
                            result, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_sql_execute(&count, prepared, values, result);
        wf_sql_finish(prepared);
    }
    *affected += count;
    return rv;
}

/* One statement commits by itself: some, such as VACUUM, take no transaction around them. */
static apr_status_t execute_all(apr_int64_t *affected, wf_sql_t *sql, const spec_t *spec,
                                const wf_action_context_t *context, wf_result_t *result,
                                apr_pool_t *pool)
{
    apr_status_t rv;

    if (spec->count == 1) {
        return execute_call(affected, sql, &spec->calls[0], context, result, pool);
    }
    rv = wf_sql_begin(sql, result);
    for (int i = 0; i < spec->count && rv == APR_SUCCESS; i++) {
        rv = execute_call(affected, sql, &spec->calls[i], context, result, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_sql_commit(sql, result);
    }
    if (rv != APR_SUCCESS) {
        wf_sql_rollback(sql);
    }
    return rv;
}

static apr_status_t execute_sql(wf_action_end_t *end, const void *data,
                                const wf_action_context_t *context, wf_result_t *result,
                                apr_pool_t *pool)
{
    const spec_t *spec = data;
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));
    apr_int64_t affected = 0;
    wf_json_writer_t writer;
    wf_sql_t *sql;
    apr_status_t rv = wf_sql_connect(&sql, spec->connector, WF_SQL_MAIN, context, result);

    if (rv == APR_SUCCESS) {
        rv = execute_all(&affected, sql, spec, context, result, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    wf_buf_bind(json, pool);
    wf_json_writer_init(&writer, json);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_int(&writer, "affected", affected);
    wf_json_close(&writer, '}');
    end->result = wf_buf_slice(json);
    return APR_SUCCESS;
}

const wf_action_kind_t wf_action_sql = {"sql", members, parse_sql, execute_sql};
