/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets. A run is `period` units high, and `runs` units drain in each microsecond: so a bucket
 * of runs * period units is empty after a period, no division rounds, and with the greatest rate
 * its height is far from what 64 bits hold.
 */
#include "store/embedded/rates.h"

#include <stdlib.h>
#include "base/result.h"

#define SWEEP_LEAST 64u /* buckets below which empty ones are not looked for */

typedef struct bucket_t {
    wf_rate_t rate;
    apr_uint64_t level;
    apr_time_t drained;   /* when the level was that */
    apr_uint32_t pending; /* runs in it that this batch has taken */
    apr_size_t key_len;
    char key[];
} bucket_t;

_Static_assert(WF_RATE_RUNS_MOST < APR_UINT64_MAX / 2 / (apr_uint64_t)WF_RATE_PERIOD_MOST,
               "a full bucket and one run more fit");

static apr_status_t free_buckets(void *buckets)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, buckets); i; i = apr_hash_next(i)) {
        free(apr_hash_this_val(i));
    }
    return APR_SUCCESS;
}

void wf_rates_init(wf_rates_t *rates, apr_pool_t *pool)
{
    rates->buckets = apr_hash_make(pool);
    rates->taken = apr_array_make(pool, 64, sizeof(bucket_t *));
    rates->sweep_at = SWEEP_LEAST;
    apr_pool_cleanup_register(pool, rates->buckets, free_buckets, apr_pool_cleanup_null);
}

int wf_rate_is_valid(const wf_rate_t *rate)
{
    return !rate->runs ||
           (rate->runs <= WF_RATE_RUNS_MOST && rate->period >= WF_RATE_PERIOD_LEAST &&
            rate->period <= WF_RATE_PERIOD_MOST);
}

static apr_uint64_t height_of_run(const wf_rate_t *rate)
{
    return (apr_uint64_t)rate->period;
}

static apr_uint64_t height_of_bucket(const wf_rate_t *rate)
{
    return rate->runs * (apr_uint64_t)rate->period;
}

static void lower(bucket_t *bucket, apr_uint64_t by)
{
    bucket->level = bucket->level > by ? bucket->level - by : 0;
}

static void drain(bucket_t *bucket, apr_time_t now)
{
    apr_interval_time_t elapsed = now - bucket->drained;

    if (elapsed <= 0) {
        return;
    }
    lower(bucket, elapsed < bucket->rate.period ? bucket->rate.runs * (apr_uint64_t)elapsed
                                                : height_of_bucket(&bucket->rate));
    bucket->drained = now;
}

/* Goes over to another rate: as many runs are in the bucket as were, or as there is room for. */
static void adopt(bucket_t *bucket, const wf_rate_t *rate)
{
    double runs = (double)bucket->level / (double)height_of_run(&bucket->rate);

    bucket->rate = *rate;
    bucket->level = runs < rate->runs ? (apr_uint64_t)(runs * (double)height_of_run(rate))
                                      : height_of_bucket(rate);
}

/* The key's bucket as it is now, NULL where it has none. */
static bucket_t *find(wf_rates_t *rates, wf_slice_t key, const wf_rate_t *rate, apr_time_t now)
{
    bucket_t *bucket = apr_hash_get(rates->buckets, key.data, (apr_ssize_t)key.len);

    if (bucket) {
        drain(bucket, now);
        if (bucket->rate.runs != rate->runs || bucket->rate.period != rate->period) {
            adopt(bucket, rate);
        }
    }
    return bucket;
}

/* Forgets the buckets that are empty; so many others are left that the next look pays. */
static void sweep(wf_rates_t *rates, apr_time_t now)
{
    for (apr_hash_index_t *i = apr_hash_first(NULL, rates->buckets); i; i = apr_hash_next(i)) {
        bucket_t *bucket;
        void *value;

        apr_hash_this(i, NULL, NULL, &value);
        bucket = value;
        drain(bucket, now);
        if (!bucket->level && !bucket->pending) {
            apr_hash_set(rates->buckets, bucket->key, (apr_ssize_t)bucket->key_len, NULL);
            free(bucket);
        }
    }
    rates->sweep_at = 2 * apr_hash_count(rates->buckets);
    if (rates->sweep_at < SWEEP_LEAST) {
        rates->sweep_at = SWEEP_LEAST;
    }
}

static bucket_t *make(wf_rates_t *rates, wf_slice_t key, const wf_rate_t *rate, apr_time_t now)
{
    bucket_t *bucket;

    if (apr_hash_count(rates->buckets) >= rates->sweep_at) {
        sweep(rates, now);
    }
    bucket = calloc(1, sizeof(*bucket) + key.len);
    if (!bucket) {
        abort();
    }
    bucket->rate = *rate;
    bucket->drained = now;
    bucket->key_len = key.len;
    memcpy(bucket->key, key.data, key.len);
    apr_hash_set(rates->buckets, bucket->key, (apr_ssize_t)key.len, bucket);
    return bucket;
}

apr_status_t wf_rates_ask(apr_interval_time_t *retry, wf_rates_t *rates, wf_slice_t key,
                          const wf_rate_t *rate, apr_time_t now)
{
    const bucket_t *bucket = find(rates, key, rate, now);
    apr_uint64_t room = height_of_bucket(rate) - height_of_run(rate);

    if (!bucket || bucket->level <= room) {
        return APR_SUCCESS;
    }
    *retry = (apr_interval_time_t)((bucket->level - room + rate->runs - 1) / rate->runs);
    return WF_ERATE;
}

void wf_rates_take(wf_rates_t *rates, wf_slice_t key, const wf_rate_t *rate, apr_time_t now)
{
    bucket_t *bucket = find(rates, key, rate, now);

    if (!bucket) {
        bucket = make(rates, key, rate, now);
    }
    bucket->level += height_of_run(rate);
    bucket->pending++;
    APR_ARRAY_PUSH(rates->taken, bucket_t *) = bucket;
}

void wf_rates_commit(wf_rates_t *rates)
{
    for (int i = 0; i < rates->taken->nelts; i++) {
        APR_ARRAY_IDX(rates->taken, i, bucket_t *)->pending = 0;
    }
    rates->taken->nelts = 0;
}

void wf_rates_rollback(wf_rates_t *rates)
{
    for (int i = 0; i < rates->taken->nelts; i++) {
        bucket_t *bucket = APR_ARRAY_IDX(rates->taken, i, bucket_t *);

        lower(bucket, height_of_run(&bucket->rate));
        bucket->pending = 0;
    }
    rates->taken->nelts = 0;
}
