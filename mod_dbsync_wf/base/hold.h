/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Something that one thread makes, that then is only read, and that goes when the last one who
 * holds it lets go: with it goes a pool of its own, and that pool's allocator, in which it was
 * made.
 */
#ifndef WF_BASE_HOLD_H
#define WF_BASE_HOLD_H

#include <apr_pools.h>

typedef struct wf_hold_t {
    apr_pool_t *pool; /* holds this itself */
    volatile apr_uint32_t count;
} wf_hold_t;

/* Makes the pool, with the caller's hold on it. APR_SUCCESS, or the system's error. */
apr_status_t wf_hold_create(wf_hold_t **hold, const char *tag);

/* Makes a pool that belongs to nobody, with an allocator of its own; where there is no memory for
 * it later, the process ends. APR_SUCCESS, or the system's error. */
apr_status_t wf_hold_own_pool(apr_pool_t **pool, const char *tag);

/* One more holds it: somebody who holds it already, or guards it by a lock, says so. */
void wf_hold_take(wf_hold_t *hold);

/* Lets go; NULL: of nothing. */
void wf_hold_drop(wf_hold_t *hold);

/* Lets go when pool is cleared or destroyed. */
void wf_hold_drop_with(wf_hold_t *hold, apr_pool_t *pool);

#endif
