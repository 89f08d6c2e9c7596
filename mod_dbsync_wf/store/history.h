/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the runs of tasks ended, hour by hour. It is for people who look at a page: kept in memory,
 * for WF_HISTORY_HOURS, and begun anew with each start of the store's process, which then recalls
 * what it finds among the latest runs, a bounded number of them.
 */
#ifndef WF_STORE_HISTORY_H
#define WF_STORE_HISTORY_H

#include "store/stats.h"

#define WF_HOUR            apr_time_from_sec(3600)
#define WF_HISTORY_HOURS   48 /* of the wall clock, UTC; the present one is the last */
#define WF_HISTORY_BUCKETS (WF_HISTOGRAM_BUCKETS + 1)

/* Runs that ended in an hour. */
typedef struct wf_ends_t {
    apr_uint32_t completed;
    apr_uint32_t error;
    apr_uint32_t interrupted;
} wf_ends_t;

typedef struct wf_task_history_t {
    const char *project;
    const char *task;
    const wf_ends_t *hours; /* as many as were asked for, the oldest first */
    /* Of those that completed or failed in these hours, how long they took from their latest claim:
     * up to the bound in wf_time_bounds of the same index, and above the one before; the last one
     * has none. */
    apr_uint32_t durations[WF_HISTORY_BUCKETS];
} wf_task_history_t;

/* Which tasks, and hours, are asked for. */
typedef struct wf_history_query_t {
    const char *vhost;
    const char *project; /* NULL: any, as is the next */
    const char *task;
    apr_uint32_t hours; /* 1 to WF_HISTORY_HOURS */
} wf_history_query_t;

typedef struct wf_history_t {
    apr_time_t since; /* no end of a run that was submitted then or later is missing */
    apr_time_t hour;  /* when the present hour began */
    apr_uint32_t hours;
    apr_array_header_t *tasks; /* wf_task_history_t, in no order: those with an end in the hours */
} wf_history_t;

#endif
