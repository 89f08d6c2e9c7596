/* SPDX-License-Identifier: Apache-2.0 */
/* For the programs that look at what becomes of damaged tables. */
#ifndef WF_TEST_STORE_DAMAGE_H
#define WF_TEST_STORE_DAMAGE_H

#include "store/embedded/keeper_home.h"
#include "store/embedded/tables.h"
#include "store_util.h"

/* Puts bytes into a table (a member of wf_tables_t), with the keeper stopped; checksums are right.
 */
static inline void put_bytes(fixture_t *f, size_t table, wf_slice_t key, wf_slice_t bytes)
{
    int status;
    pid_t child;

    end_keeper(f, SIGTERM);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        wf_tables_t tables;
        wf_home_t home;
        wf_bdb_t *bdb;
        int ok = wf_home_open(&home, f->dir, 4 * 1024 * 1024, f->pool) == APR_SUCCESS &&
                 wf_bdb_open(&bdb, &home.bdb, f->pool) == APR_SUCCESS &&
                 wf_tables_open(&tables, bdb, f->pool) == APR_SUCCESS &&
                 wf_table_put(*(wf_table_t **)(void *)((char *)&tables + table), key, bytes) ==
                     APR_SUCCESS &&
                 wf_bdb_commit(bdb) == APR_SUCCESS;

        if (ok) {
            wf_bdb_close(bdb);
            wf_home_close(&home);
        }
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    start_keeper(f);
}

/* Puts bytes in place of what a table has for a task. */
static inline void put_for_task(fixture_t *f, size_t table, const char *task, wf_slice_t bytes)
{
    wf_buf_t key = {NULL, 0, 0};

    wf_task_key(&key, VHOST, "569", task);
    put_bytes(f, table, wf_buf_slice(&key), bytes);
    wf_buf_free(&key);
}

#endif
