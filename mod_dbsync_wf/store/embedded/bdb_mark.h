/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark: how far the database's log reached when something was last made durable.
 *
 * Opening the environment takes the first record of the log that is broken for its end, which after
 * a loss of power it is. A log that was damaged elsewhere would be cut there without a word, and
 * what was acknowledged later would be gone; worse, what is written from then on would seem older
 * than the pages that it changes. So LOG/mark holds where the log ended, written after each flush
 * and never flushed itself: whatever is found there had been flushed before. A log that ends
 * earlier is damaged.
 */
#ifndef WF_STORE_EMBEDDED_BDB_MARK_H
#define WF_STORE_EMBEDDED_BDB_MARK_H

#include "store/embedded/bdb_env.h"

/*
 * Whether the log reaches its mark, for before the environment is opened; nothing is changed.
 * APR_SUCCESS (also where there is no mark yet), WF_EDAMAGED, or another error; logged.
 */
apr_status_t wf_bdb_mark_check(const wf_bdb_config_t *config, apr_pool_t *pool);

/* Opens the mark, made where it is missing. APR_SUCCESS, or an error that has been logged. */
apr_status_t wf_bdb_mark_open(wf_bdb_t *bdb, const char *log, apr_pool_t *pool);

/*
 * Sets it to where that part of the log ends that has been flushed. One that cannot be written
 * stays where it was, which is right, too.
 */
void wf_bdb_mark_set(wf_bdb_t *bdb);

/* Closes it. */
void wf_bdb_mark_close(wf_bdb_t *bdb);

#endif
