/* SPDX-License-Identifier: Apache-2.0 */
/* Where this request's projects are, and what becomes of it where one cannot be loaded. */
#ifndef WF_HTTP_FIND_H
#define WF_HTTP_FIND_H

#include "http/project_json.h"
#include "http/request.h"

/* The folder of project files. APR_SUCCESS, or APR_EGENERAL with WF_PROBLEM_NOT_CONFIGURED. */
apr_status_t wf_find_projects(const char **dir, wf_request_t *req, wf_result_t *result);

/*
 * Finds the task that the request's route names, if this user may run it; view->project is the
 * project then, and view->broken says whether its file is.
 * APR_SUCCESS; APR_NOTFOUND with WF_PROBLEM_UNKNOWN_TASK where there is none and, without a
 * difference, where the user may not; or what the project cannot be loaded for.
 */
apr_status_t wf_find_task(wf_project_view_t *view, const wf_task_t **task, wf_request_t *req,
                          wf_result_t *result);

/*
 * For a project, that of the request's route, that could not be loaded for a reason that is none of
 * the client's: sets the problem, unless it is set, and returns `status`.
 */
apr_status_t wf_find_failed(wf_request_t *req, apr_status_t status, wf_result_t *result);

/* The same for the folder itself. */
apr_status_t wf_find_unreadable(wf_request_t *req, apr_status_t status, wf_result_t *result);

/*
 * Whether this user may know of a project of which no version is known, and so no task to ask
 * about: whoever may POST to the run URI of any task of it, and would be told so there.
 */
int wf_find_may_know(wf_request_t *req, const char *project);

#endif
