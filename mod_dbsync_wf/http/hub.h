/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub: one thread of a child that watches the runs that suspended requests wait for
 * (suspend.h), however many.
 */
#ifndef WF_HTTP_HUB_H
#define WF_HTTP_HUB_H

#include "http/waiter.h"

typedef struct wf_hub_t wf_hub_t;

/* A suspended request. A worker's, but from wf_hub_add to wf_hub_remove the hub's. */
typedef struct wf_parked_t {
    wf_hub_t *hub;
    wf_waiter_t waiter; /* with no place: threads are not what is short */
    int for_change;
    wf_run_t *run;       /* as it stood when it was looked at last, in waiter.pool */
    apr_status_t status; /* of that look; where it failed, the request's failure says how */
    int is_over;         /* it is waited for no more: the hub has sent the connection back */

    /* The hub's own. */
    apr_uint64_t id; /* 0: it is not the hub's */
    int client;      /* descriptors: of the client's connection */
    int watch;       /* ... and of the watch; -1: none */
    int is_new;      /* nobody has looked at its run since it was prepared */
    int is_busy;     /* the hub is at work on it, outside of its monitor */
} wf_parked_t;

/* Opens the hub of this child, for `most` requests at a time; its thread is started when it is
 * needed first, and ends with pchild. APR_SUCCESS, or the system's error. */
apr_status_t wf_hub_open(wf_hub_t **hub, wf_shared_t *shared, apr_uint32_t most,
                         apr_pool_t *pchild);

/* Makes what is to be added, in the request's pool, or NULL where the hub is full. */
wf_parked_t *wf_hub_prepare(wf_hub_t *hub, wf_request_t *req, apr_interval_time_t wait,
                            int for_change);

/*
 * Hands a request to the hub: nobody else may touch it from then on. When it need not be waited for
 * any more, the receiving side of the connection's socket is shut down. Zero where the hub does not
 * take it (it ends, the store is away), and it is the caller's still.
 */
int wf_hub_add(wf_parked_t *parked, conn_rec *c);

/* Takes it back. The hub forgets it, and has no hand in it when this returns. */
void wf_hub_remove(wf_parked_t *parked);

#endif
