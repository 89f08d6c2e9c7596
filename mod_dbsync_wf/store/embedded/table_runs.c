/* SPDX-License-Identifier: Apache-2.0 */
/* runs: pid -> record. */
#include "store/embedded/tables.h"

static wf_slice_t key_of(const wf_uuid_t *pid)
{
    return wf_slice_of(pid, sizeof(*pid));
}

static apr_status_t write_run(wf_tables_t *tables, const wf_run_t *run,
                              apr_status_t (*write)(wf_table_t *, wf_slice_t, wf_slice_t))
{
    wf_buf_t buf = {NULL, 0, 0};
    apr_status_t rv;

    wf_record_encode(&buf, run);
    rv = write(tables->runs, key_of(&run->pid), wf_buf_slice(&buf));
    wf_buf_free(&buf);
    return rv;
}

apr_status_t wf_runs_add(wf_tables_t *tables, const wf_run_t *run)
{
    return write_run(tables, run, wf_table_add);
}

apr_status_t wf_runs_put(wf_tables_t *tables, const wf_run_t *run)
{
    return write_run(tables, run, wf_table_put);
}

apr_status_t wf_runs_get(wf_run_t *run, wf_tables_t *tables, const wf_uuid_t *pid, apr_pool_t *pool)
{
    wf_slice_t value;
    apr_status_t rv = wf_table_get(&value, tables->runs, key_of(pid), pool);

    if (rv == APR_SUCCESS &&
        (wf_record_decode(run, value, pool) != APR_SUCCESS || !wf_record_is_run(run, pid))) {
        rv = wf_tables_nonsense(tables, "runs.db");
    }
    return rv;
}

apr_status_t wf_runs_delete(wf_tables_t *tables, const wf_uuid_t *pid)
{
    return wf_table_delete(tables->runs, key_of(pid));
}

apr_status_t wf_runs_walk(wf_tables_t *tables, const wf_uuid_t *from, wf_runs_visit_t visit,
                          void *baton)
{
    wf_pids_visit_t to = {tables, "runs.db", visit, baton};

    return wf_table_walk_keys(tables->runs, key_of(from), wf_pids_visit, &to);
}

apr_status_t wf_runs_walk_back(wf_tables_t *tables, const wf_uuid_t *before, wf_runs_visit_t visit,
                               void *baton)
{
    wf_pids_visit_t to = {tables, "runs.db", visit, baton};

    return wf_table_walk_keys_back(tables->runs, key_of(before), wf_pids_visit, &to);
}
