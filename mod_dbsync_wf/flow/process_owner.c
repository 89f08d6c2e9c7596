/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a process is, and ending programs that have lost their runner and everybody who would have
 * noticed: a runner that is killed in the moment in which its supervisor is.
 */
#include "flow/process_internal.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"

/* Between two looks around, where what was killed does not go at once. */
#define ROUND apr_time_from_msec(100)

static apr_uint64_t declared;

apr_uint64_t wf_mark_mix(apr_uint64_t x)
{
    apr_uint64_t mask = WF_MARK_TOP - 1;

    x &= mask;
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u) & mask;
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EBu) & mask;
    return x ^ (x >> 31);
}

apr_status_t wf_process_owner(apr_uint64_t *owner, const char *state_dir)
{
    struct stat info;

    if (stat(state_dir, &info) != 0) {
        return errno;
    }
    *owner = wf_mark_mix(wf_mark_mix((apr_uint64_t)info.st_dev) + (apr_uint64_t)info.st_ino);
    *owner = *owner ? *owner : 1;
    return APR_SUCCESS;
}

apr_status_t wf_owner_declare(apr_uint64_t owner)
{
    struct rlimit64 limit = {owner, RLIM64_INFINITY};

    declared = owner;
    return setrlimit64(RLIMIT_LOCKS, &limit) == 0 ? APR_SUCCESS : errno;
}

apr_uint64_t wf_owner_declared(void)
{
    return declared;
}

enum { FOREIGN, RUNNER, PROGRAM };

static int kind_of(pid_t pid, apr_uint64_t owner)
{
    struct rlimit64 limit;

    if (pid <= 0 || prlimit64(pid, RLIMIT_LOCKS, NULL, &limit) != 0 || limit.rlim_cur != owner) {
        return FOREIGN;
    }
    return limit.rlim_max == RLIM64_INFINITY ? RUNNER : PROGRAM;
}

enum { HELD, ORPHAN, UNSURE };

/* Walks up from a program. A runner adopts what loses its parent, so no way leads around it. */
static int look_above(pid_t pid, apr_uint64_t owner)
{
    while (pid > 1) {
        pid = wf_process_parent(pid);
        if (pid < 0) {
            return UNSURE; /* it has just gone, and what was below it is elsewhere by now */
        }
        if (kind_of(pid, owner) == RUNNER) {
            return HELD;
        }
    }
    return ORPHAN;
}

/*
 * A descriptor of a runner that lives and is not the caller's, or -1. Between its fork and its exec
 * a program looks as its runner does.
 */
static int open_runner(pid_t pid, apr_uint64_t owner)
{
    pid_t parent = wf_process_parent(pid);
    int pidfd;

    if (parent < 0 || parent == getpid() || kind_of(parent, owner) == RUNNER) {
        return -1;
    }
    pidfd = wf_pidfd_open(pid);
    if (pidfd >= 0 && wf_pidfd_has_ended(pidfd)) {
        close(pidfd);
        return -1; /* perhaps for long, where nobody reaps it */
    }
    return pidfd;
}

/* Kills a program where it has no runner; whether another look at it is needed. */
static int end_orphan(wf_watch_t *watch, pid_t pid, apr_uint64_t owner)
{
    int pidfd = wf_pidfd_open(pid);
    int above;

    if (pidfd < 0) {
        return errno != ESRCH;
    }
    /* Asked again: the number may have gone to another process before it had a descriptor. */
    above = kind_of(pid, owner) == PROGRAM ? look_above(pid, owner) : HELD;
    if (above != ORPHAN || wf_pidfd_has_ended(pidfd)) {
        close(pidfd);
        return above == UNSURE;
    }
    wf_pidfd_signal(pidfd, SIGKILL);
    wf_watch_add(watch, pid, pidfd);
    return 1;
}

/* Looks at every process of the system once; how many want another look. */
static int look_around(int *runner, apr_uint64_t owner, DIR *dir, apr_time_t deadline)
{
    apr_time_t soon = wf_clock() + ROUND;
    const struct dirent *item;
    wf_watch_t watch;
    int left = 0;

    watch.count = 0;
    while ((item = readdir(dir)) != NULL) {
        pid_t pid = (pid_t)atoi(item->d_name);
        int kind = kind_of(pid, owner);

        if (kind == PROGRAM) {
            left += end_orphan(&watch, pid, owner);
        } else if (kind == RUNNER && *runner < 0) {
            *runner = open_runner(pid, owner);
        }
    }
    wf_watch_wait(&watch, soon < deadline ? soon : deadline);
    wf_watch_clear(&watch);
    return left;
}

apr_status_t wf_process_end_orphans(int *runner, apr_uint64_t owner, apr_time_t deadline)
{
    int left;

    *runner = -1;
    do {
        DIR *dir = opendir("/proc");

        if (!dir) {
            return errno;
        }
        left = look_around(runner, owner, dir, deadline);
        closedir(dir);
    } while (left && wf_clock() < deadline);
    return left ? APR_TIMEUP : APR_SUCCESS;
}
