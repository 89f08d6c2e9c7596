/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of a request, as a template: "/customers/{{id}}/orders".
 *
 * Its own text may have slashes; what an expression gives becomes (part of) one segment, whatever
 * is in it. So data chooses which customer is meant and never another path, query or host: a
 * segment that holds an expression is neither empty nor "." or "..".
 *
 * Own text that begins with http:// or https:// leads to another host than the connector's. The
 * host is then own text too.
 */
#ifndef WF_FLOW_REST_PATH_H
#define WF_FLOW_REST_PATH_H

#include "flow/check.h"
#include "flow/rest/url.h"

typedef struct wf_rest_path_t wf_rest_path_t;

/*
 * Parses the member "path"; where it is absent, that is the connector's URL alone.
 * APR_SUCCESS or WF_EINVALID, as the wf_check_* functions.
 */
apr_status_t wf_rest_path_check(const wf_rest_path_t **path, const wf_check_t *at,
                                const char *member);

/* The URL with the host that the template's own text names; NULL: it names none. */
const wf_url_t *wf_rest_path_host(const wf_rest_path_t *path);

/*
 * Appends the URL, up to its path, that the template gives behind a connector's.
 * APR_SUCCESS; or WF_EINVALID with WF_PROBLEM_MAPPING and a detail that names `action`.
 */
apr_status_t wf_rest_path_url(wf_buf_t *out, const wf_rest_path_t *path, const wf_url_t *home,
                              const wf_scope_t *scope, const char *action, wf_result_t *result);

#endif
