/* SPDX-License-Identifier: Apache-2.0 */
/* runners: incarnation (8 bytes, big-endian) -> host. */
#include "store/embedded/tables.h"

#include <apr_strings.h>

apr_status_t wf_runners_put(wf_tables_t *tables, apr_uint64_t incarnation, const char *host)
{
    unsigned char key[8];

    wf_put_u64(key, incarnation);
    return wf_table_put(tables->runners, wf_slice_of(key, sizeof(key)), wf_slice(host));
}

apr_status_t wf_runners_delete(wf_tables_t *tables, apr_uint64_t incarnation)
{
    unsigned char key[8];

    wf_put_u64(key, incarnation);
    return wf_table_delete(tables->runners, wf_slice_of(key, sizeof(key)));
}

typedef struct walk_t {
    wf_tables_t *tables;
    wf_runners_visit_t visit;
    void *baton;
    apr_pool_t *pool;
} walk_t;

static apr_status_t visit_row(void *baton, wf_slice_t key, wf_slice_t value)
{
    walk_t *walk = baton;
    apr_uint64_t incarnation;

    if (wf_field_u64(&incarnation, key) != APR_SUCCESS) {
        return wf_tables_nonsense(walk->tables, "runners.db");
    }
    return walk->visit(walk->baton, incarnation, apr_pstrmemdup(walk->pool, value.data, value.len));
}

apr_status_t wf_runners_walk(wf_tables_t *tables, wf_runners_visit_t visit, void *baton,
                             apr_pool_t *pool)
{
    walk_t walk = {tables, visit, baton, pool};

    return wf_table_walk(tables->runners, visit_row, &walk);
}
