/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the keeper's files lie, and the lock that makes it the only one.
 *
 *   STATE/keeper.lock   held (flock) by the keeper as long as it lives
 *   STATE/keeper.sock   the store protocol
 *   STATE/data  STATE/log   Berkeley DB's tables and log files
 *   STATE/env   the environment's home with its region files: a link to a folder of our own on
 *               /dev/shm where that is a tmpfs with room, else a folder; for db5.3_stat -h
 *               STATE/env
 */
#ifndef WF_STORE_EMBEDDED_KEEPER_HOME_H
#define WF_STORE_EMBEDDED_KEEPER_HOME_H

#include "store/embedded/bdb_env.h"

typedef struct wf_home_t {
    wf_bdb_config_t bdb;
    int lock; /* descriptor that holds the lock until the process ends */
} wf_home_t;

/*
 * Waits for the lock, however long its holder takes, or until SIGTERM is pending (APR_EINTR), then
 * makes the folders that are missing. Errors have been logged.
 */
apr_status_t wf_home_open(wf_home_t *home, const char *state_dir, apr_uint64_t cache_size,
                          apr_pool_t *pool);

/*
 * Claims the room that the region files, which have holes, may come to need: a write into a hole
 * that finds none would end the process (SIGBUS). For after the environment is open.
 * APR_SUCCESS, APR_ENOSPC (logged), or another error.
 */
apr_status_t wf_home_reserve(const wf_home_t *home);

/* After the environment's regions have been removed: takes their folder away, unless it has others.
 */
void wf_home_close(const wf_home_t *home);

#endif
