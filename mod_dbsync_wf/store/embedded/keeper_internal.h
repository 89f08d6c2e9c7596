/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper's files share: the loop (keeper.c), the batch (keeper_batch.c), the peers
 * (keeper_peer.c), the operations (keeper_ops.c), those that wait (keeper_claims.c, keeper_news.c).
 */
#ifndef WF_STORE_EMBEDDED_KEEPER_INTERNAL_H
#define WF_STORE_EMBEDDED_KEEPER_INTERNAL_H

#include <sys/queue.h>
#include "store/embedded/keeper.h"
#include "store/embedded/state.h"
#include "store/embedded/trouble.h"
#include "store/embedded/wire.h"

typedef struct wf_keeper_t wf_keeper_t;

/* A CLAIM that waits for something to claim. */
typedef struct wf_claimer_t {
    apr_uint64_t incarnation;
    apr_uint64_t sequence;
    apr_uint32_t max;
    apr_uint32_t call;
    apr_time_t end;  /* a wf_clock time */
    int is_fresh;    /* it came with this batch */
    int is_unknown;  /* it may have been given something before, without being told */
    int is_answered; /* by this batch: it goes when that is on disk */
    int is_unread;   /* was answered, and nothing has been heard since that proves it was read */
} wf_claimer_t;

/* One connection. */
typedef struct wf_peer_t {
    TAILQ_ENTRY(wf_peer_t) link;  /* among all peers */
    TAILQ_ENTRY(wf_peer_t) touch; /* among those of this batch, where is_touched */
    TAILQ_ENTRY(wf_peer_t) wait;  /* among those with a WAIT pending, where waits_for */
    int is_touched;
    int fd;
    int closing;     /* no more is read; closed once all is sent */
    int wants_write; /* registered for writability */
    wf_buf_t in;     /* what arrived; frames before `done` have been executed */
    apr_size_t done;
    wf_buf_t out; /* answers; those behind `mark` are of this batch and promised to nobody */
    apr_size_t mark;
    apr_uint64_t waits_for; /* the incarnation whose news its WAIT is for, 0: none */
    apr_uint32_t wait_call;
    apr_time_t wait_end;          /* a wf_clock time */
    wf_claimer_t claimer;         /* its CLAIM, where is_claiming */
    TAILQ_ENTRY(wf_peer_t) claim; /* among those with a CLAIM pending, where is_claiming */
    int is_claiming;
    TAILQ_ENTRY(wf_peer_t) watch; /* among those with a WATCH pending, where watches */
    int watches;
    wf_uuid_t watched;
    apr_uint64_t watch_version;
    apr_uint32_t watch_call;
    apr_time_t watch_end; /* a wf_clock time */
} wf_peer_t;

TAILQ_HEAD(wf_peer_list, wf_peer_t);

#define WF_WATCH_LISTS 256
#define WF_INBOX_SIZE  (64u * 1024)

struct wf_keeper_t {
    wf_state_t state;
    wf_bdb_t *bdb;
    int epoll;
    int listener;
    int signals; /* signalfd */
    char *inbox; /* what recv fills, of all peers: there may be many, who ask for little */
    int stopping;
    apr_interval_time_t retention; /* 0: nothing is purged */
    apr_time_t purge_next;         /* a wf_clock time */
    apr_time_t reap_after; /* a wf_clock time: no lease is ended before, since a batch failed */
    wf_trouble_t writing;  /* a batch could not be written */
    wf_trouble_t checkpointing;
    int read_only;  /* writers are refused */
    int one_by_one; /* each call has a transaction of its own */
    int refuses;    /* the store is not open: everybody is */
    int recalls;    /* how earlier runs ended is still looked for */
    struct wf_peer_list peers;
    struct wf_peer_list touched;
    struct wf_peer_list waiting;
    struct wf_peer_list claiming;
    struct wf_peer_list watching[WF_WATCH_LISTS + 1]; /* by the pid's last byte; of all runs */
    apr_uint64_t told_age;   /* the board's, when those who watch all runs were told last */
    apr_time_t watch_next;   /* a wf_clock time, no later than the end of any WATCH */
    apr_pool_t *batch;       /* cleared after each batch */
    wf_restarts_t *restarts; /* NULL: not known */
    apr_time_t started;      /* the wall clock's, to be shown */
};

/*
 * keeper_batch.c: executes what has arrived, in one transaction that is on disk when it returns.
 * Where that cannot be, nothing of it is done and its writers are refused; and while it is known
 * to fail it is tried once a second only. APR_SUCCESS, or an error after which the keeper must end.
 */
apr_status_t wf_keeper_do_batch(wf_keeper_t *keeper);

