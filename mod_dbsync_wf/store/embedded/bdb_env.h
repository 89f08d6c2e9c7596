/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Berkeley DB environment of the keeper, and the one transaction that it has open at a time.
 *
 * One process opens it, one thread uses it, so that nothing in it is locked: a tool that joins it
 * may look at its figures, back it up or verify it, and must not read tables through it. Region
 * files lie in `home` (on a tmpfs where there is one), tables in `data`, log files in `log`.
 * Opening recovers (DB_RECOVER), so whatever ended the last owner is of no consequence, provided
 * that it has ended: the caller holds the exclusive lock.
 *
 * Tables have checksums on their pages. A page that is not what was written is an error of the
 * calls that need it (WF_EDAMAGED) and of no other.
 *
 * An error that leaves the environment unusable (DB_RUNRECOVERY) is remembered: the keeper then
 * exits and its successor recovers.
 */
#ifndef WF_STORE_EMBEDDED_BDB_ENV_H
#define WF_STORE_EMBEDDED_BDB_ENV_H

#include <apr_errno.h>
#include <apr_pools.h>

/* What a message about damage says of the way on. */
#define WF_BDB_ADVICE "README, \"When the state directory is damaged\", says how to go on"

typedef struct wf_bdb_t wf_bdb_t;

typedef struct wf_bdb_config_t {
    const char *home; /* folders, which exist */
    const char *data;
    const char *log;
    apr_uint64_t cache_size; /* bytes */
} wf_bdb_config_t;

/* Opens and recovers. APR_SUCCESS, or an error that has been logged. */
apr_status_t wf_bdb_open(wf_bdb_t **bdb, const wf_bdb_config_t *config, apr_pool_t *pool);

/* In how many region files a cache of that size (bytes) lies. */
int wf_bdb_cache_parts(apr_uint64_t size);

/* The folder with the regions has another name from now on. */
void wf_bdb_moved(wf_bdb_t *bdb, const char *home, apr_pool_t *pool);

/*
 * Checkpoints and closes, tables included, and removes the regions. Errors are logged; the next
 * open recovers anyway.
 */
void wf_bdb_close(wf_bdb_t *bdb);

/* Whether a transaction is open. */
int wf_bdb_is_writing(const wf_bdb_t *bdb);

/* Commits, log flushed: APR_SUCCESS means on disk. Does nothing where no transaction is open. */
apr_status_t wf_bdb_commit(wf_bdb_t *bdb);

/* Throws away what the open transaction did. */
void wf_bdb_abort(wf_bdb_t *bdb);

/*
 * Writes a checkpoint where enough log has been written since the last one (or any, where `now`).
 * Log files that are not needed any more are removed by the library. APR_SUCCESS, or an error that
 * has been logged: then it is due still.
 */
apr_status_t wf_bdb_checkpoint(wf_bdb_t *bdb, int now);

/* Says in the log, not too often, that a table is damaged, and how. WF_EDAMAGED. */
apr_status_t wf_bdb_damaged(wf_bdb_t *bdb, const char *table, const char *how);

/* From now on, with recovery over and all tables open, a page of zeros is a damaged one. */
void wf_bdb_watch_holes(const wf_bdb_t *bdb);

/* How many puts and deletes there were: one that is compared with an earlier one tells whether what
 * lies between changed anything. */
apr_uint64_t wf_bdb_changes(const wf_bdb_t *bdb);

/*
 * Whether so much has been put since the last checkpoint that the cache would soon have no page
 * left that can be given to another: where none can be written either, the library waits for one
 * for a long time, with everybody behind it.
 */
int wf_bdb_is_laden(const wf_bdb_t *bdb);

/* Whether the environment must be given up. */
int wf_bdb_is_broken(const wf_bdb_t *bdb);

#endif
