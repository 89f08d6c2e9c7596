/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures in an answer: those of store/stats.h as a field STATS, and a field TASK_STATS for each
 * task; those of store/history.h as the fields FROM (since), TO (hour), MAX (hours), and HISTORY
 * for each.
 */
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

/* The same for a history. */
void wf_history_encode(wf_buf_t *out, const wf_history_t *history);
apr_status_t wf_history_decode(wf_history_t *history, const wf_message_t *message,
                               apr_pool_t *pool);

#endif
