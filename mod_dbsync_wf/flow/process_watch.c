/* SPDX-License-Identifier: Apache-2.0 */
/* Process descriptors (pidfd_open(2), Linux 5.3), and a small set of them to wait for. */
#include "flow/process_internal.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"

int wf_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int wf_pidfd_signal(int pidfd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

int wf_pidfd_has_ended(int pidfd)
{
    struct pollfd at = {pidfd, POLLIN, 0};

    /* Not the state in /proc: a process whose first thread has left is Z there, and lives. */
    return poll(&at, 1, 0) > 0;
}

void wf_watch_add(wf_watch_t *watch, pid_t pid, int pidfd)
{
    if (watch->count == WF_WATCH_MAX) {
        close(pidfd);
        return;
    }
    watch->of[watch->count].pid = pid;
    watch->of[watch->count].fd = pidfd;
    watch->count++;
}

int wf_watch_has(const wf_watch_t *watch, pid_t pid)
{
    for (int i = 0; i < watch->count; i++) {
        if (watch->of[i].pid == pid) {
            return 1;
        }
    }
    return 0;
}

void wf_watch_clear(wf_watch_t *watch)
{
    while (watch->count) {
        close(watch->of[--watch->count].fd);
    }
}

void wf_watch_expect(const wf_watch_t *watch, struct pollfd *at)
{
    for (int i = 0; i < watch->count; i++) {
        at[i] = (struct pollfd){watch->of[i].fd, POLLIN, 0};
    }
}

void wf_watch_drop(wf_watch_t *watch, const struct pollfd *at)
{
    int left = 0;

    for (int i = 0; i < watch->count; i++) {
        if (at[i].revents) {
            close(watch->of[i].fd);
        } else {
            watch->of[left++] = watch->of[i];
        }
    }
    watch->count = left;
}

void wf_watch_wait(wf_watch_t *watch, apr_time_t until)
{
    struct pollfd at[WF_WATCH_MAX];

    while (watch->count && wf_clock() < until) {
        wf_watch_expect(watch, at);
        if (poll(at, (nfds_t)watch->count, wf_clock_poll_ms(until)) >= 0) {
            wf_watch_drop(watch, at);
        } else if (errno != EINTR) {
            wf_log_error(errno, "WF0251", "cannot wait for processes to end");
            return;
        }
    }
}
