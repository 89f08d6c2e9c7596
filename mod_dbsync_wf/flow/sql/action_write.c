/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "write": maps rows and inserts, updates, upserts or deletes them in a table.
 *
 *   {"action": "write", "connector": "crm", "object": "customer", "operation": "upsert",
 *    "key": ["id"], "map": {"id": "{{customerId}}", "name": "{{name}}"}}
 *
 * Its result is {"read": n, "written": n, "failed": n}. README.md has all members.
 */
#include <apr_strings.h>
#include "flow/sql/driver.h"
#include "flow/sql/table.h"
#include "flow/sql/write.h"

/* A hook's prepared statement, and where in a row its values begin. */
typedef struct hook_t {
    const wf_hook_t *spec;
    wf_sql_t *sql;
    wf_sql_prepared_t *prepared;
    int at;
    int *hints;
    wf_value_t *values;
} hook_t;

typedef struct write_t {
    const wf_write_spec_t *spec;
    const wf_action_context_t *context;
    wf_result_t *result;
    wf_scope_t scope;
    wf_target_t target;
    wf_batch_t *batch;
    wf_source_t *source;
    wf_failed_t failed;
    wf_records_t total;
    wf_records_t pending; /* read and failed, not reported yet */
    hook_t hooks[WF_HOOK_COUNT];
    int *hints;    /* of the columns' expressions */
    int marker_at; /* the marker's value in a row; -1: none */
    int marker_hint;
    wf_value_t marker; /* the greatest so far */
    wf_buf_t marker_text;
    apr_pool_t *pool;    /* of the action */
    apr_pool_t *scratch; /* of a row */
} write_t;

/* ---- before the first row ---- */

static apr_status_t find_columns(write_t *write, const wf_table_t *table)
{
    const wf_write_spec_t *spec = write->spec;
    wf_target_t *target = &write->target;
    apr_size_t count = (apr_size_t)spec->column_count;
    wf_slice_t *names = apr_pcalloc(write->pool, count * sizeof(*names));
    const char **types = apr_pcalloc(write->pool, count * sizeof(*types));
    int *is_key = apr_pcalloc(write->pool, count * sizeof(*is_key));

    for (int i = 0; i < spec->column_count; i++) {
        int number = wf_table_column(table, spec->columns[i].name);

        if (number < 0) {
            return wf_result_set(
                write->result, APR_EGENERAL, WF_PROBLEM_SQL,
                "table \"%s\" of connector \"%s\" has no column \"%s\"; it has: %s", spec->object,
                spec->connector->name, spec->columns[i].name, wf_table_list(table, write->pool));
        }
        names[i] = table->columns[number];
        types[i] = table->types[number];
        is_key[i] = spec->columns[i].is_key;
    }
    target->operation = spec->operation;
    target->table = table->quoted;
    target->column_count = spec->column_count;
    target->names = names;
    target->types = types;
    target->is_key = is_key;
    target->pool = write->pool;
    return APR_SUCCESS;
}

static apr_status_t open_target(write_t *write)
{
    wf_table_t table;
    apr_status_t rv = wf_sql_connect(&write->target.sql, write->spec->connector, WF_SQL_MAIN,
                                     write->context, write->result);

    if (rv == APR_SUCCESS) {
        rv = wf_table_find(&table, write->target.sql, write->spec->object, write->result,
                           write->pool);
    }
    return rv == APR_SUCCESS ? find_columns(write, &table) : rv;
}

static int *make_hints(int count, apr_pool_t *pool)
{
    int *hints = apr_palloc(pool, sizeof(*hints) * ((apr_size_t)count + 1));

    for (int i = 0; i < count; i++) {
        hints[i] = WF_NO_HINT;
    }
    return hints;
}

