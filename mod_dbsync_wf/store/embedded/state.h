/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's logic: what each call of the contract (store/store.h) does to the tables and the
 * board. Knows no socket. A call changes both at once; nothing is promised to anyone until
 * wf_state_commit has returned APR_SUCCESS. Where it has not, everything since the last commit is
 * undone, in the tables by the transaction, on the board by making it anew from the tables.
 *
 * The statuses are the contract's; any other is a failure of the disk or of Berkeley DB.
 */
#ifndef WF_STORE_EMBEDDED_STATE_H
#define WF_STORE_EMBEDDED_STATE_H

#include "store/embedded/board.h"
#include "store/embedded/outbox.h"
#include "store/embedded/rates.h"
#include "store/embedded/tables.h"
#include "store/embedded/tally.h"

/* How far the past has been looked at; see wf_state_recall. */
typedef struct wf_recall_t {
    wf_uuid_t before;  /* the runs that are left have smaller pids than this */
    apr_uint32_t seen; /* runs */
    apr_size_t bytes;  /* of what they left */
} wf_recall_t;

typedef struct wf_state_t {
    wf_tables_t tables;
    wf_board_t board;
    wf_outbox_t outbox;
    wf_tally_t tally;         /* what was done since the keeper began */
    apr_uint64_t fence;       /* the latest given out */
    apr_uint64_t incarnation; /* the latest given out */
    apr_uint32_t queue_limit; /* how many runs may be queued in all; 0: any number */
    apr_uint64_t changes;     /* wf_bdb_changes at the last commit */
    int fence_moved;          /* the counter must be written with this batch */
    wf_rates_t rates;         /* how often tasks were run since the keeper began */
    apr_uint64_t revision;    /* of configurations, the latest given out */
    apr_hash_t *revisions;    /* by a task's key; see state_configurations.c */
    apr_pool_t *revisions_pool;
    int revisions_partial; /* the table has others, on pages that cannot be read */
    wf_uuid_t purge_at;    /* where the next purge goes on; zeros: at the first run */
    wf_recall_t recall;
    apr_hash_t *damaged; /* pids that cannot be purged, because they cannot be read */
    apr_pool_t *pool;
} wf_state_t;

/* How long a lease that was in force when the keeper ended goes on under the next one. */
#define WF_LEASE_GRACE apr_time_from_sec(10)

/* How long after its run's making an idempotency key is in force, where the run is kept as long. */
#define WF_KEY_LIFE apr_time_from_sec(24 * 3600)

/* How far a run's time may lie from its pid's, which a client made with its own clock before. */
#define WF_PID_SLACK apr_time_from_sec(60)

/* Opens the tables and fills the board from them; queue_limit is 0 then. */
apr_status_t wf_state_open(wf_state_t *state, wf_bdb_t *bdb, apr_pool_t *pool);

/*
 * Makes what was changed since the last commit durable, all together. Where it fails
 * wf_state_rollback is to follow; it may all the same be on disk, in which case repeating the calls
 * finds it.
 */
apr_status_t wf_state_commit(wf_state_t *state);

/* Undoes what was changed since the last commit. APR_SUCCESS, or an error after which the state
 * must not be used. */
apr_status_t wf_state_rollback(wf_state_t *state);

/* Makes the next commit write something, whatever the batch does: whether that works tells whether
 * the disk does. */
void wf_state_touch(wf_state_t *state);

/* What a task says of when a run of it is let in. */
typedef struct wf_admission_t {
    int refuse_overlap;
    apr_uint32_t queue_limit; /* how many of its runs may be queued; 0: any number */
    apr_uint64_t revision;    /* that its configuration must have */
    wf_rate_t rate;
    apr_interval_time_t *retry; /* where it is WF_ERATE: how long until a run is let in */
} wf_admission_t;

/* create: `spec` has what wf_new_run_t has. *run is filled in, in pool. */
apr_status_t wf_state_create(wf_run_t *run, wf_state_t *state, const wf_run_t *spec,
                             const wf_admission_t *admission, wf_slice_t payload, apr_pool_t *pool);

apr_status_t wf_state_get(wf_run_t *run, wf_state_t *state, const char *vhost, const wf_uuid_t *pid,
                          apr_pool_t *pool);

