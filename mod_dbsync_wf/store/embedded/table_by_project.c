/* SPDX-License-Identifier: Apache-2.0 */
/* by_project: vhost NUL project NUL pid -> nothing. Pids sort by time, so a project's do too. */
#include "store/embedded/tables.h"

static void add_key(wf_buf_t *key, const wf_run_t *run)
{
    wf_buf_add(key, run->vhost, strlen(run->vhost) + 1);
    wf_buf_add(key, run->project, strlen(run->project) + 1);
    wf_buf_add(key, &run->pid, sizeof(run->pid));
}

apr_status_t wf_by_project_put(wf_tables_t *tables, const wf_run_t *run)
{
    wf_buf_t key = {NULL, 0, 0};
    apr_status_t rv;

    add_key(&key, run);
    rv = wf_table_put(tables->by_project, wf_buf_slice(&key), wf_slice(""));
    wf_buf_free(&key);
    return rv;
}

apr_status_t wf_by_project_delete(wf_tables_t *tables, const wf_run_t *run)
{
    wf_buf_t key = {NULL, 0, 0};
    apr_status_t rv;

    add_key(&key, run);
    rv = wf_table_delete(tables->by_project, wf_buf_slice(&key));
    wf_buf_free(&key);
    return rv;
}
