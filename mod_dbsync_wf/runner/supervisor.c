/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's loop. */
#include "runner/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/process.h"
#include "runner/daemon.h"
#include "runner/ping.h"
#include "runner/place.h"
#include "runner/runner.h"
#include "store/embedded/client.h"
#include "store/embedded/keeper.h"

#define KEEPER_START_PATIENCE apr_time_from_sec(120) /* recovery of much log included */
#define KEEPER_STOP_PATIENCE  apr_time_from_sec(10)
#define RUNNER_STOP_MARGIN    apr_time_from_sec(5) /* beside the grace */
#define ORPHANS_PATIENCE      apr_time_from_sec(5)
#define STORE_PATIENCE                                                                             \
    apr_time_from_sec(20) /* of the runner: longer than a keeper's replacement takes */

typedef struct supervisor_t {
    const wf_settings_t *settings;
    wf_place_t place;
    int signals;
    int ready; /* from the keeper that starts: one byte, -1: none starts */
    int ready_child;
    wf_daemon_t keeper;
    wf_daemon_t runner;
    wf_ping_t ping;
    wf_pulse_t *pulse;
    wf_restarts_t *restarts;
    int stopping;     /* SIGTERM was seen */
    int keeper_stays; /* until the runner has ended */
    const char *host;
    apr_uint64_t owner; /* of programs: see flow/process.h */
    int other;          /* a runner whose supervisor may be gone, -1: none is known */
    apr_pool_t *pool;
} supervisor_t;

/* What a fresh process does not need of ours, and must not keep open. */
static void close_own(supervisor_t *s)
{
    close(s->signals);
    wf_ping_off(&s->ping);
    if (s->ready >= 0) {
        close(s->ready);
    }
    if (s->other >= 0) {
        close(s->other);
    }
}

static int keeper_main(void *baton)
{
    supervisor_t *s = baton;
    wf_keeper_config_t config = {.state_dir = s->settings->state_dir,
                                 .cache_size = s->settings->cache_size,
                                 .retention = s->settings->retention,
                                 .queue_limit = s->settings->queue_limit,
                                 .listener = s->place.listener,
                                 .ready_fd = s->ready_child,
                                 .restarts = s->restarts};

    close_own(s);
    return wf_keeper_run(&config, s->pool) == APR_SUCCESS ? 0 : 1;
}

static int runner_main(void *baton)
{
    supervisor_t *s = baton;
    wf_runner_config_t config = {s->settings, NULL, s->host, s->owner, s->pulse};
    apr_status_t rv;

    close_own(s);
    wf_place_leave(&s->place);
    rv = wf_embedded_open(&config.store, s->place.socket, STORE_PATIENCE, s->pool);
    if (rv == APR_SUCCESS) {
        rv = wf_runner_run(&config, s->pool);
    }
    return rv == APR_SUCCESS ? 0 : 1;
}

static void close_ready(supervisor_t *s)
{
    if (s->ready >= 0) {
        close(s->ready);
        s->ready = -1;
    }
}

/* Starts the keeper where that is due, with a pipe on which it says that it serves. */
static void start_keeper(supervisor_t *s)
{
    int fds[2];

    if (s->keeper.pid || !s->keeper.wanted || s->place.listener < 0 ||
        wf_clock() < s->keeper.start_at) {
        return;
    }
    close_ready(s);
    if (pipe2(fds, O_CLOEXEC) != 0) {
        wf_log_error(errno, "WF0170", "no pipe for the keeper");
        s->keeper.start_at = wf_clock() + apr_time_from_sec(1);
        return;
    }
    s->ready = fds[0];
    s->ready_child = fds[1];
    wf_daemon_start_due(&s->keeper);
    close(fds[1]);
    s->keeper.kill_at = wf_clock() + KEEPER_START_PATIENCE;
}