/*
 * list: looks at WF_LIST_STEP runs at most, and at fewer where they are large. *list is filled in,
 * in pool; it is valid until the state changes.
 */
#define WF_LIST_STEP 1000
apr_status_t wf_state_list(wf_run_list_t *list, wf_state_t *state, const wf_run_query_t *query,
                           apr_pool_t *pool);

apr_status_t wf_state_interrupt(wf_run_t *run, wf_state_t *state, const char *vhost,
                                const wf_uuid_t *pid, const char *by, apr_pool_t *pool);

/* join: earlier incarnations of the host are expired with it. */
apr_status_t wf_state_join(wf_holder_t **holder, wf_state_t *state, const char *host,
                           apr_interval_time_t ttl, apr_pool_t *pool);

apr_status_t wf_state_drain(wf_state_t *state, apr_uint64_t incarnation);

/* claim: *claims is an array of wf_claim_t. */
apr_status_t wf_state_claim(apr_array_header_t **claims, wf_state_t *state,
                            apr_uint64_t incarnation, apr_uint64_t sequence, apr_uint32_t max,
                            apr_pool_t *pool);

/*
 * What a claim gave never reached who claimed, and never will: where that one is lost it is queued
 * again, and not lost with it. Until then the claim may be repeated. Remembered until the keeper
 * ends.
 */
void wf_state_unread(wf_state_t *state, apr_uint64_t incarnation, apr_uint64_t sequence);

/* heartbeat: *holder is whose lease was renewed; interrupted are those of its `held` that say so.
 */
apr_status_t wf_state_heartbeat(wf_holder_t **holder, wf_state_t *state, apr_uint64_t incarnation,
                                apr_interval_time_t ttl);

apr_status_t wf_state_progress(wf_state_t *state, const wf_token_t *token,
                               const wf_run_progress_t *progress, const wf_run_records_t *records);

/*
 * append_output, and read_output, whose *part is filled in, in pool (`most` is not bounded here).
 */
apr_status_t wf_state_append_output(wf_state_t *state, const wf_token_t *token, apr_uint64_t offset,
                                    wf_slice_t bytes);
apr_status_t wf_state_read_output(wf_output_part_t *part, wf_state_t *state, const char *vhost,
                                  const wf_uuid_t *pid, apr_uint64_t offset, apr_size_t most,
                                  apr_pool_t *pool);

/* finish: `end` has the members of wf_finish_t but its markers, which are wf_run_marker_t, and its
 * output, which are `rest` and where that begins. */
apr_status_t wf_state_finish(wf_state_t *state, const wf_run_t *end,
                             const apr_array_header_t *markers, apr_uint64_t offset,
                             wf_slice_t rest, apr_pool_t *pool);

apr_status_t wf_state_release(wf_state_t *state, const wf_token_t *token, apr_pool_t *pool);

/* reap: expires the holders whose lease has ended. */
apr_status_t wf_state_reap(apr_uint64_t *count, wf_state_t *state, apr_pool_t *pool);

/*
 * purge: looks at WF_PURGE_STEP runs at most, from where the last one stopped, the oldest first,
 * and at fewer where their output is long: that goes a bounded part at a time, and its run with the
 * last. *more is 0 when it has come to runs that are too young; the next one begins anew.
 * WF_EDAMAGED where one cannot be read; after that the same is not tried again.
 */
#define WF_PURGE_STEP 64
apr_status_t wf_state_purge(apr_uint64_t *count, int *more, wf_state_t *state,
                            apr_interval_time_t keep, apr_pool_t *pool);

/*
 * claim_callbacks: *claims is an array of wf_callback_claim_t. The same sequence again gives what
 * it gave, as far as that has not been told. Looks at no more rows than are claimed already, and
 * `max`.
 */
apr_status_t wf_state_claim_callbacks(apr_array_header_t **claims, wf_state_t *state,
                                      apr_uint64_t incarnation, apr_uint64_t sequence,
                                      apr_uint32_t max, apr_pool_t *pool);

apr_status_t wf_state_tell_callback(wf_state_t *state, const wf_callback_outcome_t *outcome,
                                    apr_pool_t *pool);

/* Whether an end is due that nobody has been told of; when the next one is (a wf_clock time, which
 * may be past; WF_OUTBOX_NEVER: there is none). */
