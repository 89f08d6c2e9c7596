/* SPDX-License-Identifier: Apache-2.0 */
/* One program's run: start, serve its streams until it has exited, end what it left, reap. */
#include "flow/process_internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"

/* After KILL: until what does not go is taken for unkillable, and between two looks around. */
#define KILL_PATIENCE apr_time_from_sec(5)
#define KILL_ROUND    apr_time_from_msec(100)

/* Where no descriptor is to be had for a process, it is asked after this long. */
#define UNWATCHED_ROUND apr_time_from_msec(20)

typedef struct run_t {
    const wf_process_spec_t *spec;
    const char *name; /* of the program, without its path */
    wf_streams_t *streams;
    wf_tree_t tree;
    int pidfd; /* of the program */
} run_t;

/*
 * Waits once, until `until` (0: no end) at most: for a stream, the program's end, the cancel (where
 * cancel_fd is not -1) or the end of a watched process; and sees to what came.
 */
static apr_status_t serve_once(run_t *run, int cancel_fd, apr_time_t until)
{
    struct pollfd at[WF_STREAMS + 2 + WF_WATCH_MAX];
    struct pollfd *own = at + WF_STREAMS;
    struct pollfd *watched = own + 2;
    nfds_t count = (nfds_t)(WF_STREAMS + 2 + run->tree.watch.count);

    wf_streams_expect(run->streams, at);
    own[0] = (struct pollfd){run->tree.ended ? -1 : run->pidfd, POLLIN, 0};
    own[1] = (struct pollfd){cancel_fd, POLLIN, 0};
    wf_watch_expect(&run->tree.watch, watched);
    if (poll(at, count, until ? wf_clock_poll_ms(until) : -1) < 0) {
        return errno == EINTR ? APR_SUCCESS : errno;
    }
    wf_streams_serve(run->streams, at);
    wf_watch_drop(&run->tree.watch, watched);
    run->tree.ended |= own[0].revents != 0;
    return APR_SUCCESS;
}

/* Until the program has exited or is to be ended. */
static void attend(run_t *run)
{
    const wf_process_spec_t *spec = run->spec;
    int cancel_fd = wf_cancel_fd(spec->cancel);
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !run->tree.ended &&
           wf_cancel_reason(spec->cancel) == WF_CANCEL_NONE) {
        if (spec->deadline && wf_clock() >= spec->deadline) {
            wf_cancel_request(spec->cancel, WF_CANCEL_TIMEOUT);
            return;
        }
        rv = serve_once(run, cancel_fd, spec->deadline);
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0259", "cannot wait for program %s, which is ended for that",
                     run->name);
    }
}

/*
 * Until the program has ended, or, where it had already, all that is watched has; or the time has
 * come.
 */
static void attend_end(run_t *run, apr_time_t until)
{
    int was_ended = run->tree.ended;
    apr_status_t rv = APR_SUCCESS;

    if (run->tree.unwatched) {
        apr_time_t soon = wf_clock() + UNWATCHED_ROUND;
        until = soon < until ? soon : until;
    }
    while (rv == APR_SUCCESS && wf_clock() < until &&
           (was_ended ? run->tree.watch.count || run->tree.unwatched : !run->tree.ended)) {
        rv = serve_once(run, -1, until);
    }
}

static int is_over(run_t *run, int sig)
{
    wf_watch_clear(&run->tree.watch);
    run->tree.unwatched = 0;
    return run->tree.ended && wf_tree_check(&run->tree, sig) == 0;
}

static void give_up(const run_t *run)
{
    wf_log_warning(0, "WF0260", "program %s or what came of it cannot be ended%s; it is left alone",
                   run->name, run->tree.refused ? ", since it runs as another user" : "");
}

/* TERM, the grace, KILL, for whatever is left of the tree; nothing where nothing is. */
static void end_tree(run_t *run)
{
    apr_time_t kill_at, give_up_at, now;
    int sig = SIGTERM;

    if (is_over(run, 0)) {
        return;
    }
    kill_at = wf_clock() + wf_cancel_grace(wf_cancel_reason(run->spec->cancel), run->spec->grace);
    give_up_at = kill_at + KILL_PATIENCE;
    if (!run->tree.ended) {
        wf_tree_signal_group(&run->tree, sig);
    }
    while (!is_over(run, sig)) {
        wf_tree_signal(&run->tree, sig);
        attend_end(run, sig == SIGTERM ? kill_at : wf_clock() + KILL_ROUND);
        now = wf_clock();
        if (now >= give_up_at) {
            give_up(run);
            return;
        }
        if (sig == SIGTERM && now >= kill_at) {
            sig = SIGKILL;
            wf_tree_signal_group(&run->tree, sig);
        }
    }
}

static void reap(wf_process_end_t *end, run_t *run)
{
    int status = SIGKILL;

    if (!run->tree.ended) {
        wf_tree_abandon(run->tree.main);
    } else {
        while (waitpid(run->tree.main, &status, 0) < 0 && errno == EINTR) {
        }
    }
    end->exited = WIFEXITED(status);
    end->exit_code = end->exited ? WEXITSTATUS(status) : 0;
    end->signal = end->exited ? 0 : WTERMSIG(status);
}

static apr_status_t start(run_t *run, wf_result_t *result, apr_pool_t *pool)
{
    const wf_process_spec_t *spec = run->spec;
    wf_spawn_t spawn;
    char reason[200];
    apr_status_t rv;

    memset(&spawn, 0, sizeof(spawn));
    spawn.argv = spec->argv;
    spawn.envp = spec->envp;
    spawn.directory = spec->directory ? spec->directory : "/";
    spawn.mark = run->tree.mark;
    rv = wf_process_resolve(&spawn.path, spec->argv[0], spec->envp, pool);
    if (rv == APR_SUCCESS && (rv = wf_streams_open(run->streams)) == APR_SUCCESS) {
        memcpy(spawn.fds, run->streams->theirs, sizeof(spawn.fds));
        rv = wf_process_spawn(&run->tree.main, &run->pidfd, &spawn);
    }
    wf_streams_detach(run->streams);
    if (rv == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    apr_strerror(rv, reason, sizeof(reason));
    return wf_result_set(result, rv, WF_PROBLEM_SPAWN,
                         "program \"%s\" could not be started: %s%s%s", run->name,
                         spawn.step ? spawn.step : "", spawn.step ? ": " : "", reason);
}

apr_status_t wf_process_run(wf_process_end_t *end, const wf_process_spec_t *spec,
                            wf_result_t *result, apr_pool_t *pool)
{
    const char *slash = strrchr(spec->argv[0], '/');
    apr_status_t rv;
    run_t run;

    if (wf_cancel_reason(spec->cancel) != WF_CANCEL_NONE) {
        return WF_ECANCELLED;
    }
    memset(&run, 0, sizeof(run));
    run.spec = spec;
    run.name = slash ? slash + 1 : spec->argv[0];
    run.tree.mark = wf_tree_mark(spec->tag);
    run.streams = wf_streams_create(spec, pool);
    rv = start(&run, result, pool);
    if (rv == APR_SUCCESS) {
        attend(&run);
        end_tree(&run);
        reap(end, &run);
        wf_watch_clear(&run.tree.watch);
        close(run.pidfd);
    }
    wf_streams_close(run.streams);
    if (rv == APR_SUCCESS) {
        end->output = wf_buf_slice(&run.streams->out[0].kept);
        end->error = wf_buf_slice(&run.streams->out[1].kept);
        end->output_cut = run.streams->out[0].cut;
        end->error_cut = run.streams->out[1].cut;
    }
    return rv;
}
