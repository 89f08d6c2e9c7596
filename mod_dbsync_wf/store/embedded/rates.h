/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often tasks may be run: the generic cell rate algorithm (ITU-T I.371, as the continuous-state
 * leaky bucket). A key has a bucket that holds as many runs as a period may have, and drains evenly
 * in that time; one that would make it run over is refused. The arithmetic is exact. In memory; of
 * buckets that are empty again nothing is kept.
 *
 * What a batch takes is given back where it is undone. Times are those of wf_clock. One thread uses
 * it.
 */
#ifndef WF_STORE_EMBEDDED_RATES_H
#define WF_STORE_EMBEDDED_RATES_H

#include <apr_errno.h>
#include <apr_hash.h>
#include <apr_tables.h>
#include <apr_time.h>
#include "base/slice.h"

typedef struct wf_rate_t {
    apr_uint32_t runs; /* in each period; 0: any number */
    apr_interval_time_t period;
} wf_rate_t;

#define WF_RATE_RUNS_MOST    1000000u
#define WF_RATE_PERIOD_LEAST apr_time_from_sec(1)
#define WF_RATE_PERIOD_MOST  apr_time_from_sec(86400)

typedef struct wf_rates_t {
    apr_hash_t *buckets;       /* by key; on the heap */
    apr_array_header_t *taken; /* buckets that this batch took from, some more than once */
    apr_uint32_t sweep_at;     /* how many buckets there are when empty ones are looked for */
} wf_rates_t;

/* Makes an empty one, in pool, with which what it has on the heap goes too. */
void wf_rates_init(wf_rates_t *rates, apr_pool_t *pool);

/* Whether it is within the bounds above, or no limit. */
int wf_rate_is_valid(const wf_rate_t *rate);

/*
 * Whether a run may be let in now: APR_SUCCESS, or WF_ERATE, and *retry is how long until one may
 * be. The rate must be valid, and a limit; one that is not the key's last holds at once: of what it
 * has had as much counts as would fill the bucket.
 */
apr_status_t wf_rates_ask(apr_interval_time_t *retry, wf_rates_t *rates, wf_slice_t key,
                          const wf_rate_t *rate, apr_time_t now);

/* Counts a run that wf_rates_ask has just let in; `now` is that time or later. */
void wf_rates_take(wf_rates_t *rates, wf_slice_t key, const wf_rate_t *rate, apr_time_t now);

/* The batch is on disk: what it took is gone. */
void wf_rates_commit(wf_rates_t *rates);

/* The batch was undone: what it took is there again, as if it had never been taken. */
void wf_rates_rollback(wf_rates_t *rates);

#endif
