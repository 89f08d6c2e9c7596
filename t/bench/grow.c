/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store with many runs kept, and what each of its calls costs then, for scripts/bench growth.
 *
 *   grow FOLDER
 *
 * reads commands, a line each, and answers with lines of which the last one is "done":
 *
 *   fill RUNS     makes so many runs; the first command, and once
 *   start CACHE   starts a keeper, with so many megabytes of cache: its process, and how many
 *                 microseconds it takes until it answers
 *   calls COUNT   so many runs live, and as many of the oldest are deleted: microseconds (median)
 *                 of each call. COUNT is a multiple of what a purge deletes, WF_PURGE_STEP
 *   read          reads all runs, so that as much of them lies in the cache as fits
 *   stop, kill    ends the keeper
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <apr_general.h>
#include "base/clock.h"
#include "kept.h"
#include "store/embedded/state.h"

#define MEGABYTE   (1024ull * 1024)
#define TTL        apr_time_from_sec(24 * 3600)
#define FILL_CACHE (64 * MEGABYTE)
#define PAGE       50 /* what the API gives where nothing else is asked for */
#define SHORT_PAGE                                                                                 \
    10 /* where a filter lets one of a few through: with few runs too there are so many */

typedef struct grow_t {
    bench_t bench;
    apr_uint64_t incarnation; /* of the runner that holds a run from before all that are kept */
    kept_t *kept;             /* the oldest first, from `oldest` on, and then from the beginning */
    long count;
    long oldest;
    unsigned next; /* number of the next run */
} grow_t;

static void fill(grow_t *g, long runs)
{
    apr_size_t size = sizeof(*g->kept) * (apr_size_t)runs;

    g->count = runs;
    g->kept = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(g->kept != MAP_FAILED ? APR_SUCCESS : errno, "memory");
    /* It is none of the keeper's memory. */
    check(madvise(g->kept, size, MADV_DONTFORK) == 0 ? APR_SUCCESS : errno, "madvise");
    g->incarnation = kept_fill(g->kept, (unsigned)runs, g->bench.folder, FILL_CACHE, g->bench.pool);
    g->next = (unsigned)runs;
}

/* ---- calls ---- */

typedef enum {
    CREATE,
    GET_NEW,
    GET_ANY,
    LIST,
    LIST_PROJECT,
    LIST_OLDER,
    LIST_TASK,
    LIST_STATUS,
    LIST_RUNNING,
    UNDER_WAY,
    STATS,
    CLAIM,
    PROGRESS,
    FINISH,
    INTERRUPT,
    PURGE,
    CALLS
} call_e;

static const char *const names[CALLS] = {"create",       "get-new",    "get-any",   "list",
                                         "list-project", "list-older", "list-task", "list-status",
                                         "list-running", "under-way",  "stats",     "claim",
                                         "progress",     "finish",     "interrupt", "purge"};

typedef struct samples_t {
    double *of[CALLS]; /* microseconds */
    int count[CALLS];
} samples_t;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Makes a call and notes how long it took. */
#define TIMED(samples, which, call)                                                                \
    do {                                                                                           \
        double begun = now();                                                                      \
                                                                                                   \
        check(call, names[which]);                                                                 \
        (samples)->of[which][(samples)->count[which]++] = now() - begun;                           \
    } while (0)

static const kept_t *any_of(const grow_t *g)
{
    return &g->kept[((apr_uint64_t)random() << 31 | (apr_uint64_t)random()) %
                    (apr_uint64_t)g->count];
}

