/* SPDX-License-Identifier: Apache-2.0 */
/* GET, PUT and DELETE /configurations/{projectId}/{taskId} */
#include <httpd.h>
#include <http_protocol.h>
#include "http/answer.h"
#include "http/body.h"
#include "http/configuration_json.h"
#include "http/endpoint.h"
#include "http/find.h"

#define TRIES_MOST 10 /* against others who change the same one meanwhile */

/* The configuration that the request is about, as it stands. */
typedef struct subject_t {
    wf_request_t *req;
    wf_project_view_t view;
    const wf_task_t *task;
    wf_in_force_t found;
    wf_slice_t text; /* as it is sent, with its line end; empty where it is removed */
} subject_t;

static void write_text(subject_t *subject)
{
    wf_buf_t *text = apr_pcalloc(subject->req->r->pool, sizeof(*text));
    wf_json_writer_t writer;

    wf_buf_bind(text, subject->req->r->pool);
    wf_json_writer_init(&writer, text);
    wf_configuration_json(&writer, subject->req, &subject->view, subject->task, &subject->found);
    wf_buf_add_char(text, '\n');
    subject->text = wf_buf_slice(text);
}

/* Finds what is in force now: nobody is told of, or changes, what is only remembered. */
static apr_status_t look(subject_t *subject, wf_result_t *result)
{
    wf_request_t *req = subject->req;
    apr_status_t status = wf_configurations_find(&subject->found, req, req->route.project,
                                                 subject->task, WF_FRESH, result);

    subject->text = wf_slice(NULL);
    if (status == WF_EDAMAGED && subject->found.is_broken && req->r->method_number != M_GET) {
        /* It can be set anew, or removed. */
        wf_result_init(result, req->r->pool);
        status = APR_SUCCESS;
    }
    if (status == APR_SUCCESS && !subject->found.is_removed) {
        write_text(subject);
    }
    return status;
}

static apr_status_t find(subject_t *subject, wf_request_t *req, wf_result_t *result)
{
    apr_status_t status;

    memset(subject, 0, sizeof(*subject));
    subject->req = req;
    subject->view.base = req->base->uri;
    subject->view.id = req->route.project;
    status = wf_find_task(&subject->view, &subject->task, req, result);
    return status == APR_SUCCESS ? look(subject, result) : status;
}

static apr_status_t is_removed(wf_result_t *result)
{
    return wf_result_set(
        result, APR_NOTFOUND, WF_PROBLEM_REMOVED,
        "Set it again with PUT; {\"useProjectFile\": true} is as it was at first.");
}

/* If-Match and If-None-Match (RFC 9110, 13.1), against what is there now. */
static apr_status_t check_condition(const subject_t *subject, wf_result_t *result)
{
    request_rec *r = subject->req->r;
    apr_table_t *headers = apr_table_make(r->pool, 1);
    int exists = subject->text.len > 0;
    const char *none = apr_table_get(r->headers_in, "If-None-Match");
    int holds;

    if (exists) {
        apr_table_setn(headers, "ETag", wf_answer_etag(subject->text, r->pool));
        holds = ap_condition_if_match(r, headers) != AP_CONDITION_NOMATCH &&
                (!none || ap_condition_if_none_match(r, headers) == AP_CONDITION_NOMATCH);
    } else {
        holds = !apr_table_get(r->headers_in, "If-Match");
    }
    if (holds) {
        return APR_SUCCESS;
    }
    return wf_result_set(result, WF_ECHANGED, WF_PROBLEM_PRECONDITION,
                         "The configuration was changed or removed since it was read: read it "
                         "again, and decide anew.");
}

/* ---- PUT ---- */

static apr_status_t check_callback(wf_callback_t *callback, const subject_t *subject,
                                   wf_result_t *result)
{
    const wf_callback_t *stored = subject->found.configuration->callback;
    const apr_array_header_t *hosts = subject->req->shared->settings.callback_hosts;

    if (!wf_callback_is_allowed(callback->url, hosts, subject->req->r->pool)) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_INVALID_CONFIGURATION,
                             "/callback/url: its host, with its port where that is not the "
                             "scheme's own, must be one of those that the server's configuration "
                             "names with DbsyncWfCallbackHosts");
    }
    if (!callback->secret) {
        callback->secret = subject->found.is_stored && stored ? stored->secret : NULL;
    }
    if (!callback->secret) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_INVALID_CONFIGURATION,
                             "/callback/secret: must be there: what callbacks are signed with, "
                             "\"whsec_\" and the base64 of 24 to 64 random bytes");
    }
    return APR_SUCCESS;
}

static wf_slice_t write_document(const wf_configuration_t *configuration, apr_pool_t *pool)
{
    wf_buf_t *text = apr_pcalloc(pool, sizeof(*text));
    wf_json_writer_t writer;

    wf_buf_bind(text, pool);
    wf_json_writer_init(&writer, text);
    wf_json_open(&writer, NULL, '{');
    wf_configuration_put(&writer, configuration, 0);
    wf_json_close(&writer, '}');
    return wf_buf_slice(text);
}