static apr_status_t open_hook(write_t *write, hook_t *hook, const wf_hook_t *spec, int *extra)
{
    const wf_statement_t *statement = &spec->call.statement;
    apr_status_t rv;

    if (!spec->connector) {
        return APR_SUCCESS;
    }
    hook->at = write->target.column_count + *extra;
    *extra += statement->param_count;
    hook->hints = make_hints(statement->param_count, write->pool);
    hook->values =
        apr_pcalloc(write->pool, sizeof(*hook->values) * ((apr_size_t)statement->place_count + 1));
    rv = wf_sql_connect(&hook->sql, spec->connector, WF_SQL_MAIN, write->context, write->result);
    if (rv == APR_SUCCESS) {
        rv = wf_sql_prepare(&hook->prepared, hook->sql, statement->text, statement->place_count,
                            write->result, write->pool);
    }
    hook->spec = rv == APR_SUCCESS ? spec : NULL;
    return rv;
}

static apr_status_t open_write(write_t *write)
{
    const wf_write_spec_t *spec = write->spec;
    int extra = 0;
    apr_status_t rv = open_target(write);

    for (int i = 0; i < WF_HOOK_COUNT && rv == APR_SUCCESS; i++) {
        rv = open_hook(write, &write->hooks[i], &spec->hooks[i], &extra);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    write->marker_at = spec->field ? write->target.column_count + extra++ : -1;
    write->marker_hint = -1;
    write->hints = make_hints(spec->column_count, write->pool);
    rv = wf_batch_open(&write->batch, &write->target, spec, extra, write->result, write->pool);
    if (rv == APR_SUCCESS) {
        rv = wf_source_open(&write->source, spec, write->context, write->result, write->pool);
    }
    return rv;
}

/* ---- a row ---- */

static apr_status_t map_hook(write_t *write, const hook_t *hook, wf_value_t *values,
                             wf_result_t *result)
{
    const wf_call_t *call = &hook->spec->call;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < call->statement.param_count && rv == APR_SUCCESS; i++) {
        values[i] = (wf_value_t){WF_VALUE_NULL, {"", 0}};
        if (i != call->reserved) {
            rv = wf_expr_value(&values[i], &call->exprs[i], &write->scope, &hook->hints[i], result,
                               write->scratch);
        }
    }
    return rv;
}

/* The value of the marker's column, which the source must have. */
static apr_status_t map_marker(write_t *write, const wf_row_t *row, wf_value_t *value)
{
    for (int i = 0; i < row->count && write->marker_hint < 0; i++) {
        if (wf_slice_is(row->names[i], write->spec->field)) {
            write->marker_hint = i;
        }
    }
    if (write->marker_hint < 0) {
        return wf_result_set(write->result, APR_EGENERAL, WF_PROBLEM_SQL,
                             "the source of action \"%s\" has no column \"%s\", which "
                             "\"incremental\" names",
                             write->context->action, write->spec->field);
    }
    *value = row->values[write->marker_hint];
    if (value->kind == WF_VALUE_TEXT &&
        wf_sql_connector_config(write->spec->source)->driver->untyped) {
        value->kind = wf_sql_number_kind(value->text);
    }
    return APR_SUCCESS;
}

/* Bytes for a column that holds no bytes, in base64. */
static void fit_bytes(const write_t *write, int column, wf_value_t *value)
{
    const char *type = wf_sql_driver_of(write->target.sql)->bytes_type;
    wf_buf_t text = {0};

    if (value->kind == WF_VALUE_BYTES && type && strcmp(write->target.types[column], type) != 0) {
        wf_value_text(&text, *value);
        value->kind = WF_VALUE_TEXT;
        value->text = wf_slice_dup(wf_buf_slice(&text), write->scratch);
        wf_buf_free(&text);
    }
}

static apr_status_t map_columns(write_t *write, wf_value_t *values, wf_result_t *result)
{
    const wf_write_spec_t *spec = write->spec;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < spec->column_count && rv == APR_SUCCESS; i++) {
        rv = wf_expr_value(&values[i], &spec->columns[i].expr, &write->scope, &write->hints[i],
                           result, write->scratch);
        if (rv == APR_SUCCESS) {
            fit_bytes(write, i, &values[i]);
        }
    }
    for (int i = 0; i < WF_HOOK_COUNT && rv == APR_SUCCESS; i++) {
        if (write->hooks[i].spec) {
            rv = map_hook(write, &write->hooks[i], values + write->hooks[i].at, result);
        }
    }
    return rv;
}

