/* SPDX-License-Identifier: Apache-2.0 */
/* The environment and its transaction. */
#include "store/embedded/bdb_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "store/embedded/bdb_mark.h"

#define LOG_FILE_SIZE   (8u * 1024 * 1024)
#define LOG_BUFFER_SIZE (1u * 1024 * 1024)
#define CHECKPOINT_SIZE (16u * 1024 * 1024)     /* bytes put between checkpoints, at most ... */
#define RHYTHM_SIZE     (1024u * 1024)          /* ... or so many, ... */
#define RHYTHM          apr_time_from_msec(250) /* ... after that time: nobody waits for long */
#define CACHE_PART      4u                      /* or that part of the cache */
#define ERRORS_MOST     12u                     /* messages about errors in each ... */
#define ERRORS_PERIOD   apr_time_from_sec(60)   /* ... of these */
#define DAMAGE_MOST     3u                      /* messages about damage in the same */
#define BAD_CHECKSUM    "BDB0684 checksum error: page %lu"
#define CACHE_REGION    (1024u * 1024 * 1024) /* greatest single region of the cache */

/* Whether one more error may be logged: the keeper says by itself what an operator must know. */
static int may_log(wf_bdb_t *bdb)
{
    apr_uint64_t left = 0;
    int may = wf_log_may(&bdb->limit, ERRORS_MOST, ERRORS_PERIOD, &left);

    if (may && left) {
        wf_log_error(0, "WF0115", "Berkeley DB: %" APR_UINT64_T_FMT " messages were left out",
                     left);
    }
    return may;
}

static void log_error(const DB_ENV *env, const char *prefix, const char *message)
{
    wf_bdb_t *bdb = env->app_private;

    (void)prefix;
    if (!bdb->is_bad_page && sscanf(message, BAD_CHECKSUM, &bdb->bad_page) == 1) {
        bdb->is_bad_page = 1;
    }
    if (bdb->is_bad_page) {
        /* What follows, up to the end of the call, speaks of the panic that it makes of it. */
        wf_log_debug(0, "WF0116", "Berkeley DB: %s", message);
    } else if (may_log(bdb)) {
        wf_log_error(0, "WF0110", "Berkeley DB: %s", message);
    }
}

static void log_message(const DB_ENV *env, const char *message)
{
    (void)env;
    wf_log_debug(0, "WF0111", "Berkeley DB: %s", message);
}

apr_status_t wf_bdb_status(wf_bdb_t *bdb, int error, const char *what)
{
    bdb->is_bad_page = 0;
    switch (error) {
    case 0:
        return APR_SUCCESS;
    case DB_NOTFOUND:
        return APR_NOTFOUND;
    case DB_KEYEXIST:
        return APR_EEXIST;
    case DB_RUNRECOVERY:
        bdb->broken = 1;
        break;
    default:
        break;
    }
    if (may_log(bdb)) {
        wf_log_error(0, "WF0112", "Berkeley DB: %s: %s", what, db_strerror(error));
    }
    return error > 0 ? error : WF_EUNAVAILABLE;
}

apr_status_t wf_bdb_damaged(wf_bdb_t *bdb, const char *table, const char *how)
{
    apr_uint64_t left = 0;

    if (wf_log_may(&bdb->damage_limit, DAMAGE_MOST, ERRORS_PERIOD, &left)) {
        wf_log_error(0, "WF0114",
                     "the table %s is damaged: %s; " WF_BDB_ADVICE " (%" APR_UINT64_T_FMT
                     " more times since this was last said)",
                     table, how, left);
    }
    return WF_EDAMAGED;
}

apr_status_t wf_bdb_table_status(wf_bdb_t *bdb, int error, const char *table)
{
    int is_bad_page = bdb->is_bad_page;
    char how[100];

    bdb->is_bad_page = 0;
    if (error == EIO) {
        return wf_bdb_damaged(bdb, table, "its disk fails");
    }
    if (error == DB_PAGE_NOTFOUND) {
        return wf_bdb_damaged(bdb, table, "it is shorter than it was");
    }
    if (error != DB_RUNRECOVERY || !is_bad_page) {
        return wf_bdb_status(bdb, error, table);
    }
    /*
     * The page was not taken into the cache: nothing else is wrong with the environment, and all
     * other pages can be read and written.
     */
    error = bdb->env->set_flags(bdb->env, DB_PANIC_ENVIRONMENT, 0);
    if (error) {
        bdb->broken = 1;
        return wf_bdb_status(bdb, error, "taking a panic back");
    }
    apr_snprintf(how, sizeof(how),
                 "its page %lu is not what was written, and what is on it cannot be read",
                 bdb->bad_page);
    return wf_bdb_damaged(bdb, table, how);
}

int wf_bdb_cache_parts(apr_uint64_t size)
{
    return (int)((size + CACHE_REGION - 1) / CACHE_REGION);
}

static int set_cache(DB_ENV *env, apr_uint64_t size)
{
    const apr_uint64_t gigabyte = 1024u * 1024 * 1024;

    return env->set_cachesize(env, (u_int32_t)(size / gigabyte), (u_int32_t)(size % gigabyte),
                              wf_bdb_cache_parts(size));
}

static int configure(DB_ENV *env, const wf_bdb_config_t *config)
{
    int error = 0;

    env->set_errcall(env, log_error);
    env->set_msgcall(env, log_message);
    if ((error = set_cache(env, config->cache_size)) == 0 &&
        (error = env->add_data_dir(env, config->data)) == 0 &&
        (error = env->set_create_dir(env, config->data)) == 0 &&
        (error = env->set_lg_dir(env, config->log)) == 0 &&
        (error = env->set_lg_max(env, LOG_FILE_SIZE)) == 0 &&
        (error = env->set_lg_bsize(env, LOG_BUFFER_SIZE)) == 0) {
        error = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
    }
    return error;
}

