/* SPDX-License-Identifier: Apache-2.0 */
/* What the module knows of one request, kept in httpd's request configuration. */
#ifndef WF_HTTP_REQUEST_H
#define WF_HTTP_REQUEST_H

#include <httpd.h>
#include "base/json.h"
#include "base/result.h"
#include "http/bases.h"
#include "http/config.h"
#include "http/route.h"

typedef struct wf_request_t {
    request_rec *r;
    wf_shared_t *shared;
    const wf_base_t *base;     /* that the request lies under */
    int mapped;                /* whether it was kept from being looked for among files */
    wf_route_t route;          /* from the handler on */
    const char *allow;         /* methods that are allowed at this path, once it is known */
    wf_result_t failure;       /* why the request fails, for the problem document */
    int http_status;           /* what httpd itself said of the failure; 0: the problem decides */
    const char *outcome;       /* what was done, for the audit log; NULL: nothing, or it failed */
    const wf_run_t *run;       /* that it is about, likewise; NULL: none is known */
    int retry_after;           /* seconds, where it fails as what may do better then; 0: 1 */
    int is_hidden;             /* answered as unknown because its user may not see it */
    int is_asking;             /* what another one would be answered (authz.h) */
    int is_suspended;          /* answered later: its handler returns SUSPENDED (suspend.h) */
    wf_json_error_t malformed; /* where the body is not JSON; line 0: nothing to say */
} wf_request_t;

/* The base that a request lies under by its r->uri as it is now, or NULL. */
const wf_base_t *wf_request_base(const request_rec *r);

/*
 * The request's record, made at the first call, or NULL where the request lies under no base. Its
 * base is looked up anew each time, because httpd, or a rewrite, changes r->uri on the way.
 */
wf_request_t *wf_request_get(request_rec *r);

/*
 * Says in the request's notes which run it is about: %{dbsync_wf_pid}n in a LogFormat. To be called
 * as soon as that is known, so that a request that fails then is logged with it too.
 */
void wf_request_note_pid(wf_request_t *req, const wf_uuid_t *pid);

/* Takes that note over from the request that was redirected here; httpd logs this one's. */
void wf_request_keep_note(request_rec *r, const request_rec *from);

/*
 * Whether it is time to complain again in the error log about a configuration that lets requests
 * fail: once a minute and process, of each kind, however many requests do.
 */
int wf_request_may_complain(wf_request_t *req, wf_complaint_e complaint);

/*
 * Sets the problem for a store's call that failed, unless the store has set it, and returns
 * `status`. What nobody expects is logged.
 */
apr_status_t wf_request_store_failed(wf_request_t *req, apr_status_t status, wf_result_t *result);

#endif
