/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's watch, watch_begin and watch_end over the keeper's socket; see store/store.h. */
#ifndef WF_STORE_EMBEDDED_CLIENT_WATCH_H
#define WF_STORE_EMBEDDED_CLIENT_WATCH_H

#include "store/store.h"

apr_status_t wf_client_watch(wf_store_t *store, const wf_watch_t *watch, apr_pool_t *pool);
apr_status_t wf_client_watch_begin(int *fd, wf_store_t *store, const wf_watch_t *watch,
                                   apr_pool_t *pool);
apr_status_t wf_client_watch_end(wf_store_t *store, int fd);

#endif
