/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log (DbsyncWfAuditLog): who started or interrupted what, and who was refused. A file,
 * or a program that reads lines, opened by httpd's parent as its own logs are.
 *
 * A request is told of when it has been answered, in one line and with one write, if it wanted to
 * change something (a run, an interrupt, or any method but GET, HEAD and OPTIONS), or was refused
 * by authentication or authorization (401, 403, a run that its user may not see). Runs end without
 * a request, so their ends are not in it.
 */
#ifndef WF_HTTP_AUDIT_H
#define WF_HTTP_AUDIT_H

#include <httpd.h>

/* Hook open_logs: opens what the servers in use name, each file or program once. */
int wf_audit_open(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server);

/* Hook log_transaction. */
int wf_audit_log(request_rec *r);

/* In a process that answers no requests: lets go of the logs, so that a program that reads one sees
 * its end when httpd closes it. */
void wf_audit_close(server_rec *main_server);

#endif
