/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a run that executes is told to end. One flag with a reason and a descriptor that becomes
 * readable, so that whatever an action waits for, it can wait for this too.
 */
#ifndef WF_FLOW_CANCEL_H
#define WF_FLOW_CANCEL_H

#include <apr_errno.h>
#include <apr_pools.h>

typedef enum {
    WF_CANCEL_NONE,
    WF_CANCEL_INTERRUPT, /* a user asked */
    WF_CANCEL_SHUTDOWN,  /* the server stops */
    WF_CANCEL_LOST,      /* the lease is gone: the outcome will not be taken, only end */
    WF_CANCEL_TIMEOUT    /* the task's own timeout */
} wf_cancel_reason_e;

typedef struct wf_cancel_t wf_cancel_t;

/* Makes a flag in pool, whose cleanup closes the descriptor. */
apr_status_t wf_cancel_create(wf_cancel_t **cancel, apr_pool_t *pool);

/* Sets the reason, from any thread; the first one stays. */
void wf_cancel_request(wf_cancel_t *cancel, wf_cancel_reason_e reason);

/* The reason, WF_CANCEL_NONE while nobody asked. */
wf_cancel_reason_e wf_cancel_reason(wf_cancel_t *cancel);

/* Readable once a reason is set, and from then on. Only for poll; never read from it. */
int wf_cancel_fd(const wf_cancel_t *cancel);

/*
 * How long what is ended has from TERM to KILL, where `configured` is what the operator allows: as
 * much for a user or a timeout; WF_STOP_GRACE at most when the server stops, since httpd gives its
 * processes some seconds in all; nothing when the lease is gone, since another may have the run.
 */
#define WF_STOP_GRACE apr_time_from_sec(4)
apr_interval_time_t wf_cancel_grace(wf_cancel_reason_e reason, apr_interval_time_t configured);

/*
 * Sleeps until `deadline` (a wf_clock time) or until asked to end.
 * APR_SUCCESS when the time has come, WF_ECANCELLED when asked to end.
 */
apr_status_t wf_cancel_sleep(wf_cancel_t *cancel, apr_time_t deadline);

#endif
