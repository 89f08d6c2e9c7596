/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an action is. Each kind is one file, action_<kind>.c, with one wf_action_kind_t that the
 * table in action.c lists: adding an action means adding a file and a line.
 *
 * An action is parsed once, when its project is loaded, and is only read from then on, by any
 * number of runs at a time. It executes with a context: what it may look up, what it may leave for
 * later actions of its run, and how it is told to end.
 */
#ifndef WF_FLOW_ACTION_H
#define WF_FLOW_ACTION_H

#include <apr_hash.h>
#include "base/json.h"
#include "base/result.h"
#include "flow/cancel.h"
#include "flow/check.h"
#include "flow/mapping.h"
#include "flow/variables.h"

typedef struct wf_action_kind_t wf_action_kind_t;
typedef struct wf_action_t wf_action_t;

/* Actions that are executed in order. */
typedef struct wf_action_list_t {
    int count;
    const wf_action_t *const *actions;
} wf_action_list_t;

/* What follows an action that failed. */
typedef enum {
    WF_ON_ERROR_STOP,     /* the run ends as an error */
    WF_ON_ERROR_CONTINUE, /* the next action begins */
    WF_ON_ERROR_FLOW      /* a flow of the task is executed, and then the next action begins */
} wf_on_error_e;

struct wf_action_t {
    const wf_action_kind_t *kind;
    const char *name; /* as the file gives it, or else the kind's name */
    const char *into; /* the variable that its result becomes; NULL: none */
    wf_on_error_e on_error;
    const char *error_flow;      /* WF_ON_ERROR_FLOW: its name */
    apr_uint32_t attempts;       /* 1: not repeated */
    apr_interval_time_t backoff; /* before the second attempt; doubled for each further one */
    void *spec;                  /* what the kind's parse made */
};

/* What a project's file says beside the action at hand; for parse alone. */
typedef struct wf_loader_t {
    apr_hash_t *connectors; /* name to wf_connector_t, all of the project's (flow/connector.h) */
    const json_t *flows;    /* the task's array of flows */
    int depth;              /* actions inside actions */
} wf_loader_t;

/* Rows, as a run's status counts them. */
typedef struct wf_records_t {
    apr_uint64_t read;
    apr_uint64_t written;
    apr_uint64_t failed;
} wf_records_t;

/* The run that actions belong to, as its execution keeps it (flow.c). */
typedef struct wf_walk_t wf_walk_t;

/* What an action is executed with. */
typedef struct wf_action_context_t {
    const char *action; /* its name, for messages */
    const char *pid;    /* text form */
    const char *project;
    const char *task;
    apr_uint64_t fence;
    wf_scope_t scope;          /* what its expressions see */
    wf_variables_t *variables; /* the same as the scope's, to set */
    apr_time_t deadline;       /* of the task, a wf_clock time; 0: none */
    apr_interval_time_t grace;
    wf_cancel_t *cancel;
    apr_hash_t *resources; /* what an action keeps for later ones of this run, by a name of its own
                              ("sql:crm"): a connection, say; freed by a cleanup of run_pool */
    apr_pool_t *run_pool;  /* lives as long as the run's execution */
    wf_walk_t *walk;
} wf_action_context_t;

/* What came of it. */
typedef struct wf_action_end_t {
    wf_slice_t result; /* JSON; empty counts as null */
    int result_cut;    /* whether the result was capped */
    int has_none;      /* whether it has no result of its own: the one before it stays */
    wf_json_writer_t
        *details; /* inside the action's object in the run's `actions`: a kind adds members */
} wf_action_end_t;

struct wf_action_kind_t {
    const char *name;
    /* The members that an action of this kind may have, beside those of every action (project.c);
     * NULL-terminated. */
    const char *const *members;
    /*
     * Makes the spec from the file's object, in the project's pool (at->pool). APR_SUCCESS or
     * WF_EINVALID (WF_PROBLEM_INVALID_PROJECT), set by the wf_check_* functions.
     */
    apr_status_t (*parse)(void **spec, const wf_check_t *at, const wf_loader_t *loader);
    /*
     * Executes. APR_SUCCESS; WF_ECANCELLED where the cancel was requested (its reason says why;
     * TIMEOUT past the deadline, which the kind requests itself); otherwise the action failed and
     * result says how. Whichever it is, nothing of the action is alive on return. What *end points
     * to lives in pool.
     */
    apr_status_t (*execute)(wf_action_end_t *end, const void *spec,
                            const wf_action_context_t *context, wf_result_t *result,
                            apr_pool_t *pool);
};

/* Finds a kind by its name, or NULL. */
const wf_action_kind_t *wf_action_kind(const char *name);

/* The names of all kinds, with commas, for messages. */
const char *wf_action_kind_names(apr_pool_t *pool);

/* Parses the array in a member of an action, such as "then", as actions. Nesting is bounded. */
apr_status_t wf_action_list_parse(wf_action_list_t *list, const wf_check_t *at, const char *member,
                                  wf_need_e need, const wf_loader_t *loader);

/* Whether the task has a flow of that name; for parse. */
int wf_loader_has_flow(const wf_loader_t *loader, const char *name);

/* ---- for execute ---- */

/* Executes actions inside this one. APR_SUCCESS, or what ended them, which is in result. */
apr_status_t wf_action_list_execute(const wf_action_list_t *list,
                                    const wf_action_context_t *context, wf_result_t *result);

/* Executes the flow of the task that has that name, whether or not it is enabled. */
apr_status_t wf_action_flow_execute(const char *flow, const wf_action_context_t *context,
                                    wf_result_t *result);

/* Adds to the run's records; its status shows them while it executes. Cheap: once a batch. */
void wf_action_count(const wf_action_context_t *context, const wf_records_t *more);

/*
 * Puts out bytes: they become part of the run's log as they are. `walk` is the context's, so that
 * this can be handed to what calls back (flow/process.h). _has_: whether anybody wants them; only
 * then may they be put out.
 */
int wf_action_has_output(const wf_action_context_t *context);
void wf_action_output(void *walk, wf_slice_t bytes);

/*
 * Markers: what a task remembers from one run to the next, such as the latest change that it has
 * copied. A marker that is set takes effect when the run completes, and not at all otherwise.
 * _get: the JSON text that the last completed run left, empty where none did.
 */
wf_slice_t wf_action_marker_get(const wf_action_context_t *context, const char *name);
void wf_action_marker_set(const wf_action_context_t *context, const char *name, wf_slice_t json);

/*
 * Whether the action may go on. APR_SUCCESS, or WF_ECANCELLED where the cancel was requested or the
 * task's deadline has passed (then it requests TIMEOUT). For loops that wait for nothing.
 */
apr_status_t wf_action_may_go_on(const wf_action_context_t *context);

extern const wf_action_kind_t wf_action_debug;
extern const wf_action_kind_t wf_action_exec;
extern const wf_action_kind_t wf_action_flow;
extern const wf_action_kind_t wf_action_for;
extern const wf_action_kind_t wf_action_if;
extern const wf_action_kind_t wf_action_query;
extern const wf_action_kind_t wf_action_sql;
extern const wf_action_kind_t wf_action_variable;
extern const wf_action_kind_t wf_action_wait;
extern const wf_action_kind_t wf_action_write;

#endif
