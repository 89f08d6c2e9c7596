/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a keeper does a second, for scripts/bench: it starts one on a state directory of its own.
 *
 *   store FOLDER CREATE THREADS SECONDS BYTES
 *
 * Prints the durable creates a second, each with a body of so many bytes, by so many threads; and the
 * microseconds of processor that the keeper used for each.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <apr_general.h>
#include "base/clock.h"
#include "own_keeper.h"

#define CACHE (256ull * 1024 * 1024)

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
        wf_new_run_t spec = bench_run(c->body);
        wf_run_t *run;

        check(c->bench->store->create(&run, c->bench->store, &spec, NULL, pool), "create");
        apr_pool_clear(pool);
        c->count++;
    }
    apr_pool_destroy(pool);
    return NULL;
}

/* By the keeper, which has ended. */
static double microseconds_used(void)
{
    struct rusage used;

    check(getrusage(RUSAGE_CHILDREN, &used) == 0 ? APR_SUCCESS : APR_EGENERAL, "getrusage");
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * APR_USEC_PER_SEC +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
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
    bench_stop(b);
    printf("%.1f %.2f\n", (double)count / seconds, microseconds_used() / (double)count);
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    bench_t b;

    apr_initialize();
    check(apr_pool_create(&pool, NULL), "a pool");
    if (argc != 6 || strcmp(argv[2], "CREATE") != 0) {
        fprintf(stderr, "usage: store FOLDER CREATE THREADS SECONDS BYTES\n");
        return 2;
    }
    bench_open(&b, argv[1], pool);
    bench_start(&b, CACHE);
    measure_create(&b, atoi(argv[3]), atof(argv[4]), strtoul(argv[5], NULL, 10));
    apr_terminate();
    return 0;
}
