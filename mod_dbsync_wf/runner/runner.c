/* SPDX-License-Identifier: Apache-2.0 */
/* The runner's start, its main thread, and its end. */
#include "runner/runner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <jansson.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/process.h"
#include "flow/rest/rest.h"
#include "runner/callbacks.h"

#define STOP_MARGIN apr_time_from_sec(4)   /* beside the grace: less than the supervisor's */
#define REAP_LEAST  apr_time_from_msec(1)  /* between two looks at what has been adopted, ... */
#define REAP_MOST   apr_time_from_msec(20) /* ... which grows to this while there is nothing */

typedef struct reaping_t {
    int children;    /* where CHLD is read */
    apr_time_t last; /* when it was looked at, a wf_clock time */
    apr_interval_time_t pause;
} reaping_t;

/* Where the main thread reads its signals. */
typedef struct signals_t {
    int orders;   /* TERM, USR1 */
    int children; /* CHLD */
} signals_t;

static apr_status_t open_signal(int *fd, int one, int other)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, one);
    sigaddset(&set, other);
    *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *fd < 0 ? errno : APR_SUCCESS;
}

/* Every signal is blocked in every thread; the main one reads those that matter. */
static apr_status_t open_signals(signals_t *signals)
{
    sigset_t set;
    apr_status_t rv;

    sigfillset(&set);
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0) {
        return errno;
    }
    rv = open_signal(&signals->orders, SIGTERM, SIGUSR1);
    return rv == APR_SUCCESS ? open_signal(&signals->children, SIGCHLD, SIGCHLD) : rv;
}

static apr_status_t open_runner(wf_runner_t *runner, const wf_runner_config_t *config,
                                apr_pool_t *pool)
{
    apr_size_t threads = config->settings->threads;
    apr_status_t rv;

    memset(runner, 0, sizeof(*runner));
    runner->settings = config->settings;
    runner->store = config->store;
    runner->host = config->host;
    runner->pool = pool;
    runner->held = apr_hash_make(pool);
    json_object_seed(0);
    runner->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (runner->wake < 0) {
        return errno;
    }
    if ((rv = wf_monitor_create(&runner->monitor, pool)) == APR_SUCCESS &&
        (rv = wf_monitor_share(&runner->claims, runner->monitor, pool)) == APR_SUCCESS &&
        (rv = wf_monitor_share(&runner->beats, runner->monitor, pool)) == APR_SUCCESS &&
        (rv = wf_process_setup(config->owner)) == APR_SUCCESS &&
        (rv = wf_rest_setup()) == APR_SUCCESS &&
        (rv = wf_projects_create(&runner->projects, pool)) == APR_SUCCESS) {
        /*
         * All of them at once: the pool starts no thread for a task while one is idle, even where
         * that one has just been given another task, which may last for hours.
         */
        rv = apr_thread_pool_create(&runner->threads, threads, threads, pool);
    }
    if (rv == APR_SUCCESS) {
        apr_thread_pool_idle_max_set(runner->threads, threads);
    }
    if (rv == APR_SUCCESS && runner->settings->output_limit) {
        rv = wf_pump_create(&runner->pump, runner->store, runner->settings->output_limit, pool);
    }
    return rv;
}

static void let_term_through(int how)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(how, &term, NULL);
}

/*
 * Joins, however long the store takes to be there. Nothing is held yet, so SIGTERM ends the process
 * meanwhile, even in the middle of a call that waits for a keeper.
 */
static apr_status_t join(wf_runner_t *runner)
{
    apr_pool_t *pool;
    apr_status_t rv = apr_pool_create(&pool, runner->pool);
    apr_uint64_t left;

    let_term_through(SIG_UNBLOCK);
    while (rv == APR_SUCCESS) {
        rv = runner->store->join(&runner->incarnation, runner->store, runner->host,
                                 runner->settings->threads, WF_LEASE_TTL, pool);
        if (rv != WF_EUNAVAILABLE) {
            break;
        }
        if (wf_log_may(&runner->claim_limit, 1, WF_COMPLAIN_EVERY, &left)) {
            wf_log_error(rv, "WF0195", "the runner cannot join the store yet");
        }
        poll(NULL, 0, 500);
        rv = APR_SUCCESS;
        apr_pool_clear(pool);
    }
    let_term_through(SIG_BLOCK);
    return rv;
}