/* A row that could not even be mapped: it counts as one that the database refused. */
static apr_status_t fail_mapping(write_t *write, const wf_row_t *row, const wf_result_t *cause)
{
    wf_buf_t json = {0};

    write->pending.failed++;
    wf_row_json(&json, row);
    wf_failed_add(&write->failed, wf_buf_slice(&json), cause->detail);
    wf_buf_free(&json);
    if (write->failed.count <= (apr_uint64_t)write->spec->skip) {
        return APR_SUCCESS;
    }
    return wf_result_set(write->result, cause->status, cause->problem,
                         "row %" APR_UINT64_T_FMT ": %s", write->total.read, cause->detail);
}

static apr_status_t take_row(write_t *write, const wf_row_t *row)
{
    wf_value_t *values = wf_batch_row(write->batch);
    wf_result_t cause;
    apr_status_t rv;

    write->total.read++;
    write->pending.read++;
    write->scope.row = row;
    wf_result_init(&cause, write->scratch);
    rv = map_columns(write, values, &cause);
    if (rv != APR_SUCCESS) {
        rv = fail_mapping(write, row, &cause);
    } else {
        if (write->marker_at >= 0) {
            rv = map_marker(write, row, &values[write->marker_at]);
        }
        if (rv == APR_SUCCESS) {
            wf_batch_add(write->batch, write->total.read);
            rv = wf_batch_feed(write->batch);
        }
    }
    apr_pool_clear(write->scratch);
    return rv;
}

/* ---- a batch ---- */

static apr_status_t run_hook(hook_t *hook, const wf_value_t *row, const char *reason,
                             wf_result_t *result)
{
    const wf_call_t *call = &hook->spec->call;

    for (int i = 0; i < call->statement.place_count; i++) {
        int param = call->statement.places[i];

        hook->values[i] = param == call->reserved ? (wf_value_t){WF_VALUE_TEXT, wf_slice(reason)}
                                                  : row[hook->at + param];
    }
    return wf_sql_execute(NULL, hook->prepared, hook->values, result);
}

/* The statement for each row that was written, or that failed, in one transaction. */
static apr_status_t run_hooks(write_t *write, int which)
{
    hook_t *hook = &write->hooks[which];
    int count = 0;
    apr_status_t rv = APR_SUCCESS;

    if (!hook->spec) {
        return APR_SUCCESS;
    }
    for (int i = 0; i < wf_batch_count(write->batch) && rv == APR_SUCCESS; i++) {
        const char *reason = wf_batch_reason(write->batch, i);

        if ((reason != NULL) != (which == WF_HOOK_FAILURE)) {
            continue;
        }
        rv = count++ == 0 ? wf_sql_begin(hook->sql, write->result) : APR_SUCCESS;
        if (rv == APR_SUCCESS) {
            rv = run_hook(hook, wf_batch_at(write->batch, i), reason, write->result);
        }
    }
    if (count > 0 && rv == APR_SUCCESS) {
        rv = wf_sql_commit(hook->sql, write->result);
    }
    if (count > 0 && rv != APR_SUCCESS) {
        wf_sql_rollback(hook->sql);
    }
    return rv;
}

/* Keeps the greatest marker of the rows that were written. */
static void move_marker(write_t *write)
{
    const wf_value_t *greatest = &write->marker;

    for (int i = 0; write->marker_at >= 0 && i < wf_batch_count(write->batch); i++) {
        const wf_value_t *value = wf_batch_at(write->batch, i) + write->marker_at;

        if (!wf_batch_reason(write->batch, i) && wf_marker_is_greater(value, greatest)) {
            greatest = value;
        }
    }
    if (greatest != &write->marker) {
        wf_buf_reset(&write->marker_text);
        wf_buf_add_slice(&write->marker_text, greatest->text);
        write->marker.kind = greatest->kind;
        write->marker.text = wf_buf_slice(&write->marker_text);
    }
}

