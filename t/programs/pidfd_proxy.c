/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd_open(2) and pidfd_send_signal(2) for a process under a valgrind that does not know them
 * (3.19 does not): a helper outside of it makes the call. Built twice: as a library to preload,
 * whose syscall() asks the helper, and with -DHELPER as that helper, `pidfd_helper SOCKET`. Both
 * ask by the name in WF_PIDFD_SOCKET, one connection a call.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct message_t {
    long number;
    long value; /* asked: the process, or the signal; answered: what the call gave */
    long error; /* answered: errno, or 0 */
} message_t;

/* Sends a message, and a descriptor with it unless that is -1. */
static int put(int to, message_t *message, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec part = {message, sizeof(*message)};
    struct msghdr all = {.msg_iov = &part, .msg_iovlen = 1};

    if (fd >= 0) {
        all.msg_control = &control;
        all.msg_controllen = sizeof(control);
        control.head.cmsg_len = CMSG_LEN(sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    }
    return sendmsg(to, &all, MSG_NOSIGNAL) == (ssize_t)sizeof(*message);
}

static int take(int from, message_t *message, int *fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec part = {message, sizeof(*message)};
    struct msghdr all = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    ssize_t len = recvmsg(from, &all, MSG_CMSG_CLOEXEC);

    *fd = -1;
    if (len == (ssize_t)sizeof(*message) && all.msg_controllen > 0) {
        memcpy(fd, CMSG_DATA(&control.head), sizeof(*fd));
    }
    return len == (ssize_t)sizeof(*message);
}

static int address(struct sockaddr_un *name, const char *path)
{
    name->sun_family = AF_UNIX;
    return path && (size_t)snprintf(name->sun_path, sizeof(name->sun_path), "%s", path) <
                       sizeof(name->sun_path);
}

#ifdef HELPER

static void serve(int peer)
{
    message_t message;
    int fd, opened = -1;

    if (!take(peer, &message, &fd)) {
        return;
    }
    if (message.number == SYS_pidfd_open) {
        message.value = opened = (int)syscall(SYS_pidfd_open, message.value, 0);
    } else {
        message.value = syscall(SYS_pidfd_send_signal, fd, message.value, NULL, 0);
    }
    message.error = message.value < 0 ? errno : 0;
    put(peer, &message, opened);
    close(fd);
    close(opened);
}

int main(int argc, char **argv)
{
    struct sockaddr_un name = {0};
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    /* It ends with whoever started it, and takes the place of one that did. */
    if (argc != 2 || (unlink(argv[1]) != 0 && errno != ENOENT) ||
        prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || !address(&name, argv[1]) ||
        bind(listener, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(listener, 64) != 0) {
        perror("pidfd_helper");
        return EXIT_FAILURE;
    }
    for (;;) {
        int peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (peer >= 0) {
            serve(peer);
            close(peer);
        }
    }
}

#else

static long ask(long number, long value, int fd)
{
    struct sockaddr_un name = {0};
    message_t message = {number, value, ENOSYS};
    int helper = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int opened = -1;

    if (!address(&name, getenv("WF_PIDFD_SOCKET")) ||
        connect(helper, (struct sockaddr *)&name, sizeof(name)) != 0 ||
        !put(helper, &message, fd) || !take(helper, &message, &opened)) {
        perror("pidfd_helper");
        abort();
    }
    close(helper);
    errno = message.error ? (int)message.error : errno;
    return opened >= 0 ? opened : message.value;
}

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < 6; i++) {
        a[i] = va_arg(list, long);
    }
    va_end(list);
    if (number == SYS_pidfd_open) {
        return ask(number, a[0], -1);
    }
    if (number == SYS_pidfd_send_signal) {
        return ask(number, (int)a[1], (int)a[0]);
    }
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

#endif
