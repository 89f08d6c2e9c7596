/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authentication provider "dbsync-wf-cache": asks the providers that DbsyncWfAuthCache names,
 * and remembers for some time, in this process, whom they have accepted (base/accepted.h).
 *
 * What is remembered holds for the user and the password, and for whatever else the answer depended
 * on: the virtual host, the sections of the configuration that apply, the realm and the name by
 * which the provider was called. A password that one AuthUserFile has accepted is so never taken
 * for another's. A provider whose answer depends on more than that, such as on the client's
 * address, is not for this one to wrap.
 */
#ifndef WF_HTTP_AUTH_CACHE_H
#define WF_HTTP_AUTH_CACHE_H

#include <util_cfgtree.h>
#include "http/config.h"

#define WF_AUTH_CACHE_PROVIDER "dbsync-wf-cache"

/* Registers the provider; called when hooks are registered. */
void wf_auth_cache_register(apr_pool_t *pool);

/*
 * Reads DbsyncWfAuthCache's arguments: a time, and the names of providers, which are asked in this
 * order. NULL, or what is wrong and what to write instead.
 */
const char *wf_auth_cache_parse(const wf_auth_cache_t **cache, cmd_parms *cmd, int argc,
                                char *const argv[]);

#endif
