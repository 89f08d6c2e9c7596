/* SPDX-License-Identifier: Apache-2.0 */
/* Many rows into a table of MySQL: one statement for a hundred of them. */
#include "flow/sql/mysql.h"

#include <apr_strings.h>

#define ROWS        100
#define PLACES_MOST 65535 /* of a prepared statement */

typedef struct bulk_t {
    const wf_target_t *target;
    void *rowwise;
    wf_sql_prepared_t *prepared; /* NULL: rows are written one by one */
    wf_value_t *values;
} bulk_t;

static const char *spell(const wf_target_t *target)
{
    wf_buf_t text = {0};
    const char *statement;

    wf_buf_add_text(&text, "INSERT INTO ");
    wf_buf_add_text(&text, target->table);
    wf_buf_add_text(&text, " (");
    wf_target_columns(&text, target, WF_COLUMNS_ALL, "");
    wf_buf_add_text(&text, ") VALUES ");
    for (int row = 0; row < ROWS; row++) {
        wf_buf_add_text(&text, row > 0 ? ", (?" : "(?");
        for (int i = 1; i < target->column_count; i++) {
            wf_buf_add_text(&text, ", ?");
        }
        wf_buf_add_char(&text, ')');
    }
    if (target->operation == WF_WRITE_UPSERT) {
        wf_target_upsert(&text, target);
    }
    statement = apr_pstrmemdup(target->pool, text.data, text.len);
    wf_buf_free(&text);
    return statement;
}

static apr_status_t open_bulk(void **out, const wf_target_t *target, wf_result_t *result)
{
    bulk_t *bulk = apr_pcalloc(target->pool, sizeof(*bulk));
    int places = ROWS * target->column_count;
    apr_status_t rv = wf_rowwise.open(&bulk->rowwise, target, result);

    *out = bulk;
    bulk->target = target;
    if (rv != APR_SUCCESS || places > PLACES_MOST ||
        (target->operation != WF_WRITE_INSERT && target->operation != WF_WRITE_UPSERT)) {
        return rv;
    }
    bulk->values = apr_pcalloc(target->pool, sizeof(*bulk->values) * (apr_size_t)places);
    return wf_sql_prepare(&bulk->prepared, target->sql, spell(target), places, result,
                          target->pool);
}

static apr_status_t write_bulk(apr_int64_t *affected, void *data, const wf_rows_t *rows,
                               wf_result_t *result)
{
    bulk_t *bulk = data;
    int columns = bulk->target->column_count;

    if (!bulk->prepared || rows->count < ROWS) {
        return wf_rowwise.write(affected, bulk->rowwise, rows, result);
    }
    for (int i = 0; i < ROWS; i++) {
        memcpy(bulk->values + (apr_size_t)i * (apr_size_t)columns, wf_rows_at(rows, i),
               sizeof(*bulk->values) * (apr_size_t)columns);
    }
    return wf_sql_execute(affected, bulk->prepared, bulk->values, result);
}

const wf_bulk_kind_t wf_mysql_bulk = {open_bulk, write_bulk, ROWS, NULL, NULL};
