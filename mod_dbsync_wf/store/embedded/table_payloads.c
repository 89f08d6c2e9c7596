/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payloads: pid -> the body. Apart from the runs, so that a status never reads a large body and an
 * end never writes it again; a short one costs less beside its run.
 */
#include "store/embedded/tables.h"

apr_status_t wf_payloads_put(wf_tables_t *tables, const wf_uuid_t *pid, wf_slice_t payload)
{
    return wf_table_put(tables->payloads, wf_slice_of(pid, sizeof(*pid)), payload);
}

apr_status_t wf_payloads_get(wf_slice_t *payload, wf_tables_t *tables, const wf_uuid_t *pid,
                             apr_pool_t *pool)
{
    return wf_table_get(payload, tables->payloads, wf_slice_of(pid, sizeof(*pid)), pool);
}

apr_status_t wf_payloads_delete(wf_tables_t *tables, const wf_uuid_t *pid)
{
    return wf_table_delete(tables->payloads, wf_slice_of(pid, sizeof(*pid)));
}
