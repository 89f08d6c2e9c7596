/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "query": reads rows.
 *
 *   {"action": "query", "connector": "crm", "sql": "SELECT id, name FROM customer WHERE city =
 * :city", "params": {"city": "{{address/city}}"}, "into": "customers"}
 *
 * Its result is an array of objects; with "first": true the first row alone, null where there is
 * none. "memtable": {"name": "rates", "key": "code"} fills a table in memory for MEMLOOKUP, and
 * the result is {"rows": n}. "max" bounds the rows: more than that is an error.
 */
#include <apr_strings.h>
#include "flow/action.h"
#include "flow/sql/connector.h"
#include "flow/sql/params.h"

#define ROWS_DEFAULT 10000
#define ROWS_MOST    10000000
#define BYTES_MOST   (64 * 1024 * 1024) /* of a result, or a table in memory */

static const char *const members[] = {"connector", "sql",      "params", "first",
                                      "max",       "memtable", NULL};

typedef struct spec_t {
    const wf_connector_t *connector;
    wf_call_t call;
    int first;
    apr_int64_t max;
    const char *memtable; /* NULL: none */
    const char *key;      /* the column */
} spec_t;

/* What is made of the rows. */
typedef struct gather_t {
    const spec_t *spec;
    const wf_action_context_t *context;
    wf_buf_t *json;
    wf_memtable_t *table;
    int key; /* the column's number, -1 until the first row */
    apr_int64_t rows;
} gather_t;

static apr_status_t parse_memtable(spec_t *spec, const wf_check_t *at)
{
    static const char *const allowed[] = {"name", "key", NULL};
    const json_t *object = NULL;
    wf_check_t place = *at;
    apr_status_t rv = wf_check_object(&object, at, "memtable", WF_OPTIONAL);

    if (rv != APR_SUCCESS || !object) {
        return rv;
    }
    if (spec->first) {
        return wf_check_error(at, "memtable", "cannot be there beside \"first\"");
    }
    place.object = object;
    place.path = apr_pstrcat(at->pool, at->path, "/memtable", NULL);
    rv = wf_check_members(&place, allowed, NULL);
    if (rv == APR_SUCCESS) {
        rv = wf_check_string(&spec->memtable, &place, "name", WF_REQUIRED);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_string(&spec->key, &place, "key", WF_REQUIRED);
    }
    return rv;
}

static apr_status_t parse_query(void **out, const wf_check_t *at, const wf_loader_t *loader)
{
    spec_t *spec = apr_pcalloc(at->pool, sizeof(*spec));
    const wf_sql_dialect_t *dialect = NULL;
    apr_status_t rv = wf_sql_connector_check(&spec->connector, &dialect, at, loader, "connector");

    *out = spec;
    spec->max = ROWS_DEFAULT;
    if (rv == APR_SUCCESS) {
        rv = wf_call_check(&spec->call, at, dialect, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_bool(&spec->first, at, "first", WF_OPTIONAL);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_integer(&spec->max, at, "max", WF_OPTIONAL, 1, ROWS_MOST);
    }
    return rv == APR_SUCCESS ? parse_memtable(spec, at) : rv;
}

/* ---- a row ---- */

static apr_status_t add_to_table(gather_t *gather, const wf_row_t *row, wf_result_t *result)
{
    wf_buf_t key = {0};

    for (int i = 0; i < row->count && gather->key < 0; i++) {
        if (wf_slice_is(row->names[i], gather->spec->key)) {
            gather->key = i;
        }
    }
    if (gather->key < 0) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_SQL,
                             "the query of action \"%s\" has no column \"%s\", which \"memtable\" "
                             "names",
                             gather->context->action, gather->spec->key);
    }
    wf_buf_reset(gather->json);
    wf_row_json(gather->json, row);
    wf_value_text(&key, row->values[gather->key]);
    wf_memtable_add(gather->table, wf_buf_slice(&key), wf_buf_slice(gather->json));
    wf_buf_free(&key);
    return APR_SUCCESS;
}

static apr_size_t size_of(const gather_t *gather)
{
    return gather->table ? wf_memtable_bytes(gather->table) : gather->json->len;
}

static apr_status_t add_row(gather_t *gather, const wf_row_t *row, wf_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    if (gather->rows == gather->spec->max) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_ROWS,
                             "the query of action \"%s\" has more than %" APR_INT64_T_FMT
                             " rows; raise \"max\", or copy rows by \"write\", which keeps none",
                             gather->context->action, gather->spec->max);
    }
    if (gather->table) {
        rv = add_to_table(gather, row, result);
    } else {
        if (!gather->spec->first) {
            wf_buf_add_char(gather->json, gather->rows > 0 ? ',' : '[');
        }
        wf_row_json(gather->json, row);
    }
    gather->rows++;
    if (rv == APR_SUCCESS && size_of(gather) > BYTES_MOST) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_ROWS,
                             "the rows of action \"%s\" take more than %d bytes",
                             gather->context->action, BYTES_MOST);
    }
    return rv;
}

static apr_status_t read_rows(gather_t *gather, wf_sql_prepared_t *prepared,
                              const wf_value_t *values, wf_result_t *result)
{
    const wf_row_t *row;
    apr_status_t rv = wf_sql_query(prepared, values, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    do {
        rv = wf_sql_next(&row, prepared, result);
        if (rv == APR_SUCCESS) {
            rv = add_row(gather, row, result);
        }
    } while (rv == APR_SUCCESS && !gather->spec->first);
    wf_sql_end(prepared);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* What the result is once all rows are there. */
static void end_result(gather_t *gather)
{
    wf_json_writer_t writer;

    if (gather->table) {
        wf_buf_reset(gather->json);
        wf_json_writer_init(&writer, gather->json);
        wf_json_open(&writer, NULL, '{');
        wf_json_put_int(&writer, "rows", gather->rows);
        wf_json_close(&writer, '}');
    } else if (gather->spec->first) {
        wf_buf_add_text(gather->json, gather->rows > 0 ? "" : "null");
    } else {
        wf_buf_add_text(gather->json, gather->rows > 0 ? "]" : "[]");
    }
}

static apr_status_t execute_query(wf_action_end_t *end, const void *data,
                                  const wf_action_context_t *context, wf_result_t *result,
                                  apr_pool_t *pool)
{
    const spec_t *spec = data;
    const wf_statement_t *statement = &spec->call.statement;
    gather_t gather = {.spec = spec, .context = context, .key = -1};
    wf_sql_prepared_t *prepared = NULL;
    const wf_value_t *values = NULL;
    wf_sql_t *sql;
    apr_status_t rv = wf_call_values(&values, &spec->call, &context->scope, NULL, result, pool);

    gather.json = apr_pcalloc(pool, sizeof(*gather.json));
    wf_buf_bind(gather.json, pool);
    if (rv == APR_SUCCESS) {
        rv = wf_sql_connect(&sql, spec->connector, WF_SQL_MAIN, context, result);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_sql_prepare(&prepared, sql, statement->text, statement->place_count, result, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (spec->memtable) {
        gather.table = wf_memtable_begin(context->variables, spec->memtable);
    }
    rv = read_rows(&gather, prepared, values, result);
    wf_sql_finish(prepared);
    if (rv == APR_SUCCESS) {
        wf_records_t records = {.read = (apr_uint64_t)gather.rows};

        wf_action_count(context, &records);
        end_result(&gather);
        end->result = wf_buf_slice(gather.json);
    }
    return rv;
}

const wf_action_kind_t wf_action_query = {"query", members, parse_query, execute_query};