/* What is to be stored of a configuration that was sent. *document is empty where the project's
 * file is to be in force. */
static apr_status_t make_document(wf_slice_t *document, const wf_configuration_t *sent,
                                  const subject_t *subject, wf_result_t *result)
{
    wf_configuration_t whole;
    wf_callback_t callback;
    apr_status_t status = APR_SUCCESS;

    *document = wf_slice(NULL);
    if (!sent) {
        return APR_SUCCESS;
    }
    whole = *sent;
    if (sent->callback) {
        callback = *sent->callback;
        whole.callback = &callback;
        status = check_callback(&callback, subject, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    *document = write_document(&whole, subject->req->r->pool);
    return document->len <= WF_CONFIGURATION_MOST
               ? APR_SUCCESS
               : wf_result_set(result, WF_EINVALID, WF_PROBLEM_BODY_TOO_LARGE,
                               "A configuration may have %u bytes.", WF_CONFIGURATION_MOST);
}

static apr_status_t read_sent(const wf_configuration_t **sent, wf_request_t *req,
                              wf_result_t *result)
{
    wf_slice_t body;
    apr_status_t status = wf_body_read_json(&body, req, WF_CONFIGURATION_MOST, result);

    return status == APR_SUCCESS ? wf_configuration_parse(sent, body, result, req->r->pool)
                                 : status;
}

/* ---- a change ---- */

/* Stores a change, where what is there still is what it was checked against. */
static apr_status_t store_change(subject_t *subject, const wf_configuration_t *sent, int is_removal,
                                 wf_result_t *result)
{
    wf_request_t *req = subject->req;
    wf_store_t *store = req->shared->store;
    wf_stored_configuration_t *stored;
    wf_stored_configuration_t next = {
        .vhost = wf_server_config(req->r->server)->vhost,
        .project = req->route.project,
        .task = req->route.task,
        .is_removed = is_removal,
        .changed_by = req->r->user,
    };
    apr_status_t status = check_condition(subject, result);

    if (status == APR_SUCCESS && !is_removal) {
        status = make_document(&next.document, sent, subject, result);
    } else if (status == APR_SUCCESS && subject->found.is_stored) {
        /* As it was, whatever would be asked of it today: it may be set again. */
        next.document = write_document(subject->found.configuration, req->r->pool);
    }
    if (status == APR_SUCCESS) {
        status = wf_uuid_make(&next.change);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    status = store->set_configuration(&stored, store, &next, subject->found.revision, result,
                                      req->r->pool);
    if (status == APR_SUCCESS) {
        return wf_configurations_take(&subject->found, req, subject->task, stored, result);
    }
    return status == WF_ECHANGED ? status : wf_request_store_failed(req, status, result);
}

/*
 * Makes a change. Where somebody else has made one at the same time, a request with a condition is
 * told so, and one without is made upon that.
 */
static apr_status_t change(subject_t *subject, const wf_configuration_t *sent, int is_removal,
                           wf_result_t *result)
{
    apr_status_t status = store_change(subject, sent, is_removal, result);

    for (int i = 0; i < TRIES_MOST && status == WF_ECHANGED && result->problem == WF_PROBLEM_NONE;
         i++) {
        status = look(subject, result);
        if (status == APR_SUCCESS && is_removal && subject->found.is_removed) {
            return is_removed(result);
        }
        if (status == APR_SUCCESS) {
            status = store_change(subject, sent, is_removal, result);
        }
    }
    return status == WF_ECHANGED ? wf_request_store_failed(subject->req, WF_EUNAVAILABLE, result)
                                 : status;
}

static apr_status_t put(subject_t *subject, wf_result_t *result)
{
    const wf_configuration_t *sent;
    wf_request_t *req = subject->req;
    apr_status_t status = read_sent(&sent, req, result);

    if (status == APR_SUCCESS) {
        status = change(subject, sent, 0, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    req->outcome = "configured";
    write_text(subject);
    return wf_answer_json_tagged(req, subject->text);
}

static apr_status_t remove_it(subject_t *subject, wf_result_t *result)
{
    wf_request_t *req = subject->req;
    apr_status_t status;

    if (subject->found.is_removed) {
        return is_removed(result);
    }
    status = change(subject, NULL, 1, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    req->outcome = "removed";
    return wf_answer_nothing(req);
}

apr_status_t wf_endpoint_configuration(wf_request_t *req, wf_result_t *result)
{
    subject_t subject;
    apr_status_t status = find(&subject, req, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    switch (req->r->method_number) {
    case M_PUT:
        return put(&subject, result);
    case M_DELETE:
        return remove_it(&subject, result);
    default:
        return subject.found.is_removed
                   ? is_removed(result)
                   : wf_answer_text_state(req, "application/json", subject.text);
    }
}