static void take_signals(wf_runner_t *runner, int fd)
{
    struct signalfd_siginfo info;

    while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        wf_runner_set_state(runner,
                            info.ssi_signo == SIGTERM ? WF_RUNNER_STOPPING : WF_RUNNER_DRAINING);
    }
}

/*
 * Reaps what has been adopted and has ended. The end of each program that a thread waits for sends
 * the same signal, and none of these concerns this thread: so it looks once for many of them, and
 * gives the time (a wf_clock time) before which it does not look again: soon where there was
 * something, or had been no signal for long, and later the longer they come in vain.
 */
static apr_time_t reap(reaping_t *reaping)
{
    struct signalfd_siginfo info;
    apr_time_t now = wf_clock();
    int in_time = now - reaping->last < 2 * REAP_MOST;

    while (read(reaping->children, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
    }
    if (wf_process_reap_adopted() || !in_time) {
        reaping->pause = REAP_LEAST;
    } else {
        reaping->pause = 2 * reaping->pause < REAP_MOST ? 2 * reaping->pause : REAP_MOST;
    }
    reaping->last = now;
    return now + reaping->pause;
}

/* Whether nothing is held and nothing more will be. */
static int is_idle(wf_runner_t *runner)
{
    int idle;

    wf_monitor_enter(runner->monitor);
    idle = runner->state != WF_RUNNER_ACTIVE && apr_hash_count(runner->held) == 0 &&
           !runner->claiming && wf_tellers_are_idle(runner);
    wf_monitor_leave(runner->monitor);
    return idle;
}

/* When this process ends, whatever still runs: its supervisor and httpd do not wait for ever. */
static apr_time_t stop_deadline(const wf_runner_t *runner, wf_runner_state_e state)
{
    wf_cancel_reason_e reason = state == WF_RUNNER_LOST ? WF_CANCEL_LOST : WF_CANCEL_SHUTDOWN;

    return wf_clock() + wf_cancel_grace(reason, runner->settings->kill_grace) + STOP_MARGIN;
}

/* Waits for nobody but its poll, at most a pulse long. */
static void run_main_thread(wf_runner_t *runner, wf_pulse_t *pulse, const signals_t *signals)
{
    wf_runner_state_e state;
    reaping_t reaping = {signals->children, 0, REAP_LEAST};
    apr_time_t deadline = 0, reap_next = 0;

    while (!is_idle(runner) && (!deadline || wf_clock() < deadline)) {
        int may_reap = reap_next <= wf_clock();
        struct pollfd fds[] = {{signals->orders, POLLIN, 0},
                               {runner->wake, POLLIN, 0},
                               {may_reap ? signals->children : -1, POLLIN, 0}};
        apr_time_t next = may_reap ? wf_clock() + WF_PULSE_PERIOD : reap_next;
        apr_uint64_t count;

        wf_pulse_stamp(pulse);
        if (poll(fds, 3, wf_clock_poll_ms(deadline && deadline < next ? deadline : next)) < 0 &&
            errno != EINTR) {
            wf_log_error(errno, "WF0197", "poll");
        }
        if (fds[1].revents && read(runner->wake, &count, sizeof(count)) < 0) {
            wf_log_debug(errno, "WF0198", "a wake-up was taken already");
        }
        take_signals(runner, signals->orders);
        if (fds[2].revents) {
            reap_next = reap(&reaping);
        }
        state = wf_runner_state(runner);
        if (!deadline && state >= WF_RUNNER_STOPPING) {
            deadline = stop_deadline(runner, state);
        }
    }
}

apr_status_t wf_runner_run(const wf_runner_config_t *config, apr_pool_t *pool)
{
    wf_runner_t *runner = apr_pcalloc(pool, sizeof(*runner));
    signals_t signals = {-1, -1};
    apr_status_t rv = open_signals(&signals);

    if (rv == APR_SUCCESS) {
        rv = open_runner(runner, config, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = join(runner);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_tellers_start(runner);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_runner_start_loops(runner);
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0199", "the runner cannot start");
        return rv;
    }
    wf_log_info(0, "WF0189",
                "the runner serves as incarnation %" APR_UINT64_T_FMT " with %u threads",
                runner->incarnation, runner->settings->threads);
    run_main_thread(runner, config->pulse, &signals);
    return wf_runner_state(runner) == WF_RUNNER_LOST ? WF_ESTALE : APR_SUCCESS;
}