int wf_outbox_is_due(const wf_state_t *state);
apr_time_t wf_outbox_next(const wf_state_t *state);

/*
 * Recalls how runs ended under earlier keepers (store/history.h): looks at WF_RECALL_STEP of the
 * latest runs at most, from where the last call stopped, and at fewer where they are large. `keep`
 * is how long runs are kept after their end (0: for ever). *more is 0 when it has come to those
 * that are too old, or has looked at as many as may be. To be called between transactions. A
 * failure ends it: what has been recalled until then stays.
 */
#define WF_RECALL_STEP 100
apr_status_t wf_state_recall(int *more, wf_state_t *state, apr_interval_time_t keep,
                             apr_pool_t *pool);

/* The earliest end of a lease (a wf_clock time), 0 where there is no holder. */
apr_time_t wf_state_next_expiry(wf_state_t *state);

/*
 * get_configuration, set_configuration and list_configurations; what they fill in lives in pool. A
 * list gives a part, of those behind the task `after` (NULL: from the first on), and *more is
 * whether there may be others.
 */
apr_status_t wf_state_get_configuration(wf_stored_configuration_t *configuration, wf_state_t *state,
                                        const char *vhost, const char *project, const char *task,
                                        apr_pool_t *pool);
apr_status_t wf_state_set_configuration(wf_stored_configuration_t *configuration, wf_state_t *state,
                                        const wf_stored_configuration_t *next,
                                        apr_uint64_t expected, apr_pool_t *pool);
apr_status_t wf_state_list_configurations(apr_array_header_t **configurations, int *more,
                                          wf_state_t *state, const char *vhost, const char *project,
                                          const char *after, apr_pool_t *pool);

/* Shared by the state_*.c files: whether the configuration of a run's task has that revision, from
 * memory. WF_ECHANGED, WF_EDAMAGED. */
apr_status_t wf_state_check_revision(wf_state_t *state, const wf_run_t *run, apr_uint64_t revision,
                                     apr_pool_t *pool);

/* Shared likewise: fills that memory from the table. */
apr_status_t wf_state_load_revisions(wf_state_t *state, apr_pool_t *pool);

/* Shared likewise: the entry that a token is in force for. WF_ESTALE; *entry is then
 * the run's, NULL where it is not under way. */
apr_status_t wf_state_find_held(wf_entry_t **entry, wf_state_t *state, const wf_token_t *token);

/* Shared likewise: how much output is kept of an entry's run. */
apr_status_t wf_state_output_length(apr_uint64_t *length, wf_state_t *state, wf_entry_t *entry);

/* Shared likewise: a run as it stands, of whatever vhost. Texts of its progress and
 * interrupt may be the board's. */
apr_status_t wf_state_read(wf_run_t *run, wf_state_t *state, const wf_uuid_t *pid,
                           apr_pool_t *pool);

/* Shared likewise: a run's body, wherever it is kept. */
apr_status_t wf_state_body(wf_slice_t *body, wf_state_t *state, const wf_uuid_t *pid,
                           apr_pool_t *pool);

/* Shared likewise: ends a run that is under way, and forgets its entry. */
apr_status_t wf_state_end(wf_run_t *run, wf_state_t *state, wf_entry_t *entry, const wf_run_t *end,
                          apr_pool_t *pool);

/*
 * Shared likewise, of callbacks: a run that has just ended and whose end is wanted becomes pending,
 * before it is written; a run that is pending loses its row; what an incarnation has claimed is due
 * again; the outbox is set up, is saved with a commit, and follows that or its undoing.
 */
apr_status_t wf_state_post(wf_state_t *state, wf_run_t *run);
apr_status_t wf_state_unpost(wf_state_t *state, const wf_run_t *run);
void wf_outbox_release(wf_state_t *state, apr_uint64_t incarnation);
apr_status_t wf_outbox_open(wf_state_t *state);
apr_status_t wf_outbox_save(wf_state_t *state);
void wf_outbox_commit(wf_state_t *state);
void wf_outbox_rollback(wf_state_t *state);

/* Shared likewise: writes an entry's row. */
apr_status_t wf_state_save(wf_state_t *state, const wf_entry_t *entry);

#endif
