/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start of a program: vfork semantics by clone(2), so that the parent's size does not matter,
 * with CLONE_PIDFD, so that a shortage of descriptors is met before the program exists.
 *
 * Until the exec the child runs in the parent's memory, on a stack of its own, while the calling
 * thread stands still and other threads go on: so it does nothing but system calls, all signals
 * are blocked until our handlers are gone from its table, and it touches only its wf_spawn_t.
 */
#include "flow/process_internal.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_strings.h>

#define CHILD_STACK     (64 * 1024)
#define DEFAULT_PATH    "/usr/local/bin:/usr/bin:/bin"
#define CHILD_FAILED    127

#define FIRST_REAL_TIME 32 /* the kernel's; SIGRTMIN leaves out those of the C library */

/*
 * ThreadSanitizer takes the child for the calling thread, and would never hear of its functions'
 * ends: it must not hear of their beginnings either.
 */
#define IN_CHILD __attribute__((no_sanitize_thread))

static void fail_child(wf_spawn_t *spawn, const char *step) __attribute__((noreturn));

IN_CHILD static void fail_child(wf_spawn_t *spawn, const char *step)
{
    spawn->step = step;
    spawn->error = errno;
    _exit(CHILD_FAILED);
}

/*
 * By the system call itself: the C library keeps its own two signals out of sigaction(3)'s reach,
 * and one that whoever started httpd ignores would stay ignored across the exec. The exec itself
 * resets handlers, so that of the real-time signals, which nobody sends to the child meanwhile,
 * only the ignored ones matter; the others might be sent to its group.
 */
IN_CHILD static void reset_signals(const wf_spawn_t *spawn)
{
    static const unsigned long standard[8]; /* the kernel's sigaction: SIG_DFL, no flags, no mask */

    for (int sig = 1; sig < NSIG; sig++) {
        if (sig < FIRST_REAL_TIME || (spawn->ignored >> (sig - 1) & 1)) {
            /* KILL and STOP refuse. */
            syscall(SYS_rt_sigaction, sig, standard, NULL, (NSIG - 1) / 8);
        }
    }
}

IN_CHILD static void place_descriptors(wf_spawn_t *spawn)
{
    for (int i = 0; i < 3; i++) {
        if (dup2(spawn->fds[i], i) < 0) {
            fail_child(spawn, "its standard streams");
        }
    }
#ifdef SYS_close_range
    /* A second line of defence against a library that forgot O_CLOEXEC: failing changes nothing. */
    syscall(SYS_close_range, 3U, ~0U, 0U);
#endif
}

IN_CHILD static int run_child(void *baton)
{
    wf_spawn_t *spawn = baton;
    struct rlimit64 mark = {spawn->owner, spawn->mark};
    sigset_t none;

    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
        fail_child(spawn, "its process group");
    }
    if (getppid() != spawn->parent) {
        /* The parent died before the line above took effect. */
        _exit(CHILD_FAILED);
    }
    reset_signals(spawn);
    place_descriptors(spawn);
    if (setrlimit64(RLIMIT_LOCKS, &mark) != 0) {
        fail_child(spawn, "its mark");
    }
    if (chdir(spawn->directory) != 0) {
        fail_child(spawn, "its working directory");
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(spawn->path, (char *const *)spawn->argv, (char *const *)spawn->envp);
    fail_child(spawn, NULL);
}

/* Those that the process ignores from its start on; nobody in it begins to ignore one later. */
static apr_uint64_t ignored;

void wf_spawn_setup(void)
{
    ignored = 0;
    for (int sig = FIRST_REAL_TIME; sig < NSIG; sig++) {
        unsigned long action[8] = {0}; /* the kernel's, whose first member is the handler */

        if (syscall(SYS_rt_sigaction, sig, NULL, action, (NSIG - 1) / 8) == 0 &&
            action[0] == (unsigned long)SIG_IGN) {
            ignored |= (apr_uint64_t)1 << (sig - 1);
        }
    }
}

apr_status_t wf_process_spawn(pid_t *pid, int *pidfd, wf_spawn_t *spawn)
{
    char *stack = malloc(CHILD_STACK);
    sigset_t all, before;
    int failed;

    if (!stack) {
        return APR_ENOMEM;
    }
    spawn->owner = wf_owner_declared();
    spawn->ignored = ignored;
    spawn->parent = getpid();
    spawn->step = NULL;
    spawn->error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *pid = clone(run_child, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                 spawn, pidfd);
    failed = *pid < 0 ? errno : spawn->error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(stack);
    if (*pid >= 0 && failed) {
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {
        }
        close(*pidfd);
    }
    return failed ? APR_FROM_OS_ERROR(failed) : APR_SUCCESS;
}

static const char *find_path(const char *const *envp)
{
    for (; *envp; envp++) {
        if (strncmp(*envp, "PATH=", 5) == 0) {
            return *envp + 5;
        }
    }
    return DEFAULT_PATH;
}

static apr_status_t try_file(const char *file)
{
    struct stat info;

    if (stat(file, &info) != 0) {
        return errno;
    }
    return S_ISREG(info.st_mode) && access(file, X_OK) == 0 ? APR_SUCCESS : APR_EACCES;
}

apr_status_t wf_process_resolve(const char **path, const char *name, const char *const *envp,
                                apr_pool_t *pool)
{
    const char *rest = find_path(envp);
    apr_status_t worst = APR_ENOENT;

    if (strchr(name, '/')) {
        *path = name;
        return APR_SUCCESS;
    }
    while (*rest && *name) {
        apr_size_t len = strcspn(rest, ":");
        /* Entries that depend on the working directory are passed over. */
        if (*rest == '/') {
            const char *file = apr_psprintf(pool, "%.*s/%s", (int)len, rest, name);
            apr_status_t rv = try_file(file);
            if (rv == APR_SUCCESS) {
                *path = file;
                return APR_SUCCESS;
            }
            worst = APR_STATUS_IS_EACCES(rv) ? rv : worst;
        }
        rest += len + (rest[len] == ':');
    }
    return worst;
}
