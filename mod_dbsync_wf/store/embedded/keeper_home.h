/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the keeper's files lie.
 *
 *   STATE/keeper.lock   held as long as the keeper lives (lock.h)
 *   STATE/keeper.sock   the store protocol
 *   STATE/data  STATE/log   Berkeley DB's tables and log files
 *   STATE/env   the environment's home with its region files (regions.h), for db5.3_stat -h
 * STATE/env
 */
#ifndef WF_STORE_EMBEDDED_KEEPER_HOME_H
#define WF_STORE_EMBEDDED_KEEPER_HOME_H

#include "store/embedded/bdb_env.h"
#include "store/embedded/regions.h"

typedef struct wf_home_t {
    wf_bdb_config_t bdb;
    wf_regions_t regions;
} wf_home_t;

/* Makes the folders that are missing; whoever calls holds the lock. Errors have been logged. */
apr_status_t wf_home_open(wf_home_t *home, const char *state_dir, apr_uint64_t cache_size,
                          apr_pool_t *pool);

/* Makes a folder where it is missing. APR_SUCCESS, APR_EACCES where it is not ours and nobody
 * else's, or another error. */
apr_status_t wf_home_make_dir(const char *path);

/* After the environment has been closed, or could not be opened: removes what is left of its
 * regions. */
void wf_home_close(const wf_home_t *home);

#endif
