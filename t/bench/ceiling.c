/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine can do at most, for scripts/bench.
 *
 *   ceiling append FOLDER BYTES BATCH SECONDS    records of so many bytes a second, appended to a
 * file BATCH at a time, with fdatasync after each batch ceiling spawn THREADS SECONDS PROGRAM ARG…
 * programs a second, by posix_spawn and waitpid
 *
 * Prints one number.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX (64 * 1024 * 1024) /* then it is begun anew, as log files are */

static void fail(const char *what)
{
    fprintf(stderr, "ceiling: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- disk, append ---- */

typedef struct log_t {
    char path[4096];
    int fd;
    size_t written;
} log_t;

static void log_open(log_t *log, const char *folder)
{
    snprintf(log->path, sizeof(log->path), "%s/append", folder);
    log->fd = open(log->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    log->written = 0;
    if (log->fd < 0) {
        fail(log->path);
    }
}

static void log_append(log_t *log, const char *bytes, size_t len)
{
    if (write(log->fd, bytes, len) != (ssize_t)len || fdatasync(log->fd) != 0) {
        fail(log->path);
    }
    log->written += len;
    if (log->written > FILE_MAX) {
        if (ftruncate(log->fd, 0) != 0 || lseek(log->fd, 0, SEEK_SET) != 0) {
            fail(log->path);
        }
        log->written = 0;
    }
}

static double append_alone(const char *folder, size_t bytes, size_t batch, double seconds)
{
    char *block = calloc(batch, bytes);
    double begun = now();
    size_t records = 0;
    log_t log;

    log_open(&log, folder);
    while (now() - begun < seconds) {
        log_append(&log, block, bytes * batch);
        records += batch;
    }
    seconds = now() - begun;
    unlink(log.path);
    free(block);
    return (double)records / seconds;
}

/* The one process that writes. Records are smaller than a socket's buffer, and so come whole. */
static void serve(const char *folder, const int *fds, int clients, size_t bytes)
{
    struct pollfd *polls = calloc((size_t)clients, sizeof(*polls));
    char *block = malloc(bytes * (size_t)clients);
    int open_ones = clients;
    log_t log;

    log_open(&log, folder);
    for (int i = 0; i < clients; i++) {
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    while (open_ones > 0 && poll(polls, (nfds_t)clients, -1) > 0) {
        size_t len = 0;

        for (int i = 0; i < clients; i++) {
            if (polls[i].revents && recv(polls[i].fd, block + len, bytes, 0) != (ssize_t)bytes) {
                polls[i] = (struct pollfd){.fd = -1};
                open_ones--;
            } else if (polls[i].revents) {
                len += bytes;
            }
        }
        if (len > 0) {
            log_append(&log, block, len);
        }
        for (int i = 0; i < clients; i++) {
            if (polls[i].revents && send(polls[i].fd, "!", 1, MSG_NOSIGNAL) != 1) {
                fail("answer");
            }
        }
    }
    unlink(log.path);
    _exit(0);
}

typedef struct asker_t {
    pthread_t thread;
    int fd;
    size_t bytes;
    double end;
    long count;
} asker_t;

static void *ask(void *data)
{
    asker_t *a = data;
    char *record = calloc(1, a->bytes);
    char answer;

    while (now() < a->end) {
        if (send(a->fd, record, a->bytes, MSG_NOSIGNAL) != (ssize_t)a->bytes ||
            recv(a->fd, &answer, 1, 0) != 1) {
            fail("the one that writes");
        }
        a->count++;
    }
    close(a->fd);
    free(record);
    return NULL;
}

static double append(const char *folder, size_t bytes, int clients, double seconds)
{
    asker_t *a = calloc((size_t)clients, sizeof(*a));
    int *fds = calloc((size_t)clients, sizeof(*fds));
    double begun;
    long count = 0;
    pid_t pid;

    for (int i = 0; i < clients; i++) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            fail("socketpair");
        }
        fds[i] = pair[0];
        a[i].fd = pair[1];
    }
    pid = fork();
    if (pid == 0) {
        for (int i = 0; i < clients; i++) {
            close(a[i].fd);
        }
        serve(folder, fds, clients, bytes);
    }
    begun = now();
    for (int i = 0; i < clients; i++) {
        close(fds[i]);
        a[i].bytes = bytes;
        a[i].end = begun + seconds;
        errno = pthread_create(&a[i].thread, NULL, ask, &a[i]);
        if (errno != 0) {
            fail("thread");
        }
    }
    for (int i = 0; i < clients; i++) {
        pthread_join(a[i].thread, NULL);
        count += a[i].count;
    }
    seconds = now() - begun;
    waitpid(pid, NULL, 0);
    return (double)count / seconds;
}

/* ---- spawn ---- */

typedef struct spawner_t {
    pthread_t thread;
    char **command;
    double end;
    long count;
} spawner_t;

static void *spawn_on(void *data)
{
    spawner_t *s = data;
    extern char **environ;

    while (now() < s->end) {
        pid_t pid;
        int status;

        errno = posix_spawn(&pid, s->command[0], NULL, NULL, s->command, environ);
        if (errno != 0 || waitpid(pid, &status, 0) != pid || status != 0) {
            fail(s->command[0]);
        }
        s->count++;
    }
    return NULL;
}

static double spawn(int threads, double seconds, char **command)
{
    spawner_t *s = calloc((size_t)threads, sizeof(*s));
    double begun = now();
    long count = 0;

    for (int i = 0; i < threads; i++) {
        s[i].command = command;
        s[i].end = begun + seconds;
        errno = pthread_create(&s[i].thread, NULL, spawn_on, &s[i]);
        if (errno != 0) {
            fail("thread");
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(s[i].thread, NULL);
        count += s[i].count;
    }
    free(s);
    return (double)count / (now() - begun);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "append") == 0) {
        printf("%.1f\n", append(argv[2], strtoul(argv[3], NULL, 10), atoi(argv[4]), atof(argv[5])));
    } else if (argc == 6 && strcmp(argv[1], "disk") == 0) {
        printf("%.1f\n", append_alone(argv[2], strtoul(argv[3], NULL, 10),
                                      strtoul(argv[4], NULL, 10), atof(argv[5])));
    } else if (argc >= 5 && strcmp(argv[1], "spawn") == 0) {
        printf("%.1f\n", spawn(atoi(argv[2]), atof(argv[3]), argv + 4));
    } else {
        fprintf(stderr, "usage: ceiling append FOLDER BYTES CLIENTS SECONDS\n"
                        "       ceiling disk FOLDER BYTES BATCH SECONDS\n"
                        "       ceiling spawn THREADS SECONDS PROGRAM ARG...\n");
        return 2;
    }
    return 0;
}
