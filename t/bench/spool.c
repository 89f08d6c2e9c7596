/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CGI program that does by itself what a workflow server does, as little of it as can be durable:
 * the body goes into a file, which is on disk when the answer is sent, a program runs with it in
 * the background, and its end is that the file has moved to where clients see it. For scripts/bench
 * peers.
 *
 * FOLDER is the parent of the folder that the program is in, its name there being SCRIPT_FILENAME:
 *
 *   FOLDER/program        what runs, as `program FOLDER/stamps ID`
 *   FOLDER/spool/ID       bodies of what has not ended
 *   FOLDER/docs/done/ID   of what has
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BODY_MAX 65536
#define ID_MAX   64

static void refuse(const char *what)
{
    printf("Status: 500\nContent-Type: text/plain\n\n%s: %s\n", what, strerror(errno));
    exit(0);
}

static size_t read_body(char *body)
{
    const char *length = getenv("CONTENT_LENGTH");
    size_t len = length ? strtoul(length, NULL, 10) : 0;

    if (len > BODY_MAX || fread(body, 1, len, stdin) != len) {
        refuse("body");
    }
    return len;
}

/* The file, and its name in the folder, are on disk when this returns. */
static void spool(const char *file, const char *body, size_t len)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int folder = open("spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || folder < 0 || write(fd, body, len) != (ssize_t)len || fsync(fd) != 0 ||
        fsync(folder) != 0) {
        refuse(file);
    }
    close(fd);
    close(folder);
}

/* In the background, where httpd has nothing to wait for: not even the end of the output. */
static void run(const char *file, char *id)
{
    char *command[] = {"./program", "stamps", id, NULL};
    char *environment[] = {NULL};
    char done[ID_MAX + 16];
    int null = open("/dev/null", O_RDWR);
    int in = open(file, O_RDONLY);
    int status = 0;
    pid_t pid;

    setsid();
    if (null < 0 || in < 0 || dup2(in, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        posix_spawn(&pid, command[0], NULL, NULL, command, environment) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        _exit(1);
    }
    snprintf(done, sizeof(done), "docs/done/%s", id);
    _exit(rename(file, done) == 0 ? 0 : 1);
}

int main(void)
{
    static char body[BODY_MAX];
    char *script = getenv("SCRIPT_FILENAME");
    char id[ID_MAX], file[ID_MAX + 16], answer[ID_MAX + 16];
    struct timespec t;
    size_t len;

    if (!script || chdir(dirname(dirname(script))) != 0) {
        refuse("SCRIPT_FILENAME");
    }
    clock_gettime(CLOCK_REALTIME, &t);
    snprintf(id, sizeof(id), "%lld%09ld-%d", (long long)t.tv_sec, t.tv_nsec, (int)getpid());
    snprintf(file, sizeof(file), "spool/%s", id);
    len = read_body(body);
    spool(file, body, len);
    switch (fork()) {
    case -1:
        refuse("fork");
        break;
    case 0:
        run(file, id);
        break;
    default:
        len = (size_t)snprintf(answer, sizeof(answer), "{\"id\":\"%s\"}", id);
        printf("Status: 202\nContent-Type: application/json\nContent-Length: %zu\n\n%s", len,
               answer);
    }
    return 0;
}