apr_status_t wf_bdb_open(wf_bdb_t **bdb, const wf_bdb_config_t *config, apr_pool_t *pool)
{
    /* Neither DB_INIT_LOCK nor DB_THREAD: there is one thread, with one transaction at a time, and
     * what would be locked for each call and each page that it reads would be against nobody. */
    const u_int32_t flags = DB_CREATE | DB_INIT_TXN | DB_INIT_LOG | DB_INIT_MPOOL | DB_RECOVER;
    wf_bdb_t *fresh = apr_pcalloc(pool, sizeof(*fresh));
    apr_status_t rv = wf_bdb_mark_check(config, pool);
    DB_ENV *env;
    int error;

    if (rv != APR_SUCCESS || (rv = wf_bdb_mark_open(fresh, config->log, pool)) != APR_SUCCESS) {
        return rv;
    }
    if ((error = wf_bdb_hook_reads()) != 0 || (error = db_env_create(&env, 0)) != 0) {
        return wf_bdb_status(fresh, error, "db_env_create");
    }
    env->app_private = fresh;
    error = configure(env, config);
    if (!error) {
        error = env->open(env, config->home, flags, 0600);
    }
    if (error) {
        env->close(env, 0);
        return wf_bdb_status(fresh, error, "opening the environment");
    }
    fresh->env = env;
    fresh->cache_size = config->cache_size;
    wf_bdb_mark_set(fresh);
    fresh->home = apr_pstrdup(pool, config->home);
    *bdb = fresh;
    return APR_SUCCESS;
}

void wf_bdb_moved(wf_bdb_t *bdb, const char *home, apr_pool_t *pool)
{
    bdb->home = apr_pstrdup(pool, home);
}

/* Gives the regions' memory back, unless a tool is still joined to them. */
static void remove_regions(const char *home)
{
    DB_ENV *env;

    if (db_env_create(&env, 0) == 0) {
        int error = env->remove(env, home, 0);

        if (error) {
            wf_log_info(0, "WF0113", "the region files stay: %s", db_strerror(error));
        }
    }
}

void wf_bdb_close(wf_bdb_t *bdb)
{
    int error;

    wf_bdb_abort(bdb);
    if (!bdb->broken) {
        wf_bdb_checkpoint(bdb, 1);
    }
    for (int i = 0; i < bdb->table_count; i++) {
        wf_bdb_status(bdb, bdb->tables[i]->close(bdb->tables[i], 0), "closing a table");
    }
    wf_bdb_mark_close(bdb);
    error = bdb->env->close(bdb->env, 0);
    wf_bdb_status(bdb, error, "closing the environment");
    if (!error && !bdb->broken) {
        remove_regions(bdb->home);
    }
}

int wf_bdb_is_writing(const wf_bdb_t *bdb)
{
    return bdb->txn != NULL;
}

apr_status_t wf_bdb_begin(wf_bdb_t *bdb)
{
    if (bdb->txn) {
        return APR_SUCCESS;
    }
    return wf_bdb_status(bdb, bdb->env->txn_begin(bdb->env, NULL, &bdb->txn, 0), "txn_begin");
}

apr_status_t wf_bdb_commit(wf_bdb_t *bdb)
{
    DB_TXN *txn = bdb->txn;
    apr_status_t rv;

    if (!txn) {
        return APR_SUCCESS;
    }
    bdb->txn = NULL; /* the handle is gone, whatever commit returns */
    rv = wf_bdb_status(bdb, txn->commit(txn, DB_TXN_SYNC), "commit");
    if (rv == APR_SUCCESS) {
        wf_bdb_mark_set(bdb);
    }
    return rv;
}

void wf_bdb_abort(wf_bdb_t *bdb)
{
    DB_TXN *txn = bdb->txn;

    bdb->txn = NULL;
    if (txn) {
        wf_bdb_status(bdb, txn->abort(txn), "abort");
    }
}

/*
 * Whether there is enough to write. Calls wait while that is done, and longer for more of it: so it
 * comes often where little is put in a second, and where much is by how much it is. And a small
 * cache must not come to hold nothing but pages that are to be written.
 */
static int is_due(const wf_bdb_t *bdb)
{
    apr_uint64_t part = bdb->cache_size / CACHE_PART;

    return bdb->written >= (part < CHECKPOINT_SIZE ? part : CHECKPOINT_SIZE) ||
           (bdb->written >= RHYTHM_SIZE && wf_clock() >= bdb->checkpointed + RHYTHM);
}

int wf_bdb_is_laden(const wf_bdb_t *bdb)
{
    return bdb->written >= bdb->cache_size / CACHE_PART;
}

apr_status_t wf_bdb_checkpoint(wf_bdb_t *bdb, int now)
{
    apr_status_t rv;

    if (!bdb->written || (!now && !is_due(bdb))) {
        return APR_SUCCESS;
    }
    rv = wf_bdb_status(bdb, bdb->env->txn_checkpoint(bdb->env, 0, 0, 0), "checkpoint");
    if (rv == APR_SUCCESS) {
        bdb->written = 0;
        bdb->checkpointed = wf_clock();
        wf_bdb_mark_set(bdb);
    }
    return rv;
}

apr_uint64_t wf_bdb_changes(const wf_bdb_t *bdb)
{
    return bdb->changes;
}

int wf_bdb_is_broken(const wf_bdb_t *bdb)
{
    return bdb->broken;
}
