/* SPDX-License-Identifier: Apache-2.0 */
/* Where projects are. */
#include "http/find.h"

#include <http_log.h>
#include "http/authz.h"

APLOG_USE_MODULE(dbsync_wf);

apr_status_t wf_find_projects(const char **dir, wf_request_t *req, wf_result_t *result)
{
    *dir = wf_config_projects(req->r);
    if (*dir) {
        return APR_SUCCESS;
    }
    if (wf_request_may_complain(req, WF_COMPLAINT_NO_PROJECTS)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, req->r,
                      "WF0314: no project can be run here: add DbsyncWfProjects with the "
                      "folder of the project files to this server or its <Location \"%s\">",
                      req->base->path.data);
    }
    return wf_result_set(result, APR_EGENERAL, WF_PROBLEM_NOT_CONFIGURED,
                         "The server's error log says what is missing.");
}

apr_status_t wf_find_failed(wf_request_t *req, apr_status_t status, wf_result_t *result)
{
    if (result->problem == WF_PROBLEM_NONE) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, status, req->r,
                      "WF0315: the file of project %s could not be read", req->route.project);
    }
    return wf_result_set(result, status, WF_PROBLEM_INTERNAL, "The server's error log says more.");
}

apr_status_t wf_find_unreadable(wf_request_t *req, apr_status_t status, wf_result_t *result)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, status, req->r,
                  "WF0383: the folder of the project files (%s) could not be read",
                  wf_config_projects(req->r));
    return wf_result_set(result, status, WF_PROBLEM_INTERNAL, "The server's error log says more.");
}

apr_status_t wf_find_task(wf_project_view_t *view, const wf_task_t **task, wf_request_t *req,
                          wf_result_t *result)
{
    const wf_route_t *route = &req->route;
    wf_result_t cause;
    const char *dir;
    apr_status_t status = wf_find_projects(&dir, req, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    wf_result_init(&cause, req->r->pool);
    status = APR_NOTFOUND;
    if (route->project && route->task) {
        req->is_hidden = !wf_authz_may_run(req, route->project, route->task);
    }
    if (route->project && route->task && !req->is_hidden) {
        status = wf_projects_look(&view->project, &view->broken, req->shared->projects, dir,
                                  route->project, &cause, req->r->pool);
    }
    if (status == APR_SUCCESS) {
        *task = wf_project_task(view->project, route->task);
    }
    if (status == APR_NOTFOUND || (status == APR_SUCCESS && !*task)) {
        return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_TASK,
                             "There is no task with these ids that you may run.");
    }
    if (status != APR_SUCCESS) {
        wf_result_set(result, status, cause.problem, "%s", cause.detail);
        return wf_find_failed(req, status, result);
    }
    return APR_SUCCESS;
}

int wf_find_may_know(wf_request_t *req, const char *project)
{
    return wf_authz_may_run(req, project, "-");
}
