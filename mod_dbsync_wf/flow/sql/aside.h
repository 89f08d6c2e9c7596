/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of client libraries that may block for longer than an interrupt may take, such as a
 * connect to a host that does not answer: made on a thread of their own, and waited for no longer
 * than allowed.
 */
#ifndef WF_FLOW_SQL_ASIDE_H
#define WF_FLOW_SQL_ASIDE_H

#include <apr_time.h>
#include "flow/cancel.h"

/*
 * Calls work(baton) on another thread, and waits for its end until `deadline` (a wf_clock time), or
 * until the cancel is requested; cancel may be NULL.
 * APR_SUCCESS where it has ended; APR_TIMEUP or WF_ECANCELLED where it has not: from then on the
 * baton belongs to that thread, which calls drop(baton) at the end; so nothing in it may belong to
 * the caller. Another status: the thread could not be started, and drop was called.
 */
apr_status_t wf_aside(void (*work)(void *baton), void (*drop)(void *baton), void *baton,
                      wf_cancel_t *cancel, apr_time_t deadline);

#endif
