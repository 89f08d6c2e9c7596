/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /status/{pid}?wait=SECONDS: a request that is answered when the run has ended.
 *
 * It holds no thread meanwhile where the MPM can do without (suspend.h), and otherwise one, within
 * waiter.h's bounds. A request that finds no place is answered at once, which a client must reckon
 * with anyway, since its time may be up.
 */
#ifndef WF_HTTP_WAIT_H
#define WF_HTTP_WAIT_H

#include "http/request.h"

/*
 * How long the request wants to wait, 0 where it does not.
 * APR_SUCCESS, or WF_EINVALID with WF_PROBLEM_BAD_REQUEST.
 */
apr_status_t wf_wait_read(apr_interval_time_t *wait, wf_request_t *req, wf_result_t *result);

/*
 * Waits until the run, which must be one that wf_authz_find_run gave, has ended, or with an
 * If-None-Match until its ETag is another one; at most that long, and no longer than the client is
 * there, there is a place, and the child goes on. *run is then the run as it stands.
 * APR_SUCCESS, or what the store fails with. Where req->is_suspended is set then, it waits still:
 * the request is answered later, and not by the caller.
 */
apr_status_t wf_wait_for_run(wf_run_t **run, wf_request_t *req, apr_interval_time_t wait,
                             wf_result_t *result);

#endif
