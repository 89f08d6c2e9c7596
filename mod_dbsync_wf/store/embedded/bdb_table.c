/* SPDX-License-Identifier: Apache-2.0 */
/* Tables. */
#include "store/embedded/bdb_internal.h"
#include "store/embedded/bdb_table.h"

#include <errno.h>
#include <stdlib.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/result.h"

#define RECORD_OVERHEAD 200u /* what the log holds for a put beside key and value, roughly */

struct wf_table_t {
    wf_bdb_t *bdb;
    DB *db;
    const char *name;
};

static DBT dbt_of(wf_slice_t slice)
{
    DBT dbt;

    memset(&dbt, 0, sizeof(dbt));
    dbt.data = (void *)(apr_uintptr_t)slice.data;
    dbt.size = dbt.ulen = (u_int32_t)slice.len;
    dbt.flags = DB_DBT_USERMEM;
    return dbt;
}

/* One that was made without checksums has none for ever. */
static void note_checksums(wf_bdb_t *bdb, DB *db, const char *name)
{
    u_int32_t flags = 0;

    if (db->get_flags(db, &flags) != 0 || !(flags & DB_CHKSUM)) {
        bdb->unchecked++;
        wf_log_warning(0, "WF0104", "the table %s has no checksums: damage to it is not noticed",
                       name);
    }
}

apr_status_t wf_table_open(wf_table_t **table, wf_bdb_t *bdb, const char *name, int make,
                           apr_pool_t *pool)
{
    const u_int32_t flags = DB_AUTO_COMMIT | (make ? DB_CREATE : 0);
    wf_table_t *fresh = apr_pcalloc(pool, sizeof(*fresh));
    DB *db;
    int error;

    if (bdb->table_count == BDB_TABLES_MAX) {
        return APR_ENOSPC;
    }
    error = db_create(&db, bdb->env, 0);
    if (error) {
        return wf_bdb_status(bdb, error, "db_create");
    }
    /* Both hold for a table that is made; one that is there stays as it was made. */
    if ((error = db->set_pagesize(db, BDB_PAGE_SIZE)) == 0 &&
        (error = db->set_flags(db, DB_CHKSUM)) == 0) {
        error = db->open(db, NULL, name, NULL, DB_BTREE, flags, 0600);
    }
    if (error) {
        apr_status_t rv = error == ENOENT ? APR_ENOENT : wf_bdb_table_status(bdb, error, name);

        db->close(db, 0);
        return rv;
    }
    bdb->tables[bdb->table_count++] = db;
    note_checksums(bdb, db, name);
    fresh->bdb = bdb;
    fresh->db = db;
    fresh->name = apr_pstrdup(pool, name);
    *table = fresh;
    return APR_SUCCESS;
}

static apr_status_t put(wf_table_t *table, wf_slice_t key, wf_slice_t value, u_int32_t flags)
{
    DBT k = dbt_of(key);
    DBT v = dbt_of(value);
    apr_status_t rv = wf_bdb_begin(table->bdb);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    table->bdb->written += key.len + value.len + RECORD_OVERHEAD;
    table->bdb->changes++;
    return wf_bdb_table_status(
        table->bdb, table->db->put(table->db, table->bdb->txn, &k, &v, flags), table->name);
}

apr_status_t wf_table_put(wf_table_t *table, wf_slice_t key, wf_slice_t value)
{
    return put(table, key, value, 0);
}

apr_status_t wf_table_add(wf_table_t *table, wf_slice_t key, wf_slice_t value)
{
    return put(table, key, value, DB_NOOVERWRITE);
}

apr_status_t wf_table_get(wf_slice_t *value, wf_table_t *table, wf_slice_t key, apr_pool_t *pool)
{
    DBT k = dbt_of(key);
    DBT v;
    int error;

    memset(&v, 0, sizeof(v));
    v.flags = DB_DBT_MALLOC;
    error = table->db->get(table->db, table->bdb->txn, &k, &v, 0);
    if (error == 0) {
        *value = wf_slice_dup(wf_slice_of(v.data, v.size), pool);
        free(v.data);
    }
    return wf_bdb_table_status(table->bdb, error, table->name);
}

