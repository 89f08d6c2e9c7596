/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a request's body. */
#ifndef WF_HTTP_BODY_H
#define WF_HTTP_BODY_H

#include "http/request.h"

/*
 * Reads the whole body, at most `most` bytes of JSON, into a buffer that goes with r->pool.
 * APR_SUCCESS; WF_EINVALID with WF_PROBLEM_MEDIA_TYPE where the request does not say that it is
 * JSON, with WF_PROBLEM_LENGTH_REQUIRED where it declares no body, with WF_PROBLEM_BODY_TOO_LARGE,
 * where a declared length is refused before anything is read, or with WF_PROBLEM_INVALID_JSON
 * (req->malformed says where it is none); or what the input filters failed with (a client that went
 * away, a timeout, the core's own limit), and then req->http_status is httpd's word for it.
 */
apr_status_t wf_body_read_json(wf_slice_t *body, wf_request_t *req, apr_uint64_t most,
                               wf_result_t *result);

#endif
