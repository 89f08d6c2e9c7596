/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's processes. */
#include "runner/daemon.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"

#define BACKOFF_LEAST apr_time_from_msec(20)
#define BACKOFF_MOST  apr_time_from_sec(3)  /* with ping.h's times, within a client's patience */
#define YOUNG         apr_time_from_sec(10) /* who lives longer than this is started again at once */

int wf_bind_to_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) {
        wf_log_error(errno, "WF0160", "the parent's death cannot be watched");
        return 1;
    }
    return getppid() != parent;
}

/* The fresh process: as if it had been started by itself, its life tied to the supervisor's. */
static int run_child(const wf_daemon_t *daemon, pid_t supervisor)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, daemon->name);
    if (wf_bind_to_parent(supervisor)) {
        return 1;
    }
    return daemon->main(daemon->baton);
}

void wf_daemon_start_due(wf_daemon_t *daemon)
{
    pid_t supervisor = getpid();
    apr_time_t now = wf_clock();
    pid_t pid;

    if (!daemon->wanted || daemon->pid || now < daemon->start_at) {
        return;
    }
    pid = fork();
    if (pid == 0) {
        _exit(run_child(daemon, supervisor));
    }
    if (pid < 0) {
        wf_log_error(errno, "WF0161", "%s could not be started", daemon->name);
        daemon->start_at = now + BACKOFF_MOST;
        return;
    }
    daemon->pid = pid;
    daemon->started = now;
    daemon->kill_at = 0;
    wf_log_info(0, "WF0162", "%s started: process %ld", daemon->name, (long)pid);
}

static void plan_start(wf_daemon_t *daemon)
{
    apr_time_t now = wf_clock();

    if (now - daemon->started >= YOUNG) {
        daemon->backoff = 0;
    }
    daemon->start_at = now + daemon->backoff;
    if (daemon->backoff >= BACKOFF_MOST) {
        wf_log_error(0, "WF0163", "%s keeps dying: the next start is in %" APR_TIME_T_FMT " s",
                     daemon->name, apr_time_sec(daemon->backoff));
    }
    daemon->backoff = daemon->backoff ? daemon->backoff * 2 : BACKOFF_LEAST;
    if (daemon->backoff > BACKOFF_MOST) {
        daemon->backoff = BACKOFF_MOST;
    }
}

void wf_daemon_ended(wf_daemon_t *daemon, int wait_status)
{
    const char *how = WIFSIGNALED(wait_status) ? "signal" : "exit code";
    int what = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status);

    if (daemon->wanted) {
        wf_log_error(0, "WF0164", "%s (process %ld) ended with %s %d and is started again",
                     daemon->name, (long)daemon->pid, how, what);
        daemon->restarts++;
        plan_start(daemon);
    } else {
        wf_log_info(0, "WF0165", "%s (process %ld) ended with %s %d", daemon->name,
                    (long)daemon->pid, how, what);
    }
    daemon->pid = 0;
    daemon->kill_at = 0;
}

void wf_daemon_signal(const wf_daemon_t *daemon, int sig)
{
    if (daemon->pid && kill(daemon->pid, sig) != 0) {
        wf_log_error(errno, "WF0166", "%s could not be sent signal %d", daemon->name, sig);
    }
}

void wf_daemon_stop(wf_daemon_t *daemon, int sig, apr_interval_time_t patience)
{
    daemon->wanted = 0;
    if (daemon->pid) {
        wf_daemon_signal(daemon, sig);
        daemon->kill_at = wf_clock() + patience;
    }
}

void wf_daemon_kill_due(wf_daemon_t *daemon)
{
    if (daemon->pid && daemon->kill_at && daemon->kill_at <= wf_clock()) {
        wf_log_error(0, "WF0167", "%s (process %ld) does not end and is killed", daemon->name,
                     (long)daemon->pid);
        daemon->kill_at = 0;
        wf_daemon_signal(daemon, SIGKILL);
    }
}

static apr_time_t earlier(apr_time_t a, apr_time_t b)
{
    return !a || (b && b < a) ? b : a;
}

apr_time_t wf_daemon_next(const wf_daemon_t *daemon, apr_time_t next)
{
    if (daemon->pid) {
        return earlier(next, daemon->kill_at);
    }
    return daemon->wanted ? earlier(next, daemon->start_at) : next;
}
