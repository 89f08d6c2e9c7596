/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mutex and one condition, for state that several threads share and wait for; and further
 * conditions of the same mutex, where a change is of interest to some of those who wait only.
 *
 * Unlike apr_thread_cond_timedwait, which waits for a time of the wall's clock, a wait here ends by
 * wf_clock: a clock that is set back an hour would otherwise make a wait of a second last an hour,
 * and a runner miss its lease.
 */
#ifndef WF_BASE_MONITOR_H
#define WF_BASE_MONITOR_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>

typedef struct wf_monitor_t wf_monitor_t;

/* Makes one, which is destroyed with pool: nobody may be inside then. APR_SUCCESS, or the system's
 * error. */
apr_status_t wf_monitor_create(wf_monitor_t **monitor, apr_pool_t *pool);

/*
 * Makes another one inside of which is inside of `of`: what differs is who is woken. Likewise
 * destroyed with pool, and before `of`. APR_SUCCESS, or the system's error.
 */
apr_status_t wf_monitor_share(wf_monitor_t **monitor, wf_monitor_t *of, apr_pool_t *pool);

/* Enters, one thread at a time and not again while inside; leaves. */
void wf_monitor_enter(wf_monitor_t *monitor);
void wf_monitor_leave(wf_monitor_t *monitor);

/* Inside: wakes all who wait for this one, since something has changed. */
void wf_monitor_announce(wf_monitor_t *monitor);

/*
 * Inside: leaves, waits until something is announced or the time has come (`deadline` is a wf_clock
 * time; 0: no end), and enters again. May also return for no reason: the caller looks again at what
 * it waits for, and at the clock.
 */
void wf_monitor_wait(wf_monitor_t *monitor, apr_time_t deadline);

#endif
