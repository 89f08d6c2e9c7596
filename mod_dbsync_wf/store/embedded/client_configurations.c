/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract over the keeper's socket, as far as API configurations go. */
#include "store/embedded/client_configurations.h"

#include "store/embedded/client_call.h"
#include "store/embedded/record_configuration.h"

static wf_call_t *begin(wf_store_t *store, wf_op_e op, const char *vhost, const char *project,
                        const char *task, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), op, pool);

    wf_field_add_text(&call->request, WF_FIELD_VHOST, vhost);
    wf_field_add_text(&call->request, WF_FIELD_PROJECT, project);
    wf_field_add_text(&call->request, WF_FIELD_TASK, task);
    return call;
}

/* The configuration that an answer carries: `status`, where it can be read. */
static apr_status_t take(apr_status_t status, wf_stored_configuration_t **configuration,
                         const wf_call_t *call, apr_pool_t *pool)
{
    apr_status_t rv;

    *configuration = apr_palloc(pool, sizeof(**configuration));
    rv = wf_stored_configuration_decode(*configuration, call->message.field[WF_FIELD_CONFIGURATION],
                                        pool);
    return rv == APR_SUCCESS ? status : rv;
}

apr_status_t wf_client_get_configuration(wf_stored_configuration_t **configuration,
                                         wf_store_t *store, const char *vhost, const char *project,
                                         const char *task, wf_result_t *result, apr_pool_t *pool)
{
    wf_call_t *call = begin(store, WF_OP_CONFIGURATION, vhost, project, task, pool);
    apr_status_t rv = wf_call_send(call, wf_client_of(store), 0, result);

    return rv == APR_SUCCESS ? take(rv, configuration, call, pool) : rv;
}

apr_status_t wf_client_set_configuration(wf_stored_configuration_t **configuration,
                                         wf_store_t *store, const wf_stored_configuration_t *next,
                                         apr_uint64_t expected, wf_result_t *result,
                                         apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(wf_client_of(store), WF_OP_SET_CONFIGURATION, pool);
    apr_size_t mark = wf_field_open(&call->request, WF_FIELD_CONFIGURATION);
    apr_status_t rv;

    wf_stored_configuration_encode(&call->request, next);
    wf_field_close(&call->request, mark);
    wf_field_add_u64(&call->request, WF_FIELD_REVISION, expected);
    rv = wf_call_send(call, wf_client_of(store), 0, result);
    return rv == APR_SUCCESS || rv == WF_ECHANGED ? take(rv, configuration, call, pool) : rv;
}

static apr_status_t take_all(apr_array_header_t *configurations, wf_slice_t body, apr_pool_t *pool)
{
    apr_status_t rv;
    unsigned char tag;
    wf_slice_t value;

    while ((rv = wf_field_next(&tag, &value, &body)) == APR_SUCCESS) {
        if (tag == WF_FIELD_CONFIGURATION) {
            rv = wf_stored_configuration_decode(apr_array_push(configurations), value, pool);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t wf_client_list_configurations(apr_array_header_t **configurations, wf_store_t *store,
                                           const char *vhost, const char *project,
                                           wf_result_t *result, apr_pool_t *pool)
{
    apr_array_header_t *all = apr_array_make(pool, 16, sizeof(wf_stored_configuration_t));
    const char *after = NULL;
    apr_status_t rv;
    wf_call_t *call;
    int count;

    do {
        count = all->nelts;
        call = begin(store, WF_OP_LIST_CONFIGURATIONS, vhost, project, after, pool);
        rv = wf_call_send(call, wf_client_of(store), 0, result);
        if (rv == APR_SUCCESS) {
            rv = take_all(all, call->message.body, pool);
        }
        if (all->nelts > count) {
            after = APR_ARRAY_IDX(all, all->nelts - 1, wf_stored_configuration_t).task;
        }
    } while (rv == APR_SUCCESS && wf_message_u64(&call->message, WF_FIELD_MORE) &&
             all->nelts > count);
    *configurations = all;
    return rv;
}
