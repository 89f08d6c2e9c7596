/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API configurations in force, remembered by each child.
 *
 * What is stored is asked for once and then remembered with its revision. A run is created against
 * the revision that its request was checked with, and the store refuses another one than its own
 * (WF_ECHANGED): so what is remembered may be old, and no run is ever let in by it.
 */
#ifndef WF_HTTP_CONFIGURATIONS_H
#define WF_HTTP_CONFIGURATIONS_H

#include "flow/configuration.h"
#include "http/request.h"

/* Makes an empty memory, whose own pool goes with `pool`. APR_SUCCESS, or the system's error. */
apr_status_t wf_configurations_create(wf_configurations_t **configurations, apr_pool_t *pool);

/* What is in force for a task. Lives as long as the request. */
typedef struct wf_in_force_t {
    apr_uint64_t revision;
    int is_removed;
    int is_stored; /* otherwise it is the project file's */
    int is_broken; /* what is stored cannot be used; the configuration is the project file's */
    const wf_configuration_t *configuration; /* never NULL; of a removed one, what it last was */
    const char *changed_by;                  /* NULL: nobody ever has, as is the next */
    apr_time_t changed;
} wf_in_force_t;

/* Whether what is remembered will do. */
typedef enum { WF_REMEMBERED, WF_FRESH } wf_freshness_e;

/*
 * Finds what is in force for a task of the request's vhost. APR_SUCCESS; or what the store fails
 * with, or WF_EDAMAGED where what is stored cannot be used, with the problem set.
 */
apr_status_t wf_configurations_find(wf_in_force_t *found, wf_request_t *req, const char *project,
                                    const wf_task_t *task, wf_freshness_e freshness,
                                    wf_result_t *result);

/* The same for what the store has just told, which is remembered. *found is filled in also where
 * that cannot be used. */
apr_status_t wf_configurations_take(wf_in_force_t *found, wf_request_t *req, const wf_task_t *task,
                                    const wf_stored_configuration_t *stored, wf_result_t *result);

/*
 * Whether a run of the task may be started. APR_SUCCESS; APR_NOTFOUND with WF_PROBLEM_REMOVED;
 * APR_EACCES with WF_PROBLEM_DISABLED.
 */
apr_status_t wf_configurations_admit(const wf_in_force_t *found, wf_result_t *result);

/* Whether a body may be one of its runs'. APR_SUCCESS; WF_EINVALID with WF_PROBLEM_INVALID_BODY and
 * a detail that begins with the place. */
apr_status_t wf_configurations_accept(const wf_in_force_t *found, wf_slice_t body,
                                      wf_result_t *result, apr_pool_t *pool);

#endif
