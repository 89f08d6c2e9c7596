/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for a run and hold no thread, under an MPM that waits for connections itself
 * (AP_MPMQ_CAN_WAITIO: event, since httpd 2.4.63).
 *
 * A request is suspended, and its handler returns. wf_suspend_connection, around all that processes
 * a connection, then gives the connection back to the MPM as one whose client is to send something
 * (CONN_STATE_ASYNC_WAITIO). One thread of the child, the hub, watches the runs of all of them.
 * When one need not be waited for any more, it shuts down the receiving side of the client's
 * socket; to the MPM that is something to read, so a worker gets the connection, and answers. Such
 * a connection can carry no other request, and ends with the answer (Connection: close).
 *
 * A connection that waits so is one of those that the MPM has room for: in each child half of these
 * may wait at a time, and DbsyncWfMaxWaiters in all.
 *
 * At each moment either a worker or the hub has a suspended request: it is the hub's from the end
 * of wf_suspend_connection until a worker gets its connection, which takes it back.
 */
#ifndef WF_HTTP_SUSPEND_H
#define WF_HTTP_SUSPEND_H

#include "http/request.h"

/*
 * How many connections event accepts beyond its threads, for each that is idle
 * (AsyncRequestWorkerFactor), by the configuration as it was read.
 */
double wf_suspend_factor(const ap_directive_t *tree);

/* Opens this child's hub, where its MPM can do so; shared->hub stays NULL where not. */
void wf_suspend_open(wf_shared_t *shared, apr_pool_t *pchild, server_rec *main_server);

/*
 * Suspends a request until the run has ended, or with `for_change` until its ETag is another one
 * than the request has; for `wait` at most, and until the child is to end. Whether it has been:
 * then its handler must return SUSPENDED and touch it no more, and it is answered as
 * wf_answer_run_state does. It is not where the MPM cannot, or the request is not a connection's
 * own and only one.
 */
int wf_suspend_request(wf_request_t *req, apr_interval_time_t wait, int for_change);

/* For the hook process_connection, before all others. */
int wf_suspend_connection(conn_rec *c);

#endif
