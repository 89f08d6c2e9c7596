/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idempotency: vhost NUL user NUL key -> the pid of the latest run that was made with that key.
 * What its request was is not kept a second time: the run and its body tell.
 */
#include "store/embedded/tables.h"

static void add_key(wf_buf_t *key, const wf_run_t *run)
{
    const char *user = run->user ? run->user : "";

    wf_buf_add(key, run->vhost, strlen(run->vhost) + 1);
    wf_buf_add(key, user, strlen(user) + 1);
    wf_buf_add_text(key, run->idempotency_key);
}

apr_status_t wf_idempotency_put(wf_tables_t *tables, const wf_run_t *run)
{
    wf_buf_t key = {NULL, 0, 0};
    apr_status_t rv;

    add_key(&key, run);
    rv = wf_table_put(tables->idempotency, wf_buf_slice(&key),
                      wf_slice_of(&run->pid, sizeof(run->pid)));
    wf_buf_free(&key);
    return rv;
}

apr_status_t wf_idempotency_get(wf_uuid_t *pid, wf_tables_t *tables, const wf_run_t *run,
                                apr_pool_t *pool)
{
    wf_buf_t key = {NULL, 0, 0};
    wf_slice_t value;
    apr_status_t rv;

    add_key(&key, run);
    rv = wf_table_get(&value, tables->idempotency, wf_buf_slice(&key), pool);
    wf_buf_free(&key);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (value.len != sizeof(*pid)) {
        return wf_tables_nonsense(tables, "idempotency.db");
    }
    memcpy(pid, value.data, sizeof(*pid));
    return APR_SUCCESS;
}

apr_status_t wf_idempotency_delete(wf_tables_t *tables, const wf_run_t *run, apr_pool_t *pool)
{
    wf_buf_t key = {NULL, 0, 0};
    wf_uuid_t pid;
    apr_status_t rv = wf_idempotency_get(&pid, tables, run, pool);

    if (rv != APR_SUCCESS || memcmp(&pid, &run->pid, sizeof(pid)) != 0) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv;
    }
    add_key(&key, run);
    rv = wf_table_delete(tables->idempotency, wf_buf_slice(&key));
    wf_buf_free(&key);
    return rv;
}
