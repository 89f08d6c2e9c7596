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

/* Answers OPTIONS with the methods in req->allow. */
apr_status_t wf_answer_options(wf_request_t *req);

#endif
