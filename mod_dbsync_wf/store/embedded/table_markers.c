/* SPDX-License-Identifier: Apache-2.0 */
/* markers: vhost NUL project NUL task -> fields MARKER (wire.h), one for each name. */
#include "store/embedded/tables.h"
#include "store/embedded/wire.h"

enum { FIELD_MARKER = 1 };

apr_status_t wf_markers_get(apr_array_header_t **markers, wf_tables_t *tables, const wf_run_t *run,
                            apr_pool_t *pool)
{
    wf_buf_t key = {NULL, 0, 0};
    wf_slice_t rest, value;
    unsigned char tag;
    apr_status_t rv;

    *markers = apr_array_make(pool, 1, sizeof(wf_run_marker_t));
    wf_task_key(&key, run->vhost, run->project, run->task);
    rv = wf_table_get(&rest, tables->markers, wf_buf_slice(&key), pool);
    wf_buf_free(&key);
    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    while (rv == APR_SUCCESS && (rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag == FIELD_MARKER) {
            rv = wf_marker_decode(apr_array_push(*markers), value, pool);
        }
    }
    if (rv == WF_EPROTOCOL) {
        return wf_tables_nonsense(tables, "markers.db");
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

/* Puts a marker in the place of the one of its name, or at the end. */
static void merge(apr_array_header_t *all, const wf_run_marker_t *marker)
{
    for (int i = 0; i < all->nelts; i++) {
        wf_run_marker_t *old = &APR_ARRAY_IDX(all, i, wf_run_marker_t);

        if (strcmp(old->name, marker->name) == 0) {
            *old = *marker;
            return;
        }
    }
    APR_ARRAY_PUSH(all, wf_run_marker_t) = *marker;
}

apr_status_t wf_markers_set(wf_tables_t *tables, const wf_run_t *run,
                            const apr_array_header_t *markers, apr_pool_t *pool)
{
    apr_array_header_t *all;
    wf_buf_t key = {NULL, 0, 0}, value = {NULL, 0, 0};
    apr_status_t rv = wf_markers_get(&all, tables, run, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (int i = 0; i < markers->nelts; i++) {
        merge(all, &APR_ARRAY_IDX(markers, i, wf_run_marker_t));
    }
    for (int i = 0; i < all->nelts; i++) {
        wf_marker_encode(&value, FIELD_MARKER, &APR_ARRAY_IDX(all, i, wf_run_marker_t));
    }
    wf_task_key(&key, run->vhost, run->project, run->task);
    rv = wf_table_put(tables->markers, wf_buf_slice(&key), wf_buf_slice(&value));
    wf_buf_free(&key);
    wf_buf_free(&value);
    return rv;
}
