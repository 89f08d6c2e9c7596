/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints, one file each (endpoint_<name>.c). The handler has checked the user, the path and
 * the method. Adding one means adding a file, a path in route.c and a row in handler.c's table.
 *
 * Each answers the request and returns APR_SUCCESS, or fails: then `result` says why, or
 * req->http_status does where it is httpd that failed, and nothing has been sent.
 */
#ifndef WF_HTTP_ENDPOINT_H
#define WF_HTTP_ENDPOINT_H

#include "http/request.h"

/* POST: starts a run; 202 with its Location, once it is durable. */
apr_status_t wf_endpoint_run(wf_request_t *req, wf_result_t *result);

/* GET: 200, the run as it stands; 304 where the client has that already. */
apr_status_t wf_endpoint_status(wf_request_t *req, wf_result_t *result);

/* GET: 200, the runs that this user may see and that the query's arguments name, the newest first.
 */
apr_status_t wf_endpoint_runs(wf_request_t *req, wf_result_t *result);

/* GET, POST: stops a run; 202, or 200 where it had been interrupted already. HEAD changes nothing.
 */
apr_status_t wf_endpoint_interrupt(wf_request_t *req, wf_result_t *result);

/* GET: 200, figures for Prometheus: the server's, and those of the tasks that this user may run. */
apr_status_t wf_endpoint_metrics(wf_request_t *req, wf_result_t *result);

#endif
