/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many rows into a table of PostgreSQL, by COPY.
 *
 * Rows to insert are copied into the table itself. Others are copied into a temporary table of the
 * same columns, and merged by one statement; an upsert tries the table itself first, for as long as
 * the rows are new. A few rows take one prepared statement each.
 */
#include "flow/sql/pgsql.h"

#define FEW_ROWS    20          /* up to which COPY does not pay */
#define PIECE       (64 * 1024) /* bytes handed to libpq at a time */
#define PAUSE_LEAST 16          /* batches until an upsert tries the table itself again, */
#define MERGE_WAIT  32          /* batches without a look at what is there already */
#define PAUSE_MOST  1024        /* doubled each time that this was in vain */

/* What rows are being copied into, ahead of their write. */
typedef enum { WAY_NONE, WAY_DIRECT, WAY_STAGE } way_e;

typedef struct bulk_t {
    const wf_target_t *target;
    wf_pgsql_statements_t statements;
    void *rowwise;
    int no_direct;       /* the table itself takes no COPY */
    int pause;           /* batches for which an upsert leaves the table itself alone */
    int wait;            /* those that are left of them */
    int merge_wait;      /* batches for which what is there already is not looked at */
    int has_stage;       /* whether it could be made: -1 is no, 0 not known yet */
    apr_uint64_t filled; /* the transaction in which it was filled last */
    int key;             /* the one column of the key; -1: there are more */
    way_e way;
    int sent; /* rows that were copied ahead */
    wf_buf_t text;
} bulk_t;

static apr_status_t open_bulk(void **out, const wf_target_t *target, wf_result_t *result)
{
    bulk_t *bulk = apr_pcalloc(target->pool, sizeof(*bulk));

    *out = bulk;
    bulk->target = target;
    bulk->pause = PAUSE_LEAST;
    bulk->key = -1;
    for (int i = 0; i < target->column_count; i++) {
        if (target->is_key[i] && wf_target_count(target, WF_COLUMNS_KEY) == 1) {
            bulk->key = i;
        }
    }
    wf_buf_bind(&bulk->text, target->pool);
    wf_pgsql_spell(&bulk->statements, target);
    return wf_rowwise.open(&bulk->rowwise, target, result);
}

/* ---- COPY's text format (PostgreSQL's manual, COPY, "Text Format") ---- */

