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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/client.h"
#include "store/embedded/keeper.h"
#include "store/embedded/lock.h"
#include "store/embedded/outbox.h"
#include "store/embedded/socket.h"

#define PATIENCE apr_time_from_sec(20)
#define TTL      apr_time_from_sec(30)
#define VHOST    "example.org:80"

/* In memory that the process which forks keepers shares. */
typedef struct fixture_t {
    apr_pool_t *pool;
    char dir[64];
    const char *socket;
    apr_uint64_t cache_size;
    apr_interval_time_t retention;
    apr_uint32_t queue_limit;
    apr_interval_time_t callback_pauses[WF_CALLBACK_PAUSES]; /* zeros: those of a server */
    int lock;
    int listener;
    wf_restarts_t restarts;
    pid_t keeper;
    int ended;  /* the status of the keeper that ended last */
    int forker; /* the socket to that process */
    wf_store_t *store;
} fixture_t;

/*
 * Keepers are forked by a process of their own, which has one thread: in a process whose other
 * threads allocate meanwhile, some lock of the allocator may be held at the fork, and the child
 * would wait for it without end. It is told by a byte, with the descriptors that the keeper is to
 * have, and answers with one.
 */
static inline int tell_forker(const fixture_t *f, char what)
{
    char control[CMSG_SPACE(2 * sizeof(int))] = {0};
    int fds[2] = {f->listener, f->lock};
    struct iovec byte = {&what, 1};
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(rights), fds, sizeof(fds));
    if (what == 'w') { /* a test may have closed them by then */
        message.msg_control = NULL;
        message.msg_controllen = 0;
    }
    return sendmsg(f->forker, &message, 0) == 1 && recv(f->forker, &what, 1, 0) == 1;
}

static inline int hear(int socket, char *what, int fds[2])
{
    char control[CMSG_SPACE(2 * sizeof(int))];
    struct iovec byte = {what, 1};
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};

    if (recvmsg(socket, &message, 0) != 1) {
        return 0;
    }
    if (CMSG_FIRSTHDR(&message)) {
        memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&message)), 2 * sizeof(int));
    }
    return 1;
}

static inline int fork_keeper(fixture_t *f, const int fds[2])
{
    int ready[2];
    pid_t pid;
    char byte;

    if (pipe(ready) != 0 || (pid = fork()) < 0) {
        return 0;
    }
    if (pid == 0) {
        wf_keeper_config_t config = {.state_dir = f->dir,
                                     .cache_size = f->cache_size,
                                     .retention = f->retention,
                                     .queue_limit = f->queue_limit,
                                     .listener = fds[0],
                                     .ready_fd = ready[1],
                                     .restarts = &f->restarts,
                                     .callback_pauses =
                                         f->callback_pauses[0] ? f->callback_pauses : NULL};

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the test */
        wf_log_bind(NULL, NULL, WF_LOG_ERROR);
        _exit(wf_keeper_run(&config, f->pool) == APR_SUCCESS ? 0 : 1);
    }
    f->keeper = pid;
    close(ready[1]);
    close(fds[0]);
    close(fds[1]);
    if (read(ready[0], &byte, 1) != 1) {
        return 0;
    }
    close(ready[0]);
    return 1;
}

static inline void run_forker(fixture_t *f, int socket)
{
    int fds[2] = {-1, -1};
    char what;

    while (hear(socket, &what, fds)) {
        int ok = what == 's' ? fork_keeper(f, fds) : waitpid(f->keeper, &f->ended, 0) == f->keeper;

        if (!ok || send(socket, "!", 1, MSG_NOSIGNAL) != 1) {
            break;
        }
    }
    _exit(0);
}

static inline void start_forker(fixture_t *f)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        run_forker(f, ends[1]);
    }
    close(ends[1]);
    f->forker = ends[0];
}

static inline void start_keeper(fixture_t *f)
{
    assert_true(tell_forker(f, 's'));
}

static inline int end_keeper(fixture_t *f, int sig)
{
    assert_true(f->keeper > 0);
    assert_int_equal(kill(f->keeper, sig), 0);
    assert_true(tell_forker(f, 'w'));
    return f->ended;
}

static inline void restart_keeper(fixture_t *f, int sig)
{
    end_keeper(f, sig);
    start_keeper(f);
}

static inline int setup(void **state)
{
    fixture_t *f =
        mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(f, MAP_FAILED);
    apr_pool_create(&f->pool, NULL);
    f->cache_size = 4 * 1024 * 1024;
    strcpy(f->dir, "/tmp/wf-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->socket = wf_embedded_socket_path(f->dir, f->pool);
    start_forker(f);
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
    close(f->forker);
    assert_true(wait(&status) > 0);
    close(f->listener);
    close(f->lock);
    assert_int_equal(
        system(apr_psprintf(f->pool, "rm -rf \"$(readlink -f %s/env)\" %s", f->dir, f->dir)), 0);
    apr_pool_destroy(f->pool);
    munmap(f, sizeof(*f));
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

    assert_int_equal(f->store->claim(&claims, f->store, incarnation, max, 0, f->pool), APR_SUCCESS);
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