/* What people ask for most: lists, whose pages are as full with few runs as with many. */
static void look(grow_t *g, samples_t *samples, apr_pool_t *pool)
{
    wf_store_t *store = g->bench.store;
    wf_run_query_t all = {.vhost = BENCH_VHOST, .limit = PAGE};
    wf_run_query_t project = {.vhost = BENCH_VHOST, .project = kept_projects[0], .limit = PAGE};
    wf_run_query_t task = project;
    wf_run_query_t status = project;
    wf_run_query_t running = project;
    wf_store_stats_t stats;
    wf_under_way_t under_way;
    wf_run_list_t list;

    task.task = kept_tasks[0];
    status.status = WF_RUN_ERROR;
    running.status = WF_RUN_RUNNING;
    task.limit = status.limit = SHORT_PAGE;
    TIMED(samples, LIST, store->list(&list, store, &all, NULL, pool));
    TIMED(samples, LIST_PROJECT, store->list(&list, store, &project, NULL, pool));
    TIMED(samples, LIST_TASK, store->list(&list, store, &task, NULL, pool));
    TIMED(samples, LIST_STATUS, store->list(&list, store, &status, NULL, pool));
    TIMED(samples, LIST_RUNNING, store->list(&list, store, &running, NULL, pool));
    check(list.runs->nelts > 0 ? APR_SUCCESS : APR_EGENERAL, "the run that runs");
    TIMED(samples, UNDER_WAY,
          store->under_way(&under_way, store, BENCH_VHOST, kept_projects[0], kept_tasks[0], NULL,
                           pool));
    TIMED(samples, STATS, store->stats(&stats, store, BENCH_VHOST, 0, NULL, pool));
}

/* One run's life. It takes the oldest one's place, which is purged in the end. */
static void live(grow_t *g, samples_t *samples, apr_pool_t *pool)
{
    wf_store_t *store = g->bench.store;
    kept_t *kept = &g->kept[g->oldest];
    unsigned number = g->next++;
    wf_new_run_t spec;
    wf_run_progress_t progress = {"write", 0, 1};
    wf_run_records_t records = {0, 0, 0};
    apr_array_header_t *claims;
    wf_finish_t finish;
    wf_run_t *run;

    spec = kept_run(kept, number);
    g->oldest = (g->oldest + 1) % g->count;
    TIMED(samples, CREATE, store->create(&run, store, &spec, NULL, pool));
    TIMED(samples, GET_NEW, store->get(&run, store, spec.vhost, &spec.pid, NULL, pool));
    look(g, samples, pool);
    if (kept_is_interrupted(number)) {
        TIMED(samples, INTERRUPT,
              store->interrupt(&run, store, spec.vhost, &spec.pid, "bob", NULL, pool));
        return;
    }
    TIMED(samples, CLAIM, store->claim(&claims, store, g->incarnation, 1, 0, pool));
    check(claims->nelts == 1 ? APR_SUCCESS : APR_EGENERAL, "one claim");
    finish = kept_finish(&APR_ARRAY_IDX(claims, 0, wf_claim_t).token);
    TIMED(samples, PROGRESS, store->progress(store, &finish.token, &progress, &records, pool));
    TIMED(samples, FINISH, store->finish(NULL, store, &finish, pool));
}

/*
 * Runs of any age: what they need lies wherever it was written. By itself, because it takes what
 * other calls need from the processor's cache.
 */
static void look_back(grow_t *g, samples_t *samples, apr_pool_t *pool)
{
    wf_store_t *store = g->bench.store;
    const kept_t *any = any_of(g);
    wf_run_query_t older = {
        .vhost = BENCH_VHOST, .project = kept_projects[0], .limit = PAGE, .before = any_of(g)->pid};
    wf_run_list_t list;
    wf_run_t *run;

    TIMED(samples, GET_ANY,
          store->get(&run, store, kept_vhosts[any->vhost], &any->pid, NULL, pool));
    TIMED(samples, LIST_OLDER, store->list(&list, store, &older, NULL, pool));
}

