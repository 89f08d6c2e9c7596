/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's picture of what is under way: runs queued and running, the tasks they belong to, the
 * runners that hold them. Memory only; the `active` and `runners` tables hold the same, and the
 * board can be made anew from them at any time.
 *
 *   entry   one run, queued in its group or held by a holder
 *   group   the runs of one task of one vhost: a queue, and how many run at the moment
 *   holder  one incarnation of a runner
 *
 * Groups with something to claim stand in a ring and are served in turn, so that a flood for one
 * task does not delay the others. One thread uses a board.
 *
 * Whatever a client may see of an entry changes its version; no version was ever another entry's,
 * or an earlier keeper's since the machine was started. While somebody watches, the board notes the
 * pids of entries that changed or went. Its age is the same for all runs together, those that have
 * ended included: it changes with whatever a list may show of one.
 */
#ifndef WF_STORE_EMBEDDED_BOARD_H
#define WF_STORE_EMBEDDED_BOARD_H

#include <apr_hash.h>
#include <sys/queue.h>
#include "store/store.h"

typedef struct wf_entry_t wf_entry_t;
typedef struct wf_group_t wf_group_t;
typedef struct wf_holder_t wf_holder_t;
typedef struct wf_board_t wf_board_t;

TAILQ_HEAD(wf_entry_queue, wf_entry_t);
TAILQ_HEAD(wf_group_queue, wf_group_t);

struct wf_entry_t {
    TAILQ_ENTRY(wf_entry_t) link;   /* in its group's queue or its holder's held */
    TAILQ_ENTRY(wf_entry_t) member; /* in its group, wherever it stands */
    wf_uuid_t pid;
    wf_group_t *group;
    wf_holder_t *holder; /* NULL: queued */
    apr_uint64_t fence;
    apr_uint64_t sequence; /* of the claim */
    int is_unread;         /* what the claim gave was never read: see wf_state_unread */
    apr_time_t started;
    apr_time_t interrupt_requested;
    char *interrupted_by; /* on the heap, as is the next */
    char *action;
    apr_uint64_t done;
    apr_uint64_t total;
    wf_run_records_t records;
    int rerun_when_lost;
    apr_uint64_t output; /* bytes of it that are kept; WF_OUTPUT_UNKNOWN: to be looked up */
    wf_board_t *board;
    apr_uint64_t version;
};

#define WF_OUTPUT_UNKNOWN APR_UINT64_MAX

struct wf_group_t {
    TAILQ_ENTRY(wf_group_t) link; /* in the ring of ready groups, where is_ready */
    int is_ready;
    struct wf_entry_queue queue;
    struct wf_entry_queue members; /* queued and running, in the order in which they came */
    apr_uint32_t queued;
    apr_uint32_t running;
    apr_uint32_t limit; /* 0: none */
    const char *vhost;  /* these three point into key */
    const char *project;
    const char *task;
    apr_size_t key_len;
    char key[];
};

struct wf_holder_t {
    apr_uint64_t incarnation;
    char *host;
    int draining;
    apr_time_t lease_end; /* a wf_clock time */
    unsigned news;        /* events that its next wait reports */
    struct wf_entry_queue held;
    int seen; /* mark of a reload */
};

struct wf_board_t {
    apr_hash_t *entries; /* by pid */
    apr_hash_t *groups;  /* by key */
    apr_hash_t *holders; /* by incarnation */
    struct wf_group_queue ready;
    apr_uint32_t queued;   /* in all groups */
    apr_uint64_t version;  /* the latest given out */
    apr_uint64_t age;      /* another one where a list of runs may show something else */
    apr_uint32_t watchers; /* how many want to know what is stirred */
    wf_buf_t *stirred;     /* pids, some more than once; who has told the watchers empties it */
};

/* Makes an empty board. Its tables live in pool, its items on the heap. */
void wf_board_init(wf_board_t *board, apr_pool_t *pool);

/* Forgets all entries and groups; holders stay, holding nothing. */
void wf_board_clear(wf_board_t *board);

/* Finds an entry, NULL where the run is not under way. */
wf_entry_t *wf_board_find(wf_board_t *board, const wf_uuid_t *pid);

/* Makes an entry, queued last in its group; takes what a row of the active table holds. */
wf_entry_t *wf_board_queue(wf_board_t *board, const wf_run_t *run);

/*
 * Where as many runs of the run's task as may be (its concurrency, at least one) are under way, the
 * one of them that came last; otherwise NULL.
 */
wf_entry_t *wf_board_overlap(wf_board_t *board, const wf_run_t *run);

/* How many runs of the run's task are queued. */
apr_uint32_t wf_board_queued(wf_board_t *board, const wf_run_t *run);

/* How many runs of the run's task are queued, and run. */
wf_under_way_t wf_board_under_way(wf_board_t *board, const wf_run_t *run);

/* Whether there is an entry to claim. */
int wf_board_is_ready(const wf_board_t *board);

/* The entry to claim next, or NULL; the group it belongs to then goes to the end of the ring. */
wf_entry_t *wf_board_next(wf_board_t *board);

/* Moves a queued entry to a holder. */
void wf_board_hold(wf_board_t *board, wf_entry_t *entry, wf_holder_t *holder);

/* Moves a held entry back to the front of its group's queue, as if it had not started. */
void wf_board_unhold(wf_board_t *board, wf_entry_t *entry);

/* Forgets an entry, and its group where it was the last. */
void wf_board_remove(wf_board_t *board, wf_entry_t *entry);

/* What the active table keeps of an entry; the texts point into the entry. */
void wf_entry_row(wf_run_t *row, const wf_entry_t *entry);

/* Sets an entry's interrupt, and its progress; texts are copied, NULL clears. */
void wf_entry_set_interrupt(wf_entry_t *entry, apr_time_t when, const char *by);
void wf_entry_set_progress(wf_entry_t *entry, const wf_run_progress_t *progress,
                           const wf_run_records_t *records);

/* Notes that something has changed that is kept elsewhere, and that a client may see, but not in a
 * list. */
void wf_entry_touch(wf_entry_t *entry);

/* Notes that a list may show something else, although no run that is under way has changed. */
void wf_board_touch(wf_board_t *board);

/* Holders: found or NULL; added, with all news pending; removed (it must hold nothing). */
wf_holder_t *wf_board_holder(wf_board_t *board, apr_uint64_t incarnation);
wf_holder_t *wf_board_add_holder(wf_board_t *board, apr_uint64_t incarnation, const char *host);
void wf_board_remove_holder(wf_board_t *board, wf_holder_t *holder);

#endif
