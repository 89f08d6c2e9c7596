/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to write: of a statement, as they come, or of a JSON value: an array's elements, or itself.
 */
#include "flow/sql/write.h"

#include <apr_strings.h>
#include "flow/sql/driver.h"

#define SNAPSHOT "temp.wf_source"

struct wf_source_t {
    const wf_action_context_t *context;
    wf_sql_prepared_t *prepared; /* NULL: rows come from JSON */
    wf_sql_t *copied;            /* whose table SNAPSHOT has the rows; NULL: none */
    wf_slice_t rest;             /* of an array */
    int single;                  /* the value is one row */
    wf_row_t row;
};

/*
 * The connection that rows are read from: another one than that which writes meanwhile, unless both
 * would then wait for each other.
 */
static wf_sql_role_e choose_role(const wf_write_spec_t *spec)
{
    int shared = spec->source == spec->connector;

    for (int i = 0; i < WF_HOOK_COUNT; i++) {
        shared |= spec->source == spec->hooks[i].connector;
    }
    return shared && !wf_sql_connector_config(spec->source)->driver->writes_while_reading
               ? WF_SQL_READER
               : WF_SQL_MAIN;
}

static apr_status_t begin_query(wf_source_t *source, wf_sql_t *sql, const char *text, int places,
                                const wf_value_t *values, wf_result_t *result, apr_pool_t *pool)
{
    apr_status_t rv = wf_sql_prepare(&source->prepared, sql, text, places, result, pool);

    return rv == APR_SUCCESS ? wf_sql_query(source->prepared, values, result) : rv;
}

/*
 * Where one connection reads and writes, it would meet rows that it has just written, and perhaps
 * never end: what the statement gives is copied first, into a temporary table, which is on disk. A
 * statement that is none of a table's definition (PRAGMA) is read as it comes.
 */
static apr_status_t copy_rows(wf_source_t *source, wf_sql_t *sql, const wf_statement_t *statement,
                              const wf_value_t *values, apr_pool_t *pool)
{
    const char *text = apr_pstrcat(pool, "CREATE TABLE " SNAPSHOT " AS ", statement->text, NULL);
    wf_sql_prepared_t *prepared;
    apr_status_t rv = wf_sql_run(sql, "DROP TABLE IF EXISTS " SNAPSHOT, NULL);

    if (rv == APR_SUCCESS) {
        rv = wf_sql_prepare(&prepared, sql, text, statement->place_count, NULL, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_sql_execute(NULL, prepared, values, NULL);
        wf_sql_finish(prepared);
    }
    source->copied = rv == APR_SUCCESS ? sql : NULL;
    return rv == APR_EGENERAL ? APR_SUCCESS : rv;
}

static apr_status_t open_query(wf_source_t *source, const wf_write_spec_t *spec,
                               wf_result_t *result, apr_pool_t *pool)
{
    const wf_action_context_t *context = source->context;
    const wf_statement_t *statement = &spec->source_call.statement;
    const wf_value_t *values = NULL;
    wf_value_t last = {WF_VALUE_NULL, {"", 0}};
    wf_sql_t *sql;
    apr_status_t rv;

    if (spec->field) {
        last = wf_value_of_json(wf_action_marker_get(context, context->action), pool);
    }
    rv = wf_call_values(&values, &spec->source_call, &context->scope, &last, result, pool);
    if (rv == APR_SUCCESS) {
        rv = wf_sql_connect(&sql, spec->source, choose_role(spec), context, result);
    }
    if (rv == APR_SUCCESS && spec->source == spec->connector &&
        wf_sql_driver_of(sql)->writes_while_reading) {
        rv = copy_rows(source, sql, statement, values, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return source->copied
               ? begin_query(source, sql, "SELECT * FROM " SNAPSHOT, 0, NULL, result, pool)
               : begin_query(source, sql, statement->text, statement->place_count, values, result,
                             pool);
}

static apr_status_t open_json(wf_source_t *source, const wf_write_spec_t *spec, wf_result_t *result,
                              apr_pool_t *pool)
{
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));
    wf_slice_t value = wf_json_trim(source->context->scope.payload);

    if (spec->from) {
        apr_status_t rv;

        wf_buf_bind(json, pool);
        rv = wf_template_json(json, spec->from, &source->context->scope, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        value = wf_buf_slice(json);
    }
    switch (wf_json_type(value)) {
    case WF_JSON_ARRAY:
        source->rest = value;
        return APR_SUCCESS;
    case WF_JSON_OBJECT:
        source->row.json = value;
        source->single = 1;
        return APR_SUCCESS;
    case WF_JSON_NULL:
        source->rest = wf_slice("[]");
        return APR_SUCCESS;
    default:
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_MAPPING,
                             "action \"%s\" writes an array, an object or null; this is neither",
                             source->context->action);
    }
}

apr_status_t wf_source_open(wf_source_t **out, const wf_write_spec_t *spec,
                            const wf_action_context_t *context, wf_result_t *result,
                            apr_pool_t *pool)
{
    wf_source_t *source = apr_pcalloc(pool, sizeof(*source));

    *out = source;
    source->context = context;
    return spec->source ? open_query(source, spec, result, pool)
                        : open_json(source, spec, result, pool);
}

static apr_status_t next_of_query(const wf_row_t **row, wf_source_t *source, wf_result_t *result)
{
    apr_status_t rv = wf_sql_next(row, source->prepared, result);

    if (rv == APR_EOF && source->copied) {
        wf_sql_end(source->prepared);
        /* It goes with the connection otherwise. */
        wf_sql_run(source->copied, "DROP TABLE " SNAPSHOT, NULL);
        source->copied = NULL;
    }
    return rv;
}

apr_status_t wf_source_next(const wf_row_t **row, wf_source_t *source, wf_result_t *result)
{
    if (source->prepared) {
        return next_of_query(row, source, result);
    }
    if (wf_action_may_go_on(source->context) != APR_SUCCESS) {
        return WF_ECANCELLED;
    }
    *row = &source->row;
    if (source->single) {
        source->single = 0;
        source->rest = wf_slice("[]");
        return APR_SUCCESS;
    }
    return wf_json_next(&source->row.json, &source->rest);
}
