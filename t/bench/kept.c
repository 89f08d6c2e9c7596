/* SPDX-License-Identifier: Apache-2.0 */
/* Making runs that are kept. */
#include "kept.h"

#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "store/embedded/keeper_home.h"
#include "store/embedded/state.h"

#define LEASE       apr_time_from_sec(24 * 3600)
#define BATCH       50 /* runs made at a time, while those before are claimed and finished */
#define FIRST_CLAIM 0x100000000 /* a number that no client's claims come to */

const char *const kept_vhosts[KEPT_VHOSTS] = {BENCH_VHOST, "other:80"};
const char *const kept_projects[KEPT_PROJECTS] = {"569", "570", "571", "572"};
const char *const kept_tasks[KEPT_TASKS] = {"12", "13", "14", "15", "16"};

/* Spreads the numbers of runs, so that what they decide does not go together. */
static unsigned spread(unsigned number)
{
    return (number * 2654435761u) >> 8;
}

wf_new_run_t kept_run(kept_t *kept, unsigned number)
{
    wf_new_run_t spec = bench_run(wf_slice(BENCH_BODY));
    unsigned at = spread(number);

    kept->pid = spec.pid;
    kept->vhost = at % 16 == 0;
    spec.vhost = kept_vhosts[kept->vhost];
    spec.project = kept_projects[at / 16 % KEPT_PROJECTS];
    spec.task = kept_tasks[at / 64 % KEPT_TASKS];
    return spec;
}

int kept_is_interrupted(unsigned number)
{
    return number % 8 == 7;
}

/* One of six fails. */
wf_finish_t kept_finish(const wf_token_t *token)
{
    wf_finish_t finish = {.token = *token,
                          .status = WF_RUN_COMPLETED,
                          .progress = {"write", 1, 1},
                          .records = {1, 1, 0},
                          .result = wf_slice("{\"written\": 1}"),
                          .actions =
                              wf_slice("[{\"action\": \"write\", \"status\": \"completed\"}]")};

    if (token->fence % 6 == 0) {
        finish.status = WF_RUN_ERROR;
        finish.error.type = "action-failed";
        finish.error.detail = "The database refused the row.";
    }
    return finish;
}

/* ---- fill ---- */

typedef struct fill_t {
    wf_bdb_t *bdb;
    wf_state_t state;
    wf_holder_t *holder;
    wf_entry_t *old; /* the run that never ends */
    apr_uint64_t sequence;
    apr_pool_t *batch;
} fill_t;

static void create(fill_t *f, wf_new_run_t new)
{
    static const wf_admission_t any = {0, 0};
    wf_run_t spec = {.pid = new.pid,
                     .vhost = new.vhost,
                     .project = new.project,
                     .task = new.task,
                     .source = new.source,
                     .trigger = new.trigger,
                     .user = new.user};
    wf_run_t run;

    check(wf_state_create(&run, &f->state, &spec, &any, new.payload, f->batch), "create");
}

/* What was claimed with the last batch ends. */
static void finish_held(fill_t *f)
{
    const apr_array_header_t *none = apr_array_make(f->batch, 1, sizeof(wf_run_marker_t));
    wf_entry_t *entry;

    while ((entry = TAILQ_LAST(&f->holder->held, wf_entry_queue)) != f->old) {
        wf_token_t token = {entry->pid, entry->fence};
        wf_finish_t finish = kept_finish(&token);
        wf_run_t end = {.pid = token.pid,
                        .fence = token.fence,
                        .status = finish.status,
                        .progress = finish.progress,
                        .records = finish.records,
                        .result = finish.result,
                        .actions = finish.actions,
                        .error = finish.error};

        check(wf_state_finish(&f->state, &end, none, 0, wf_slice(""), f->batch), "finish");
    }
}

static void claim_queued(fill_t *f)
{
    apr_array_header_t *claims;

    check(wf_state_claim(&claims, &f->state, f->holder->incarnation, ++f->sequence, 2 * BATCH,
                         f->batch),
          "claim");
}

static void commit(fill_t *f)
{
    check(wf_state_commit(&f->state), "commit");
    check(wf_bdb_checkpoint(f->bdb, 0), "checkpoint");
    apr_pool_clear(f->batch);
}

/* The runs of so many numbers from `first` on; in no order, although their pids are. */
static void shuffle(wf_new_run_t *runs, kept_t *kept, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned j = (unsigned)random() % (i + 1);

        runs[i] = runs[j];
        runs[j] = kept_run(&kept[i], first + i);
    }
}

static void make_batch(fill_t *f, kept_t *kept, unsigned first, unsigned count)
{
    wf_new_run_t runs[BATCH];
    wf_run_t run;

    shuffle(runs, kept, first, count);
    finish_held(f);
    claim_queued(f);
    for (unsigned i = 0; i < count; i++) {
        create(f, runs[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        if (kept_is_interrupted(first + i)) {
            check(wf_state_interrupt(&run, &f->state, kept_vhosts[kept[i].vhost], &kept[i].pid,
                                     "bob", f->batch),
                  "interrupt");
        }
    }
    commit(f);
}

static int by_pid(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(wf_uuid_t));
}

apr_uint64_t kept_fill(kept_t *kept, unsigned runs, const char *folder, apr_uint64_t cache,
                       apr_pool_t *pool)
{
    apr_uint64_t incarnation;
    fill_t f = {.sequence = FIRST_CLAIM};
    wf_home_t home;

    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    check(apr_pool_create(&f.batch, pool), "a pool");
    check(wf_home_open(&home, folder, cache, pool), "the state directory");
    check(wf_bdb_open(&f.bdb, &home.bdb, pool), "the environment");
    check(wf_state_open(&f.state, f.bdb, pool), "the tables");
    /* So that what is left of a fill that is cut short can be found. */
    check(wf_regions_publish(&home.regions, cache, wf_bdb_cache_parts(cache)), "shared memory");
    wf_bdb_moved(f.bdb, home.regions.home, pool);
    check(wf_state_join(&f.holder, &f.state, "bench", LEASE, pool), "join");
    create(&f, bench_run(wf_slice(BENCH_BODY)));
    claim_queued(&f);
    f.old = TAILQ_FIRST(&f.holder->held);
    for (unsigned at = 0; at < runs; at += BATCH) {
        make_batch(&f, kept + at, at, runs - at < BATCH ? runs - at : BATCH);
    }
    for (int i = 0; i < 2; i++) {
        finish_held(&f);
        claim_queued(&f);
        commit(&f);
    }
    incarnation = f.holder->incarnation;
    wf_bdb_close(f.bdb);
    wf_home_close(&home);
    apr_pool_destroy(f.batch);
    qsort(kept, runs, sizeof(*kept), by_pid);
    return incarnation;
}
