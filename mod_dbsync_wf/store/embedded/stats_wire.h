/* SPDX-License-Identifier: Apache-2.0 */
/* Figures (store/stats.h) in an answer: a field STATS, and a field TASK_STATS for each task. */
#ifndef WF_STORE_EMBEDDED_STATS_WIRE_H
#define WF_STORE_EMBEDDED_STATS_WIRE_H

#include "store/embedded/wire.h"

/* Appends the fields. */
void wf_stats_encode(wf_buf_t *out, const wf_store_stats_t *stats);

/*
 * Reads them from a message; texts and rows live in pool. APR_SUCCESS, or WF_EPROTOCOL where
 * something is missing: a keeper of another build, as there may be for a moment at a restart.
 */
apr_status_t wf_stats_decode(wf_store_stats_t *stats, const wf_message_t *message,
                             apr_pool_t *pool);

#endif
