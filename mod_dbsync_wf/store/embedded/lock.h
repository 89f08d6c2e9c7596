/* SPDX-License-Identifier: Apache-2.0 */
/* The lock on a state directory: whoever holds it may run a keeper there, and nobody else. */
#ifndef WF_STORE_EMBEDDED_LOCK_H
#define WF_STORE_EMBEDDED_LOCK_H

#include <apr_errno.h>

/*
 * Takes the lock (flock on STATE/keeper.lock) where nobody holds it. It is held until each copy of
 * *fd is closed, those of forked processes too; close-on-exec.
 * APR_SUCCESS; APR_EAGAIN where it is held; or the system's error. *fd is -1 then.
 */
apr_status_t wf_lock_try(int *fd, const char *state_dir);

#endif