/* The keeper serves (or its pipe ended with it). */
static void keeper_is_ready(supervisor_t *s)
{
    char byte;

    if (read(s->ready, &byte, 1) == 1) {
        if (s->keeper.wanted) {
            s->keeper.kill_at = 0;
        }
        wf_ping_on(&s->ping, s->place.socket);
    }
    close_ready(s);
}

static void check_ended(apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0171", "processes of a lost runner are still alive");
    }
}

/* All that came of the runner goes with it, before another one starts. */
static void end_descendants(supervisor_t *s)
{
    pid_t keep[1] = {s->keeper.pid};

    check_ended(
        wf_process_end_descendants(keep, s->keeper.pid ? 1 : 0, wf_clock() + ORPHANS_PATIENCE));
}

/*
 * What came of a runner that has lost its supervisor goes with it: it is ending what it runs, or
 * finishing it where it was replaced, and may be killed before it has done so.
 */
static void end_orphans(supervisor_t *s)
{
    if (s->other >= 0) {
        close(s->other);
    }
    check_ended(wf_process_end_orphans(&s->other, s->owner, wf_clock() + ORPHANS_PATIENCE));
}

static void reap_children(supervisor_t *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s->keeper.pid) {
            wf_daemon_ended(&s->keeper, status);
            atomic_store(&s->restarts->keeper, s->keeper.restarts);
            wf_ping_off(&s->ping);
            close_ready(s);
        } else if (pid == s->runner.pid) {
            wf_daemon_ended(&s->runner, status);
            atomic_store(&s->restarts->runner, s->runner.restarts);
            wf_pulse_reset(s->pulse);
            end_descendants(s);
        }
    }
}

static apr_interval_time_t runner_patience(const supervisor_t *s)
{
    return wf_cancel_grace(WF_CANCEL_SHUTDOWN, s->settings->kill_grace) + RUNNER_STOP_MARGIN;
}

static void stop(supervisor_t *s)
{
    if (!s->stopping) {
        s->stopping = 1;
        s->keeper_stays = 1; /* the runner has its ends to record */
        wf_daemon_stop(&s->runner, SIGTERM, runner_patience(s));
    }
}

/* Lets the runner finish, however long that takes. */
static void drain(supervisor_t *s, int keeper_stays)
{
    if (s->runner.wanted) {
        s->keeper_stays = keeper_stays;
        s->runner.wanted = 0;
        wf_daemon_signal(&s->runner, SIGUSR1);
        if (!keeper_stays) {
            wf_ping_off(&s->ping);
            /* With the keeper's own copies the last ones go, another's keeper may begin, and
             * clients in this one's backlog look again. */
            wf_place_leave(&s->place);
            wf_daemon_stop(&s->keeper, SIGTERM, KEEPER_STOP_PATIENCE);
        }
    }
}

static void take_signals(supervisor_t *s)
{
    struct signalfd_siginfo info;

    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            reap_children(s);
            break;
        case SIGUSR1:
            drain(s, 0);
            break;
        case SIGUSR2:
            drain(s, 1);
            break;
        default:
            stop(s);
            break;
        }
    }
}

/* Waits for a signal, a byte of the keeper, an answer to the ping, another runner's end, or the
 * next time at which something is due. */
static void wait_for_news(supervisor_t *s)
{
    struct pollfd fds[] = {{s->signals, POLLIN, 0},
                           {s->ready, POLLIN, 0},
                           {s->ping.fd, POLLIN, 0},
                           {s->other, POLLIN, 0}};
    apr_time_t next = wf_daemon_next(&s->keeper, wf_daemon_next(&s->runner, 0));
    apr_time_t more[] = {wf_ping_next(&s->ping), wf_pulse_deadline(s->pulse), s->place.next};

    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        if (more[i] && (!next || more[i] < next)) {
            next = more[i];
        }
    }
    if (poll(fds, 4, next ? wf_clock_poll_ms(next) : -1) < 0) {
        return; /* EINTR: everything is looked at again */
    }
    if (fds[1].revents) {
        keeper_is_ready(s);
    }
    if (fds[3].revents) {
        end_orphans(s);
    }
    take_signals(s);
}

