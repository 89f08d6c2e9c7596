/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process that the supervisor keeps alive: forked, watched, started again with a delay that
 * grows while it keeps dying young.
 */
#ifndef WF_RUNNER_DAEMON_H
#define WF_RUNNER_DAEMON_H

#include <sys/types.h>
#include <apr_time.h>

typedef struct wf_daemon_t {
    const char *name;         /* as ps shows it; at most 15 characters */
    int (*main)(void *baton); /* what the process does; its value is the exit code */
    void *baton;
    int wanted;                  /* whether it is to be started (again) */
    pid_t pid;                   /* 0: not running */
    apr_time_t started;          /* wf_clock times, all of them */
    apr_time_t start_at;         /* when not running and wanted: not before */
    apr_interval_time_t backoff; /* of the next start */
    apr_uint32_t restarts;       /* how often it ended although it was wanted */
    apr_time_t kill_at;          /* when running: killed then; 0: not */
} wf_daemon_t;

/* Starts it where it is wanted, not running, and its time has come. */
void wf_daemon_start_due(wf_daemon_t *daemon);

/* Takes note that it has ended, with the status of waitpid, and plans its next start. */
void wf_daemon_ended(wf_daemon_t *daemon, int wait_status);

/* Sends it a signal where it runs. */
void wf_daemon_signal(const wf_daemon_t *daemon, int sig);

/* It is not wanted any more: sends it sig and, `patience` later, SIGKILL. */
void wf_daemon_stop(wf_daemon_t *daemon, int sig, apr_interval_time_t patience);

/* Kills it where its time is over. */
void wf_daemon_kill_due(wf_daemon_t *daemon);

/* The earlier of `next` and the next time at which something is due here; 0 stands for never. */
apr_time_t wf_daemon_next(const wf_daemon_t *daemon, apr_time_t next);

/*
 * Ties the calling process's life to its parent's: SIGTERM when it dies. Nonzero where it is dead
 * already. (PR_SET_PDEATHSIG; to be called after any change of user or group, which clears it.)
 */
int wf_bind_to_parent(pid_t parent);

#endif
