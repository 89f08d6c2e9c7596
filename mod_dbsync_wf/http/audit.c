/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: opened, and written. */
#include "http/audit.h"

#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <http_log.h>
#include "http/audit_line.h"
#include "http/problem.h"

APLOG_USE_MODULE(dbsync_wf);

#define FILE_FLAGS (APR_WRITE | APR_APPEND | APR_CREATE | APR_LARGEFILE)
#define FILE_MODE  (APR_UREAD | APR_UWRITE | APR_GREAD)

static apr_status_t open_program(apr_file_t **file, const char *program, apr_pool_t *pconf)
{
    piped_log *pipe = ap_open_piped_log(pconf, program);

    if (!pipe) {
        return APR_EGENERAL; /* httpd has said why */
    }
    *file = ap_piped_log_write_fd(pipe);
    return APR_SUCCESS;
}

static apr_status_t open_log(apr_file_t **file, const char *name, server_rec *server,
                             apr_pool_t *pconf)
{
    apr_status_t status = *name == '|' ? open_program(file, name + 1, pconf)
                                       : apr_file_open(file, name, FILE_FLAGS, FILE_MODE, pconf);

    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, status, server,
                     "WF0390: the audit log %s cannot be opened: see DbsyncWfAuditLog", name);
    }
    return status;
}

int wf_audit_open(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    apr_hash_t *opened = apr_hash_make(ptemp);

    (void)plog;
    if (!wf_server_config(main_server)->shared->in_use) {
        return OK;
    }
    for (server_rec *s = main_server; s; s = s->next) {
        wf_server_config_t *config = wf_server_config(s);
        const char *name = config->audit_name;

        if (!name || !config->bases) {
            continue;
        }
        config->audit = apr_hash_get(opened, name, APR_HASH_KEY_STRING);
        if (!config->audit) {
            if (open_log(&config->audit, name, s, pconf) != APR_SUCCESS) {
                return HTTP_INTERNAL_SERVER_ERROR;
            }
            apr_hash_set(opened, name, APR_HASH_KEY_STRING, config->audit);
        }
    }
    return OK;
}

void wf_audit_close(server_rec *main_server)
{
    for (server_rec *s = main_server; s; s = s->next) {
        apr_file_t *file = wf_server_config(s)->audit;

        if (!file) {
            continue;
        }
        for (server_rec *other = s; other; other = other->next) {
            if (wf_server_config(other)->audit == file) {
                wf_server_config(other)->audit = NULL;
            }
        }
        apr_file_close(file);
    }
}

/* Of a request and what it was redirected to within httpd, the first that lies under a base. */
static request_rec *find_subject(request_rec *r)
{
    while (r->prev) {
        r = r->prev;
    }
    while (r && !wf_request_base(r)) {
        r = r->next;
    }
    return r;
}

/* What a request wanted; "read" where that changes nothing. */
static const char *action_of(const request_rec *r, const wf_route_t *route)
{
    int method = r->method_number;

    if (route && route->endpoint == WF_ENDPOINT_RUN && method == M_POST) {
        return "run";
    }
    if (route && route->endpoint == WF_ENDPOINT_INTERRUPT &&
        (method == M_POST || (method == M_GET && !r->header_only))) {
        return "interrupt";
    }
    if (route && route->endpoint == WF_ENDPOINT_CONFIGURATION && method == M_PUT) {
        return "configure";
    }
    if (route && route->endpoint == WF_ENDPOINT_CONFIGURATION && method == M_DELETE) {
        return "remove";
    }
    return method == M_GET || method == M_OPTIONS ? "read" : "other";
}

static int is_told(const wf_request_t *req, const char *action)
{
    int status = req->r->status;

    return strcmp(action, "read") != 0 || req->is_hidden || status == HTTP_UNAUTHORIZED ||
           status == HTTP_FORBIDDEN;
}

static const char *outcome_of(const wf_request_t *req)
{
    wf_problem_e problem;

    if (req->outcome) {
        return req->outcome;
    }
    if (req->is_hidden) {
        return "hidden";
    }
    problem = wf_problem_of(req, req->r->status);
    return problem == WF_PROBLEM_NONE ? "failed" : wf_problem_info(problem)->slug;
}

static const char *request_id(const request_rec *r)
{
    const char *id = apr_table_get(r->subprocess_env, "UNIQUE_ID");

    return id ? id : r->log_id;
}

static void fill(wf_audit_entry_t *entry, const wf_request_t *req, const wf_route_t *route)
{
    const request_rec *r = req->r;
    const wf_run_t *run = req->run;
    const wf_uuid_t *pid = run ? &run->pid : route && route->has_pid ? &route->pid : NULL;

    entry->time = r->request_time;
    entry->vhost = wf_server_config(r->server)->vhost;
    entry->address = r->useragent_ip;
    entry->user = r->user;
    entry->method = r->method;
    if (run || route) {
        entry->project = run ? run->project : route->project;
        entry->task = run ? run->task : route->task;
    }
    if (pid) {
        char *text = apr_palloc(r->pool, WF_UUID_TEXT_LEN + 1);

        wf_uuid_format(text, pid);
        entry->pid = text;
    }
    entry->outcome = outcome_of(req);
    entry->status = r->status;
    entry->request_id = request_id(r);
}

static void write_line(wf_request_t *req, apr_file_t *file, const wf_audit_entry_t *entry)
{
    wf_buf_t line = {NULL, 0, 0};
    apr_size_t written;
    apr_status_t status;

    wf_audit_line(&line, entry);
    written = line.len;
    status = apr_file_write(file, line.data, &written);
    if ((status != APR_SUCCESS || written != line.len) &&
        wf_request_may_complain(req, WF_COMPLAINT_AUDIT)) {
        ap_log_rerror(
            APLOG_MARK, APLOG_ERR, status, req->r,
            "WF0391: the audit log could not be written, and lacks lines: see to the disk "
            "or the program that DbsyncWfAuditLog names");
    }
    wf_buf_free(&line);
}

int wf_audit_log(request_rec *r)
{
    apr_file_t *file = wf_server_config(r->server)->audit;
    request_rec *subject = file ? find_subject(r) : NULL;
    wf_request_t *req = subject ? wf_request_get(subject) : NULL;
    wf_audit_entry_t entry = {0};
    wf_route_t route;
    int has_route;

    if (!req) {
        return OK;
    }
    has_route = subject->uri && wf_route_parse(&route, wf_slice(subject->uri + req->base->path.len),
                                               r->pool) == APR_SUCCESS;
    entry.action = action_of(subject, has_route ? &route : NULL);
    if (is_told(req, entry.action)) {
        fill(&entry, req, has_route ? &route : NULL);
        write_line(req, file, &entry);
    }
    return OK;
}