static void report(write_t *write, const wf_batch_end_t *end)
{
    write->pending.written = end->written;
    write->pending.failed += end->failed;
    write->total.written += end->written;
    write->total.failed += write->pending.failed;
    wf_action_count(write->context, &write->pending);
    memset(&write->pending, 0, sizeof(write->pending));
}

static apr_status_t flush_batch(write_t *write)
{
    wf_batch_end_t end = {0};
    apr_status_t rv = APR_SUCCESS;

    if (wf_batch_count(write->batch) > 0) {
        rv = wf_batch_write(&end, write->batch, &write->failed, write->result);
    }
    report(write, &end);
    if (rv == APR_SUCCESS) {
        move_marker(write);
        rv = run_hooks(write, WF_HOOK_SUCCESS);
    }
    /* The row that stops all of it is told of, too. */
    if (rv == APR_SUCCESS || (end.failed > 0 && rv == APR_EGENERAL)) {
        apr_status_t told = run_hooks(write, WF_HOOK_FAILURE);

        rv = rv == APR_SUCCESS ? told : rv;
    }
    wf_batch_clear(write->batch);
    return rv;
}

static apr_status_t write_rows(write_t *write)
{
    const wf_row_t *row;
    apr_status_t rv;

    while ((rv = wf_source_next(&row, write->source, write->result)) == APR_SUCCESS) {
        rv = take_row(write, row);
        if (rv == APR_SUCCESS && wf_batch_is_full(write->batch)) {
            rv = flush_batch(write);
        }
        if (rv != APR_SUCCESS) {
            break;
        }
    }
    if (rv != APR_EOF) {
        wf_batch_drop(write->batch);
        report(write, &(wf_batch_end_t){0});
        return rv;
    }
    return flush_batch(write);
}

/* ---- the end ---- */

static void set_marker(write_t *write)
{
    wf_buf_t json = {0};

    if (write->marker_at >= 0 && write->marker.kind != WF_VALUE_NULL) {
        wf_value_json(&json, write->marker);
        wf_action_marker_set(write->context, write->context->action, wf_buf_slice(&json));
        wf_buf_free(&json);
    }
}

static void put_result(write_t *write, wf_action_end_t *end, apr_pool_t *pool)
{
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));
    wf_json_writer_t writer;

    wf_buf_bind(json, pool);
    wf_json_writer_init(&writer, json);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_int(&writer, "read", (apr_int64_t)write->total.read);
    wf_json_put_int(&writer, "written", (apr_int64_t)write->total.written);
    wf_json_put_int(&writer, "failed", (apr_int64_t)write->total.failed);
    wf_json_close(&writer, '}');
    end->result = wf_buf_slice(json);
    wf_json_put_raw(end->details, "records", end->result);
    wf_failed_put(&write->failed, end->details);
}

static apr_status_t execute_write(wf_action_end_t *end, const void *data,
                                  const wf_action_context_t *context, wf_result_t *result,
                                  apr_pool_t *pool)
{
    write_t write = {.spec = data, .context = context, .result = result, .scope = context->scope};
    apr_status_t rv;

    /* Whatever was prepared goes with it, while the connections are still there. */
    apr_pool_create(&write.pool, pool);
    apr_pool_tag(write.pool, "wf_write");
    apr_pool_create(&write.scratch, write.pool);
    apr_pool_tag(write.scratch, "wf_write_row");
    wf_buf_bind(&write.failed.json, write.pool);
    wf_buf_bind(&write.marker_text, write.pool);
    rv = open_write(&write);
    if (rv == APR_SUCCESS) {
        rv = write_rows(&write);
    }
    if (rv == APR_SUCCESS) {
        set_marker(&write);
    }
    put_result(&write, end, pool);
    apr_pool_destroy(write.pool);
    return rv;
}

const wf_action_kind_t wf_action_write = {"write", wf_write_members, wf_write_parse, execute_write};
