/* SPDX-License-Identifier: Apache-2.0 */
/* For the measurements of the store: a keeper of their own on a state directory of their own. */
#ifndef WF_BENCH_OWN_KEEPER_H
#define WF_BENCH_OWN_KEEPER_H

#include <sys/types.h>
#include <apr_pools.h>
#include "store/store.h"

/* The example of DBSync's own page. */
#define BENCH_BODY                                                                                 \
    "{\"name\": \"John Doe\", \"address\": {\"lineOne\": \"123 Main Street\", \"city\": "          \
    "\"Nashville\", \"state\": \"TN\"}}"
#define BENCH_VHOST "bench:80"

typedef struct bench_t {
    apr_pool_t *pool;
    const char *folder; /* the state directory */
    wf_store_t *store;  /* a client of the keeper, also of those that follow it */
    pid_t keeper;
} bench_t;

/* Ends the program where a call has failed. */
void check(apr_status_t status, const char *what);

/* Takes the state directory and opens the store; the keeper is to be started. */
void bench_open(bench_t *bench, const char *folder, apr_pool_t *pool);

/* Forks a keeper with a cache of so many bytes, and waits until it serves. There must be no other
 * thread. */
void bench_start(bench_t *bench, apr_uint64_t cache);

/* Ends the keeper as a service manager does, and fails where it does not end well; or kills it. */
void bench_stop(bench_t *bench);
void bench_kill(bench_t *bench);

/* A run of task 12 of project 569, with a pid. */
wf_new_run_t bench_run(wf_slice_t body);

#endif
