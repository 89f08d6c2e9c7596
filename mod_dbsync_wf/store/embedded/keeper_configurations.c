/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the store protocol that are about API configurations. */
#include "store/embedded/keeper_internal.h"

static void add_configuration(wf_buf_t *out, const wf_stored_configuration_t *configuration)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_CONFIGURATION);

    wf_stored_configuration_encode(out, configuration);
    wf_field_close(out, mark);
}

apr_status_t wf_keeper_get_configuration(wf_keeper_t *keeper, wf_peer_t *peer,
                                         const wf_message_t *m)
{
    apr_pool_t *pool = keeper->batch;
    wf_stored_configuration_t configuration;
    apr_status_t rv = wf_state_get_configuration(
        &configuration, &keeper->state, wf_message_text(m, WF_FIELD_VHOST, pool),
        wf_message_text(m, WF_FIELD_PROJECT, pool), wf_message_text(m, WF_FIELD_TASK, pool), pool);

    if (rv == APR_SUCCESS) {
        add_configuration(&peer->out, &configuration);
    }
    return rv;
}

apr_status_t wf_keeper_set_configuration(wf_keeper_t *keeper, wf_peer_t *peer,
                                         const wf_message_t *m)
{
    wf_stored_configuration_t next, configuration;
    apr_status_t rv =
        wf_stored_configuration_decode(&next, m->field[WF_FIELD_CONFIGURATION], keeper->batch);

    if (rv == APR_SUCCESS) {
        rv = wf_state_set_configuration(&configuration, &keeper->state, &next,
                                        wf_message_u64(m, WF_FIELD_REVISION), keeper->batch);
    }
    if (rv == APR_SUCCESS || rv == WF_ECHANGED) {
        add_configuration(&peer->out, &configuration);
    }
    return rv;
}

apr_status_t wf_keeper_list_configurations(wf_keeper_t *keeper, wf_peer_t *peer,
                                           const wf_message_t *m)
{
    apr_pool_t *pool = keeper->batch;
    apr_array_header_t *list;
    int more;
    apr_status_t rv = wf_state_list_configurations(
        &list, &more, &keeper->state, wf_message_text(m, WF_FIELD_VHOST, pool),
        wf_message_text(m, WF_FIELD_PROJECT, pool), wf_message_text(m, WF_FIELD_TASK, pool), pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (int i = 0; i < list->nelts; i++) {
        add_configuration(&peer->out, &APR_ARRAY_IDX(list, i, wf_stored_configuration_t));
    }
    wf_field_add_u64(&peer->out, WF_FIELD_MORE, (apr_uint64_t)more);
    return APR_SUCCESS;
}
