/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executes a task: its enabled flows in order, each flow's actions in order, until one fails for
 * good, the cancel is requested or the timeout comes. Knows no store: it reports through callbacks.
 */
#ifndef WF_FLOW_FLOW_H
#define WF_FLOW_FLOW_H

#include "flow/project.h"

/* What a task remembers for its next run (flow/action.h). */
typedef struct wf_marker_t {
    const char *name;
    wf_slice_t json;
} wf_marker_t;

typedef struct wf_execution_t {
    const wf_task_t *task;
    const char *pid; /* text form */
    const char *project;
    apr_uint64_t fence;
    wf_slice_t payload; /* checked JSON, byte for byte as it was sent */
    int marker_count;   /* what the task's last completed run left */
    const wf_marker_t *markers;
    apr_interval_time_t grace;
    wf_cancel_t *cancel;
    /* Told before each action: its name, how many of the flows' own actions are done, how many
     * there are. May be NULL. */
    void (*progress)(void *baton, const char *action, apr_uint64_t done, apr_uint64_t total);
    /* Told when rows have been read or written: how many by now. May be NULL. */
    void (*count)(void *baton, const wf_records_t *records);
    /* Handed what the run puts out (flow/narrate.h), as it comes; the bytes are valid during the
     * call, which must not last. May be NULL. */
    void (*output)(void *baton, wf_slice_t bytes);
    void *baton;
} wf_execution_t;

/*
 * How it ended. `cancelled` is WF_CANCEL_NONE where it ended by itself: then problem is
 * WF_PROBLEM_NONE (completed) or the cause. A timeout is a cause (WF_PROBLEM_TIMEOUT), not a
 * cancellation. Where it was cancelled the caller decides what the run becomes.
 */
typedef struct wf_outcome_t {
    wf_cancel_reason_e cancelled;
    wf_problem_e problem;
    const char *detail;
    wf_slice_t result;  /* JSON of the last action that ended well; empty where none did */
    int result_cut;     /* the result was longer than its cap */
    wf_slice_t actions; /* JSON array, one object for each action that was started */
    apr_uint64_t done;  /* the flows' own actions that ended well */
    apr_uint64_t total; /* the flows' own actions, of all enabled flows */
    wf_records_t records;
    int marker_count; /* those that were set; of no effect unless the run completes */
    const wf_marker_t *markers;
} wf_outcome_t;

/* Executes to the end; *outcome, always filled in, lives in pool. Nothing of it is alive on return.
 */
void wf_execute(wf_outcome_t *outcome, const wf_execution_t *execution, apr_pool_t *pool);

/* Caps, in bytes. */
#define WF_RESULT_CAP (1024 * 1024) /* stdout that becomes an action's result */
#define WF_OUTPUT_CAP (8 * 1024)    /* stdout and stderr each, as shown in `actions` */

#endif
