/* SPDX-License-Identifier: Apache-2.0 */
/*
 * httpd's side of the supervisor: starts it in post_config, adopts it across restarts, restarts it
 * when it dies, ends it with the server.
 */
#ifndef WF_HTTP_SUPERVISE_H
#define WF_HTTP_SUPERVISE_H

#include <httpd.h>
#include "runner/settings.h"

/*
 * Checks the state directory (makes it where it is missing; owned by httpd's User, mode 0700),
 * then adopts the supervisor that runs, where its settings are the same, or replaces it, or starts
 * the first one. Called in post_config of the real run, not the dry one, by the parent process.
 * `settings` lives in pconf. APR_SUCCESS, or an error that has been logged.
 */
apr_status_t wf_supervise(server_rec *main_server, const wf_settings_t *settings,
                          apr_pool_t *pconf);

/*
 * For a configuration that does not use the module: lets a supervisor of the one before finish
 * what it runs and go. Does nothing where there is none.
 */
void wf_supervise_none(server_rec *main_server, apr_pool_t *pconf);

/* Binds the log sink of this process (parent, child or supervisor) to httpd's error log. */
void wf_supervise_bind_log(server_rec *main_server);

#endif
