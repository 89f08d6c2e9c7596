/* SPDX-License-Identifier: Apache-2.0 */
/* Rows written one by one, with prepared statements; and the pieces that statements are made of. */
#include "flow/sql/bulk.h"

#include <apr_strings.h>
#include "flow/sql/driver.h"

/* A prepared statement, and which column of a row each of its places takes. */
typedef struct step_t {
    wf_sql_prepared_t *prepared;
    int *columns;
    wf_value_t *values;
    int count;
} step_t;

typedef struct rowwise_t {
    const wf_target_t *target;
    step_t first;
    step_t second; /* of an upsert in two steps: where the first one found no row */
} rowwise_t;

const wf_bulk_kind_t *wf_bulk_of(const wf_sql_t *sql)
{
    return sql->driver->bulk ? sql->driver->bulk : &wf_rowwise;
}

static int is_one(const wf_target_t *target, int column, wf_columns_e which)
{
    switch (which) {
    case WF_COLUMNS_KEY:
        return target->is_key[column];
    case WF_COLUMNS_OTHER:
        return !target->is_key[column];
    default:
        return 1;
    }
}

int wf_target_count(const wf_target_t *target, wf_columns_e which)
{
    int count = 0;

    for (int i = 0; i < target->column_count; i++) {
        count += is_one(target, i, which);
    }
    return count;
}

void wf_target_columns(wf_buf_t *out, const wf_target_t *target, wf_columns_e which,
                       const char *prefix)
{
    const char *comma = "";

    for (int i = 0; i < target->column_count; i++) {
        if (is_one(target, i, which)) {
            wf_buf_add_text(out, comma);
            wf_buf_add_text(out, prefix);
            wf_sql_quote_name(out, wf_sql_dialect(target->sql), target->names[i]);
            comma = ", ";
        }
    }
}

void wf_target_pairs(wf_buf_t *out, const wf_target_t *target, wf_columns_e which,
                     const char *between, const char *left, const char *before, const char *after)
{
    const wf_sql_dialect_t *dialect = wf_sql_dialect(target->sql);
    const char *gap = "";

    for (int i = 0; i < target->column_count; i++) {
        if (is_one(target, i, which)) {
            wf_buf_add_text(out, gap);
            wf_buf_add_text(out, left);
            wf_sql_quote_name(out, dialect, target->names[i]);
            wf_buf_add_text(out, " = ");
            wf_buf_add_text(out, before);
            wf_sql_quote_name(out, dialect, target->names[i]);
            wf_buf_add_text(out, after);
            gap = between;
        }
    }
}

/* Appends a place, and notes which column it takes. */
static void add_place(wf_buf_t *out, step_t *step, const wf_target_t *target, int column)
{
    step->columns[step->count++] = column;
    wf_sql_place(out, wf_sql_dialect(target->sql), step->count);
}

/* "column = place" for columns. */
static void add_places(wf_buf_t *out, step_t *step, const wf_target_t *target, wf_columns_e which,
                       const char *between)
{
    const char *gap = "";

    for (int i = 0; i < target->column_count; i++) {
        if (is_one(target, i, which)) {
            wf_buf_add_text(out, gap);
            wf_sql_quote_name(out, wf_sql_dialect(target->sql), target->names[i]);
            wf_buf_add_text(out, " = ");
            add_place(out, step, target, i);
            gap = between;
        }
    }
}

static void spell_insert(wf_buf_t *out, step_t *step, const wf_target_t *target)
{
    wf_buf_add_text(out, "INSERT INTO ");
    wf_buf_add_text(out, target->table);
    wf_buf_add_text(out, " (");
    wf_target_columns(out, target, WF_COLUMNS_ALL, "");
    wf_buf_add_text(out, ") VALUES (");
    for (int i = 0; i < target->column_count; i++) {
        wf_buf_add_text(out, i > 0 ? ", " : "");
        add_place(out, step, target, i);
    }
    wf_buf_add_char(out, ')');
}

static void spell_conflict(wf_buf_t *out, const wf_target_t *target)
{
    wf_buf_add_text(out, " ON CONFLICT (");
    wf_target_columns(out, target, WF_COLUMNS_KEY, "");
    wf_buf_add_text(out, ") DO ");
    if (wf_target_count(target, WF_COLUMNS_OTHER) == 0) {
        wf_buf_add_text(out, "NOTHING");
        return;
    }
    wf_buf_add_text(out, "UPDATE SET ");
    wf_target_pairs(out, target, WF_COLUMNS_OTHER, ", ", "", "excluded.", "");
}

