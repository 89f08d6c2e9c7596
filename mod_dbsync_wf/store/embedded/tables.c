/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the tables. */
#include "store/embedded/tables.h"

#include <stddef.h>
#include "base/log.h"

/* The last one is made last: where it is there, all of them are. */
static const struct {
    size_t offset;
    const char *name;
} all[] = {
    {offsetof(wf_tables_t, payloads), "payloads.db"},
    {offsetof(wf_tables_t, active), "active.db"},
    {offsetof(wf_tables_t, by_project), "by_project.db"},
    {offsetof(wf_tables_t, runners), "runners.db"},
    {offsetof(wf_tables_t, counters), "counters.db"},
    {offsetof(wf_tables_t, markers), "markers.db"},
    {offsetof(wf_tables_t, runs), "runs.db"},
};

/* In the order in which they came; a new one goes to the end. */
static const struct {
    size_t offset;
    const char *name;
} later[] = {
    {offsetof(wf_tables_t, idempotency), "idempotency.db"},
    {offsetof(wf_tables_t, output), "output.db"},
    {offsetof(wf_tables_t, configurations), "configurations.db"},
    {offsetof(wf_tables_t, callbacks), "callbacks.db"},
};

#define TABLES (sizeof(all) / sizeof(all[0]))
#define LATER  (sizeof(later) / sizeof(later[0]))

static apr_status_t open_at(wf_tables_t *tables, size_t offset, const char *name, int make,
                            apr_pool_t *pool)
{
    wf_table_t **table = (wf_table_t **)(void *)((char *)tables + offset);

    return wf_table_open(table, tables->bdb, name, make, pool);
}

static apr_status_t open_table(wf_tables_t *tables, size_t i, int make, apr_pool_t *pool)
{
    return open_at(tables, all[i].offset, all[i].name, make, pool);
}

static apr_status_t found(void *baton, wf_slice_t key, wf_slice_t value)
{
    (void)baton;
    (void)key;
    (void)value;
    return APR_EEXIST;
}

static apr_status_t missing(const char *name)
{
    wf_log_error(0, "WF0118", "the table %s is missing, and others are there; " WF_BDB_ADVICE,
                 name);
    return WF_EDAMAGED;
}

/*
 * Makes what a first start that was cut short has not. Tables that hold something were made by one
 * that was not: then the last one was there, and is lost.
 */
static apr_status_t make_tables(wf_tables_t *tables, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;

    for (size_t i = 0; i + 1 < TABLES && rv == APR_SUCCESS; i++) {
        rv = open_table(tables, i, 1, pool);
    }
    if (rv == APR_SUCCESS && (rv = wf_table_walk(tables->counters, found, NULL)) == APR_EEXIST) {
        return missing(all[TABLES - 1].name);
    }
    return rv == APR_SUCCESS ? open_table(tables, TABLES - 1, 1, pool) : rv;
}

/*
 * Opens the tables that came after others were in use. A counter says how many of them were made:
 * one that is missing and counted is lost, and any other is new.
 */
static apr_status_t open_later(wf_tables_t *tables, apr_pool_t *pool)
{
    apr_uint64_t made;
    apr_status_t rv = wf_counters_get(&made, tables, WF_COUNTER_LATER, pool);

    for (size_t i = 0; i < LATER && rv == APR_SUCCESS; i++) {
        rv = open_at(tables, later[i].offset, later[i].name, i >= made, pool);
        rv = rv == APR_ENOENT ? missing(later[i].name) : rv;
    }
    if (rv == APR_SUCCESS && made < LATER) {
        rv = wf_counters_put(tables, WF_COUNTER_LATER, LATER);
        rv = rv == APR_SUCCESS ? wf_bdb_commit(tables->bdb) : rv;
    }
    return rv;
}

apr_status_t wf_tables_open(wf_tables_t *tables, wf_bdb_t *bdb, apr_pool_t *pool)
{
    apr_status_t rv;

    tables->bdb = bdb;
    rv = open_table(tables, TABLES - 1, 0, pool);
    if (rv == APR_ENOENT) {
        rv = make_tables(tables, pool);
    } else {
        for (size_t i = 0; i + 1 < TABLES && rv == APR_SUCCESS; i++) {
            rv = open_table(tables, i, 0, pool);
            rv = rv == APR_ENOENT ? missing(all[i].name) : rv;
        }
    }
    if (rv == APR_SUCCESS) {
        rv = open_later(tables, pool);
    }
    if (rv == APR_SUCCESS) {
        wf_bdb_watch_holes(bdb);
    }
    return rv;
}

void wf_task_key(wf_buf_t *key, const char *vhost, const char *project, const char *task)
{
    wf_buf_add(key, vhost, strlen(vhost) + 1);
    wf_buf_add(key, project, strlen(project) + 1);
    wf_buf_add_text(key, task);
}

apr_status_t wf_tables_nonsense(wf_tables_t *tables, const char *table)
{
    return wf_bdb_damaged(tables->bdb, table, "a record in it is not what was written");
}

apr_status_t wf_pids_visit(void *baton, wf_slice_t key, wf_slice_t value)
{
    const wf_pids_visit_t *to = baton;
    wf_uuid_t pid;

    (void)value;
    if (key.len != sizeof(pid)) {
        return wf_tables_nonsense(to->tables, to->table);
    }
    memcpy(&pid, key.data, sizeof(pid));
    return to->visit(to->baton, &pid);
}
