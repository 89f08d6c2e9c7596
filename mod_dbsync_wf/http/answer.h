/* SPDX-License-Identifier: Apache-2.0 */
/* Sending an answer that is no error. */
#ifndef WF_HTTP_ANSWER_H
#define WF_HTTP_ANSWER_H

#include "http/request.h"

/*
 * Sends the run as the answer. APR_SUCCESS, also where the client has gone away; or what the
 * output filters failed with, and then req->http_status says so to httpd.
 */
apr_status_t wf_answer_run(wf_request_t *req, int http_status, const wf_run_t *run);

/* The same for any JSON text, in a buffer that lives as long as the request; it ends in a line end
 * then. */
apr_status_t wf_answer_json(wf_request_t *req, int http_status, wf_buf_t *text);
/*
 * Sends the run as it stands, 200, with an ETag that differs whenever the answer's bytes do; or 304
 * without a body where If-None-Match has that tag (RFC 9110, 13.1.2). Returns as wf_answer_run
 * does.
 */
apr_status_t wf_answer_run_state(wf_request_t *req, const wf_run_t *run);

/* Whether that would be 304. Works in pool. */
int wf_answer_is_known(wf_request_t *req, const wf_run_t *run, apr_pool_t *pool);

/* Sends a text that lives as long as the request, 200. Returns as wf_answer_run does. */
apr_status_t wf_answer_text(wf_request_t *req, const char *type, wf_slice_t text);

/* Answers OPTIONS with the methods in req->allow. */
apr_status_t wf_answer_options(wf_request_t *req);

#endif
