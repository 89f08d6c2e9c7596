/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of a store: what it has done since its process began, and how it stands now. They are
 * for monitoring: kept in memory, begun anew with each start of that process, and never more than
 * a bounded number of them.
 */
#ifndef WF_STORE_STATS_H
#define WF_STORE_STATS_H

#include <apr_tables.h>
#include <apr_time.h>

#define WF_HISTOGRAM_BUCKETS 12

/* How many values there were of which size. */
typedef struct wf_histogram_t {
    apr_uint64_t count;
    apr_uint64_t sum;
    /* Values up to the bound of the same index and above the one before; those above all bounds
     * are in `count` alone. */
    apr_uint64_t buckets[WF_HISTOGRAM_BUCKETS];
} wf_histogram_t;

/* The bounds that are used: of times, in microseconds, and of numbers of calls. */
extern const apr_uint64_t wf_time_bounds[WF_HISTOGRAM_BUCKETS];
extern const apr_uint64_t wf_call_bounds[WF_HISTOGRAM_BUCKETS];

/* Adds one value. */
void wf_histogram_add(wf_histogram_t *histogram, const apr_uint64_t *bounds, apr_uint64_t value);

/* The numbers of a task: X(name). The list makes the struct and its encoding. */
/* clang-format off */
#define WF_TASK_NUMBERS(X)                                                                         \
    X(submitted)                                                                                   \
    X(completed)                                                                                   \
    X(error)                                                                                       \
    X(interrupted)                                                                                 \
    X(queued)      /* at the moment, as is the next */                                             \
    X(running)

/* Those of the store, which are the server's, not a vhost's. */
#define WF_STORE_NUMBERS(X)                                                                        \
    X(is_open)           /* 0: it could not be opened, and every call is refused */                \
    X(is_writable)       /* 0: its disk is full, or fails */                                       \
    X(takes_checkpoints) /* 0: likewise, and its log grows */                                      \
    X(process)           /* its process id */                                                      \
    X(started)           /* when its process began: microseconds since 1970 */                     \
    X(keeper_restarts)   /* how often that process had to be started again */                      \
    X(runner_restarts)                                                                             \
    X(runners)           /* that have joined and are not lost */                                   \
    X(queued)            /* runs at the moment, as is the next */                                  \
    X(running)                                                                                     \
    X(watchers)          /* calls that wait for a run */                                           \
    X(damaged)           /* calls refused because what they need is damaged */                     \
    X(callbacks_pending) /* ends of runs that are to be told, at the moment */                     \
    X(callbacks_delivered)                                                                         \
    X(callbacks_failed)  /* that nobody will be told of */
/* clang-format on */

#define WF_STATS_MEMBER(name) apr_uint64_t name;

typedef struct wf_task_stats_t {
    const char *project; /* both "": tasks beyond WF_STATS_TASKS, together */
    const char *task;
    WF_TASK_NUMBERS(WF_STATS_MEMBER)
    wf_histogram_t wait;      /* microseconds from a run's submission to each of its claims */
    wf_histogram_t execution; /* microseconds from its latest claim to its end */
} wf_task_stats_t;

typedef struct wf_store_stats_t {
    WF_STORE_NUMBERS(WF_STATS_MEMBER)
    wf_histogram_t commits;    /* how many calls that write each of them carried */
    apr_array_header_t *tasks; /* wf_task_stats_t, in no order */
} wf_store_stats_t;

#undef WF_STATS_MEMBER

/* So many tasks of a vhost are told apart; those that come later are one row. */
#define WF_STATS_TASKS 500

#endif
