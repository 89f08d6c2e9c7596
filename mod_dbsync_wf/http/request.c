/* SPDX-License-Identifier: Apache-2.0 */
/* The request's record. */
#include "http/request.h"

#include <apr_atomic.h>
#include <http_log.h>
#include "base/clock.h"

APLOG_USE_MODULE(dbsync_wf);

#define COMPLAINT_PERIOD 60 /* seconds */
#define PID_NOTE         "dbsync_wf_pid"

/* The path in a request line that httpd gave up on; it is as long as it got. */
static wf_slice_t path_of_line(const char *line)
{
    const char *start = line ? strchr(line, ' ') : NULL;

    return start ? wf_slice_of(start + 1, strcspn(start + 1, " ?")) : wf_slice(NULL);
}

const wf_base_t *wf_request_base(const request_rec *r)
{
    const wf_server_config_t *config = wf_server_config(r->server);

    if (!config->bases) {
        return NULL;
    }
    return wf_bases_find(config->bases, r->uri ? wf_slice(r->uri) : path_of_line(r->the_request));
}

wf_request_t *wf_request_get(request_rec *r)
{
    wf_request_t *req = ap_get_module_config(r->request_config, &dbsync_wf_module);
    const wf_base_t *base = wf_request_base(r);

    if (!base) {
        return NULL;
    }
    if (!req) {
        req = apr_pcalloc(r->pool, sizeof(*req));
        req->r = r;
        req->shared = wf_server_config(r->server)->shared;
        wf_result_init(&req->failure, r->pool);
        ap_set_module_config(r->request_config, &dbsync_wf_module, req);
    }
    req->base = base;
    return req;
}

void wf_request_note_pid(wf_request_t *req, const wf_uuid_t *pid)
{
    char *text = apr_palloc(req->r->pool, WF_UUID_TEXT_LEN + 1);

    wf_uuid_format(text, pid);
    apr_table_setn(req->r->notes, PID_NOTE, text);
}

void wf_request_keep_note(request_rec *r, const request_rec *from)
{
    const char *text = apr_table_get(from->notes, PID_NOTE);

    if (text) {
        apr_table_setn(r->notes, PID_NOTE, text);
    }
}

int wf_request_may_complain(wf_request_t *req, wf_complaint_e complaint)
{
    volatile apr_uint32_t *complained = &req->shared->complained[complaint];
    apr_uint32_t last = apr_atomic_read32(complained);
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(wf_clock());

    if (last != 0 && now - last < COMPLAINT_PERIOD) {
        return 0;
    }
    return apr_atomic_cas32(complained, now, last) == last;
}

apr_status_t wf_request_store_failed(wf_request_t *req, apr_status_t status, wf_result_t *result)
{
    char reason[200];

    switch (status) {
    case WF_EUNAVAILABLE:
        return wf_result_set(result, status, WF_PROBLEM_UNAVAILABLE,
                             "Nothing was lost; repeat the request in a moment.");
    case WF_EFULL:
        return wf_result_set(result, status, WF_PROBLEM_QUEUE_FULL,
                             "As many runs wait as may be, of this task or in all. Nothing was "
                             "started; repeat the request when some of them have.");
    case WF_ECONFLICT:
        return wf_result_set(result, status, WF_PROBLEM_KEY_REUSED,
                             "The key was sent before with another project, task or body: send a "
                             "new key with a new request.");
    case WF_EDAMAGED: /* the keeper has said more, and how to go on */
        return wf_result_set(result, status, WF_PROBLEM_INTERNAL,
                             "What is stored is damaged. The server's error log says more.");
    default:
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, req->r, "WF0310: the store failed: %s (%d)",
                      wf_strerror(status, reason, sizeof(reason)), status);
        return wf_result_set(result, status, WF_PROBLEM_INTERNAL,
                             "The server's error log says more.");
    }
}
