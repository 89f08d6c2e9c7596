/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's tables, one file each (table_*.c), which alone knows how its keys and values are
 * spelled. Statuses are those of bdb_table.h; WF_EDAMAGED also where a value is not what was
 * written.
 *
 * - runs: pid -> record (record.h): what never changes after create, and the end; and a short body
 * - payloads: pid -> the body, byte for byte, where it is long
 * - active: pid -> record of what changes, and the claim's sequence; queued and running runs only
 * - by_project: vhost NUL project NUL pid -> nothing; for lists, newest last
 * - runners: incarnation -> host; those that have not expired
 * - counters: name -> number
 * - markers: vhost NUL project NUL task -> what the task remembers, all names in one
 * - idempotency: vhost NUL user NUL key -> the pid of the run that was made with it
 * - output: pid, an offset -> the part of the run's output that ends there
 * - configurations: vhost NUL project NUL task -> what is kept of its API configuration
 * - callbacks: when it is due, pid -> nothing; ends of runs that are to be told
 */
#ifndef WF_STORE_EMBEDDED_TABLES_H
#define WF_STORE_EMBEDDED_TABLES_H

#include "store/embedded/bdb_table.h"
#include "store/embedded/record.h"
#include "store/embedded/record_configuration.h"

typedef struct wf_tables_t {
    wf_bdb_t *bdb;
    wf_table_t *runs;
    wf_table_t *payloads;
    wf_table_t *active;
    wf_table_t *by_project;
    wf_table_t *runners;
    wf_table_t *counters;
    wf_table_t *markers;
    wf_table_t *idempotency;
    wf_table_t *output;
    wf_table_t *configurations;
    wf_table_t *callbacks;
} wf_tables_t;

/*
 * Opens them. They are made all together, where there is none; WF_EDAMAGED where only some are, but
 * for those that an earlier version did not have yet, which are made.
 */
apr_status_t wf_tables_open(wf_tables_t *tables, wf_bdb_t *bdb, apr_pool_t *pool);

/* Appends the key of what is kept by task: vhost NUL project NUL task. */
void wf_task_key(wf_buf_t *key, const char *vhost, const char *project, const char *task);

/* Says in the log that a record is not what was written. WF_EDAMAGED. */
apr_status_t wf_tables_nonsense(wf_tables_t *tables, const char *table);

/*
 * runs: add answers APR_EEXIST where the pid is taken; walk visits the pids from that one on, and
 * walk_back those that are smaller, the greatest first. `body`: empty where it is in payloads; get
 * gives it where it is asked for (not NULL).
 */
apr_status_t wf_runs_add(wf_tables_t *tables, const wf_run_t *run, wf_slice_t body);
apr_status_t wf_runs_put(wf_tables_t *tables, const wf_run_t *run, wf_slice_t body);
apr_status_t wf_runs_get(wf_run_t *run, wf_slice_t *body, wf_tables_t *tables, const wf_uuid_t *pid,
                         apr_pool_t *pool);

apr_status_t wf_runs_delete(wf_tables_t *tables, const wf_uuid_t *pid);
typedef apr_status_t (*wf_runs_visit_t)(void *baton, const wf_uuid_t *pid);
apr_status_t wf_runs_walk(wf_tables_t *tables, const wf_uuid_t *from, wf_runs_visit_t visit,
                          void *baton);
apr_status_t wf_runs_walk_back(wf_tables_t *tables, const wf_uuid_t *before, wf_runs_visit_t visit,
                               void *baton);

/* For the tables whose keys are pids: the visit of a walk through keys, with this as its baton. */
typedef struct wf_pids_visit_t {
    wf_tables_t *tables;
    const char *table; /* its name, should a key be none */
    wf_runs_visit_t visit;
    void *baton;
} wf_pids_visit_t;
apr_status_t wf_pids_visit(void *baton, wf_slice_t key, wf_slice_t value);

apr_status_t wf_payloads_put(wf_tables_t *tables, const wf_uuid_t *pid, wf_slice_t payload);
apr_status_t wf_payloads_get(wf_slice_t *payload, wf_tables_t *tables, const wf_uuid_t *pid,
                             apr_pool_t *pool);
apr_status_t wf_payloads_delete(wf_tables_t *tables, const wf_uuid_t *pid);

/* active: `run` has the members that board.h names; the rest of it is not kept. */
apr_status_t wf_active_put(wf_tables_t *tables, const wf_run_t *run, apr_uint64_t sequence);
apr_status_t wf_active_delete(wf_tables_t *tables, const wf_uuid_t *pid);
typedef apr_status_t (*wf_active_visit_t)(void *baton, const wf_run_t *run, apr_uint64_t sequence);
apr_status_t wf_active_walk(wf_tables_t *tables, wf_active_visit_t visit, void *baton,
                            apr_pool_t *pool);
/* Visits the pids that are smaller than `before`, the greatest first. */
apr_status_t wf_active_walk_back(wf_tables_t *tables, const wf_uuid_t *before,
                                 wf_runs_visit_t visit, void *baton);

