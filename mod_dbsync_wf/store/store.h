/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store contract: the only way to state.
 *
 * A store keeps runs. A run is submitted (create), claimed by a runner, executed by it and
 * finished; or interrupted; or, where its runner is lost, reaped. Promises that every store keeps:
 *  - APR_SUCCESS of a changing call means durable.
 *  - Every changing call may be repeated with the same arguments: the second one changes nothing
 *    and gives the first one's answer. A store repeats calls by itself where its connection is
 *    lost, for a bounded time, and only then returns WF_EUNAVAILABLE.
 *  - A claim hands a run to one caller at most. It carries a fence, a number that only grows; a
 *    call with a fence that is not the run's present one changes nothing (WF_ESTALE).
 *  - A final status never changes.
 *  - Times are the store's clock. No call blocks for longer than its timeout says.
 * A handle may be used from any thread. Nothing of one may be used across fork.
 *
 * Every call returns APR_SUCCESS, or one of those named with it, or WF_EUNAVAILABLE where the
 * store does not answer or cannot write (then `result`, where there is one, has
 * WF_PROBLEM_UNAVAILABLE; the words for any other status are the caller's), or WF_EDAMAGED where
 * what is stored of the run cannot be read. What a call gives back lives in its pool.
 */
#ifndef WF_STORE_STORE_H
#define WF_STORE_STORE_H

#include <apr_tables.h>
#include <apr_time.h>
#include "base/result.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "store/history.h"
#include "store/stats.h"

typedef enum {
    WF_RUN_SUBMITTED = 1,
    WF_RUN_RUNNING = 2,
    WF_RUN_COMPLETED = 3,
    WF_RUN_ERROR = 4,
    WF_RUN_INTERRUPTED = 5
} wf_run_status_e;

/* "submitted", "running", "completed", "error", "interrupted". */
const char *wf_run_status_name(wf_run_status_e status);

/* Whether no later status can differ. */
int wf_run_status_is_final(wf_run_status_e status);

/* How a run failed: a slug of base/problem.h's list and a sentence. type is NULL where it did not.
 */
typedef struct wf_run_error_t {
    const char *type;
    const char *detail;
} wf_run_error_t;

typedef struct wf_run_progress_t {
    const char *action; /* NULL: none reported */
    apr_uint64_t done;
    apr_uint64_t total;
} wf_run_progress_t;

/* Rows that a run has read, written, and failed to write. */
typedef struct wf_run_records_t {
    apr_uint64_t read;
    apr_uint64_t written;
    apr_uint64_t failed;
} wf_run_records_t;

/* What a task remembers from one run to the next: a name, and a JSON text. */
typedef struct wf_run_marker_t {
    const char *name;
    wf_slice_t json;
} wf_run_marker_t;

/* How whoever wants to know of a run's end is told. */
typedef enum {
    WF_CALLBACK_NONE = 0,
    WF_CALLBACK_WANTED = 1, /* when it has ended */
    WF_CALLBACK_PENDING = 2,
    WF_CALLBACK_DELIVERED = 3,
    WF_CALLBACK_FAILED = 4 /* given up */
} wf_callback_status_e;

typedef struct wf_run_callback_t {
    wf_callback_status_e status;
    apr_uint32_t attempts;
    apr_time_t last;          /* when the outcome of the last attempt was told */
    apr_time_t next;          /* pending: when the next one is due */
    apr_uint32_t http_status; /* that the last one was answered with; 0: it was not */
    const char *reason;       /* why the last one failed */
} wf_run_callback_t;

/* A run as it stands. Texts are NULL, times 0 and slices empty where there is nothing to say. */
typedef struct wf_run_t {
    wf_uuid_t pid;
    const char *vhost; /* the world it belongs to */
    const char *project;
    const char *task;
    const char *source; /* the folder of project files that its vhost names; never shown */
    const char *trigger;
    const char *user;
    const char *idempotency_key;
    wf_run_status_e status;
    apr_time_t submitted;
    apr_time_t started;
    apr_time_t completed;
    apr_time_t interrupt_requested;
    const char *interrupted_by;
    apr_uint64_t fence;       /* of the latest claim; 0: never claimed */
    apr_uint64_t incarnation; /* of the runner that holds it; 0: none */
    apr_uint32_t concurrency; /* runs of its task at a time; 0: no limit */
    int rerun_when_lost;
    wf_run_progress_t progress;
    wf_run_records_t records;
    wf_slice_t result; /* JSON */
    int result_cut;
    wf_slice_t actions; /* JSON array */
    wf_run_error_t error;
    wf_run_callback_t callback;
    apr_uint64_t version; /* from get alone: another one where the run may show something else; 0:
                             it has ended */
} wf_run_t;

/* What create takes; the rest of wf_run_t is the store's to fill in. */
typedef struct wf_new_run_t {
    wf_uuid_t pid;
    const char *vhost;
    const char *project;
    const char *task;
    const char *source;
    const char *trigger;
    const char *user;
    const char *idempotency_key; /* NULL: none */
    apr_uint32_t concurrency;
    int rerun_when_lost;
    int refuse_overlap; /* whether it is refused where `concurrency` runs of its task (at least one)
                           are queued or running */
    apr_uint32_t
        queue_limit;       /* it is refused where so many runs of its task are queued; 0: never */
    int wants_callback;    /* whether its end is to be told (claim_callbacks) */
    apr_uint64_t revision; /* of the task's configuration that it was checked against; 0: of none */
    apr_uint32_t rate;     /* runs in each rate_period, 0: any number: a bucket of so many, which */
    apr_interval_time_t rate_period; /* fills evenly in that time; a million at most, and a second
                                        to a day */
    apr_interval_time_t *retry;      /* is told when to try again; may be NULL */
    wf_slice_t payload;              /* kept byte for byte */
} wf_new_run_t;

/*
 * What is kept of a task's API configuration. What its document says is for the callers: to the
 * store it is bytes.
 */
typedef struct wf_stored_configuration_t {
    const char *vhost;
    const char *project;
    const char *task;
    apr_uint64_t revision; /* no two changes, of whatever task, have the same; 0: there was none */
    int is_removed;        /* the task has none; the document is the last one it had */
    wf_slice_t document;   /* empty: it is as the project's file says */
    wf_uuid_t change;      /* of the latest change, made by who made it */
    const char *changed_by;
    apr_time_t changed;
} wf_stored_configuration_t;

#define WF_CONFIGURATION_MOST 65536u /* bytes of a document */

/* A run's end that is to be told, and by what. */
typedef struct wf_callback_claim_t {
    wf_run_t run;                            /* as get gives it; attempts counts earlier ones */
    wf_stored_configuration_t configuration; /* of its task, as it is now */
} wf_callback_claim_t;

/* What came of an attempt to tell it. */
typedef struct wf_callback_outcome_t {
    wf_uuid_t pid;
    apr_uint32_t attempt; /* its number: the claimed run's attempts, and one more */
    int is_delivered;
    int is_given_up;          /* no other attempt is to follow */
    apr_uint32_t http_status; /* 0: there was no answer */
    const char *reason;       /* NULL: it is delivered */
} wf_callback_outcome_t;

/* A claimed run: what its runner executes, and the token for all it will say of it. */
typedef struct wf_token_t {
    wf_uuid_t pid;
    apr_uint64_t fence;
} wf_token_t;

typedef struct wf_claim_t {
    wf_token_t token;
    wf_run_t run;
    wf_slice_t payload;
    apr_array_header_t *markers; /* wf_run_marker_t: what the task's last completed run left */
    apr_uint64_t output;         /* bytes of output that are kept of earlier executions of it */
} wf_claim_t;

/* How an execution ended: status is COMPLETED, ERROR or INTERRUPTED. */
typedef struct wf_finish_t {
    wf_token_t token;
    wf_run_status_e status;
    wf_run_progress_t progress;
    wf_run_records_t records;
    wf_slice_t result;
    int result_cut;
    wf_slice_t actions;
    wf_run_error_t error;
    int marker_count; /* those to be remembered, where status is COMPLETED; others of the task stay
                       */
    const wf_run_marker_t *markers;
    wf_slice_t output; /* the rest of it, kept as append_output does */
    apr_uint64_t output_offset;
    apr_uint64_t incarnation; /* of the runner that takes the next run, where that is asked for */
} wf_finish_t;

/* A part of what a run has put out. */
typedef struct wf_output_part_t {
    wf_slice_t bytes;
    apr_uint64_t total;   /* bytes that are kept by now */
    apr_uint64_t version; /* the run's, when that was so; 0: it has ended, and nothing more comes */
} wf_output_part_t;

/* Which runs list is to find. NULL and 0 stand for any, but for vhost and limit. */
typedef struct wf_run_query_t {
    const char *vhost;
    const char *project;
    const char *task;
    const char *user;
    wf_run_status_e status;
    apr_time_t from;    /* submitted then or later */
    apr_time_t to;      /* submitted earlier */
    apr_uint32_t limit; /* how many at most, 1 to WF_LIST_MOST */
    wf_uuid_t before;   /* with smaller pids than this; zeros: from the newest on */
} wf_run_query_t;

#define WF_LIST_MOST 1000u

typedef struct wf_run_list_t {
    apr_array_header_t *runs; /* wf_run_t, the greatest pid first, without result and actions */
    int more;                 /* whether there may be others */
    wf_uuid_t next;           /* where so: the `before` with which they follow */
    apr_uint64_t version;     /* another one where the same query may find something else */
} wf_run_list_t;

/* How many runs of a task are under way. */
typedef struct wf_under_way_t {
    apr_uint32_t queued;
    apr_uint32_t running;
} wf_under_way_t;

/* What wait reports; hints, which may be merged, spurious or lost. */
#define WF_EVENT_INTERRUPT 1u /* a heartbeat would list an interrupted run */
#define WF_EVENT_RESYNC    2u /* anything may have happened: look at everything */
#define WF_EVENT_CALLBACK  4u /* claim_callbacks would give something */

/* What to wait for, and how long. */
typedef struct wf_watch_t {
    wf_uuid_t pid;        /* zeros: every run there is, with the version of a list */
    apr_uint64_t version; /* news is what makes it another one than this; 0: the run's end alone */
    apr_uint32_t most;    /* how many such calls may wait at a time, of all clients together */
    apr_interval_time_t timeout;   /* an hour at most */
    int (*is_wanted)(void *baton); /* asked some times a second; NULL: for as long as it takes */
    void *baton;
} wf_watch_t;

typedef struct wf_store_t wf_store_t;

struct wf_store_t {
    const char *name;
    void *impl;

    /*
     * Writes a run, its queue entry and its idempotency key in one transaction. *run is the run as
     * it now stands: the new one, or the earlier one of the same pid or of the same key and
     * request. A key belongs to its vhost and user, for 24 hours from its run's making, or until
     * that is purged; a request is the same where project, task and payload are. Where the run is
     * not written, neither is the key. Also WF_ECONFLICT (the key belongs to another request);
     * WF_ECHANGED (the task's configuration has another revision than the request was checked
     * against); WF_EFULL (as many runs as may be are queued: of the task, or in the store);
     * WF_EOVERLAP (then *run is one of those that are under way); WF_ERATE (the task is run too
     * often, counted since the store began; *spec->retry is how long until one is let in);
     * WF_EINVALID (a name is missing, or the rate is not within its bounds).
     */
    apr_status_t (*create)(wf_run_t **run, wf_store_t *store, const wf_new_run_t *spec,
                           wf_result_t *result, apr_pool_t *pool);

    /*
     * Gives a runner a fresh identity, never used before, with `slots` places and a lease of `ttl`
     * that heartbeat renews. `host` names who starts runners, one at a time: a join says that
     * nothing is left of the host's earlier runner, whose incarnation expires with it.
     */
    apr_status_t (*join)(apr_uint64_t *incarnation, wf_store_t *store, const char *host,
                         apr_uint32_t slots, apr_interval_time_t ttl, apr_pool_t *pool);

    /* The incarnation will claim no more; what it holds it may finish. WF_ESTALE where it is
     * expired. */
    apr_status_t (*drain)(wf_store_t *store, apr_uint64_t incarnation, apr_pool_t *pool);

    /*
     * Claims at most `max` queued runs, oldest first within a task, tasks in turn, each task's
     * concurrency limit kept. Where nothing is ready it waits for at most `timeout` until something
     * is, which may then be claimed by the very commit that made it ready. *claims is an array of
     * wf_claim_t, empty where the time is up. Durable before it returns. WF_ESTALE where the
     * incarnation is expired or drains, also while it waits.
     * One thread of a handle claims at a time. After WF_EUNAVAILABLE the next call takes up the one
     * that failed and gives what that had claimed.
     */
    apr_status_t (*claim)(apr_array_header_t **claims, wf_store_t *store, apr_uint64_t incarnation,
                          apr_uint32_t max, apr_interval_time_t timeout, apr_pool_t *pool);

    /*
     * Renews the lease by `ttl`. *interrupted is an array of wf_token_t: the runs held by this
     * incarnation whose interrupt was requested. WF_ESTALE where the incarnation is expired, for
     * ever.
     */
    apr_status_t (*heartbeat)(apr_array_header_t **interrupted, wf_store_t *store,
                              apr_uint64_t incarnation, apr_interval_time_t ttl, apr_pool_t *pool);

    /* Last one wins; may be dropped at a crash. WF_ESTALE. */
    apr_status_t (*progress)(wf_store_t *store, const wf_token_t *token,
                             const wf_run_progress_t *progress, const wf_run_records_t *records,
                             apr_pool_t *pool);

    /*
     * Keeps bytes as the run's output from `offset` on, which counts all that its executions have
     * handed over. What is there of them already is passed over, so that a call may be repeated,
     * also with more bytes. Whoever watches for the run's next change is woken. WF_ESTALE;
     * WF_EINVALID where `offset` lies behind the end of what there is: output has no holes.
     */
    apr_status_t (*append_output)(wf_store_t *store, const wf_token_t *token, apr_uint64_t offset,
                                  wf_slice_t bytes, apr_pool_t *pool);

    /*
     * Ends a run, keeps the rest of its output, and remembers its markers, in one transaction:
     * compare-and-set on (pid, fence). The same again succeeds. WF_ESTALE where the run has another
     * fence, or has ended otherwise; WF_EINVALID as append_output.
     * Where `next` is not NULL the place that becomes free is filled again in that transaction:
     * *next is a run that `finish->incarnation` has claimed, or NULL where none is ready or that
     * one claims no more.
     */
    apr_status_t (*finish)(wf_claim_t **next, wf_store_t *store, const wf_finish_t *finish,
                           apr_pool_t *pool);

    /* Puts a claimed run back in the queue, unstarted (an interrupted one ends). WF_ESTALE. */
    apr_status_t (*release)(wf_store_t *store, const wf_token_t *token, apr_pool_t *pool);

    /*
     * Queued: ends now as interrupted. Running: a durable flag and a wake-up for its runner. *run
     * is the run as it now stands. APR_SUCCESS; WF_EENDED where it had ended before (*run is set
     * and says how); APR_NOTFOUND.
     */
    apr_status_t (*interrupt)(wf_run_t **run, wf_store_t *store, const char *vhost,
                              const wf_uuid_t *pid, const char *by, wf_result_t *result,
                              apr_pool_t *pool);

    /* The run as it stands; sees what any call that has returned wrote. APR_NOTFOUND. */
    apr_status_t (*get)(wf_run_t **run, wf_store_t *store, const char *vhost, const wf_uuid_t *pid,
                        wf_result_t *result, apr_pool_t *pool);

    /*
     * Reads at most `most` bytes of a run's output from `offset` on, perhaps fewer than there are;
     * none where there are none. Sees what any call that has returned wrote. APR_NOTFOUND.
     */
    apr_status_t (*read_output)(wf_output_part_t *part, wf_store_t *store, const char *vhost,
                                const wf_uuid_t *pid, apr_uint64_t offset, apr_size_t most,
                                wf_result_t *result, apr_pool_t *pool);

    /*
     * Finds runs, the newest first. A call does a bounded amount of work, and may give fewer runs
     * than its limit, or none, although there are more. Runs that are added meanwhile come before
     * those of a list that is gone through with `next`, so that it neither repeats nor misses one.
     */
    apr_status_t (*list)(wf_run_list_t *list, wf_store_t *store, const wf_run_query_t *query,
                         wf_result_t *result, apr_pool_t *pool);

    /*
     * Counts the runs of a task that are queued, and that run, at this moment. The same work
     * however many there are.
     */
    apr_status_t (*under_way)(wf_under_way_t *count, wf_store_t *store, const char *vhost,
                              const char *project, const char *task, wf_result_t *result,
                              apr_pool_t *pool);

    /*
     * Ends the runs of expired incarnations as ERROR of type process-lost (INTERRUPTED where that
     * was asked), or queues them again where they say so. *count is how many. A store may do so by
     * itself as well.
     */
    apr_status_t (*reap)(apr_uint64_t *count, wf_store_t *store, apr_pool_t *pool);

    /*
     * Deletes a bounded number of runs that ended `keep` ago or earlier, with all that belongs to
     * them; never one that has not ended. Long output goes in several calls, from its end, and its
     * run in the last. *count is how many; *more is whether calling again may
     * find others. `keep` must be longer than the time for which a store repeats a call, or a
     * repeated create would make a run anew.
     */
    apr_status_t (*purge)(apr_uint64_t *count, int *more, wf_store_t *store,
                          apr_interval_time_t keep, apr_pool_t *pool);

    /* Waits at most `timeout` for news for this incarnation. *events is 0 where none came.
     * WF_ESTALE. */
    apr_status_t (*wait)(unsigned *events, wf_store_t *store, apr_uint64_t incarnation,
                         apr_interval_time_t timeout, apr_pool_t *pool);

    /*
     * Waits until a run has news. A run that is not under way, or is none, has ended. Or, for every
     * run, until a list may find something else, in whatever vhost. No change is missed between the
     * get, or the list, that gave the version and this.
     * APR_SUCCESS, a hint as those of wait are; APR_TIMEUP; WF_EFULL where `most` wait already;
     * WF_ECANCELLED where it is wanted no more.
     */
    apr_status_t (*watch)(wf_store_t *store, const wf_watch_t *watch, apr_pool_t *pool);

    /*
     * The same for whoever waits for many things at a time: begins to watch, and gives a descriptor
     * that can be read when there is an answer. is_wanted is not asked. Ends by watch_end, which
     * tells the answer and closes the descriptor: APR_SUCCESS, a hint, also where the store has
     * gone away meanwhile; APR_TIMEUP; WF_EFULL; WF_ECANCELLED where none has come yet.
     */
    apr_status_t (*watch_begin)(int *fd, wf_store_t *store, const wf_watch_t *watch,
                                apr_pool_t *pool);
    apr_status_t (*watch_end)(wf_store_t *store, int fd);

    /* A task's configuration as it stands, with revision 0 where none was ever stored. */
    apr_status_t (*get_configuration)(wf_stored_configuration_t **configuration, wf_store_t *store,
                                      const char *vhost, const char *project, const char *task,
                                      wf_result_t *result, apr_pool_t *pool);

    /*
     * Stores a task's configuration: vhost, project, task, is_removed, document, change and
     * changed_by of `next`, where the present one has the revision `expected`. *configuration is
     * what was stored. WF_ECHANGED where it has another one, unless that is this very change,
     * repeated; then *configuration is the present one. WF_EINVALID where a name or the change is
     * missing, or the document is too long.
     */
    apr_status_t (*set_configuration)(wf_stored_configuration_t **configuration, wf_store_t *store,
                                      const wf_stored_configuration_t *next, apr_uint64_t expected,
                                      wf_result_t *result, apr_pool_t *pool);

    /* What was ever stored of a project's tasks, in the order of their ids' bytes. *configurations
     * is an array of wf_stored_configuration_t. */
    apr_status_t (*list_configurations)(apr_array_header_t **configurations, wf_store_t *store,
                                        const char *vhost, const char *project, wf_result_t *result,
                                        apr_pool_t *pool);

    /*
     * Claims at most `max` ends of runs that are to be told now, those that are due longest first.
     * *claims is an array of wf_callback_claim_t. A claim is in force until its outcome is told, or
     * its incarnation is expired; then the end is due again, so that it may be told more than once,
     * but never not at all. It may also be claimed again before, by the same incarnation too, where
     * the store's process has been replaced. WF_ESTALE where the incarnation is expired or drains.
     * As with claim, one thread of a handle claims at a time, and a call that failed is taken up by
     * the next one. Who has been told by wait that there is something claims until a call gives
     * fewer than `max`.
     */
    apr_status_t (*claim_callbacks)(apr_array_header_t **claims, wf_store_t *store,
                                    apr_uint64_t incarnation, apr_uint32_t max, apr_pool_t *pool);

    /*
     * Tells what came of one, and so decides whether and when another attempt is made: the run says
     * so. The same again changes nothing. WF_ESTALE where the run has no such attempt to tell of.
     */
    apr_status_t (*tell_callback)(wf_store_t *store, const wf_callback_outcome_t *outcome,
                                  apr_pool_t *pool);

    /*
     * Figures (stats.h), from memory, also of a store that refuses every other call. The rows are
     * those of a vhost's tasks; NULL: none. Whoever cannot wait as long for an answer as other
     * calls do says how long: `patience`, in microseconds; 0: as they do.
     */
    apr_status_t (*stats)(wf_store_stats_t *stats, wf_store_t *store, const char *vhost,
                          apr_interval_time_t patience, wf_result_t *result, apr_pool_t *pool);

    /* How the runs of tasks ended in the last hours (history.h), from memory: the same work however
     * many runs there are. */
    apr_status_t (*history)(wf_history_t *history, wf_store_t *store,
                            const wf_history_query_t *query, wf_result_t *result, apr_pool_t *pool);
};

#endif
