/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a keeper does a second, for scripts/bench: it starts one on a state directory of its own.
 *
 *   store FOLDER CREATE THREADS SECONDS BYTES
 *       durable creates a second, each with a body of so many bytes, by so many threads; and the
 *       microseconds of processor that the keeper used for each
 *   store FOLDER GROW RUNS CALLS
 *       microseconds (median) of each call of the store, with so many runs kept: create, get (a run
 *       of any age), list, claim, progress, finish, interrupt
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/client.h"
#include "store/embedded/keeper.h"
#include "store/embedded/lock.h"
#include "store/embedded/socket.h"

#define CACHE    (256ull * 1024 * 1024)
#define PATIENCE apr_time_from_sec(60)
#define VHOST    "bench:80"
#define TTL      apr_time_from_sec(600)
#define BODY                                                                                       \
    "{\"name\": \"John Doe\", \"address\": {\"lineOne\": \"123 Main Street\", \"city\": "          \
    "\"Nashville\", \"state\": \"TN\"}}"

typedef struct bench_t {
    apr_pool_t *pool;
    const char *folder;
    wf_store_t *store;
    pid_t keeper;
    struct rusage used; /* by the keeper, once it has ended */
} bench_t;

static void check(apr_status_t status, const char *what)
{
    char text[128];

    if (status != APR_SUCCESS) {
        fprintf(stderr, "store: %s: %s\n", what, apr_strerror(status, text, sizeof(text)));
        exit(1);
    }
}

static void start_keeper(bench_t *b)
{
    wf_keeper_config_t config = {.state_dir = b->folder, .cache_size = CACHE};
    const char *path = wf_embedded_socket_path(b->folder, b->pool);
    int ready[2], lock;
    char byte;

    check(wf_lock_try(&lock, b->folder), "the lock");
    check(wf_socket_listen(&config.listener, path), "the socket");
    check(pipe(ready) == 0 ? APR_SUCCESS : APR_EGENERAL, "pipe");
    config.ready_fd = ready[1];
    b->keeper = fork();
    if (b->keeper == 0) {
        wf_log_bind(NULL, NULL, WF_LOG_ERROR);
        _exit(wf_keeper_run(&config, b->pool) == APR_SUCCESS ? 0 : 1);
    }
    close(ready[1]);
    check(read(ready[0], &byte, 1) == 1 ? APR_SUCCESS : APR_EGENERAL, "the keeper");
    check(wf_embedded_open(&b->store, path, PATIENCE, b->pool), "the client");
}

static void stop_keeper(bench_t *b)
{
    int status;

    kill(b->keeper, SIGTERM);
    wait4(b->keeper, &status, 0, &b->used);
    check(status == 0 ? APR_SUCCESS : APR_EGENERAL, "the keeper's end");
}

static wf_new_run_t new_run(wf_slice_t body)
{
    wf_new_run_t spec = {.vhost = VHOST,
                         .project = "569",
                         .task = "12",
                         .source = "/srv/projects",
                         .trigger = "API",
                         .user = "alice",
                         .payload = body};

    check(wf_uuid_make(&spec.pid), "a pid");
    return spec;
}

/* ---- CREATE ---- */

typedef struct creator_t {
    pthread_t thread;
    bench_t *bench;
    wf_slice_t body;
    apr_time_t end;
    long count;
} creator_t;

static void *create_on(void *data)
{
    creator_t *c = data;
    apr_pool_t *pool;

    check(apr_pool_create(&pool, NULL), "a pool");
    while (wf_clock() < c->end) {
        wf_new_run_t spec = new_run(c->body);
        wf_run_t *run;

        check(c->bench->store->create(&run, c->bench->store, &spec, NULL, pool), "create");
        apr_pool_clear(pool);
        c->count++;
    }
    apr_pool_destroy(pool);
    return NULL;
}

static double microseconds_used(const bench_t *b)
{
    const struct timeval *user = &b->used.ru_utime, *system = &b->used.ru_stime;

    return (double)(user->tv_sec + system->tv_sec) * APR_USEC_PER_SEC +
           (double)(user->tv_usec + system->tv_usec);
}

static void measure_create(bench_t *b, int threads, double seconds, apr_size_t bytes)
{
    creator_t *c = apr_pcalloc(b->pool, sizeof(*c) * (apr_size_t)threads);
    char *body = apr_palloc(b->pool, bytes + 1);
    apr_time_t begun = wf_clock();
    long count = 0;

    memset(body, '1', bytes);
    for (int i = 0; i < threads; i++) {
        c[i] = (creator_t){.bench = b,
                           .body = wf_slice_of(body, bytes),
                           .end = begun + (apr_time_t)(seconds * APR_USEC_PER_SEC)};
        check(pthread_create(&c[i].thread, NULL, create_on, &c[i]), "a thread");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(c[i].thread, NULL);
        count += c[i].count;
    }
    seconds = (double)(wf_clock() - begun) / APR_USEC_PER_SEC;
    stop_keeper(b);
    printf("%.1f %.2f\n", (double)count / seconds, microseconds_used(b) / (double)count);
}

/* ---- GROW ---- */

typedef enum { CREATE, GET, LIST, CLAIM, PROGRESS, FINISH, INTERRUPT, CALLS } call_e;

static const char *const names[CALLS] = {"create",   "get",    "list",     "claim",
                                         "progress", "finish", "interrupt"};

typedef struct samples_t {
    apr_int64_t *of[CALLS]; /* microseconds */
    int count;
} samples_t;

