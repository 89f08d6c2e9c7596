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

int wf_find_may_know(wf_request_t *req, const char *project)
{
    return wf_authz_may_run(req, project, "-");
}
