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

/* GET: 200, the run's states as they come, until its end; 204 where the client has the last one. */
apr_status_t wf_endpoint_events(wf_request_t *req, wf_result_t *result);

/* GET: 200, the runs that this user may see and that the query's arguments name, the newest first.
 */
apr_status_t wf_endpoint_runs(wf_request_t *req, wf_result_t *result);

/* GET: 200, the same without the end, again and again whenever it is another one. */
apr_status_t wf_endpoint_runs_events(wf_request_t *req, wf_result_t *result);

/* GET: 200, how the latest runs of the tasks that this user may run ended; 304 where the client has
 * that. */
apr_status_t wf_endpoint_statistics(wf_request_t *req, wf_result_t *result);

/* GET: 200, the projects of which this user may run a task; 304 where the client has that. */
apr_status_t wf_endpoint_projects(wf_request_t *req, wf_result_t *result);

/* GET: 200, a project and its tasks that this user may run; 304 where the client has that. */
apr_status_t wf_endpoint_project(wf_request_t *req, wf_result_t *result);

/* GET: 200, what a task is, and how its runs do; 304 where the client has that. */
apr_status_t wf_endpoint_task(wf_request_t *req, wf_result_t *result);

/* GET: 200, the API's description; 304 where the client has that. */
apr_status_t wf_endpoint_openapi(wf_request_t *req, wf_result_t *result);

/* GET, POST: stops a run; 202, or 200 where it had been interrupted already. HEAD changes nothing.
 */
apr_status_t wf_endpoint_interrupt(wf_request_t *req, wf_result_t *result);

/*
 * GET: 200, what the run has put out, or 206, a part of it; 304 where the client has that already.
 * With ?follow=1 200, what it has put out and what it does, until it has ended.
 */
apr_status_t wf_endpoint_logs(wf_request_t *req, wf_result_t *result);
/* GET: 200, figures for Prometheus: the server's, and those of the tasks that this user may run. */
apr_status_t wf_endpoint_metrics(wf_request_t *req, wf_result_t *result);

#endif
