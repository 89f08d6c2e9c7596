/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that all wait at the same time, each on a connection of its own, for scripts/bench.
 *
 *   waiters PORT COUNT REQUEST IDS
 *
 *   PORT     of 127.0.0.1
 *   REQUEST  a file with the request as it is sent, in which @ID@ stands for an id
 *   IDS      a file with an id a line; the clients take them in turn
 *
 * Prints "asked" when all have sent their request, and then a line for each answer: its status,
 * when it came (microseconds since 1970), and the completionTime in it, or "-".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX   (16 * 1024)
#define IDS_MAX    100000
#define ID_LEN     36
#define EVENTS_MAX 256
#define PLACE      "@ID@"
#define WHEN       "\"completionTime\":\""

static void fail(const char *what)
{
    fprintf(stderr, "waiters: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static char *read_file(const char *path, size_t most)
{
    char *text = calloc(1, most + 1);
    FILE *in = fopen(path, "r");

    if (!text || !in || fread(text, 1, most, in) == 0) {
        fail(path);
    }
    fclose(in);
    return text;
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Connects, sends the request with one id, and watches for the answer. */
static void ask(int epoll, int port, const char *request, const char *id)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *place = strstr(request, PLACE);
    char text[TEXT_MAX];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    int len = snprintf(text, sizeof(text), "%.*s%.*s%s", (int)(place - request), request, ID_LEN,
                       id, place + strlen(PLACE));

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        send(fd, text, (size_t)len, MSG_NOSIGNAL) != len ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        fail("a connection");
    }
}

/* An answer is smaller than what a socket takes, and comes at once. */
static void tell(int fd)
{
    char text[TEXT_MAX + 1];
    ssize_t n = recv(fd, text, TEXT_MAX, 0);
    const char *when;

    if (n <= 0) {
        fail("a connection that ended without an answer");
    }
    text[n] = '\0';
    when = strstr(text, WHEN);
    printf("%d %lld %.*s\n", n > 9 ? atoi(text + strlen("HTTP/1.1 ")) : 0, (long long)now(),
           when ? (int)strcspn(when + strlen(WHEN), "\"") : 1, when ? when + strlen(WHEN) : "-");
    close(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    const char *request, *ids;
    long count, known;

    if (argc != 5) {
        fprintf(stderr, "usage: waiters PORT COUNT REQUEST IDS\n");
        return 2;
    }
    raise_limit();
    count = atol(argv[2]);
    request = read_file(argv[3], TEXT_MAX / 2);
    ids = read_file(argv[4], IDS_MAX * (ID_LEN + 1));
    known = (long)strlen(ids) / (ID_LEN + 1);
    if (epoll < 0 || known < 1 || !strstr(request, PLACE)) {
        fail(argv[3]);
    }
    for (long i = 0; i < count; i++) {
        ask(epoll, atoi(argv[1]), request, ids + i % known * (ID_LEN + 1));
    }
    printf("asked\n");
    fflush(stdout);
    while (count > 0) {
        int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

        for (int i = 0; i < n; i++) {
            tell(events[i].data.fd);
            count--;
        }
    }
    return 0;
}
