/* SPDX-License-Identifier: Apache-2.0 */
/* Sending an answer that is no error. */
#ifndef WF_HTTP_ANSWER_H
#define WF_HTTP_ANSWER_H

#include "http/request.h"

#define WF_ANSWER_DIGEST_LEN 32

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

/* What that answer consists of: the run's JSON and a line end. Lives in pool. */
wf_slice_t wf_answer_run_text(const wf_run_t *run, apr_pool_t *pool);

/*
 * The digest of an answer's text, WF_ANSWER_DIGEST_LEN hexadecimal digits in pool: equal ones mean
 * equal bytes, in whatever process. In quotes it is the answer's ETag.
 */
const char *wf_answer_digest(wf_slice_t text, apr_pool_t *pool);

/* That ETag, a strong one (RFC 9110, 8.8.3), of a text as it is sent; in pool. */
const char *wf_answer_etag(wf_slice_t text, apr_pool_t *pool);

/* Whether wf_answer_run_state would answer 304. Works in pool. */
int wf_answer_is_known(wf_request_t *req, const wf_run_t *run, apr_pool_t *pool);

/* Answers 204, which has no body and says that there is nothing more to come. As wf_answer_run. */
apr_status_t wf_answer_nothing(wf_request_t *req);

/* The headers of every answer that is no error, but for its length. `type` NULL: it has no body. */
void wf_answer_set_headers(request_rec *r, const char *type);
/* The same as wf_answer_run_state for any JSON text, in a buffer as wf_answer_json takes it. */
apr_status_t wf_answer_json_state(wf_request_t *req, wf_buf_t *text);
/* The same for JSON that is complete, its line end included, where the request has changed the
 * state: always 200. */
apr_status_t wf_answer_json_tagged(wf_request_t *req, wf_slice_t text);

/* Sends a text that lives as long as the request, 200. Returns as wf_answer_run does. */
apr_status_t wf_answer_text(wf_request_t *req, const char *type, wf_slice_t text);

/*
 * Sends a text that lives as long as the request as wf_answer_run_state does: 200 with an ETag, or
 * 304. Headers that the caller has set are sent with either.
 */
apr_status_t wf_answer_text_state(wf_request_t *req, const char *type, wf_slice_t text);

/* Answers 308: what was asked for is at that path, and always will be. As wf_answer_run. */
apr_status_t wf_answer_moved(wf_request_t *req, const char *path);

/* Answers OPTIONS with the methods in req->allow. */
apr_status_t wf_answer_options(wf_request_t *req);

#endif
