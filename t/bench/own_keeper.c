/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper of a measurement. */
#include "own_keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/log.h"
#include "store/embedded/client.h"
#include "store/embedded/keeper.h"
#include "store/embedded/lock.h"
#include "store/embedded/socket.h"

#define PATIENCE apr_time_from_sec(60)

void check(apr_status_t status, const char *what)
{
    char text[128];

    if (status != APR_SUCCESS) {
        fprintf(stderr, "%s: %s\n", what, apr_strerror(status, text, sizeof(text)));
        exit(1);
    }
}

void bench_open(bench_t *bench, const char *folder, apr_pool_t *pool)
{
    int lock;

    bench->pool = pool;
    bench->folder = folder;
    check(wf_lock_try(&lock, folder), "the lock");
    check(wf_embedded_open(&bench->store, wf_embedded_socket_path(folder, pool), PATIENCE, pool),
          "the client");
}

void bench_start(bench_t *bench, apr_uint64_t cache)
{
    wf_keeper_config_t config = {.state_dir = bench->folder, .cache_size = cache};
    pid_t parent = getpid();
    int ready[2];
    char byte;

    check(wf_socket_listen(&config.listener, wf_embedded_socket_path(bench->folder, bench->pool)),
          "the socket");
    check(pipe(ready) == 0 ? APR_SUCCESS : errno, "pipe");
    config.ready_fd = ready[1];
    bench->keeper = fork();
    check(bench->keeper < 0 ? errno : APR_SUCCESS, "fork");
    if (bench->keeper == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        close(ready[0]);
        wf_log_bind(NULL, NULL, WF_LOG_ERROR);
        _exit(wf_keeper_run(&config, bench->pool) == APR_SUCCESS ? 0 : 1);
    }
    close(ready[1]);
    close(config.listener);
    check(read(ready[0], &byte, 1) == 1 ? APR_SUCCESS : APR_EGENERAL, "the keeper");
    close(ready[0]);
}

static int end_with(const bench_t *bench, int signal)
{
    int status = 0;

    kill(bench->keeper, signal);
    while (waitpid(bench->keeper, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

void bench_stop(bench_t *bench)
{
    check(end_with(bench, SIGTERM) == 0 ? APR_SUCCESS : APR_EGENERAL, "the keeper's end");
}

void bench_kill(bench_t *bench)
{
    end_with(bench, SIGKILL);
}

wf_new_run_t bench_run(wf_slice_t body)
{
    wf_new_run_t spec = {.vhost = BENCH_VHOST,
                         .project = "569",
                         .task = "12",
                         .source = "/srv/projects",
                         .trigger = "API",
                         .user = "alice",
                         .payload = body};

    check(wf_uuid_make(&spec.pid), "a pid");
    return spec;
}
