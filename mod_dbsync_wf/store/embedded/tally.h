/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper counts, for store/stats.h: of each task what became of its runs, and of its own
 * commits how much they carried. A batch's events are noted while it is executed, and count once it
 * is on disk: one that is undone leaves no trace. In memory, begun anew with each keeper, but for
 * how runs ended hour by hour (store/history.h), which is recalled.
 *
 * A vhost has WF_STATS_TASKS rows at most; tasks that are met after that share one. One thread uses
 * a tally.
 */
#ifndef WF_STORE_EMBEDDED_TALLY_H
#define WF_STORE_EMBEDDED_TALLY_H

#include "store/embedded/board.h"

typedef struct wf_tally_t {
    apr_hash_t *rows;            /* of tasks; see tally.c */
    apr_time_t began;            /* the wall clock's: ends from then on are counted as they come */
    apr_time_t since;            /* that of store/history.h, as far as the past has been recalled */
    apr_uint32_t hour;           /* of the end that was counted last */
    apr_array_header_t *pending; /* events of this batch */
    apr_uint64_t calls;          /* of this batch, that changed something */
    wf_histogram_t commits;
    apr_uint64_t damaged;
    apr_pool_t *pool;
} wf_tally_t;

/* Makes an empty one, in pool, with which what it has on the heap goes too. */
void wf_tally_init(wf_tally_t *tally, apr_pool_t *pool);

/* Events: a run was submitted; was claimed; has ended. */
void wf_tally_submitted(wf_tally_t *tally, const wf_run_t *run);
void wf_tally_started(wf_tally_t *tally, const wf_run_t *run);
void wf_tally_ended(wf_tally_t *tally, const wf_run_t *run);

/* Events: a call changed something; a call met damage. */
void wf_tally_call(wf_tally_t *tally);
void wf_tally_damage(wf_tally_t *tally);

/* The batch is on disk, its events count. `wrote`: whether there was anything to commit. */
void wf_tally_commit(wf_tally_t *tally, int wrote);

/* The batch was undone. */
void wf_tally_rollback(wf_tally_t *tally);

/*
 * Fills in what tally and board know: commits, damaged, queued, running, runners, watchers, and the
 * rows of a vhost's tasks (NULL: none), in pool. Looks at the tasks that it has met, never at runs.
 */
void wf_tally_read(wf_store_stats_t *stats, wf_tally_t *tally, wf_board_t *board, const char *vhost,
                   apr_pool_t *pool);

/*
 * Counts the end of a run that is found on disk in its hour, where an earlier keeper saw it; and
 * says that no run that was submitted since then is still to be found.
 */
void wf_tally_recall(wf_tally_t *tally, const wf_run_t *run);
void wf_tally_recalled(wf_tally_t *tally, apr_time_t since);

/* Fills in the history, in pool. Tasks that share a row have none; `since` heeds that. */
void wf_tally_history(wf_history_t *history, wf_tally_t *tally, const wf_history_query_t *query,
                      apr_pool_t *pool);

#endif
