/* SPDX-License-Identifier: Apache-2.0 */
/* HISTORY: how runs ended, and how the keeper comes to know of those that ended before it began. */
#include "store/embedded/keeper_internal.h"

#include "base/log.h"
#include "store/embedded/stats_wire.h"

apr_status_t wf_keeper_history(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_pool_t *pool = keeper->batch;
    wf_history_query_t query = {
        .vhost = wf_message_text(m, WF_FIELD_VHOST, pool),
        .project = wf_message_text(m, WF_FIELD_PROJECT, pool),
        .task = wf_message_text(m, WF_FIELD_TASK, pool),
        .hours =
            (apr_uint32_t)wf_keeper_bounded(wf_message_u64(m, WF_FIELD_MAX), 1, WF_HISTORY_HOURS),
    };
    wf_history_t history;

    if (!query.vhost) {
        return WF_EINVALID;
    }
    wf_tally_history(&history, &keeper->state.tally, &query, pool);
    wf_history_encode(&peer->out, &history);
    return APR_SUCCESS;
}

void wf_keeper_recall(wf_keeper_t *keeper)
{
    apr_status_t rv;

    if (!keeper->recalls) {
        return;
    }
    rv = wf_state_recall(&keeper->recalls, &keeper->state, keeper->retention, keeper->batch);
    if (rv != APR_SUCCESS) {
        wf_log_warning(rv, "WF0169",
                       "how earlier runs ended cannot be read as far back as it should be; the "
                       "statistics say since when they are complete");
    }
}
