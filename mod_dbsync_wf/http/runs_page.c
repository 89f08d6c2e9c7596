/* SPDX-License-Identifier: Apache-2.0 */
/* A page of the list of runs. */
#include "http/runs_page.h"

#include "flow/datetime.h"
#include "http/arguments.h"
#include "store/run_json.h"

#define CALLS_MOST 20 /* of the store for a page, each of which does a bounded work */

/* The runs of a page, as they are found. */
typedef struct page_t {
    wf_rights_t *rights;
    wf_json_writer_t writer;
    apr_uint32_t count;
    apr_uint32_t limit;
    apr_uint64_t version; /* of what the store's first answer was made from */
} page_t;

static apr_status_t read_status(wf_run_status_e *run_status, const request_rec *r,
                                wf_result_t *result)
{
    const char *what = "submitted, running, completed, error or interrupted";
    const char *text;
    apr_status_t status = wf_argument_text(&text, r, "status", what, result);

    *run_status = 0;
    if (status != APR_SUCCESS || !text) {
        return status;
    }
    for (wf_run_status_e each = WF_RUN_SUBMITTED; each <= WF_RUN_INTERRUPTED; each++) {
        if (strcmp(text, wf_run_status_name(each)) == 0) {
            *run_status = each;
            return APR_SUCCESS;
        }
    }
    return wf_argument_refuse(result, "status", what);
}

/* A time that is given is never 0, which stands for none; no run is as old as that. */
static apr_status_t read_time(apr_time_t *when, const request_rec *r, const char *name,
                              wf_result_t *result)
{
    const char *what = "a time as RFC 3339 has it, such as 2026-11-24T03:44:25Z; "
                       "write a + in it as %2B";
    const char *text;
    apr_status_t status = wf_argument_text(&text, r, name, what, result);

    *when = 0;
    if (status != APR_SUCCESS || !text) {
        return status;
    }
    if (wf_datetime_parse(when, wf_slice(text)) != APR_SUCCESS) {
        return wf_argument_refuse(result, name, what);
    }
    *when = *when < 1 ? 1 : *when;
    return APR_SUCCESS;
}

apr_status_t wf_runs_page_read(wf_run_query_t *query, const request_rec *r, wf_result_t *result)
{
    apr_status_t status;

    memset(query, 0, sizeof(*query));
    status = wf_argument_id(&query->project, r, "project", result);
    if (status == APR_SUCCESS) {
        status = wf_argument_id(&query->task, r, "task", result);
    }
    if (status == APR_SUCCESS) {
        status = wf_argument_text(&query->user, r, "user", "a user's name", result);
    }
    if (status == APR_SUCCESS) {
        status = read_status(&query->status, r, result);
    }
    if (status == APR_SUCCESS) {
        status = read_time(&query->from, r, "from", result);
    }
    if (status == APR_SUCCESS) {
        status = read_time(&query->to, r, "to", result);
    }
    if (status == APR_SUCCESS) {
        status = wf_argument_limit(&query->limit, r, result);
    }
    query->vhost = wf_server_config(r->server)->vhost;
    return status;
}

/* Adds what may be seen of a list. Where the page is full before its end, the list ends there. */
static void add_runs(page_t *page, wf_run_list_t *list)
{
    for (int i = 0; i < list->runs->nelts; i++) {
        const wf_run_t *run = &APR_ARRAY_IDX(list->runs, i, wf_run_t);
        wf_buf_t text = {NULL, 0, 0};

        if (page->count == page->limit) {
            list->more = 1;
            list->next = (run - 1)->pid;
            return;
        }
        if (wf_rights_may_run(page->rights, run->project, run->task)) {
            wf_run_json(&text, run);
            wf_json_put_raw(&page->writer, NULL, wf_buf_slice(&text));
            wf_buf_free(&text);
            page->count++;
        }
    }
}

/*
 * Asks the store until the page is full, there are no more runs, or enough has been looked at for
 * one request. *list is the store's last answer.
 */
static apr_status_t fill(page_t *page, wf_run_list_t *list, wf_run_query_t *query,
                         wf_result_t *result, apr_pool_t *pool)
{
    wf_store_t *store = page->rights->req->shared->store;
    apr_pool_t *part;
    apr_status_t status = apr_pool_create(&part, pool);

    if (status != APR_SUCCESS) {
        return status;
    }
    apr_pool_tag(part, "wf_runs_page");
    for (int calls = 0; calls < CALLS_MOST; calls++) {
        apr_pool_clear(part);
        status = store->list(list, store, query, result, part);
        if (status != APR_SUCCESS) {
            break;
        }
        page->version = calls == 0 ? list->version : page->version;
        add_runs(page, list);
        if (!list->more || page->count == page->limit) {
            break;
        }
        query->before = list->next;
        query->limit =
            WF_ARGUMENT_LIMIT_MOST; /* there are some that may not be seen, perhaps many */
    }
    apr_pool_destroy(part);
    return status;
}

apr_status_t wf_runs_page_make(wf_buf_t **text, apr_uint64_t *version, wf_rights_t *rights,
                               const wf_run_query_t *query, wf_result_t *result, apr_pool_t *pool)
{
    page_t page = {.rights = rights, .limit = query->limit};
    wf_run_query_t rest = *query;
    wf_run_list_t list = {0};
    char next[WF_UUID_TEXT_LEN + 1];
    apr_status_t status;

    *text = apr_pcalloc(pool, sizeof(**text));
    wf_buf_bind(*text, pool);
    wf_json_writer_init(&page.writer, *text);
    wf_json_open(&page.writer, NULL, '{');
    wf_json_open(&page.writer, "runs", '[');
    status = fill(&page, &list, &rest, result, pool);
    *version = page.version;
    if (status != APR_SUCCESS) {
        return wf_request_store_failed(rights->req, status, result);
    }
    wf_json_close(&page.writer, ']');
    if (list.more) {
        wf_uuid_format(next, &list.next);
        wf_json_put_text(&page.writer, "next", next);
    }
    wf_json_close(&page.writer, '}');
    return APR_SUCCESS;
}
