/* SPDX-License-Identifier: Apache-2.0 */
/* The Unix socket between keeper and clients: addresses, listening, connecting, who the peer is. */
#ifndef WF_STORE_EMBEDDED_SOCKET_H
#define WF_STORE_EMBEDDED_SOCKET_H

#include <sys/types.h>
#include <apr_errno.h>

/*
 * Listens at path, mode 0600, close-on-exec and non-blocking. The socket is bound under another
 * name and moved over path, so that at any moment a client finds either the old or the new one.
 * APR_SUCCESS, WF_EINVALID where the path is too long for an address, or the system's error.
 */
apr_status_t wf_socket_listen(int *fd, const char *path);

/*
 * Connects to path; close-on-exec and non-blocking.
 * APR_SUCCESS, WF_EINVALID, or the system's error (APR_EAGAIN where the keeper's backlog is full).
 */
apr_status_t wf_socket_connect(int *fd, const char *path);

/* The user and process at the other end. APR_SUCCESS or the system's error. */
apr_status_t wf_socket_peer(uid_t *uid, pid_t *pid, int fd);

#endif