/* A key alone is there already, and stays as it is. */
static void spell_duplicate(wf_buf_t *out, const wf_target_t *target)
{
    int others = wf_target_count(target, WF_COLUMNS_OTHER);

    wf_buf_add_text(out, " ON DUPLICATE KEY UPDATE ");
    if (others > 0) {
        wf_target_pairs(out, target, WF_COLUMNS_OTHER, ", ", "", "VALUES(", ")");
    } else {
        wf_target_pairs(out, target, WF_COLUMNS_KEY, ", ", "", "", "");
    }
}

static void spell_update(wf_buf_t *out, step_t *step, const wf_target_t *target)
{
    int others = wf_target_count(target, WF_COLUMNS_OTHER);

    wf_buf_add_text(out, "UPDATE ");
    wf_buf_add_text(out, target->table);
    wf_buf_add_text(out, " SET ");
    add_places(out, step, target, others > 0 ? WF_COLUMNS_OTHER : WF_COLUMNS_KEY, ", ");
    wf_buf_add_text(out, " WHERE ");
    add_places(out, step, target, WF_COLUMNS_KEY, " AND ");
}

static void spell_delete(wf_buf_t *out, step_t *step, const wf_target_t *target)
{
    wf_buf_add_text(out, "DELETE FROM ");
    wf_buf_add_text(out, target->table);
    wf_buf_add_text(out, " WHERE ");
    add_places(out, step, target, WF_COLUMNS_KEY, " AND ");
}

void wf_target_upsert(wf_buf_t *out, const wf_target_t *target)
{
    if (wf_sql_dialect(target->sql)->upsert == WF_UPSERT_CONFLICT) {
        spell_conflict(out, target);
    } else {
        spell_duplicate(out, target);
    }
}

static void spell_upsert(wf_buf_t *out, step_t *step, const wf_target_t *target)
{
    if (wf_sql_dialect(target->sql)->upsert == WF_UPSERT_TWO_STEPS) {
        spell_update(out, step, target);
        return;
    }
    spell_insert(out, step, target);
    wf_target_upsert(out, target);
}

static void spell(wf_buf_t *out, step_t *step, const wf_target_t *target)
{
    switch (target->operation) {
    case WF_WRITE_INSERT:
        spell_insert(out, step, target);
        break;
    case WF_WRITE_UPDATE:
        spell_update(out, step, target);
        break;
    case WF_WRITE_UPSERT:
        spell_upsert(out, step, target);
        break;
    default:
        spell_delete(out, step, target);
    }
}

static apr_status_t prepare_step(step_t *step, const wf_target_t *target,
                                 void (*speller)(wf_buf_t *, step_t *, const wf_target_t *),
                                 wf_result_t *result)
{
    /* An update that has keys alone names each twice. */
    apr_size_t most = 2 * (apr_size_t)target->column_count;
    wf_buf_t text = {0};
    const char *statement;

    step->columns = apr_pcalloc(target->pool, most * sizeof(*step->columns));
    step->values = apr_pcalloc(target->pool, most * sizeof(*step->values));
    speller(&text, step, target);
    statement = apr_pstrmemdup(target->pool, text.data, text.len);
    wf_buf_free(&text);
    return wf_sql_prepare(&step->prepared, target->sql, statement, step->count, result,
                          target->pool);
}

static apr_status_t open_rowwise(void **bulk, const wf_target_t *target, wf_result_t *result)
{
    rowwise_t *made = apr_pcalloc(target->pool, sizeof(*made));
    int two_steps = target->operation == WF_WRITE_UPSERT &&
                    wf_sql_dialect(target->sql)->upsert == WF_UPSERT_TWO_STEPS;
    apr_status_t rv;

    *bulk = made;
    made->target = target;
    rv = prepare_step(&made->first, target, spell, result);
    if (rv == APR_SUCCESS && two_steps) {
        rv = prepare_step(&made->second, target, spell_insert, result);
    }
    return rv;
}

static apr_status_t execute_step(apr_int64_t *affected, step_t *step, const wf_value_t *row,
                                 wf_result_t *result)
{
    for (int i = 0; i < step->count; i++) {
        step->values[i] = row[step->columns[i]];
    }
    return wf_sql_execute(affected, step->prepared, step->values, result);
}

static apr_status_t write_rowwise(apr_int64_t *affected, void *bulk, const wf_rows_t *rows,
                                  wf_result_t *result)
{
    rowwise_t *rowwise = bulk;
    apr_status_t rv = APR_SUCCESS;

    *affected = 0;
    for (int i = 0; i < rows->count && rv == APR_SUCCESS; i++) {
        const wf_value_t *row = wf_rows_at(rows, i);
        apr_int64_t count = 0;

        rv = execute_step(&count, &rowwise->first, row, result);
        if (rv == APR_SUCCESS && count == 0 && rowwise->second.prepared) {
            rv = execute_step(&count, &rowwise->second, row, result);
        }
        *affected += count;
    }
    return rv;
}

const wf_bulk_kind_t wf_rowwise = {open_rowwise, write_rowwise, 1, NULL, NULL};
