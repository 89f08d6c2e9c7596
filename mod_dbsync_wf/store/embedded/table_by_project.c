/* SPDX-License-Identifier: Apache-2.0 */
/* by_project: vhost NUL project NUL pid -> nothing. Pids sort by time, so a project's do too. */
#include "store/embedded/tables.h"

static void add_front(wf_buf_t *key, const char *vhost, const char *project)
{
    wf_buf_add(key, vhost, strlen(vhost) + 1);
    wf_buf_add(key, project, strlen(project) + 1);
}

static void add_key(wf_buf_t *key, const wf_run_t *run)
{
    add_front(key, run->vhost, run->project);
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

typedef struct pid_visit_t {
    wf_slice_t front; /* of the project's keys */
    wf_runs_visit_t visit;
    void *baton;
} pid_visit_t;

static apr_status_t visit_key(void *baton, wf_slice_t key, wf_slice_t value)
{
    const pid_visit_t *to = baton;
    wf_uuid_t pid;

    (void)value;
    if (key.len != to->front.len + sizeof(pid) ||
        memcmp(key.data, to->front.data, to->front.len) != 0) {
        return APR_EOF; /* another project's */
    }
    memcpy(&pid, key.data + to->front.len, sizeof(pid));
    return to->visit(to->baton, &pid);
}

apr_status_t wf_by_project_walk_back(wf_tables_t *tables, const char *vhost, const char *project,
                                     const wf_uuid_t *before, wf_runs_visit_t visit, void *baton)
{
    wf_buf_t key = {NULL, 0, 0};
    pid_visit_t to = {{NULL, 0}, visit, baton};
    apr_status_t rv;

    add_front(&key, vhost, project);
    wf_buf_add(&key, before, sizeof(*before));
    to.front = wf_slice_of(key.data, key.len - sizeof(*before));
    rv = wf_table_walk_keys_back(tables->by_project, wf_buf_slice(&key), visit_key, &to);
    wf_buf_free(&key);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
