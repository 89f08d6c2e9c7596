/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an action sends, its expressions evaluated: the same for each attempt, so that the second
 * one cannot differ from the first.
 */
#ifndef WF_FLOW_REST_REQUEST_H
#define WF_FLOW_REST_REQUEST_H

#include "flow/action.h"
#include "flow/rest/spec.h"

typedef struct wf_rest_request_t {
    const char *method;
    wf_url_t url;                /* with its query */
    apr_array_header_t *headers; /* of wf_header_t: the action's own, and the body's type */
    wf_slice_t body;
    int has_body;
    int is_repeatable; /* whether the service may get it twice */
} wf_rest_request_t;

/*
 * Makes the request. A header or a parameter of the query whose value is null is left out.
 * APR_SUCCESS; or WF_EINVALID with WF_PROBLEM_MAPPING: an expression has no value, or one that
 * cannot stand where it is to stand (a line break in a header, say).
 */
apr_status_t wf_rest_request_make(wf_rest_request_t *request, const wf_rest_action_t *action,
                                  const wf_action_context_t *context, wf_result_t *result,
                                  apr_pool_t *pool);

#endif
