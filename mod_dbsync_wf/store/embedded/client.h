/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded store as its clients see it: a Unix socket, behind which the keeper owns the
 * Berkeley DB environment.
 */
#ifndef WF_STORE_EMBEDDED_CLIENT_H
#define WF_STORE_EMBEDDED_CLIENT_H

#include "store/store.h"

/*
 * Opens a client of the keeper that listens at socket_path. Nothing is connected yet: connections
 * are made when they are needed, kept, and shared by the threads of this process; all are closed
 * with pool. A call that finds no keeper, or loses it, connects anew and repeats itself for
 * `patience` at most, then returns WF_EUNAVAILABLE. APR_SUCCESS, or WF_EINVALID where the path does
 * not fit a socket address.
 */
apr_status_t wf_embedded_open(wf_store_t **store, const char *socket_path,
                              apr_interval_time_t patience, apr_pool_t *pool);

/* Longest path, in bytes, that a Unix socket address takes. */
apr_size_t wf_embedded_path_max(void);

/* The socket's path within a state directory. */
const char *wf_embedded_socket_path(const char *state_dir, apr_pool_t *pool);

#endif