static int by_size(const void *a, const void *b)
{
    apr_int64_t x = *(const apr_int64_t *)a, y = *(const apr_int64_t *)b;

    return x < y ? -1 : x > y;
}

/* One run's life, each call timed. */
static void live(bench_t *b, samples_t *samples, apr_uint64_t incarnation, const wf_uuid_t *old,
                 apr_pool_t *pool)
{
    wf_store_t *store = b->store;
    wf_new_run_t spec = new_run(wf_slice(BODY)), other = new_run(wf_slice(BODY));
    wf_run_query_t query = {.vhost = VHOST, .project = "569", .limit = 50};
    wf_run_progress_t progress = {"write", 1, 2};
    wf_run_records_t records = {1, 1, 0};
    wf_finish_t finish = {.status = WF_RUN_COMPLETED, .result = wf_slice("\"done\"")};
    wf_run_list_t list;
    apr_array_header_t *claims;
    wf_run_t *run;
    apr_time_t begun;
    int at = samples->count++;

#define TIMED(which, call)                                                                         \
    begun = apr_time_now();                                                                        \
    check(call, names[which]);                                                                     \
    samples->of[which][at] = apr_time_now() - begun

    TIMED(CREATE, store->create(&run, store, &spec, NULL, pool));
    TIMED(GET, store->get(&run, store, VHOST, old, NULL, pool));
    TIMED(LIST, store->list(&list, store, &query, NULL, pool));
    TIMED(CLAIM, store->claim(&claims, store, incarnation, 1, 0, pool));
    check(claims->nelts == 1 ? APR_SUCCESS : APR_EGENERAL, "one claim");
    finish.token = APR_ARRAY_IDX(claims, 0, wf_claim_t).token;
    TIMED(PROGRESS, store->progress(store, &finish.token, &progress, &records, pool));
    TIMED(FINISH, store->finish(NULL, store, &finish, pool));
    check(store->create(&run, store, &other, NULL, pool), "create");
    TIMED(INTERRUPT, store->interrupt(&run, store, VHOST, &other.pid, "bob", NULL, pool));
#undef TIMED
}

/* Runs that have ended, by as many threads as make good batches. */
typedef struct filler_t {
    pthread_t thread;
    bench_t *bench;
    wf_uuid_t *pids;
    long count;
} filler_t;

static void *fill_on(void *data)
{
    filler_t *f = data;
    wf_store_t *store = f->bench->store;
    apr_pool_t *pool;

    check(apr_pool_create(&pool, NULL), "a pool");
    for (long i = 0; i < f->count; i++) {
        wf_new_run_t spec = new_run(wf_slice(BODY));
        wf_run_t *run;

        check(store->create(&run, store, &spec, NULL, pool), "create");
        check(store->interrupt(&run, store, VHOST, &spec.pid, "bob", NULL, pool), "interrupt");
        f->pids[i] = spec.pid;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
    return NULL;
}

#define FILLERS 64

static wf_uuid_t *fill(bench_t *b, long runs)
{
    wf_uuid_t *pids = malloc(sizeof(*pids) * (apr_size_t)runs);
    filler_t *f = apr_pcalloc(b->pool, sizeof(*f) * FILLERS);
    long given = 0;

    for (int i = 0; i < FILLERS; i++) {
        long upto = runs * (i + 1) / FILLERS;

        f[i] = (filler_t){.bench = b, .pids = pids + given, .count = upto - given};
        given = upto;
        check(pthread_create(&f[i].thread, NULL, fill_on, &f[i]), "a thread");
    }
    for (int i = 0; i < FILLERS; i++) {
        pthread_join(f[i].thread, NULL);
    }
    return pids;
}

static void measure_growth(bench_t *b, long runs, int calls)
{
    wf_uuid_t *pids = fill(b, runs);
    samples_t samples = {.count = 0};
    apr_uint64_t incarnation;
    apr_pool_t *pool;

    check(apr_pool_create(&pool, b->pool), "a pool");
    check(b->store->join(&incarnation, b->store, "bench", 16, TTL, pool), "join");
    for (int i = 0; i < CALLS; i++) {
        samples.of[i] = apr_pcalloc(b->pool, sizeof(apr_int64_t) * (apr_size_t)calls);
    }
    for (int i = 0; i < calls; i++) {
        live(b, &samples, incarnation, &pids[random() % runs], pool);
        apr_pool_clear(pool);
    }
    for (int i = 0; i < CALLS; i++) {
        qsort(samples.of[i], (apr_size_t)calls, sizeof(apr_int64_t), by_size);
        printf("%s %" APR_INT64_T_FMT "\n", names[i], samples.of[i][calls / 2]);
    }
    free(pids);
}

int main(int argc, char **argv)
{
    bench_t b;

    apr_initialize();
    memset(&b, 0, sizeof(b));
    check(apr_pool_create(&b.pool, NULL), "a pool");
    if (argc < 5) {
        fprintf(stderr, "usage: store FOLDER CREATE THREADS SECONDS BYTES\n"
                        "       store FOLDER GROW RUNS CALLS\n");
        return 2;
    }
    b.folder = argv[1];
    start_keeper(&b);
    if (strcmp(argv[2], "CREATE") == 0 && argc == 6) {
        measure_create(&b, atoi(argv[3]), atof(argv[4]), strtoul(argv[5], NULL, 10));
    } else if (strcmp(argv[2], "GROW") == 0) {
        measure_growth(&b, atol(argv[3]), atoi(argv[4]));
        stop_keeper(&b);
    }
    apr_terminate();
    return 0;
}
