/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the programs that hold the store contract against the embedded store: a real keeper in a
 * process of its own, over its real socket, which can be killed; and the calls that must succeed.
 */
#ifndef WF_TEST_STORE_UTIL_H
#define WF_TEST_STORE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_allocator.h>
#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/client.h"
#include "store/embedded/keeper.h"
#include "store/embedded/lock.h"
#include "store/embedded/socket.h"

#define PATIENCE apr_time_from_sec(20)
#define TTL      apr_time_from_sec(30)
#define VHOST    "example.org:80"

typedef struct fixture_t {
    apr_pool_t *pool;
    char dir[64];
    const char *socket;
    apr_interval_time_t retention;
    apr_uint32_t queue_limit;
    int lock;
    int listener;
    wf_restarts_t *restarts; /* NULL: none */
    pid_t keeper;
    wf_store_t *store;
} fixture_t;

/*
 * Threads of a test allocate meanwhile: at the fork nobody may hold the lock of the pools, which
 * the child would wait for without end.
 */
static inline pid_t fork_quietly(const fixture_t *f)
{
    apr_thread_mutex_t *lock = apr_allocator_mutex_get(apr_pool_allocator_get(f->pool));
    pid_t pid;

    apr_thread_mutex_lock(lock);
    pid = fork();
    apr_thread_mutex_unlock(lock);
    return pid;
}

static inline void start_keeper(fixture_t *f)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    f->keeper = fork_quietly(f);
    assert_true(f->keeper >= 0);
    if (f->keeper == 0) {
        wf_keeper_config_t config = {f->dir,      4 * 1024 * 1024, f->retention, f->queue_limit,
                                     f->listener, ready[1],        f->restarts};

        wf_log_bind(NULL, NULL, WF_LOG_ERROR);
        _exit(wf_keeper_run(&config, f->pool) == APR_SUCCESS ? 0 : 1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static inline int end_keeper(fixture_t *f, int sig)
{
    int status = 0;

    assert_int_equal(kill(f->keeper, sig), 0);
    assert_int_equal(waitpid(f->keeper, &status, 0), f->keeper);
    return status;
}

static inline void restart_keeper(fixture_t *f, int sig)
{
    end_keeper(f, sig);
    start_keeper(f);
}

static inline int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof(*f));

    apr_pool_create(&f->pool, NULL);
    strcpy(f->dir, "/tmp/wf-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->socket = wf_embedded_socket_path(f->dir, f->pool);
    assert_int_equal(wf_lock_try(&f->lock, f->dir), APR_SUCCESS);
    assert_int_equal(wf_socket_listen(&f->listener, f->socket), APR_SUCCESS);
    start_keeper(f);
    assert_int_equal(wf_embedded_open(&f->store, f->socket, PATIENCE, f->pool), APR_SUCCESS);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture_t *f = *state;
    int status = end_keeper(f, SIGTERM);

    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(f->listener);
    close(f->lock);
    assert_int_equal(
        system(apr_psprintf(f->pool, "rm -rf \"$(readlink -f %s/env)\" %s", f->dir, f->dir)), 0);
    apr_pool_destroy(f->pool);
    free(f);
    return 0;
}

static inline wf_new_run_t new_run(const char *task)
{
    wf_new_run_t spec;

    memset(&spec, 0, sizeof(spec));
    assert_int_equal(wf_uuid_make(&spec.pid), APR_SUCCESS);
    spec.vhost = VHOST;
    spec.project = "569";
    spec.task = task;
    spec.source = "/srv/projects";
    spec.trigger = "API";
    spec.user = "alice";
    spec.payload = wf_slice("{\"name\": \"x\\u0000\"}");
    return spec;
}

static inline wf_run_t *create_ok(fixture_t *f, const wf_new_run_t *spec)
{
    wf_run_t *run = NULL;
    wf_result_t result;

    wf_result_init(&result, f->pool);
    assert_int_equal(f->store->create(&run, f->store, spec, &result, f->pool), APR_SUCCESS);
    return run;
}

static inline wf_run_t *get_ok(fixture_t *f, const wf_uuid_t *pid)
{
    wf_run_t *run = NULL;

    assert_int_equal(f->store->get(&run, f->store, VHOST, pid, NULL, f->pool), APR_SUCCESS);
    return run;
}

static inline apr_uint64_t join_ok(fixture_t *f, const char *host)
{
    apr_uint64_t incarnation = 0;

    assert_int_equal(f->store->join(&incarnation, f->store, host, 4, TTL, f->pool), APR_SUCCESS);
    assert_true(incarnation > 0);
    return incarnation;
}

static inline apr_array_header_t *claim_ok(fixture_t *f, apr_uint64_t incarnation, apr_uint32_t max)
{
    apr_array_header_t *claims = NULL;

    assert_int_equal(f->store->claim(&claims, f->store, incarnation, max, f->pool), APR_SUCCESS);
    return claims;
}

static inline wf_claim_t claim_one(fixture_t *f, apr_uint64_t incarnation)
{
    apr_array_header_t *claims = claim_ok(f, incarnation, 1);

    assert_int_equal(claims->nelts, 1);
    return APR_ARRAY_IDX(claims, 0, wf_claim_t);
}

static inline wf_finish_t completed(wf_token_t token)
{
    wf_finish_t finish;

    memset(&finish, 0, sizeof(finish));
    finish.token = token;
    finish.status = WF_RUN_COMPLETED;
    finish.result = wf_slice("{\"n\": 123456789012345678901234567890}");
    return finish;
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
