/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the tables. */
#include "store/embedded/tables.h"

#include <stddef.h>

apr_status_t wf_tables_open(wf_tables_t *tables, wf_bdb_t *bdb, apr_pool_t *pool)
{
    static const struct {
        size_t offset;
        const char *name;
    } all[] = {
        {offsetof(wf_tables_t, runs), "runs.db"},
        {offsetof(wf_tables_t, payloads), "payloads.db"},
        {offsetof(wf_tables_t, active), "active.db"},
        {offsetof(wf_tables_t, by_project), "by_project.db"},
        {offsetof(wf_tables_t, runners), "runners.db"},
        {offsetof(wf_tables_t, counters), "counters.db"},
        {offsetof(wf_tables_t, markers), "markers.db"},
    };
    apr_status_t rv = APR_SUCCESS;

    tables->bdb = bdb;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && rv == APR_SUCCESS; i++) {
        wf_table_t **table = (wf_table_t **)(void *)((char *)tables + all[i].offset);

        rv = wf_table_open(table, bdb, all[i].name, pool);
    }
    return rv;
}
