/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /status/{pid}?wait=SECONDS: a request that is answered when the run has ended.
 *
 * It holds its thread. An event MPM could do without, but httpd 2.4 lets a handler only suspend its
 * connection (SUSPENDED, ap_mpm_register_timed_callback): the call that hands one back to the MPM,
 * ap_mpm_resume_suspended, it does not have, so the connection could not be kept alive, nor closed
 * in order. Hence bounds instead: at most half of a child's threads wait, at most half of the
 * server's, and no more than DbsyncWfMaxWaiters in all. A request that finds no place is answered
 * at once, which a client must reckon with anyway, since its time may be up.
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
 * APR_SUCCESS, or what the store fails with.
 */
apr_status_t wf_wait_for_run(wf_run_t **run, wf_request_t *req, apr_interval_time_t wait,
                             wf_result_t *result);

#endif
