/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: ends of runs that are to be told, a part of the state (state.h). What is pending is
 * in the table `callbacks`, by when it is due, and in the run's record; who has claimed what is in
 * memory alone, so that after a restart it is due again.
 *
 * Times are the outbox's own: the wall's clock when the keeper began, or when there last was
 * nothing to tell, and from then on a clock that nobody steps. The earliest due time is kept in
 * memory, so that nothing is read before there is something to do.
 */
#ifndef WF_STORE_EMBEDDED_OUTBOX_H
#define WF_STORE_EMBEDDED_OUTBOX_H

#include "base/log.h"
#include "store/embedded/tables.h"

/* Attempts to tell one end, and the pauses behind each of them but the last. */
#define WF_CALLBACK_ATTEMPTS 10
#define WF_CALLBACK_PAUSES   (WF_CALLBACK_ATTEMPTS - 1)
extern const apr_interval_time_t wf_callback_pauses[WF_CALLBACK_PAUSES];

#define WF_OUTBOX_NEVER APR_INT64_MAX

typedef struct wf_outbox_t {
    apr_hash_t *claims; /* pid -> who has claimed it, on the heap */
    apr_time_t base;    /* what wf_clock must be given to be its time */
    apr_time_t next; /* no later than when the first end is due that nobody has claimed or been told
                        of; WF_OUTBOX_NEVER: there is none */
    apr_uint64_t pending;              /* how many rows there are; kept as a counter */
    apr_uint64_t committed;            /* `pending` at the last commit */
    const apr_interval_time_t *pauses; /* wf_callback_pauses, but for tests */
    wf_log_limit_t limit;              /* of what is said of those that were given up */
} wf_outbox_t;

#endif
