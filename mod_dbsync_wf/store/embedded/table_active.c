/* SPDX-License-Identifier: Apache-2.0 */
/* active: pid -> fields RECORD (record.h) and SEQUENCE. */
#include "store/embedded/tables.h"

enum { FIELD_RECORD = 1, FIELD_SEQUENCE = 2 };

apr_status_t wf_active_put(wf_tables_t *tables, const wf_run_t *run, apr_uint64_t sequence)
{
    wf_buf_t buf = {NULL, 0, 0};
    apr_size_t mark = wf_field_open(&buf, FIELD_RECORD);
    apr_status_t rv;

    wf_record_encode(&buf, run);
    wf_field_close(&buf, mark);
    wf_field_add_u64(&buf, FIELD_SEQUENCE, sequence);
    rv = wf_table_put(tables->active, wf_slice_of(&run->pid, sizeof(run->pid)), wf_buf_slice(&buf));
    wf_buf_free(&buf);
    return rv;
}

apr_status_t wf_active_delete(wf_tables_t *tables, const wf_uuid_t *pid)
{
    return wf_table_delete(tables->active, wf_slice_of(pid, sizeof(*pid)));
}

typedef struct walk_t {
    wf_tables_t *tables;
    wf_active_visit_t visit;
    void *baton;
    apr_pool_t *pool; /* cleared for each row */
} walk_t;

static apr_status_t read_row(wf_run_t *run, apr_uint64_t *sequence, wf_slice_t value,
                             apr_pool_t *pool)
{
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t field;

    memset(run, 0, sizeof(*run));
    *sequence = 0;
    while ((rv = wf_field_next(&tag, &field, &value)) == APR_SUCCESS) {
        if (tag == FIELD_RECORD) {
            rv = wf_record_decode(run, field, pool);
        } else if (tag == FIELD_SEQUENCE) {
            rv = wf_field_u64(sequence, field);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t visit_row(void *baton, wf_slice_t key, wf_slice_t value)
{
    walk_t *walk = baton;
    apr_uint64_t sequence;
    wf_uuid_t pid;
    wf_run_t run;

    apr_pool_clear(walk->pool);
    if (key.len != sizeof(pid) || read_row(&run, &sequence, value, walk->pool) != APR_SUCCESS) {
        return wf_tables_nonsense(walk->tables, "active.db");
    }
    memcpy(&pid, key.data, sizeof(pid));
    if (!wf_record_is_run(&run, &pid) || wf_run_status_is_final(run.status)) {
        return wf_tables_nonsense(walk->tables, "active.db");
    }
    return walk->visit(walk->baton, &run, sequence);
}

apr_status_t wf_active_walk(wf_tables_t *tables, wf_active_visit_t visit, void *baton,
                            apr_pool_t *pool)
{
    walk_t walk = {tables, visit, baton, NULL};
    apr_status_t rv = apr_pool_create(&walk.pool, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_table_walk(tables->active, visit_row, &walk);
        apr_pool_destroy(walk.pool);
    }
    return rv;
}

apr_status_t wf_active_walk_back(wf_tables_t *tables, const wf_uuid_t *before,
                                 wf_runs_visit_t visit, void *baton)
{
    wf_pids_visit_t to = {tables, "active.db", visit, baton};

    return wf_table_walk_keys_back(tables->active, wf_slice_of(before, sizeof(*before)),
                                   wf_pids_visit, &to);
}
