/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the runner still works: its main thread stamps the time into memory that it shares with
 * the supervisor, which looks at it. A runner that is stopped stamps no more. It must be gone, with
 * all that it started, before its lease ends: then the store gives its runs to another.
 */
#ifndef WF_RUNNER_PULSE_H
#define WF_RUNNER_PULSE_H

#include <stdatomic.h>
#include <apr_errno.h>
#include <apr_time.h>

/* How often a stamp comes, and how old one may be: less than a lease (WF_LEASE_TTL). */
#define WF_PULSE_PERIOD   apr_time_from_sec(1)
#define WF_PULSE_PATIENCE apr_time_from_sec(7)

typedef struct wf_pulse_t {
    _Atomic apr_time_t last; /* a wf_clock time; 0: none yet, and none is awaited */
} wf_pulse_t;

/* Makes one that processes forked from here share with this one. APR_SUCCESS, or the system's
 * error. Never freed. */
apr_status_t wf_pulse_create(wf_pulse_t **pulse);

/* The runner: it works. Called every WF_PULSE_PERIOD, from when it awaits no one any more. */
void wf_pulse_stamp(wf_pulse_t *pulse);

/* The supervisor: a fresh runner begins, which has not stamped yet. */
void wf_pulse_reset(wf_pulse_t *pulse);

/* When the last stamp will be too old, as a wf_clock time; 0: never. */
apr_time_t wf_pulse_deadline(wf_pulse_t *pulse);

#endif
