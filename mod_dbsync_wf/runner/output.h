/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What held runs put out, on its way to the store.
 *
 * Each run has a buffer. A thread hands over what has been in one for a while, or is a good piece
 * of it; what is left at the run's end goes with that, so that a short run costs the store no call
 * more. Where the store does not take it the buffers fill, and past their bound bytes are dropped
 * rather than a program held up; the log says how many. Past the limit of a run's output nothing
 * more is kept, and the log's last line says how much that was.
 *
 * Bytes keep their order and their place: those that may have reached the store are offered again
 * unchanged, and nothing is ever dropped from among them.
 */
#ifndef WF_RUNNER_OUTPUT_H
#define WF_RUNNER_OUTPUT_H

#include "base/slice.h"
#include "store/store.h"

typedef struct wf_pump_t wf_pump_t;     /* of all runs of a runner */
typedef struct wf_output_t wf_output_t; /* of one */

/*
 * Prepares for runs that may put out `limit` bytes each, and starts the thread, which ends with the
 * pool, as soon as the store has answered it. APR_SUCCESS, or the system's error.
 */
apr_status_t wf_pump_create(wf_pump_t **pump, wf_store_t *store, apr_uint64_t limit,
                            apr_pool_t *pool);

/*
 * Begins the output of a run that is claimed, which lives in pool; wf_output_end must come before
 * that goes. What an earlier execution of it left stays, and a line says that it begins again.
 */
wf_output_t *wf_output_begin(wf_pump_t *pump, const wf_claim_t *claim, apr_pool_t *pool);

/*
 * Adds bytes, which are copied. Takes its time, a second at most, only where the buffer is full and
 * the store has done its part so far. Any one thread at a time.
 */
void wf_output_add(wf_output_t *output, wf_slice_t bytes);

/* Adds a line that tells of the run itself, with the time in front. */
void wf_output_say(wf_output_t *output, const char *text);

/*
 * Ends it: nothing is added or handed over any more. *rest is what the store has not been told, to
 * be kept from *offset on; it lives as long as the output. Waits for a call that is under way.
 */
void wf_output_end(wf_output_t *output, wf_slice_t *rest, apr_uint64_t *offset);

#endif
