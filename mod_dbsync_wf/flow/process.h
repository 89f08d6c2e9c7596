/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One external program, from start to the end of the last process that came of it.
 *
 * Promises: no shell; no descriptor of ours but the three; a clean signal state; the program leads
 * its own process group; stdin is fed and stdout and stderr are drained while it runs, each kept
 * up to a cap and drained past it; and when wf_process_run returns, no process that descends from
 * the program is alive, however it forked, whatever session it made, whatever environment it shed.
 *
 * How descendants are known: the child sets RLIMIT_LOCKS, which Linux keeps, hands down through
 * fork and exec, and has not enforced since 2.4.25, to a mark: the run's tag (its fence, never
 * used twice) mixed with a random number of the calling process, so that nobody mistakes another
 * server's runs for its own. The soft limit says who owns it: the same number for all runners of a
 * state directory, which carry it themselves, with no hard limit. And the caller's process is a
 * child subreaper (PR_SET_CHILD_SUBREAPER): what loses its parent becomes a child of its main
 * thread, where one read of /proc/self/task/PID/children tells whether anything is left, and only
 * then is /proc walked for the mark. A program may lower its limits on purpose and so leave; it
 * cannot do so by accident. Beyond reach is also what runs as another user by then (setuid
 * programs) or hangs in the kernel: it is waited for as long as it takes to say so in the log, not
 * for ever.
 *
 * The caller's main thread must reap what is adopted (wf_process_reap_adopted), and no other
 * thread of it may have children but through wf_process_run. wf_process_setup is called once in
 * the process that runs programs (again after a fork), from the main thread, before any other call.
 */
#ifndef WF_FLOW_PROCESS_H
#define WF_FLOW_PROCESS_H

#include "base/result.h"
#include "base/slice.h"
#include "flow/cancel.h"

typedef struct wf_process_spec_t {
    const char *const *argv; /* NULL-terminated; argv[0] is the path, or a name looked up in PATH */
    const char *const *envp; /* NULL-terminated "NAME=value"; the whole environment */
    const char *directory;   /* working directory; NULL: "/" */
    wf_slice_t input;        /* fed to stdin */
    apr_size_t output_cap;   /* bytes of stdout that are kept */
    apr_size_t error_cap;    /* bytes of stderr that are kept */
    /* Handed what comes on either of them, as it comes; called on the caller's thread. May be NULL.
     */
    void (*on_output)(void *baton, wf_slice_t bytes);
    void *baton;
    apr_uint64_t tag;          /* unique among all runs, never 0 */
    apr_time_t deadline;       /* a wf_clock time at which the tree is ended; 0: none */
    apr_interval_time_t grace; /* from TERM to KILL, at most: see wf_cancel_grace */
    wf_cancel_t *cancel;       /* never NULL; ends the tree when requested; past the deadline
                                  its reason becomes TIMEOUT */
} wf_process_spec_t;

typedef struct wf_process_end_t {
    int exited; /* whether it ended by itself with exit_code; otherwise signal ended it */
    int exit_code;
    int signal;
    wf_slice_t output; /* stdout, at most output_cap bytes; lives in the pool */
    wf_slice_t error;  /* stderr, at most error_cap bytes */
    int output_cut;    /* whether more came than was kept */
    int error_cut;
} wf_process_end_t;

/*
 * The number by which the programs of a state directory's runners are known on this system, now and
 * after a restart of everything; no other directory has it. APR_SUCCESS, or the system's error.
 */
apr_status_t wf_process_owner(apr_uint64_t *owner, const char *state_dir);

/*
 * Makes the calling process fit to run programs for an owner (wf_process_owner; in a test, any
 * number from 1 to 2^30 - 1): a child subreaper that ignores SIGPIPE (a program
 * that does not read its input must not end us) and does not ignore SIGCHLD, on a kernel that
 * offers what is relied on (Linux 5.10; /proc; RLIMIT_LOCKS not lowered). Called from the main
 * thread. APR_SUCCESS, or the system's error, logged.
 */
apr_status_t wf_process_setup(apr_uint64_t owner);

/*
 * Runs a program and waits until it and all that came of it are gone. It is over when the program
 * itself has exited: what it leaves behind is ended then, TERM, the grace, KILL, whether or not it
 * holds the program's stdout.
 * APR_SUCCESS: *end says how it ended (also after a cancel or past the deadline: ask the cancel's
 * reason). WF_ECANCELLED: the cancel had been requested before the start, nothing was started.
 * Otherwise it could not be started: the system's error, with WF_PROBLEM_SPAWN and a detail that
 * names the program's base name and the reason, and no path.
 */
apr_status_t wf_process_run(wf_process_end_t *end, const wf_process_spec_t *spec,
                            wf_result_t *result, apr_pool_t *pool);

/* Reaps adopted processes that have ended. Main thread only; never blocks. How many there were. */
int wf_process_reap_adopted(void);

/*
 * Kills every process that descends from the calling one, but those in `keep` (count entries) and
 * what descends from them, and reaps what becomes our child of it, until none is left or the
 * deadline (a wf_clock time) has passed. Those in `keep` are never reaped here. Main thread of a
 * single-threaded subreaper only: what the supervisor does after a runner's death.
 * APR_SUCCESS; APR_TIMEUP where some are left; the system's error where /proc cannot be read.
 */
apr_status_t wf_process_end_descendants(const pid_t *keep, int count, apr_time_t deadline);

/*
 * Kills every program of an owner that has no runner above it, until none is left or the deadline
 * (a wf_clock time) has passed: what a runner left that was killed when nobody was there to end its
 * programs. Gives in *runner a descriptor of a living runner of the same owner that is not the
 * caller's child, for the caller to call again once it is readable and to close; -1 where there is
 * none. Where there are several, each is known in its turn.
 * APR_SUCCESS; APR_TIMEUP where some are left; the system's error where /proc cannot be read.
 */
apr_status_t wf_process_end_orphans(int *runner, apr_uint64_t owner, apr_time_t deadline);

#endif
