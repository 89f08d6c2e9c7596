/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that the keeper cannot do at the moment and tries again, such as writing on a disk that
 * is full: since when, when it is tried next, and what the log says of it. That is a line when it
 * begins, one a minute while it lasts, and one when it is over; one that comes back soon after it
 * was over is still the same one, and not said anew.
 */
#ifndef WF_STORE_EMBEDDED_TROUBLE_H
#define WF_STORE_EMBEDDED_TROUBLE_H

#include <apr_errno.h>
#include <apr_time.h>

typedef struct wf_trouble_t {
    const char *of;      /* "the state directory /srv/runs" */
    const char *what;    /* "cannot be written" */
    const char *again;   /* "can be written again" */
    const char *advice;  /* what to do, and what becomes of requests meanwhile */
    apr_status_t status; /* of the latest attempt; APR_SUCCESS: there is no trouble */
    apr_time_t since;    /* the wall clock's, to be shown */
    apr_time_t began;    /* the same as a wf_clock time */
    apr_time_t retry;    /* a wf_clock time: it is not tried before */
    apr_time_t say;      /* likewise: nor said again */
    apr_uint64_t attempts;
    int is_said;
} wf_trouble_t;

/* Whether there is trouble and the next attempt is not due yet. */
int wf_trouble_waits(const wf_trouble_t *trouble);

/* The earlier of `next` and, where there is trouble, the time of the next attempt. */
apr_time_t wf_trouble_next(const wf_trouble_t *trouble, apr_time_t next);

/* An attempt failed. */
void wf_trouble_note(wf_trouble_t *trouble, apr_status_t status);

/* An attempt succeeded. */
void wf_trouble_over(wf_trouble_t *trouble);

#endif
