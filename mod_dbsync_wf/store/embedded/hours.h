/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the runs of one task ended in the last hours (store/history.h): a ring of them, about 3 KB on
 * the heap. An hour is the number of those that have gone since 1970.
 */
#ifndef WF_STORE_EMBEDDED_HOURS_H
#define WF_STORE_EMBEDDED_HOURS_H

#include "store/store.h"

typedef struct wf_hours_t wf_hours_t;

/* Makes an empty one; free(3) ends it. */
wf_hours_t *wf_hours_create(void);

/* Counts an end in an hour. `time`: how long the run took, in microseconds, where it has started.
 */
void wf_hours_count(wf_hours_t *hours, apr_uint32_t hour, wf_run_status_e status,
                    apr_uint64_t time);

/* Whether nothing is left of it in `present`, because it was all WF_HISTORY_HOURS ago or earlier.
 */
int wf_hours_is_over(const wf_hours_t *hours, apr_uint32_t present);

/* Fills in hours and durations of the last `count` hours up to `present`, in pool. Whether there
 * was an end in them. */
int wf_hours_read(wf_task_history_t *history, const wf_hours_t *hours, apr_uint32_t present,
                  apr_uint32_t count, apr_pool_t *pool);

#endif
