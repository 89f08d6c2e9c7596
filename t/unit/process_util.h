/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests that run real programs share: jobs on threads of their own while the main thread
 * reaps, as process.h asks for, and ways to see that nothing is left: no process, no descriptor.
 */
#ifndef WF_UNIT_PROCESS_UTIL_H
#define WF_UNIT_PROCESS_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "flow/process.h"

/* One number for all tests is enough, as none looks for orphans among those of another. */
#define TEST_OWNER 4711
#define SOON apr_time_from_sec(20) /* until a condition that must come is given up */

/* Blocked in every thread, as a runner that reads SIGCHLD from a descriptor has it. */
static int chld_fd = -1;
static char scratch[] = "/tmp/wf-unit-XXXXXX";

static inline int set_up_processes(void **state)
{
    sigset_t chld;

    (void)state;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &chld, NULL);
    chld_fd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
    /* Inherited on purpose: what a test below looks for in a program's signal state. */
    signal(SIGHUP, SIG_IGN);
    signal(SIGRTMIN + 3, SIG_IGN);
    signal(SIGRTMAX, SIG_IGN);
    return apr_initialize() == APR_SUCCESS && wf_process_setup(TEST_OWNER) == APR_SUCCESS && chld_fd >= 0 &&
                   mkdtemp(scratch)
               ? 0
               : -1;
}

static inline int tear_down_processes(void **state)
{
    char *command = NULL;
    int rc = asprintf(&command, "rm -rf '%s'", scratch) < 0 || system(command) != 0;

    (void)state;
    free(command);
    close(chld_fd);
    return rc;
}

typedef void job_f(void *baton);

typedef struct job_t {
    job_f *run;
    void *baton;
    int done_fd;
    pthread_t thread;
} job_t;

static inline void *run_job(void *data)
{
    job_t *job = data;

    job->run(job->baton);
    eventfd_write(job->done_fd, 1);
    return NULL;
}

/* Runs jobs on a thread each, and does meanwhile what a main thread owes them. */
static inline void run_jobs(job_t *jobs, int count)
{
    struct pollfd at[2];
    eventfd_t done = 0;

    at[0] = (struct pollfd){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), POLLIN, 0};
    at[1] = (struct pollfd){chld_fd, POLLIN, 0};
    for (int i = 0; i < count; i++) {
        jobs[i].done_fd = at[0].fd;
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]), 0);
    }
    for (int left = count; left > 0;) {
        struct signalfd_siginfo info;
        assert_true(poll(at, 2, 120000) > 0);
        while (read(chld_fd, &info, sizeof(info)) > 0) {
        }
        wf_process_reap_adopted();
        if (eventfd_read(at[0].fd, &done) == 0) {
            left -= (int)done;
        }
    }
    for (int i = 0; i < count; i++) {
        pthread_join(jobs[i].thread, NULL);
    }
    close(at[0].fd);
}

/* The state letter of a process (proc(5)), 0 where there is none. */
static inline char process_state(pid_t pid)
{
    char text[256];
    const char *end;
    size_t len;
    FILE *file;

    snprintf(text, sizeof(text), "/proc/%d/stat", (int)pid);
    file = fopen(text, "re");
    if (!file) {
        return 0;
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    end = strrchr(text, ')');
    return end ? end[2] : '\0';
}

/* Whether a process is gone, or a zombie at most. */
static inline int is_gone(pid_t pid)
{
    char state = process_state(pid);

    return state == '\0' || state == 'Z' || state == 'X';
}

static inline int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* No child is left to this process, alive or dead. */
static inline void assert_no_children(void)
{
    wf_process_reap_adopted();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* A name in the scratch folder; the buffer is the caller's. */
static inline const char *scratch_path(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", scratch, name);
    return path;
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* The numbers in a file; 0 where it is not there yet. */
static inline int read_pids(pid_t *pids, int most, const char *path)
{
    FILE *file = fopen(path, "re");
    int count = 0;

    if (!file) {
        return 0;
    }
    while (count < most && fscanf(file, "%d", &pids[count]) == 1) {
        count++;
    }
    fclose(file);
    return count;
}

/* Waits until a file holds `count` numbers; for threads that no other condition could wake. */
static inline void await_pids(pid_t *pids, int count, const char *path)
{
    apr_time_t deadline = wf_clock() + SOON;

    while (read_pids(pids, count, path) < count) {
        assert_true(wf_clock() < deadline);
        poll(NULL, 0, 1);
    }
}

#endif
