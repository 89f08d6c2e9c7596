/* SPDX-License-Identifier: Apache-2.0 */
/* GET /projects?limit=&cursor= */
#include "http/answer.h"
#include "http/arguments.h"
#include "http/authz.h"
#include "http/endpoint.h"
#include "http/find.h"
#include "http/project_json.h"

/*
 * Questions to httpd for a request; the project at hand is finished. Where that is none that the
 * user may see, it is gone on to the next one that is, since the page's end tells its name.
 */
#define LOOK_UPS_ENOUGH 1000
#define LOOK_UPS_MOST   20000

/* The projects that are answered, as they are found. */
typedef struct page_t {
    wf_request_t *req;
    const char *dir;
    wf_json_writer_t writer;
    apr_uint32_t count;
    apr_uint32_t limit;
    int look_ups;
    int may; /* whether the user may see the one that was looked at last */
} page_t;

/* Whether the user may run any task of it. */
static int may_see(page_t *page, const wf_project_t *project, const char *id)
{
    for (int i = 0; i < wf_project_task_count(project); i++) {
        page->look_ups++;
        if (wf_authz_may_run(page->req, id, wf_project_task_at(project, i)->id)) {
            return 1;
        }
    }
    return 0;
}

/* One that cannot be loaded is shown too, so that somebody mends it; one that is gone is not. */
static void add_project(page_t *page, const char *id, apr_pool_t *pool)
{
    wf_project_view_t view = {.base = page->req->base->uri, .id = id};
    apr_status_t status = wf_projects_look(&view.project, &view.broken, page->req->shared->projects,
                                           page->dir, id, NULL, pool);

    if (status == APR_SUCCESS) {
        page->may = may_see(page, view.project, id);
    } else {
        view.broken = status != APR_NOTFOUND;
        page->look_ups++;
        page->may = view.broken && wf_find_may_know(page->req, id);
    }
    if (page->may) {
        wf_json_open(&page->writer, NULL, '{');
        wf_project_json_head(&page->writer, &view, pool);
        wf_json_close(&page->writer, '}');
        page->count++;
    }
}

static int is_enough(const page_t *page)
{
    return page->count == page->limit || (page->may && page->look_ups >= LOOK_UPS_ENOUGH) ||
           page->look_ups >= LOOK_UPS_MOST;
}

/* Adds projects until the page is full or enough was asked; *next is the last id then, or NULL. */
static apr_status_t fill(page_t *page, const char **next, const char *after)
{
    apr_pool_t *pool = page->req->r->pool;
    apr_array_header_t *ids;
    apr_pool_t *each;
    apr_status_t status = wf_projects_list(&ids, page->dir, after, pool);

    *next = NULL;
    if (status == APR_SUCCESS) {
        status = apr_pool_create(&each, pool);
    }
    for (int i = 0; status == APR_SUCCESS && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (is_enough(page)) {
            break;
        }
        apr_pool_clear(each);
        add_project(page, id, each);
        *next = i + 1 < ids->nelts ? id : NULL;
    }
    return status;
}

apr_status_t wf_endpoint_projects(wf_request_t *req, wf_result_t *result)
{
    wf_buf_t *text = apr_pcalloc(req->r->pool, sizeof(*text));
    page_t page = {.req = req};
    const char *after, *next;
    apr_status_t status = wf_argument_limit(&page.limit, req->r, result);

    if (status == APR_SUCCESS) {
        status = wf_argument_id(&after, req->r, "cursor", result);
    }
    if (status == APR_SUCCESS) {
        status = wf_find_projects(&page.dir, req, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    wf_buf_bind(text, req->r->pool);
    wf_json_writer_init(&page.writer, text);
    wf_json_open(&page.writer, NULL, '{');
    wf_json_open(&page.writer, "projects", '[');
    status = fill(&page, &next, after);
    if (status != APR_SUCCESS) {
        return wf_find_unreadable(req, status, result);
    }
    wf_json_close(&page.writer, ']');
    wf_json_put_text(&page.writer, "next", next);
    wf_json_close(&page.writer, '}');
    return wf_answer_json_state(req, text);
}
