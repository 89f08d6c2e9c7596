/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk through a task's actions, shared by flow.c, which begins and ends it, and walk.c, which
 * takes its steps. One thread walks.
 */
#ifndef WF_FLOW_WALK_H
#define WF_FLOW_WALK_H

#include "flow/flow.h"

/* What an action that executes has written down so far of the actions inside it. */
typedef struct wf_frame_t {
    const char *flow;   /* the flow that they belong to */
    int depth;          /* 0: the flows' own actions */
    wf_buf_t actions;   /* their objects, with commas; on the heap */
    apr_uint64_t shown; /* how many are in there */
    apr_uint64_t left_out;
} wf_frame_t;

struct wf_walk_t {
    const wf_execution_t *execution;
    wf_outcome_t *outcome;
    wf_action_context_t context;
    wf_frame_t *frame;       /* of the actions that are executed now */
    apr_size_t room;         /* bytes that may still be written down */
    int flows;               /* called within each other */
    int mid_line;            /* the last byte that was put out ended no line */
    apr_pool_t *line_pool;   /* of a line about an action; NULL where nothing is put out */
    apr_hash_t *markers;     /* name to wf_marker_t: those that were set */
    apr_pool_t *pool;        /* of the outcome */
    apr_pool_t *result_pool; /* of the action whose result is the outcome's; NULL where none is */
};

/* Bounds of what is written down of a run's actions. */
#define WF_ACTIONS_CAP   (512 * 1024) /* bytes */
#define WF_ACTIONS_SHOWN 100 /* actions within one action, or a flow: those that failed aside */

/* Executes actions of a flow, in order. APR_SUCCESS, or what ended them, which is in result. */
apr_status_t wf_walk_list(wf_walk_t *walk, const wf_action_list_t *list, wf_result_t *result);

#endif
