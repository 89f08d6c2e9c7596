/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms. */
#include "store/stats.h"

const apr_uint64_t wf_time_bounds[WF_HISTOGRAM_BUCKETS] = {
    APR_UINT64_C(1000),      APR_UINT64_C(5000),       APR_UINT64_C(25000),
    APR_UINT64_C(100000),    APR_UINT64_C(500000),     APR_UINT64_C(1000000),
    APR_UINT64_C(5000000),   APR_UINT64_C(15000000),   APR_UINT64_C(60000000),
    APR_UINT64_C(300000000), APR_UINT64_C(1800000000), APR_UINT64_C(7200000000),
};

const apr_uint64_t wf_call_bounds[WF_HISTOGRAM_BUCKETS] = {1,  2,   4,   8,   16,   32,
                                                           64, 128, 256, 512, 1024, 2048};

void wf_histogram_add(wf_histogram_t *histogram, const apr_uint64_t *bounds, apr_uint64_t value)
{
    histogram->count++;
    histogram->sum += value;
    for (int i = 0; i < WF_HISTOGRAM_BUCKETS; i++) {
        if (value <= bounds[i]) {
            histogram->buckets[i]++;
            return;
        }
    }
}
