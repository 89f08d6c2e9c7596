/* SPDX-License-Identifier: Apache-2.0 */
/* GET /projects/{projectId} */
#include "http/answer.h"
#include "http/authz.h"
#include "http/endpoint.h"
#include "http/find.h"
#include "http/project_json.h"

/* Puts the tasks that the user may run; how many. */
static int put_tasks(wf_json_writer_t *writer, wf_request_t *req, const wf_project_view_t *view)
{
    int count = view->project ? wf_project_task_count(view->project) : 0;
    int shown = 0;

    wf_json_open(writer, "tasks", '[');
    for (int i = 0; i < count; i++) {
        const wf_task_t *task = wf_project_task_at(view->project, i);

        if (wf_authz_may_run(req, view->id, task->id)) {
            wf_task_json_item(writer, view, task, req->r->pool);
            shown++;
        }
    }
    wf_json_close(writer, ']');
    return shown;
}

/* Whether there is anything to show, and it was put into the text. */
static int put_project(wf_buf_t *text, wf_request_t *req, const wf_project_view_t *view)
{
    wf_json_writer_t writer;
    int shown;

    wf_json_writer_init(&writer, text);
    wf_json_open(&writer, NULL, '{');
    wf_project_json_head(&writer, view, req->r->pool);
    shown = put_tasks(&writer, req, view);
    wf_json_close(&writer, '}');
    return shown > 0 || (!view->project && view->broken && wf_find_may_know(req, view->id));
}

apr_status_t wf_endpoint_project(wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    wf_buf_t *text = apr_pcalloc(r->pool, sizeof(*text));
    wf_project_view_t view = {.base = req->base->uri, .id = req->route.project};
    const char *dir;
    apr_status_t status = wf_find_projects(&dir, req, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = view.id ? wf_projects_look(&view.project, &view.broken, req->shared->projects, dir,
                                        view.id, NULL, r->pool)
                     : APR_NOTFOUND;
    view.broken |= status != APR_SUCCESS;
    wf_buf_bind(text, r->pool);
    if (status == APR_NOTFOUND || !put_project(text, req, &view)) {
        return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT,
                             "There is no project with this id of which you may run a task.");
    }
    return wf_answer_json_state(req, text);
}
