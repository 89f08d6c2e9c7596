/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an action is. Each kind is one file, action_<kind>.c, with one wf_action_kind_t that the
 * table in action.c lists: adding an action means adding a file and a line.
 */
#ifndef WF_FLOW_ACTION_H
#define WF_FLOW_ACTION_H

#include <jansson.h>
#include "base/json.h"
#include "base/result.h"
#include "flow/cancel.h"
#include "flow/mapping.h"

typedef struct wf_action_kind_t wf_action_kind_t;

typedef struct wf_action_t {
    const wf_action_kind_t *kind;
    const char *name; /* as the file gives it, or else the kind's name */
    void *spec;       /* what the kind's parse made */
} wf_action_t;

/* What an action is executed with. */
typedef struct wf_action_context_t {
    const char *action; /* its name, for messages */
    const char *pid;    /* text form */
    const char *project;
    const char *task;
    apr_uint64_t fence;
    wf_scope_t scope;
    apr_time_t deadline; /* of the task, a wf_clock time; 0: none */
    apr_interval_time_t grace;
    wf_cancel_t *cancel;
} wf_action_context_t;

/* What came of it. */
typedef struct wf_action_end_t {
    wf_slice_t result; /* JSON; empty counts as null */
    int result_cut;    /* whether the result was capped */
    wf_json_writer_t
        *details; /* inside the action's object in the run's `actions`: a kind adds members */
} wf_action_end_t;

struct wf_action_kind_t {
    const char *name;
    /* The members that an action of this kind may have, beside "action" and "name";
     * NULL-terminated. */
    const char *const *members;
    /*
     * Makes the spec from the file's object, in the project's pool. `path` is the action's JSON
     * path, for the detail of an error. APR_SUCCESS or WF_EINVALID (WF_PROBLEM_INVALID_PROJECT).
     */
    apr_status_t (*parse)(void **spec, const json_t *object, const char *path, wf_result_t *result,
                          apr_pool_t *pool);
    /*
     * Executes. APR_SUCCESS; WF_ECANCELLED where the cancel was requested (its reason says why;
     * TIMEOUT past the deadline, which the kind requests itself); otherwise the action failed and
     * result says how. Whichever it is, nothing of the action is alive on return.
     */
    apr_status_t (*execute)(wf_action_end_t *end, const void *spec,
                            const wf_action_context_t *context, wf_result_t *result,
                            apr_pool_t *pool);
};

/* Finds a kind by its name, or NULL. */
const wf_action_kind_t *wf_action_kind(const char *name);

/* The names of all kinds, with commas, for messages. */
const char *wf_action_kind_names(apr_pool_t *pool);

extern const wf_action_kind_t wf_action_exec;
extern const wf_action_kind_t wf_action_wait;

#endif
