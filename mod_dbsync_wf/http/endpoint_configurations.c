/* SPDX-License-Identifier: Apache-2.0 */
/* GET /configurations?project=&limit=&cursor= */
#include <stdlib.h>
#include <apr_strings.h>
#include "http/answer.h"
#include "http/arguments.h"
#include "http/authz.h"
#include "http/configuration_json.h"
#include "http/endpoint.h"
#include "http/find.h"

#define LOOK_UPS_MOST 20000 /* questions to httpd for a request */

/* Where a list goes on: behind this task of this project. NULL: at its beginning. */
typedef struct place_t {
    const char *project;
    const char *task;
} place_t;

/* The configurations that are answered, as they are found. */
typedef struct page_t {
    wf_request_t *req;
    const char *dir;
    const char *only; /* this project's alone; NULL: all of them */
    place_t after;
    wf_json_writer_t writer;
    apr_uint32_t count;
    apr_uint32_t limit;
    int look_ups;
    place_t last; /* that was looked at */
    int more;     /* whether there are others behind it */
} page_t;

/* "569/12", as the last answer gave it. */
static apr_status_t read_cursor(place_t *after, const request_rec *r, wf_result_t *result)
{
    const char *what = "what the last answer gave as next";
    const char *text;
    char *slash;
    apr_status_t status = wf_argument_text(&text, r, "cursor", what, result);

    if (status != APR_SUCCESS || !text) {
        return status;
    }
    slash = strchr(text, '/');
    if (!slash) {
        return wf_argument_refuse(result, "cursor", what);
    }
    after->project = apr_pstrmemdup(r->pool, text, (apr_size_t)(slash - text));
    after->task = slash + 1;
    return wf_id_is_valid(after->project) && wf_id_is_valid(after->task)
               ? APR_SUCCESS
               : wf_argument_refuse(result, "cursor", what);
}

static int compare_tasks(const void *a, const void *b)
{
    return strcmp((*(const wf_task_t *const *)a)->id, (*(const wf_task_t *const *)b)->id);
}

/* A project's tasks in the order of their ids' bytes, which a cursor can rely on. */
static apr_array_header_t *sort_tasks(const wf_project_t *project, apr_pool_t *pool)
{
    int count = wf_project_task_count(project);
    apr_array_header_t *tasks = apr_array_make(pool, count + 1, sizeof(const wf_task_t *));

    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(tasks, const wf_task_t *) = wf_project_task_at(project, i);
    }
    qsort(tasks->elts, (size_t)count, sizeof(const wf_task_t *), compare_tasks);
    return tasks;
}

static int is_full(const page_t *page)
{
    return page->count >= page->limit || page->look_ups >= LOOK_UPS_MOST;
}

/* What is stored for a task among what is for its project; of revision 0 where nothing is. */
static wf_stored_configuration_t stored_for(const apr_array_header_t *all, const char *project,
                                            const char *task, const char *vhost)
{
    wf_stored_configuration_t none = {.vhost = vhost, .project = project, .task = task};

    for (int i = 0; i < all->nelts; i++) {
        const wf_stored_configuration_t *each = &APR_ARRAY_IDX(all, i, wf_stored_configuration_t);

        if (strcmp(each->task, task) == 0) {
            return *each;
        }
    }
    return none;
}

/* Adds a task's, where the user may run it. One that cannot be used is shown as what it is. */
static void add_task(page_t *page, const wf_project_view_t *view, const wf_task_t *task,
                     const apr_array_header_t *all)
{
    const char *vhost = wf_server_config(page->req->r->server)->vhost;
    wf_stored_configuration_t stored = stored_for(all, view->id, task->id, vhost);
    wf_in_force_t found;

    page->look_ups++;
    page->last = (place_t){view->id, task->id};
    if (!wf_authz_may_run(page->req, view->id, task->id)) {
        return;
    }
    wf_configurations_take(&found, page->req, task, &stored, NULL);
    wf_configuration_json(&page->writer, page->req, view, task, &found);
    page->look_ups++;
    page->count++;
}

/* Adds a project's tasks; what of it cannot be loaded has none, and is told of in /projects. */
static apr_status_t add_project(page_t *page, const char *id, wf_result_t *result)
{
    apr_pool_t *pool = page->req->r->pool;
    wf_project_view_t view = {.id = id, .base = page->req->base->uri};
    wf_store_t *store = page->req->shared->store;
    apr_array_header_t *tasks, *all;
    apr_status_t status = wf_projects_look(&view.project, &view.broken, page->req->shared->projects,
                                           page->dir, id, NULL, pool);

    if (status != APR_SUCCESS) {
        return APR_SUCCESS;
    }
    status = store->list_configurations(&all, store, wf_server_config(page->req->r->server)->vhost,
                                        id, result, pool);
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(page->req, status, result);
    }
    tasks = sort_tasks(view.project, pool);
    for (int i = 0; i < tasks->nelts && !page->more; i++) {
        const wf_task_t *task = APR_ARRAY_IDX(tasks, i, const wf_task_t *);

        if (page->after.project && strcmp(id, page->after.project) == 0 &&
            strcmp(task->id, page->after.task) <= 0) {
            continue;
        }
        if (is_full(page)) {
            page->more = 1;
            break;
        }
        add_task(page, &view, task, all);
    }
    return APR_SUCCESS;
}

static apr_status_t fill(page_t *page, wf_result_t *result)
{
    apr_array_header_t *ids;
    apr_status_t status = wf_projects_list(&ids, page->dir, NULL, page->req->r->pool);

    if (status != APR_SUCCESS) {
        return wf_find_unreadable(page->req, status, result);
    }
    for (int i = 0; i < ids->nelts && status == APR_SUCCESS && !page->more; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if ((!page->only || strcmp(id, page->only) == 0) &&
            (!page->after.project || strcmp(id, page->after.project) >= 0)) {
            status = add_project(page, id, result);
        }
    }
    return status;
}

apr_status_t wf_endpoint_configurations(wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    wf_buf_t *text = apr_pcalloc(r->pool, sizeof(*text));
    page_t page = {.req = req};
    apr_status_t status = wf_argument_limit(&page.limit, r, result);

    if (status == APR_SUCCESS) {
        status = wf_argument_id(&page.only, r, "project", result);
    }
    if (status == APR_SUCCESS) {
        status = read_cursor(&page.after, r, result);
    }
    if (status == APR_SUCCESS) {
        status = wf_find_projects(&page.dir, req, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    wf_buf_bind(text, r->pool);
    wf_json_writer_init(&page.writer, text);
    wf_json_open(&page.writer, NULL, '{');
    wf_json_open(&page.writer, "configurations", '[');
    status = fill(&page, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    wf_json_close(&page.writer, ']');
    if (page.more) {
        wf_json_put_text(&page.writer, "next",
                         apr_pstrcat(r->pool, page.last.project, "/", page.last.task, NULL));
    }
    wf_json_close(&page.writer, '}');
    return wf_answer_json_state(req, text);
}
