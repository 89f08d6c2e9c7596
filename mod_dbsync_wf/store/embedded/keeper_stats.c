/* SPDX-License-Identifier: Apache-2.0 */
/* STATS: the keeper's figures. */
#include "store/embedded/keeper_internal.h"

#include <unistd.h>
#include "store/embedded/stats_wire.h"

apr_status_t wf_keeper_stats(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_store_stats_t stats = {
        .is_open = !keeper->refuses,
        .process = (apr_uint64_t)getpid(),
        .started = (apr_uint64_t)keeper->started,
        .tasks = apr_array_make(keeper->batch, 0, sizeof(wf_task_stats_t)),
    };

    if (keeper->restarts) {
        stats.keeper_restarts = atomic_load(&keeper->restarts->keeper);
        stats.runner_restarts = atomic_load(&keeper->restarts->runner);
    }
    if (!keeper->refuses) {
        /* Of a store that is not open there is neither board nor tally. */
        stats.is_writable = !keeper->read_only && keeper->writing.status == APR_SUCCESS;
        stats.takes_checkpoints = keeper->checkpointing.status == APR_SUCCESS;
        stats.callbacks_pending = keeper->state.outbox.pending;
        wf_tally_read(&stats, &keeper->state.tally, &keeper->state.board,
                      wf_message_text(m, WF_FIELD_VHOST, keeper->batch), keeper->batch);
    }
    wf_stats_encode(&peer->out, &stats);
    return APR_SUCCESS;
}
