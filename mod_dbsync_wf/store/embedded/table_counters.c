/* SPDX-License-Identifier: Apache-2.0 */
/* counters: name -> number (8 bytes, big-endian). */
#include "store/embedded/tables.h"

apr_status_t wf_counters_get(apr_uint64_t *value, wf_tables_t *tables, const char *name,
                             apr_pool_t *pool)
{
    wf_slice_t bytes;
    apr_status_t rv = wf_table_get(&bytes, tables->counters, wf_slice(name), pool);

    *value = 0;
    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && wf_field_u64(value, bytes) != APR_SUCCESS) {
        rv = wf_tables_nonsense(tables, "counters.db");
    }
    return rv;
}

apr_status_t wf_counters_put(wf_tables_t *tables, const char *name, apr_uint64_t value)
{
    unsigned char bytes[8];

    wf_put_u64(bytes, value);
    return wf_table_put(tables->counters, wf_slice(name), wf_slice_of(bytes, sizeof(bytes)));
}