static void check_keeper(supervisor_t *s)
{
    if (wf_ping_step(&s->ping)) {
        wf_log_error(0, "WF0172", "the keeper (process %ld) does not answer and is replaced",
                     (long)s->keeper.pid);
        wf_ping_off(&s->ping);
        wf_daemon_signal(&s->keeper, SIGKILL);
    }
}

static void check_runner(supervisor_t *s)
{
    apr_time_t deadline = wf_pulse_deadline(s->pulse);

    if (deadline && deadline <= wf_clock()) {
        wf_log_error(0, "WF0176", "the runner (process %ld) has stopped working and is replaced",
                     (long)s->runner.pid);
        wf_pulse_reset(s->pulse);
        wf_daemon_signal(&s->runner, SIGKILL);
    }
}

static apr_status_t supervise(supervisor_t *s)
{
    while (s->keeper.wanted || s->keeper.pid || s->runner.wanted || s->runner.pid) {
        apr_status_t rv = wf_place_take(&s->place);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        start_keeper(s);
        wf_daemon_start_due(&s->runner);
        wait_for_news(s);
        check_keeper(s);
        check_runner(s);
        wf_daemon_kill_due(&s->keeper);
        wf_daemon_kill_due(&s->runner);
        if (s->keeper.wanted && s->keeper_stays && !s->runner.wanted && !s->runner.pid) {
            wf_ping_off(&s->ping);
            wf_daemon_stop(&s->keeper, SIGTERM, KEEPER_STOP_PATIENCE);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t open_signals(int *fd)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0) {
        return errno;
    }
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *fd < 0 ? errno : APR_SUCCESS;
}

/* Counters that the keeper, which outlives a runner, reads. */
static apr_status_t share_restarts(wf_restarts_t **restarts)
{
    void *memory =
        mmap(NULL, sizeof(**restarts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        return errno;
    }
    *restarts = memory;
    atomic_init(&(*restarts)->keeper, 0);
    atomic_init(&(*restarts)->runner, 0);
    return APR_SUCCESS;
}

/* A name that no other supervisor has had: a join of its next runner speaks of its last one only.
 */
static apr_status_t name_host(const char **host, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, WF_UUID_TEXT_LEN + 1);
    wf_uuid_t uuid;
    apr_status_t rv = wf_uuid_make(&uuid);

    if (rv == APR_SUCCESS) {
        wf_uuid_format(text, &uuid);
    }
    *host = text;
    return rv;
}

apr_status_t wf_supervisor_run(const wf_settings_t *settings, pid_t parent, apr_pool_t *pool)
{
    supervisor_t s = {
        .settings = settings,
        .ready = -1,
        .keeper = {.name = "wf-keeper", .main = keeper_main, .baton = &s, .wanted = 1},
        .runner = {.name = "wf-runner", .main = runner_main, .baton = &s, .wanted = 1},
        .ping = {.fd = -1},
        .other = -1,
        .pool = pool,
    };
    apr_status_t rv = open_signals(&s.signals);

    prctl(PR_SET_NAME, "wf-supervisor");
    if (rv == APR_SUCCESS && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        rv = errno;
    }
    if (rv == APR_SUCCESS) {
        rv = name_host(&s.host, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_process_owner(&s.owner, settings->state_dir);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_pulse_create(&s.pulse);
    }
    if (rv == APR_SUCCESS) {
        rv = share_restarts(&s.restarts);
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0173", "the supervisor cannot start");
        return rv;
    }
    if (wf_bind_to_parent(parent)) {
        return APR_SUCCESS; /* gone before we began */
    }
    wf_log_info(0, "WF0174", "the supervisor serves %s", settings->state_dir);
    end_orphans(&s);
    wf_place_init(&s.place, settings->state_dir,
                  wf_embedded_socket_path(settings->state_dir, pool));
    rv = supervise(&s);
    wf_place_leave(&s.place);
    wf_log_info(rv, "WF0175", "the supervisor ends");
    return rv;
}
