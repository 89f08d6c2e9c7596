/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of which tasks a request's user may see the runs, for a request that shows many: httpd is asked
 * (authz.h) once for each task, and again where the request goes on for long.
 */
#ifndef WF_HTTP_RIGHTS_H
#define WF_HTTP_RIGHTS_H

#include <apr_hash.h>
#include "http/request.h"

/* Used by the request's thread alone. */
typedef struct wf_rights_t {
    wf_request_t *req;
    apr_hash_t *tasks; /* "project/task" -> what was said of it; in the request's pool */
} wf_rights_t;

/* Nothing has been asked yet. */
void wf_rights_init(wf_rights_t *rights, wf_request_t *req);

/* Whether the user may run the task, and so see its runs. Both ids must be valid. */
int wf_rights_may_run(wf_rights_t *rights, const char *project, const char *task);

/* Asks anew about every task that has been asked about. Whether any answer is another one now. */
int wf_rights_renew(wf_rights_t *rights);

#endif