/* Deletes as many runs as have been made, so that there are as many as before. */
static void purge(grow_t *g, samples_t *samples, int runs, apr_pool_t *pool)
{
    wf_store_t *store = g->bench.store;
    apr_uint64_t gone = 0;

    while (gone + WF_PURGE_STEP <= (apr_uint64_t)runs) { /* the first step passes one that runs */
        apr_uint64_t count;
        int more;

        TIMED(samples, PURGE, store->purge(&count, &more, store, 1, pool));
        check(count > 0 ? APR_SUCCESS : APR_EGENERAL, "runs to purge");
        gone += count;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void measure(grow_t *g, int calls)
{
    samples_t samples;
    apr_pool_t *all, *pool;

    check(apr_pool_create(&all, g->bench.pool), "a pool");
    check(apr_pool_create(&pool, all), "a pool");
    memset(&samples, 0, sizeof(samples));
    for (int i = 0; i < CALLS; i++) {
        samples.of[i] = apr_pcalloc(all, sizeof(double) * (apr_size_t)calls);
    }
    for (int i = 0; i < calls; i++) {
        live(g, &samples, pool);
        apr_pool_clear(pool);
    }
    for (int i = 0; i < calls; i++) {
        look_back(g, &samples, pool);
        apr_pool_clear(pool);
    }
    purge(g, &samples, calls, pool);
    for (int i = 0; i < CALLS; i++) {
        qsort(samples.of[i], (apr_size_t)samples.count[i], sizeof(double), by_size);
        printf("%s %.1f\n", names[i], samples.of[i][samples.count[i] / 2]);
    }
    apr_pool_destroy(all);
}

/* ---- commands ---- */

/* By project, so that what leads to its runs is read too. */
static void read_project(grow_t *g, const char *vhost, const char *project)
{
    wf_store_t *store = g->bench.store;
    wf_run_query_t query = {.vhost = vhost, .project = project, .limit = WF_LIST_MOST};
    wf_run_list_t list;
    apr_pool_t *pool;

    check(apr_pool_create(&pool, g->bench.pool), "a pool");
    do {
        apr_pool_clear(pool);
        check(store->list(&list, store, &query, NULL, pool), "list");
        query.before = list.next;
    } while (list.more);
    apr_pool_destroy(pool);
}

static void read_all(grow_t *g)
{
    for (int i = 0; i < KEPT_VHOSTS; i++) {
        for (int j = 0; j < KEPT_PROJECTS; j++) {
            read_project(g, kept_vhosts[i], kept_projects[j]);
        }
    }
}

/* A keeper that begins; the runner is the same, whose lease goes on. */
static void start(grow_t *g, long megabytes)
{
    wf_store_t *store = g->bench.store;
    double begun = now();
    wf_store_stats_t stats;
    apr_array_header_t *interrupted;

    bench_start(&g->bench, (apr_uint64_t)megabytes * MEGABYTE);
    check(store->stats(&stats, store, NULL, 0, NULL, g->bench.pool), "stats");
    printf("process %d\nstart %.0f\n", (int)g->bench.keeper, now() - begun);
    check(store->heartbeat(&interrupted, store, g->incarnation, TTL, g->bench.pool), "heartbeat");
}

static void obey(grow_t *g, const char *line)
{
    long number;

    if (sscanf(line, "start %ld", &number) == 1) {
        start(g, number);
    } else if (sscanf(line, "fill %ld", &number) == 1) {
        fill(g, number);
    } else if (sscanf(line, "calls %ld", &number) == 1) {
        measure(g, (int)number);
    } else if (strcmp(line, "read\n") == 0) {
        read_all(g);
    } else if (strcmp(line, "stop\n") == 0) {
        bench_stop(&g->bench);
    } else if (strcmp(line, "kill\n") == 0) {
        bench_kill(&g->bench);
    } else {
        check(APR_EINVAL, line);
    }
}

int main(int argc, char **argv)
{
    grow_t g = {.count = 0};
    apr_pool_t *pool;
    char line[128];

    apr_initialize();
    check(apr_pool_create(&pool, NULL), "a pool");
    if (argc != 2) {
        fprintf(stderr, "usage: grow FOLDER\n");
        return 2;
    }
    bench_open(&g.bench, argv[1], pool);
    while (fgets(line, sizeof(line), stdin)) {
        obey(&g, line);
        printf("done\n");
        fflush(stdout);
    }
    apr_terminate();
    return 0;
}
