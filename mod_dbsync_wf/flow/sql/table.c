/* SPDX-License-Identifier: Apache-2.0 */
/* Names looked up in a database's catalogue. */
#include "flow/sql/table.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include "flow/sql/driver.h"

#define NAMES_SHOWN  30
#define COLUMNS_MOST 4096

/* One or two columns of texts. */
typedef struct listing_t {
    apr_array_header_t *names; /* wf_slice_t */
    apr_array_header_t *types; /* const char * */
} listing_t;

/* A name of the project's, in the parts that a dot separates. */
typedef struct object_t {
    const char *schema; /* NULL: what a bare name means */
    const char *table;
} object_t;

static object_t split_object(const char *object, apr_pool_t *pool)
{
    const char *dot = strchr(object, '.');
    object_t parts = {NULL, object};

    if (dot) {
        parts.schema = apr_pstrmemdup(pool, object, (apr_size_t)(dot - object));
        parts.table = dot + 1;
    }
    return parts;
}

static wf_value_t text_value(const char *text)
{
    return (wf_value_t){text ? WF_VALUE_TEXT : WF_VALUE_NULL, wf_slice(text)};
}

static apr_status_t read_listing(listing_t *listing, wf_sql_t *sql, const char *text,
                                 const object_t *object, wf_result_t *result, apr_pool_t *pool)
{
    const wf_value_t values[2] = {text_value(object->schema), text_value(object->table)};
    wf_sql_prepared_t *prepared;
    const wf_row_t *row;
    apr_status_t rv = wf_sql_prepare(&prepared, sql, text, 2, result, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    listing->names = apr_array_make(pool, 16, sizeof(wf_slice_t));
    listing->types = apr_array_make(pool, 16, sizeof(const char *));
    rv = wf_sql_query(prepared, values, result);
    while (rv == APR_SUCCESS && listing->names->nelts < COLUMNS_MOST &&
           (rv = wf_sql_next(&row, prepared, result)) == APR_SUCCESS) {
        APR_ARRAY_PUSH(listing->names, wf_slice_t) = wf_slice_dup(row->values[0].text, pool);
        APR_ARRAY_PUSH(listing->types, const char *) =
            row->count > 1 ? wf_slice_dup(row->values[1].text, pool).data : "";
    }
    wf_sql_end(prepared);
    wf_sql_finish(prepared);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static int equal_but_for_case(wf_slice_t a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

/* The one name, of many, that is meant; -1 where none is, or more than one might be. */
static int find_name(const wf_slice_t *names, int count, const char *name)
{
    int found = -1, candidates = 0;

    for (int i = 0; i < count; i++) {
        if (wf_slice_is(names[i], name)) {
            return i;
        }
        if (equal_but_for_case(names[i], name)) {
            found = i;
            candidates++;
        }
    }
    return candidates == 1 ? found : -1;
}

static const char *list_names(const wf_slice_t *names, int count, apr_pool_t *pool)
{
    wf_buf_t text = {0};
    const char *list;

    for (int i = 0; i < count && i < NAMES_SHOWN; i++) {
        wf_buf_add_text(&text, i > 0 ? ", " : "");
        wf_buf_add_slice(&text, names[i]);
    }
    wf_buf_add_text(&text, count > NAMES_SHOWN ? ", …" : count == 0 ? "none" : "");
    list = apr_pstrmemdup(pool, text.data, text.len);
    wf_buf_free(&text);
    return list;
}

/* The table's name as the catalogue spells it, where the project's differs in case. */
static apr_status_t find_spelling(object_t *object, wf_sql_t *sql, wf_result_t *result,
                                  apr_pool_t *pool)
{
    listing_t tables;
    const wf_slice_t *names;
    int number;
    apr_status_t rv = read_listing(&tables, sql, sql->driver->tables_sql, object, result, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    names = (const wf_slice_t *)(const void *)tables.names->elts;
    number = find_name(names, tables.names->nelts, object->table);
    if (number < 0) {
        return wf_result_set(result, APR_EGENERAL, WF_PROBLEM_SQL,
                             "connector \"%s\" has no table \"%s\"%s%s%s; there are: %s",
                             sql->connector, object->table, object->schema ? " in schema \"" : "",
                             object->schema ? object->schema : "", object->schema ? "\"" : "",
                             list_names(names, tables.names->nelts, pool));
    }
    object->table = names[number].data;
    return APR_SUCCESS;
}

static const char *quote_object(const wf_sql_t *sql, const object_t *object, apr_pool_t *pool)
{
    wf_buf_t text = {0};
    const char *quoted;

    if (object->schema) {
        wf_sql_quote_name(&text, &sql->driver->dialect, wf_slice(object->schema));
        wf_buf_add_char(&text, '.');
    }
    wf_sql_quote_name(&text, &sql->driver->dialect, wf_slice(object->table));
    quoted = apr_pstrmemdup(pool, text.data, text.len);
    wf_buf_free(&text);
    return quoted;
}

/* Where the driver knows no catalogue: what a query that finds nothing says of its columns. */
static apr_status_t ask_columns(wf_table_t *table, wf_sql_t *sql, wf_result_t *result,
                                apr_pool_t *pool)
{
    const char *text = apr_pstrcat(pool, "SELECT * FROM ", table->quoted, " WHERE 1 = 0", NULL);
    wf_sql_prepared_t *prepared;
    const wf_row_t *row = NULL;
    wf_slice_t *columns;
    const char **types;
    apr_status_t rv = wf_sql_prepare(&prepared, sql, text, 0, result, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = wf_sql_query(prepared, NULL, result);
    if (rv == APR_SUCCESS) {
        rv = wf_sql_next(&row, prepared, result);
    }
    if (rv == APR_EOF) {
        table->column_count = row->count;
        columns = apr_pcalloc(pool, sizeof(*columns) * ((apr_size_t)row->count + 1));
        types = apr_pcalloc(pool, sizeof(*types) * ((apr_size_t)row->count + 1));
        for (int i = 0; i < row->count; i++) {
            columns[i] = wf_slice_dup(row->names[i], pool);
            types[i] = "";
        }
        table->columns = columns;
        table->types = types;
        rv = APR_SUCCESS;
    }
    wf_sql_end(prepared);
    wf_sql_finish(prepared);
    return rv;
}

apr_status_t wf_table_find(wf_table_t *table, wf_sql_t *sql, const char *name, wf_result_t *result,
                           apr_pool_t *pool)
{
    object_t object = split_object(name, pool);
    listing_t columns;
    apr_status_t rv;

    memset(table, 0, sizeof(*table));
    if (!sql->driver->columns_sql) {
        table->quoted = quote_object(sql, &object, pool);
        return ask_columns(table, sql, result, pool);
    }
    rv = read_listing(&columns, sql, sql->driver->columns_sql, &object, result, pool);
    if (rv == APR_SUCCESS && columns.names->nelts == 0) {
        rv = find_spelling(&object, sql, result, pool);
        if (rv == APR_SUCCESS) {
            rv = read_listing(&columns, sql, sql->driver->columns_sql, &object, result, pool);
        }
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    table->quoted = quote_object(sql, &object, pool);
    table->column_count = columns.names->nelts;
    table->columns = (const wf_slice_t *)(const void *)columns.names->elts;
    table->types = (const char *const *)(const void *)columns.types->elts;
    return APR_SUCCESS;
}

int wf_table_column(const wf_table_t *table, const char *name)
{
    return find_name(table->columns, table->column_count, name);
}

const char *wf_table_list(const wf_table_t *table, apr_pool_t *pool)
{
    return list_names(table->columns, table->column_count, pool);
}
