/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a process fit to run programs, and checks that the kernel offers what that relies on. */
#include "flow/process_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/log.h"

static apr_status_t set_signals(void)
{
    struct sigaction action;

    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigaction(SIGCHLD, NULL, &action) != 0) {
        return errno;
    }
    /* Either would make the kernel reap behind our back. */
    if (action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT)) {
        action.sa_flags &= ~SA_NOCLDWAIT;
        action.sa_handler = action.sa_handler == SIG_IGN ? SIG_DFL : action.sa_handler;
        return sigaction(SIGCHLD, &action, NULL) != 0 ? errno : APR_SUCCESS;
    }
    return APR_SUCCESS;
}

static apr_status_t try_pidfd(void)
{
    int pidfd = wf_pidfd_open(getpid());

    if (pidfd < 0) {
        return errno;
    }
    close(pidfd);
    return APR_SUCCESS;
}

static apr_status_t try_marking(void)
{
    struct rlimit64 limit;

    if (getrlimit64(RLIMIT_LOCKS, &limit) != 0) {
        return errno;
    }
    return limit.rlim_max == RLIM64_INFINITY ? APR_SUCCESS : APR_FROM_OS_ERROR(EPERM);
}

apr_status_t wf_process_setup(apr_uint64_t owner)
{
    apr_status_t rv;

    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        rv = errno;
        wf_log_error(rv, "WF0254", "cannot adopt what programs leave (PR_SET_CHILD_SUBREAPER)");
        return rv;
    }
    if ((rv = set_signals()) != APR_SUCCESS) {
        wf_log_error(rv, "WF0255", "cannot set SIGPIPE and SIGCHLD");
    } else if ((rv = try_pidfd()) != APR_SUCCESS) {
        wf_log_error(rv, "WF0256", "the kernel has no pidfd_open: Linux 5.10 or later is needed");
    } else if ((rv = try_marking()) != APR_SUCCESS ||
               (rv = wf_owner_declare(owner)) != APR_SUCCESS) {
        wf_log_error(rv, "WF0257",
                     "the hard limit of file locks must be unlimited (see ulimit -x)");
    } else if ((rv = wf_tree_setup()) != APR_SUCCESS) {
        wf_log_error(rv, "WF0258", "/proc is needed to find what programs leave");
    }
    wf_spawn_setup();
    return rv;
}
