/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Problem documents (RFC 9457): the body of every answer from 400 on under a base, whoever gave it.
 *
 * There is one way: a request fails with an HTTP status, be it a handler's, an authentication
 * module's or the core's; httpd starts its own error response; and an output filter puts the
 * document in the place of httpd's text. Headers that belong to the error (WWW-Authenticate, …)
 * stay. A handler that fails has left the reason in the request's record.
 *
 * An ErrorDocument of the site must not come before it: one that is text is replaced as httpd's
 * own text is; one that leads to a local path is cut short by wf_problem_post_read; one that leads
 * to another site is overruled by wf_problem_claim, before anything can fail.
 */
#ifndef WF_HTTP_PROBLEM_H
#define WF_HTTP_PROBLEM_H

#include <httpd.h>
#include <http_config.h>
#include <util_cfgtree.h>
#include "http/request.h"

/* Registers the output filter; called when hooks are registered. */
void wf_problem_register_filter(void);

/* Hook insert_error_filter. */
void wf_problem_insert_filter(request_rec *r);

/* Hook post_read_request. */
int wf_problem_post_read(request_rec *r);

/* Sees to it that no ErrorDocument answers for this request, which lies under a base. */
void wf_problem_claim(request_rec *r);

/*
 * The status of the error for which httpd is about to redirect to an ErrorDocument on another site,
 * or 0 where it is none of that. Where one document serves several, the least of their statuses.
 */
int wf_problem_behind_redirect(request_rec *r);

/* Whether any ErrorDocument in the tree leads to another site, or may. */
int wf_problem_has_remote_documents(const ap_directive_t *tree, apr_pool_t *pool);

/* The problem that an answer of that status tells of; NONE where it is not one of the list. */
wf_problem_e wf_problem_of(const wf_request_t *req, int http_status);

/* The HTTP status that a failed request is answered with. */
int wf_problem_http_status(const wf_request_t *req);

#endif