static char escape_of(char c)
{
    switch (c) {
    case '\\':
        return '\\';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

static void add_text(wf_buf_t *out, wf_slice_t text)
{
    char *to = wf_buf_reserve(out, 2 * text.len + 1);
    char *start = to;

    for (apr_size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        char escape = c == '\\' || (unsigned char)c < 0x20 ? escape_of(c) : '\0';

        if (escape) {
            *to++ = '\\';
            c = escape;
        }
        *to++ = c;
    }
    out->len += (apr_size_t)(to - start);
}

static void add_bytes(wf_buf_t *out, wf_slice_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *to = wf_buf_reserve(out, 2 * bytes.len + 3);

    *to++ = '\\';
    *to++ = '\\';
    *to++ = 'x';
    for (apr_size_t i = 0; i < bytes.len; i++) {
        *to++ = digits[(unsigned char)bytes.data[i] >> 4];
        *to++ = digits[(unsigned char)bytes.data[i] & 15];
    }
    out->len += 2 * bytes.len + 3;
}

static void add_value(wf_buf_t *out, const wf_value_t *value)
{
    switch (value->kind) {
    case WF_VALUE_NULL:
        wf_buf_add(out, "\\N", 2);
        break;
    case WF_VALUE_BYTES:
        add_bytes(out, value->text);
        break;
    default:
        add_text(out, value->text);
    }
}

static void add_row(wf_buf_t *out, const bulk_t *bulk, const wf_value_t *row)
{
    for (int i = 0; i < bulk->target->column_count; i++) {
        if (i > 0) {
            wf_buf_add_char(out, '\t');
        }
        add_value(out, &row[i]);
    }
    wf_buf_add_char(out, '\n');
}

/* ---- writing ---- */

static apr_status_t send_piece(bulk_t *bulk)
{
    wf_sql_t *sql = bulk->target->sql;
    int rc = PQputCopyData(sql->native, bulk->text.data, (int)bulk->text.len);

    wf_buf_reset(&bulk->text);
    return rc < 0 ? wf_pgsql_fail(sql, NULL) : wf_pgsql_flush(sql);
}

static apr_status_t send_rows(bulk_t *bulk, const wf_rows_t *rows)
{
    apr_status_t rv = APR_SUCCESS;

    wf_buf_reset(&bulk->text);
    for (int i = 0; i < rows->count && rv == APR_SUCCESS; i++) {
        add_row(&bulk->text, bulk, wf_rows_at(rows, i));
        if (bulk->text.len >= PIECE) {
            rv = send_piece(bulk);
        }
    }
    return rv == APR_SUCCESS && bulk->text.len > 0 ? send_piece(bulk) : rv;
}

/* Waits until the server takes rows, or says why it does not. */
static apr_status_t begin_copy(wf_sql_t *sql, const char *text)
{
    PGresult *result = NULL;
    ExecStatusType status;
    apr_status_t rv;

    if (!PQsendQuery(sql->native, text)) {
        return wf_pgsql_fail(sql, NULL);
    }
    rv = wf_pgsql_flush(sql);
    if (rv == APR_SUCCESS) {
        rv = wf_pgsql_result(&result, sql);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    status = PQresultStatus(result);
    if (status != PGRES_COPY_IN) {
        wf_pgsql_fail(sql, result);
        PQclear(result);
        wf_pgsql_finish(NULL, sql);
        return APR_EGENERAL;
    }
    PQclear(result);
    return APR_SUCCESS;
}

static wf_rows_t rows_from(const wf_rows_t *rows, int from)
{
    return (wf_rows_t){rows->count - from, rows->stride, wf_rows_at(rows, from)};
}

/* Copies rows, or what is left of them where some were sent ahead. */
static apr_status_t copy_rows(apr_int64_t *affected, bulk_t *bulk, const char *text,
                              const wf_rows_t *rows)
{
    wf_sql_t *sql = bulk->target->sql;
    wf_rows_t rest = rows_from(rows, bulk->sent);
    apr_status_t rv = bulk->way == WAY_NONE ? begin_copy(sql, text) : APR_SUCCESS;

    bulk->way = WAY_NONE;
    bulk->sent = 0;
    if (rv == APR_SUCCESS) {
        rv = send_rows(bulk, &rest);
    } else if (rv == APR_EGENERAL) {
        return rv;
    }
    if (rv == WF_ECANCELLED) {
        wf_pgsql_stop(sql);
        return rv;
    }
    if (rv == APR_SUCCESS && PQputCopyEnd(sql->native, NULL) < 0) {
        rv = wf_pgsql_fail(sql, NULL);
    }
    return rv == APR_SUCCESS ? wf_pgsql_finish(affected, sql) : rv;
}

static apr_status_t run(apr_int64_t *affected, bulk_t *bulk, const char *text)
{
    return wf_pgsql_run(affected, bulk->target->sql, text);
}

/* Takes back what was done since the savepoint; why it failed stays known. */
static apr_status_t undo(bulk_t *bulk)
{
    wf_sql_t *sql = bulk->target->sql;
    wf_sql_fault_e fault = sql->fault;
    apr_status_t rv = run(NULL, bulk, "ROLLBACK TO SAVEPOINT wf_part");

    sql->fault = fault;
    return rv;
}

/*
 * Copies rows into the table itself. APR_INCOMPLETE where it did not take them, and nothing has
 * changed: there are some of these keys already, or it is no table to copy into.
 */
static apr_status_t copy_direct(apr_int64_t *affected, bulk_t *bulk, const wf_rows_t *rows)
{
    wf_sql_t *sql = bulk->target->sql;
    apr_status_t rv = bulk->way == WAY_NONE ? run(NULL, bulk, "SAVEPOINT wf_part") : APR_SUCCESS;

    if (rv == APR_SUCCESS) {
        rv = copy_rows(affected, bulk, bulk->statements.copy_direct, rows);
    }
    if (rv == APR_SUCCESS) {
        return run(NULL, bulk, "RELEASE SAVEPOINT wf_part");
    }
    if (rv != APR_EGENERAL || sql->broken) {
        return rv;
    }
    if (sql->fault == WF_FAULT_STATEMENT) {
        bulk->no_direct = 1;
    } else if (bulk->target->operation == WF_WRITE_INSERT) {
        return rv;
    }
    bulk->wait = bulk->pause;
    bulk->pause = bulk->pause * 2 > PAUSE_MOST ? PAUSE_MOST : bulk->pause * 2;
    rv = undo(bulk);
    return rv == APR_SUCCESS ? APR_INCOMPLETE : rv;
}

/* Whether ON CONFLICT met two rows with one key: SQLSTATE 21000. */
static int has_twins(const wf_sql_t *sql)
{
    return strcmp(((const wf_pgsql_t *)sql->own)->state, "21000") == 0;
}

/* Whether no two rows have one key, for sure: their only key column is a whole number that grows.
 */
static int is_ascending(const bulk_t *bulk, const wf_rows_t *rows)
{
    apr_int64_t last = 0, number;

    for (int i = 0; i < rows->count && bulk->key >= 0; i++) {
        const wf_value_t *value = wf_rows_at(rows, i) + bulk->key;

        if (value->kind != WF_VALUE_NUMBER || !wf_sql_integer(&number, value->text) ||
            (i > 0 && number <= last)) {
            return 0;
        }
        last = number;
    }
    return bulk->key >= 0;
}

/* An upsert looks at what is there already as long as that spares it at least half of the rows. */
static apr_status_t merge_staged(apr_int64_t *affected, bulk_t *bulk, const wf_rows_t *rows)
{
    const wf_pgsql_statements_t *statements = &bulk->statements;
    apr_status_t rv;

    if (!statements->merge_some || bulk->merge_wait > 0) {
        bulk->merge_wait -= bulk->merge_wait > 0;
        return run(affected, bulk, statements->merge);
    }
    rv = run(affected, bulk,
             is_ascending(bulk, rows) ? statements->merge_some : statements->merge_some_last);
    if (rv == APR_SUCCESS && *affected > rows->count / 2) {
        bulk->merge_wait = MERGE_WAIT;
    }
    return rv;
}

static apr_status_t make_stage(bulk_t *bulk)
{
    apr_status_t rv = run(NULL, bulk, bulk->statements.make_stage);

    if (rv == APR_SUCCESS && bulk->filled == bulk->target->sql->transactions) {
        rv = run(NULL, bulk, bulk->statements.empty_stage);
    }
    bulk->filled = bulk->target->sql->transactions;
    return rv;
}

/* APR_INCOMPLETE where the user may not make temporary tables, and nothing has changed. */
static apr_status_t prepare_stage(bulk_t *bulk)
{
    const wf_sql_t *sql = bulk->target->sql;
    apr_status_t rv;

    if (bulk->has_stage) {
        return bulk->has_stage > 0 ? make_stage(bulk) : APR_INCOMPLETE;
    }
    rv = run(NULL, bulk, "SAVEPOINT wf_part");
    if (rv == APR_SUCCESS) {
        rv = make_stage(bulk);
        bulk->has_stage = rv == APR_SUCCESS;
    }
    if (rv == APR_EGENERAL && !sql->broken &&
        strcmp(((const wf_pgsql_t *)sql->own)->state, "42501") == 0) {
        bulk->has_stage = -1;
        rv = undo(bulk);
        return rv == APR_SUCCESS ? APR_INCOMPLETE : rv;
    }
    return rv;
}

static apr_status_t merge_rows(apr_int64_t *affected, bulk_t *bulk, const wf_rows_t *rows)
{
    apr_status_t rv = bulk->way == WAY_NONE ? prepare_stage(bulk) : APR_SUCCESS;

    if (rv == APR_INCOMPLETE) {
        return wf_rowwise.write(affected, bulk->rowwise, rows, NULL);
    }
    if (rv == APR_SUCCESS) {
        rv = copy_rows(NULL, bulk, bulk->statements.copy_stage, rows);
    }
    if (rv == APR_SUCCESS && bulk->statements.merge_last) {
        rv = run(NULL, bulk, "SAVEPOINT wf_part");
    }
    if (rv == APR_SUCCESS) {
        rv = merge_staged(affected, bulk, rows);
    }
    if (rv == APR_EGENERAL && bulk->statements.merge_last && has_twins(bulk->target->sql)) {
        rv = undo(bulk);
        if (rv == APR_SUCCESS) {
            rv = run(affected, bulk, bulk->statements.merge_last);
        }
    }
    return rv;
}

static int may_copy_direct(const bulk_t *bulk)
{
    return bulk->statements.copy_direct && !bulk->no_direct && bulk->wait == 0;
}

static void give_up(void *data)
{
    bulk_t *bulk = data;

    if (bulk->way != WAY_NONE && !bulk->target->sql->broken) {
        wf_pgsql_stop(bulk->target->sql);
    }
    bulk->way = WAY_NONE;
    bulk->sent = 0;
}

/* Begins a COPY whose rows are still to be read. */
static apr_status_t begin_way(bulk_t *bulk)
{
    way_e way = may_copy_direct(bulk) ? WAY_DIRECT : WAY_STAGE;
    apr_status_t rv =
        way == WAY_DIRECT ? run(NULL, bulk, "SAVEPOINT wf_part") : prepare_stage(bulk);

    if (rv == APR_SUCCESS) {
        rv = begin_copy(bulk->target->sql, way == WAY_DIRECT ? bulk->statements.copy_direct
                                                             : bulk->statements.copy_stage);
    }
    if (rv == APR_SUCCESS) {
        bulk->way = way;
    } else if (rv == WF_ECANCELLED) {
        wf_pgsql_stop(bulk->target->sql);
    }
    return rv;
}

static apr_status_t feed(void *data, const wf_rows_t *rows, int from)
{
    bulk_t *bulk = data;
    wf_rows_t more = rows_from(rows, from);
    apr_status_t rv = bulk->way == WAY_NONE ? begin_way(bulk) : APR_SUCCESS;

    if (rv == APR_SUCCESS) {
        rv = send_rows(bulk, &more);
    }
    if (rv == APR_SUCCESS) {
        bulk->sent = rows->count;
    } else {
        give_up(bulk);
    }
    return rv;
}

static apr_status_t write_bulk(apr_int64_t *affected, void *data, const wf_rows_t *rows,
                               wf_result_t *result)
{
    bulk_t *bulk = data;
    apr_status_t rv = APR_INCOMPLETE;

    if (rows->count < FEW_ROWS && bulk->way == WAY_NONE) {
        return wf_rowwise.write(affected, bulk->rowwise, rows, result);
    }
    if (wf_sql_is_asked(bulk->target->sql)) {
        give_up(bulk);
        return WF_ECANCELLED;
    }
    if (bulk->way == WAY_DIRECT || (bulk->way == WAY_NONE && may_copy_direct(bulk))) {
        rv = copy_direct(affected, bulk, rows);
    } else {
        bulk->wait -= bulk->wait > 0;
    }
    if (rv == APR_INCOMPLETE) {
        rv = merge_rows(affected, bulk, rows);
    }
    return wf_sql_tell(bulk->target->sql, rv, result);
}

const wf_bulk_kind_t wf_pgsql_bulk = {open_bulk, write_bulk, 0, feed, give_up};
