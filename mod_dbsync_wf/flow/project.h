/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projects: one JSON file each, DIR/{projectId}.json, read-only to the server.
 *
 * A file is checked whole when it is loaded: every error names the JSON path and the reason.
 * A loaded project never changes; it is counted by reference, so one that is replaced on disk
 * while a run executes stays valid until the run lets go of it.
 */
#ifndef WF_FLOW_PROJECT_H
#define WF_FLOW_PROJECT_H

#include <apr_tables.h>
#include "base/result.h"
#include "flow/action.h"
#include "flow/configuration.h"
#include "flow/reads.h"

typedef enum { WF_ON_LOST_FAIL, WF_ON_LOST_RERUN } wf_on_lost_e;

/* What becomes of a run while as many of its task as may be are under way. */
typedef enum {
    WF_OVERLAP_QUEUE,  /* it waits */
    WF_OVERLAP_REFUSE, /* its request is refused */
    WF_OVERLAP_SKIP    /* its request is answered with one that is under way */
} wf_overlap_e;

typedef struct wf_flow_t {
    const char *name; /* never NULL: "flow 1" where the file gives none */
    int enabled;
    wf_action_list_t actions;
} wf_flow_t;

typedef struct wf_task_t {
    const char *id;
    const char *name;            /* NULL where the file gives none */
    apr_interval_time_t timeout; /* 0: none */
    apr_uint32_t concurrency;    /* runs at a time; 0: no limit */
    apr_uint32_t queue_limit;    /* runs that wait at a time; 0: no limit */
    wf_on_lost_e on_lost;
    wf_overlap_e overlap;
    int flow_count;
    const wf_flow_t *flows;
    int parameter_count; /* of the body, as far as the file's expressions tell */
    const wf_parameter_t *parameters;
    const char *example;           /* a body, as JSON: the file's, or one that has the parameters */
    const wf_configuration_t *api; /* what is in force where nothing is stored; never NULL */
} wf_task_t;

typedef struct wf_project_t wf_project_t;

const char *wf_project_id(const wf_project_t *project);
const char *wf_project_name(const wf_project_t *project); /* NULL where the file gives none */

int wf_project_task_count(const wf_project_t *project);

/* A task by its place in the file, counted from 0. */
const wf_task_t *wf_project_task_at(const wf_project_t *project, int index);

/* A task by its id, or NULL. It lives as long as the caller's hold on the project. */
const wf_task_t *wf_project_task(const wf_project_t *project, const char *task_id);

/* Whether a text may be a project's or a task's id: 1 to 64 of [A-Za-z0-9._-], not beginning with a
 * dot. */
int wf_id_is_valid(const char *text);

/*
 * Loads DIR/{id}.json, checked whole. The project lives in pool.
 * APR_SUCCESS; APR_NOTFOUND where there is no such file (WF_PROBLEM_UNKNOWN_PROJECT);
 * WF_EINVALID where the file breaks a rule (WF_PROBLEM_INVALID_PROJECT; the detail is
 * "569.json: /tasks/12/flows/0/actions/1/command: must not be empty"); the system's error where it
 * cannot be read.
 */
apr_status_t wf_project_load(wf_project_t **project, const char *dir, const char *id,
                             wf_result_t *result, apr_pool_t *pool);

/* A cache of projects, for all threads of a process. */
typedef struct wf_projects_t wf_projects_t;

/* Makes an empty cache, whose memory is its own until pool is destroyed. */
apr_status_t wf_projects_create(wf_projects_t **projects, apr_pool_t *pool);

/*
 * Finds a project, loading it where it is not known or its file has changed (looked at with one
 * stat a call). Where a new version is broken or cannot be read, the last good one stays in force
 * and the error is logged once; where the file is gone, so is the project. The hold is released
 * with `pool`, which may outlive the cache.
 * Returns as wf_project_load does; WF_EINVALID only where there is no good version at all.
 */
apr_status_t wf_projects_find(const wf_project_t **project, wf_projects_t *projects,
                              const char *dir, const char *id, wf_result_t *result,
                              apr_pool_t *pool);

/*
 * The same, and tells whether the file as it is now is broken or cannot be read: *broken beside
 * APR_SUCCESS means that the project is an earlier version.
 */
apr_status_t wf_projects_look(const wf_project_t **project, int *broken, wf_projects_t *projects,
                              const char *dir, const char *id, wf_result_t *result,
                              apr_pool_t *pool);

/*
 * The ids that files in a folder are named by, those behind `after` (NULL: all of them), in the
 * order of their bytes; whether a file is a project shows when it is loaded. *ids is an array of
 * const char *. APR_SUCCESS, or the system's error where the folder cannot be read.
 */
apr_status_t wf_projects_list(apr_array_header_t **ids, const char *dir, const char *after,
                              apr_pool_t *pool);

#endif