/* Lets the answers go, now that what they say is on disk. */
void wf_keeper_answer_all(wf_keeper_t *keeper);

/* The earlier of `next` and the time at which something is due without a request. */
apr_time_t wf_keeper_next(wf_keeper_t *keeper, apr_time_t next);

/* keeper_peer.c: connections. */
void wf_peer_accept_all(wf_keeper_t *keeper);
void wf_peer_touch(wf_keeper_t *keeper, wf_peer_t *peer);
void wf_peer_read(wf_keeper_t *keeper, wf_peer_t *peer);
void wf_peer_flush(wf_keeper_t *keeper, wf_peer_t *peer);
void wf_peer_close(wf_keeper_t *keeper, wf_peer_t *peer);
void wf_peer_close_all(wf_keeper_t *keeper);
/* Forgets its WAIT, where it has one. */
void wf_peer_drop_wait(wf_keeper_t *keeper, wf_peer_t *peer);

/* keeper_news.c: WATCH, which is answered later unless there is news already: then *now is 1. */
apr_status_t wf_news_begin(int *now, wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m);

/* Answers each WATCH that has news, or whose time is up. */
void wf_news_answer_all(wf_keeper_t *keeper);

/* Makes the lists; forgets a peer's WATCH, where it has one. */
void wf_news_init(wf_keeper_t *keeper);
void wf_news_drop(wf_keeper_t *keeper, wf_peer_t *peer);

/*
 * keeper_ops.c: executes a frame and appends its answer (CLAIM, WAIT, WATCH: when there is one).
 * APR_SUCCESS, or the failure of the disk that ends the batch.
 */
apr_status_t wf_keeper_execute(wf_keeper_t *keeper, wf_peer_t *peer, wf_slice_t frame);

/* Of any operation: the longest wait; a value within bounds; the field RUN. */
#define WF_WAIT_MAX apr_time_from_sec(60)
apr_interval_time_t wf_keeper_bounded(apr_uint64_t value, apr_interval_time_t least,
                                      apr_interval_time_t most);
void wf_keeper_add_run(wf_buf_t *out, const wf_run_t *run);

/* Whether a call that ends so is answered. Otherwise the disk failed it, and its batch with it. */
int wf_keeper_may_answer(apr_status_t rv);

/*
 * Counts a call that ends with `rv`, before which the store had so many changes; and says what
 * becomes of the batch where it has met damage. One that had changed nothing is refused by itself.
 * Another one takes with it whatever is in its transaction: the batch is undone, and done again
 * with a transaction for each call. APR_SUCCESS, or the failure that ends the batch.
 */
apr_status_t wf_keeper_settle(wf_keeper_t *keeper, apr_status_t rv, apr_uint64_t changes);

/*
 * keeper_claims.c: CLAIM, which is answered by the first batch after which there is something to
 * claim, in its transaction; or when its time is up.
 */
apr_status_t wf_claims_begin(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m);

/*
 * For an end with this fence: claims one run for who has ended the other, where the message says
 * for whom. The claim may be repeated, as the end may: by the fence. APR_SUCCESS, or a failure.
 */
apr_status_t wf_claims_follow(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m,
                              apr_uint64_t fence);

/* Gives those that wait what there is. APR_SUCCESS, or the failure that ends the batch. */
apr_status_t wf_claims_serve(wf_keeper_t *keeper);

/* What follows a batch: those that were answered wait no more; or, where it is undone, wait again,
 * and those that came with it are as if they had not. */
void wf_claims_done(wf_keeper_t *keeper);
void wf_claims_undo(wf_keeper_t *keeper);

/*
 * For when a peer has gone, or cannot be written to. `is_reset`: without having read all that it
 * was sent. What it was given and has not read will never be executed by it, and is not lost with
 * it.
 */
void wf_claims_gone(wf_keeper_t *keeper, wf_peer_t *peer, int is_reset);

/* Forgets a peer's CLAIM, where it has one. */
void wf_claims_drop(wf_keeper_t *keeper, wf_peer_t *peer);

/* The earlier of `next` and the time at which the first of them must be answered. */
apr_time_t wf_claims_next(const wf_keeper_t *keeper, apr_time_t next);

/* keeper_stats.c: STATS, which is answered in any state. */
apr_status_t wf_keeper_stats(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m);

/*
 * keeper_history.c: HISTORY; and a step into the past, where one is due, in which no transaction is
 * open.
 */
apr_status_t wf_keeper_history(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m);
void wf_keeper_recall(wf_keeper_t *keeper);

/* Answers each WAIT that has news, whose time is up, or whose incarnation is not in force any more.
 */
void wf_keeper_answer_waits(wf_keeper_t *keeper);

#endif
