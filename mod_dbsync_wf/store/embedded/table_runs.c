/* SPDX-License-Identifier: Apache-2.0 */
/* runs: pid -> record, and the body behind it where that is short, in a field that record.h has
 * not. */
#include "store/embedded/tables.h"

#define FIELD_BODY 255

static wf_slice_t key_of(const wf_uuid_t *pid)
{
    return wf_slice_of(pid, sizeof(*pid));
}

static apr_status_t write_run(wf_tables_t *tables, const wf_run_t *run, wf_slice_t body,
                              apr_status_t (*write)(wf_table_t *, wf_slice_t, wf_slice_t))
{
    wf_buf_t buf = {NULL, 0, 0};
    apr_status_t rv;

    wf_record_encode(&buf, run);
    if (body.len) {
        wf_field_add(&buf, FIELD_BODY, body);
    }
    rv = write(tables->runs, key_of(&run->pid), wf_buf_slice(&buf));
    wf_buf_free(&buf);
    return rv;
}

apr_status_t wf_runs_add(wf_tables_t *tables, const wf_run_t *run, wf_slice_t body)
{
    return write_run(tables, run, body, wf_table_add);
}

apr_status_t wf_runs_put(wf_tables_t *tables, const wf_run_t *run, wf_slice_t body)
{
    return write_run(tables, run, body, wf_table_put);
}

/* The body among a value's fields, empty where it is not there. */
static wf_slice_t find_body(wf_slice_t value)
{
    wf_slice_t rest = wf_record_fields(value), body;
    unsigned char tag;

    while (wf_field_next(&tag, &body, &rest) == APR_SUCCESS) {
        if (tag == FIELD_BODY) {
            return body;
        }
    }
    return wf_slice(NULL);
}

apr_status_t wf_runs_get(wf_run_t *run, wf_slice_t *body, wf_tables_t *tables, const wf_uuid_t *pid,
                         apr_pool_t *pool)
{
    wf_slice_t value;
    apr_status_t rv = wf_table_get(&value, tables->runs, key_of(pid), pool);

    if (rv == APR_SUCCESS &&
        (wf_record_decode(run, value, pool) != APR_SUCCESS || !wf_record_is_run(run, pid))) {
        rv = wf_tables_nonsense(tables, "runs.db");
    }
    if (rv == APR_SUCCESS && body) {
        *body = find_body(value);
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
