/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clocks. apr_time_now() is the wall's and only ever shown or stored; whatever waits, expires
 * or measures uses wf_clock(), which no operator and no time server can step.
 */
#ifndef WF_BASE_CLOCK_H
#define WF_BASE_CLOCK_H

#include <apr_time.h>

/* Microseconds of CLOCK_MONOTONIC; only differences mean something. */
apr_time_t wf_clock(void);

/* Milliseconds from now until `deadline` (a wf_clock time), rounded up, at least 0, for poll(2). */
int wf_clock_poll_ms(apr_time_t deadline);

#define WF_TIME_TEXT_LEN 24

/* Writes RFC 3339 in UTC with milliseconds, "2026-11-24T03:44:25.123Z", and a NUL. */
void wf_time_format(char text[WF_TIME_TEXT_LEN + 1], apr_time_t when);

#define WF_SECONDS_TEXT_LEN 27
/* Writes microseconds as seconds, without zeros at the end, "0.025" or "60", and a NUL. */
void wf_seconds_format(char text[WF_SECONDS_TEXT_LEN + 1], apr_uint64_t time);

#endif