apr_status_t wf_by_project_put(wf_tables_t *tables, const wf_run_t *run);
apr_status_t wf_by_project_delete(wf_tables_t *tables, const wf_run_t *run);
/* Visits the project's pids that are smaller than `before`, the greatest first. */
apr_status_t wf_by_project_walk_back(wf_tables_t *tables, const char *vhost, const char *project,
                                     const wf_uuid_t *before, wf_runs_visit_t visit, void *baton);

apr_status_t wf_runners_put(wf_tables_t *tables, apr_uint64_t incarnation, const char *host);
apr_status_t wf_runners_delete(wf_tables_t *tables, apr_uint64_t incarnation);
typedef apr_status_t (*wf_runners_visit_t)(void *baton, apr_uint64_t incarnation, const char *host);
apr_status_t wf_runners_walk(wf_tables_t *tables, wf_runners_visit_t visit, void *baton,
                             apr_pool_t *pool);

/*
 * markers: of the run's task. *markers is an array of wf_run_marker_t, empty where there are none;
 * set replaces those of the same names.
 */
apr_status_t wf_markers_get(apr_array_header_t **markers, wf_tables_t *tables, const wf_run_t *run,
                            apr_pool_t *pool);
apr_status_t wf_markers_set(wf_tables_t *tables, const wf_run_t *run,
                            const apr_array_header_t *markers, apr_pool_t *pool);

/*
 * idempotency: by the vhost, the user and the key of a run. get: APR_NOTFOUND. delete: where the
 * key is still that run's; otherwise it changes nothing and succeeds.
 */
apr_status_t wf_idempotency_put(wf_tables_t *tables, const wf_run_t *run);
apr_status_t wf_idempotency_get(wf_uuid_t *pid, wf_tables_t *tables, const wf_run_t *run,
                                apr_pool_t *pool);
apr_status_t wf_idempotency_delete(wf_tables_t *tables, const wf_run_t *run, apr_pool_t *pool);

/*
 * output: of a run. length: how many bytes there are; add: more of them, behind those; read:
 * appends at most `most` bytes from `offset` on; cut: deletes parts, the last one first, *room of
 * them at most and WF_OUTPUT_CUT, by as many of which *room becomes less; *more is whether any is
 * left.
 */
#define WF_OUTPUT_CUT 64
apr_status_t wf_outputs_length(apr_uint64_t *length, wf_tables_t *tables, const wf_uuid_t *pid);
apr_status_t wf_outputs_add(wf_tables_t *tables, const wf_uuid_t *pid, apr_uint64_t length,
                            wf_slice_t bytes);
apr_status_t wf_outputs_read(wf_buf_t *out, wf_tables_t *tables, const wf_uuid_t *pid,
                             apr_uint64_t offset, apr_size_t most);
apr_status_t wf_outputs_cut(apr_uint32_t *room, int *more, wf_tables_t *tables,
                            const wf_uuid_t *pid);

/* callbacks: walk visits them all, what is due first in front. delete: APR_NOTFOUND. */
apr_status_t wf_callbacks_put(wf_tables_t *tables, apr_time_t due, const wf_uuid_t *pid);
apr_status_t wf_callbacks_delete(wf_tables_t *tables, apr_time_t due, const wf_uuid_t *pid);
typedef apr_status_t (*wf_callbacks_visit_t)(void *baton, apr_time_t due, const wf_uuid_t *pid);
apr_status_t wf_callbacks_walk(wf_tables_t *tables, wf_callbacks_visit_t visit, void *baton);

/*
 * configurations: get answers APR_NOTFOUND. A walk tells of each record whether it can be read
 * (`rv`: APR_SUCCESS or WF_EDAMAGED) and goes on as long as visit returns APR_SUCCESS; APR_EOF ends
 * it well. walk: all there are, each valid during its visit only; walk_project: those of a project
 * whose task's id comes behind `after` (NULL: all of them), in pool.
 */
typedef apr_status_t (*wf_configurations_visit_t)(void *baton, apr_status_t rv, wf_slice_t key,
                                                  const wf_stored_configuration_t *configuration);
apr_status_t wf_configurations_put(wf_tables_t *tables,
                                   const wf_stored_configuration_t *configuration);
apr_status_t wf_configurations_get(wf_stored_configuration_t *configuration, wf_tables_t *tables,
                                   const char *vhost, const char *project, const char *task,
                                   apr_pool_t *pool);
apr_status_t wf_configurations_walk(wf_tables_t *tables, wf_configurations_visit_t visit,
                                    void *baton, apr_pool_t *pool);
apr_status_t wf_configurations_walk_project(wf_tables_t *tables, const char *vhost,
                                            const char *project, const char *after,
                                            wf_configurations_visit_t visit, void *baton,
                                            apr_pool_t *pool);

#define WF_COUNTER_FENCE       "fence"
#define WF_COUNTER_INCARNATION "incarnation"
#define WF_COUNTER_CALLBACKS   "callbacks"    /* how many are pending */
#define WF_COUNTER_REVISION    "revision"     /* of configurations, the latest given out */
#define WF_COUNTER_LATER       "later-tables" /* how many of those in tables.c were made */

/* counters: *value is 0 where the name was never put. */
apr_status_t wf_counters_get(apr_uint64_t *value, wf_tables_t *tables, const char *name,
                             apr_pool_t *pool);
apr_status_t wf_counters_put(wf_tables_t *tables, const char *name, apr_uint64_t value);

#endif