apr_status_t wf_table_delete(wf_table_t *table, wf_slice_t key)
{
    return wf_table_delete_long(table, key, 0);
}

apr_status_t wf_table_delete_long(wf_table_t *table, wf_slice_t key, apr_size_t len)
{
    DBT k = dbt_of(key);
    apr_status_t rv = wf_bdb_begin(table->bdb);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    table->bdb->written += key.len + len + RECORD_OVERHEAD;
    table->bdb->changes++;
    return wf_bdb_table_status(table->bdb, table->db->del(table->db, table->bdb->txn, &k, 0),
                               table->name);
}

/* Where a walk begins: backwards, at the pair before the one that `first` finds, or at the last. */
static int seek(DBC *cursor, DBT *k, DBT *v, u_int32_t first, u_int32_t next)
{
    int error = cursor->get(cursor, k, v, first);

    if (next != DB_PREV || (error && error != DB_NOTFOUND)) {
        return error;
    }
    return cursor->get(cursor, k, v, error ? DB_LAST : DB_PREV);
}

/* One cursor over the table; both DBTs are grown by the library. */
static apr_status_t walk(wf_table_t *table, DBT *k, DBT *v, u_int32_t first, u_int32_t next,
                         wf_table_visit_t visit, void *baton)
{
    DBC *cursor;
    int error, closed;
    apr_status_t rv = APR_SUCCESS;

    error = table->db->cursor(table->db, table->bdb->txn, &cursor, 0);
    if (error) {
        return wf_bdb_table_status(table->bdb, error, table->name);
    }
    for (error = seek(cursor, k, v, first, next); error == 0 && rv == APR_SUCCESS;) {
        rv = visit(baton, wf_slice_of(k->data, k->size), wf_slice_of(v->data, v->size));
        error = rv == APR_SUCCESS ? cursor->get(cursor, k, v, next) : 0;
    }
    if (rv == APR_SUCCESS && error && error != DB_NOTFOUND) {
        /* First: a cursor is not closed while there is a panic. */
        rv = wf_bdb_table_status(table->bdb, error, table->name);
    }
    closed = cursor->close(cursor);
    return rv == APR_SUCCESS ? wf_bdb_table_status(table->bdb, closed, table->name) : rv;
}

apr_status_t wf_table_walk(wf_table_t *table, wf_table_visit_t visit, void *baton)
{
    DBT k, v;
    apr_status_t rv;

    memset(&k, 0, sizeof(k));
    memset(&v, 0, sizeof(v));
    k.flags = v.flags = DB_DBT_REALLOC;
    rv = walk(table, &k, &v, DB_FIRST, DB_NEXT, visit, baton);
    free(k.data);
    free(v.data);
    return rv;
}

/* From a key on, in the direction that `next` says; `partial` is for values of 0 bytes. */
static apr_status_t walk_range(wf_table_t *table, wf_slice_t from, u_int32_t next,
                               u_int32_t partial, wf_table_visit_t visit, void *baton)
{
    DBT k, v;
    apr_status_t rv;

    memset(&k, 0, sizeof(k));
    memset(&v, 0, sizeof(v));
    k.flags = DB_DBT_REALLOC;
    v.flags = DB_DBT_REALLOC | partial;
    k.data = malloc(from.len);
    if (!k.data) {
        return APR_ENOMEM;
    }
    memcpy(k.data, from.data, from.len);
    k.size = (u_int32_t)from.len;
    rv = walk(table, &k, &v, DB_SET_RANGE, next, visit, baton);
    free(k.data);
    free(v.data);
    return rv;
}

apr_status_t wf_table_walk_keys(wf_table_t *table, wf_slice_t from, wf_table_visit_t visit,
                                void *baton)
{
    return walk_range(table, from, DB_NEXT, DB_DBT_PARTIAL, visit, baton);
}

apr_status_t wf_table_walk_from(wf_table_t *table, wf_slice_t from, wf_table_visit_t visit,
                                void *baton)
{
    return walk_range(table, from, DB_NEXT, 0, visit, baton);
}

apr_status_t wf_table_walk_keys_back(wf_table_t *table, wf_slice_t before, wf_table_visit_t visit,
                                     void *baton)
{
    return walk_range(table, before, DB_PREV, DB_DBT_PARTIAL, visit, baton);
}
