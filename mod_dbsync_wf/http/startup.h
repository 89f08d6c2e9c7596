/* SPDX-License-Identifier: Apache-2.0 */
/* What happens before requests: the check of the configuration, the parent's start, each child's.
 */
#ifndef WF_HTTP_STARTUP_H
#define WF_HTTP_STARTUP_H

#include <httpd.h>

/* Hook check_config, which a configtest runs too: finds the bases; fails on what is misplaced. */
int wf_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *main_server);

/* Hook post_config: starts, adopts or ends the supervisor. */
int wf_startup_parent(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *main_server);

/* Hook child_init: makes the store client and the cache of projects. */
void wf_startup_child(apr_pool_t *pchild, server_rec *main_server);

#endif
