/* SPDX-License-Identifier: Apache-2.0 */
/* A task's hours. */
#include "store/embedded/hours.h"

#include <stdlib.h>

typedef struct slot_t {
    apr_uint32_t hour; /* whose counts these are: the ring goes round */
    wf_ends_t ends;
    apr_uint32_t durations[WF_HISTORY_BUCKETS];
} slot_t;

struct wf_hours_t {
    apr_uint32_t latest;
    slot_t slots[WF_HISTORY_HOURS]; /* by the hour, modulo their number */
};

wf_hours_t *wf_hours_create(void)
{
    wf_hours_t *hours = calloc(1, sizeof(*hours));

    if (!hours) {
        abort();
    }
    return hours;
}

static int bucket_of(apr_uint64_t time)
{
    int i = 0;

    while (i < WF_HISTOGRAM_BUCKETS && time > wf_time_bounds[i]) {
        i++;
    }
    return i;
}

void wf_hours_count(wf_hours_t *hours, apr_uint32_t hour, wf_run_status_e status, apr_uint64_t time)
{
    slot_t *slot = &hours->slots[hour % WF_HISTORY_HOURS];

    if (slot->hour != hour) {
        memset(slot, 0, sizeof(*slot));
        slot->hour = hour;
    }
    if (hour > hours->latest) {
        hours->latest = hour;
    }
    if (status == WF_RUN_INTERRUPTED) {
        slot->ends.interrupted++;
        return;
    }
    if (status == WF_RUN_COMPLETED) {
        slot->ends.completed++;
    } else {
        slot->ends.error++;
    }
    slot->durations[bucket_of(time)]++;
}

int wf_hours_is_over(const wf_hours_t *hours, apr_uint32_t present)
{
    return present >= hours->latest + WF_HISTORY_HOURS;
}

int wf_hours_read(wf_task_history_t *history, const wf_hours_t *hours, apr_uint32_t present,
                  apr_uint32_t count, apr_pool_t *pool)
{
    wf_ends_t *ends = apr_pcalloc(pool, count * sizeof(*ends));
    int found = 0;

    history->hours = ends;
    memset(history->durations, 0, sizeof(history->durations));
    for (apr_uint32_t i = 0; i < count; i++) {
        apr_uint32_t hour = present + 1 - count + i;
        const slot_t *slot = &hours->slots[hour % WF_HISTORY_HOURS];

        if (slot->hour != hour) {
            continue;
        }
        found = 1;
        ends[i] = slot->ends;
        for (int bucket = 0; bucket < WF_HISTORY_BUCKETS; bucket++) {
            history->durations[bucket] += slot->durations[bucket];
        }
    }
    return found;
}
