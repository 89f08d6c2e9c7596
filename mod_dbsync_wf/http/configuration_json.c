/* SPDX-License-Identifier: Apache-2.0 */
/* API configurations as JSON. */
#include "http/configuration_json.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "http/authz.h"

static const char *source_of(const wf_in_force_t *found)
{
    if (found->is_removed) {
        return "removed";
    }
    return found->is_stored || found->is_broken ? "stored" : "project";
}

static void put_change(wf_json_writer_t *writer, const wf_in_force_t *found)
{
    char when[WF_TIME_TEXT_LEN + 1];

    if (found->revision) {
        wf_time_format(when, found->changed);
        wf_json_put_text(writer, "changedBy", found->changed_by);
        wf_json_put_text(writer, "changeTime", when);
    }
}

/* The configuration without its callback's URL. */
static const wf_configuration_t *without_url(const wf_configuration_t *configuration,
                                             apr_pool_t *pool)
{
    wf_configuration_t *copy = apr_pmemdup(pool, configuration, sizeof(*copy));
    wf_callback_t *callback;

    if (copy->callback) {
        callback = apr_pmemdup(pool, copy->callback, sizeof(*callback));
        callback->url = NULL;
        copy->callback = callback;
    }
    return copy;
}

void wf_configuration_json(wf_json_writer_t *writer, wf_request_t *req,
                           const wf_project_view_t *view, const wf_task_t *task,
                           const wf_in_force_t *found)
{
    apr_pool_t *pool = req->r->pool;
    const char *uri = apr_pstrcat(pool, req->base->uri,
                                  wf_route_configuration_path(view->id, task->id, pool), NULL);
    int may_edit = wf_authz_may(req, "PUT", uri);
    const wf_configuration_t *shown =
        may_edit ? found->configuration : without_url(found->configuration, pool);

    wf_json_open(writer, NULL, '{');
    wf_json_put_text(writer, "projectId", view->id);
    wf_json_put_text(writer, "projectName", wf_project_name(view->project));
    wf_json_put_text(writer, "taskId", task->id);
    wf_json_put_text(writer, "taskName", task->name);
    wf_json_put_text(writer, "uri", uri);
    wf_json_put_text(writer, "runUri",
                     apr_pstrcat(pool, req->base->uri, wf_route_run_path(view->id, task->id, pool),
                                 "?trigger=API", NULL));
    wf_json_put_text(writer, "source", source_of(found));
    if (found->is_removed) {
        wf_json_put_text(writer, "formerSource", found->is_stored ? "stored" : "project");
    }
    if (found->is_broken) {
        wf_json_put_bool(writer, "broken", 1);
    }
    wf_configuration_put(writer, shown, 1);
    wf_json_put_bool(writer, "editable", may_edit);
    put_change(writer, found);
    wf_json_close(writer, '}');
}
