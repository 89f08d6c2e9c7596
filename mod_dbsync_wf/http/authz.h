/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what is httpd's to say: whoever may POST to a task's run URI may also see and
 * interrupt its runs. It is asked with a sub-request that is looked up and never run, so that
 * one <LocationMatch> with Require covers a project everywhere.
 */
#ifndef WF_HTTP_AUTHZ_H
#define WF_HTTP_AUTHZ_H

#include "http/request.h"

/*
 * Whether httpd would let this request's user POST to the (plural) run URI of a task, under the
 * same base. Both ids must be valid.
 */
int wf_authz_may_run(wf_request_t *req, const char *project, const char *task);

/* The same in two steps, for who asks again and again: the URI, which lives as long as the request,
 * and whether httpd would let this request's user use a method at a URI. */
const char *wf_authz_run_uri(wf_request_t *req, const char *project, const char *task);
int wf_authz_may(wf_request_t *req, const char *method, const char *uri);

/*
 * Hook post_perdir_config, when httpd has set what of a request is logged: of one that is only
 * asked about nothing is, for nobody has sent it, and a refusal is an answer.
 */
int wf_authz_silence(request_rec *r);

/*
 * Finds the run that the request's route names, if this user may see it.
 * APR_SUCCESS; APR_NOTFOUND with WF_PROBLEM_UNKNOWN_RUN where there is none and, without a
 * difference, where it is another's; or what the store fails with.
 */
apr_status_t wf_authz_find_run(wf_run_t **run, wf_request_t *req, wf_result_t *result);

#endif
