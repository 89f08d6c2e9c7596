/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that sends one HTTP/1.1 request again and again over many connections, and writes down
 * when each was sent and answered, for scripts/bench.
 *
 *   load PORT CONNECTIONS SECONDS RATE MOST REQUEST AFTER OUT [lossy]
 *
 *   PORT         of 127.0.0.1
 *
 *   SECONDS      for how long requests are begun; those under way are waited for
 *
 *   RATE         requests a second, begun at even intervals whether or not others are answered;
 * where no connection is free one waits, and its time counts from when it was due. 0: as fast as
 * answers come
 *
 *   MOST         requests at most; 0: any number
 *
 *   REQUEST      a file with the request, headers and body, as it is sent; where it has twelve N in
 * a row, these become a number of its own
 *
 *   AFTER        a text of the answer, behind which stands an id, up to the next quote; "-": none,
 * and the id is the request's number where it has one
 *
 *   OUT          a file for a line a request: nanoseconds (CLOCK_MONOTONIC) at which it was due,
 * was answered, the answer's status, and the id, or "-"
 *
 *   lossy        a connection that breaks is no reason to send the request again, but a line with
 * the status 0: a server that is killed may or may not have taken the request
 *
 * Its output is one line: how many were answered with 2xx, with anything else, and how many
 * connections broke.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX   (64 * 1024)
#define EVENTS_MAX   256
#define BROKEN_MOST  1000 /* connections; more of them are a server that does not work */
#define WAIT_FOR_ALL 60e9 /* nanoseconds for what is under way at the end */
#define NUMBER_PLACE "NNNNNNNNNNNN"
#define NUMBER_LEN   ((int)sizeof(NUMBER_PLACE) - 1)
#define NUMBER_MOST  1000000000000

typedef struct connection_t {
    int fd; /* -1: to be opened */
    int busy;
    int64_t due;
    int64_t number;
    char *request; /* with that number */
    size_t sent;
    size_t len;
    char answer[ANSWER_MAX + 1];
} connection_t;

static struct {
    struct sockaddr_in address;
    const char *request;
    size_t request_len;
    const char *number_place; /* in the request, or NULL */
    int64_t number;           /* of the next one */
    const char *after;
    int lossy;
    FILE *out;
    int epoll;
    connection_t *connections;
    int count;
    int64_t begun, end;
    double rate;
    long most, started, good, bad, broken;
    int busy;
} load;

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void read_request(const char *path)
{
    static char bytes[1024 * 1024 + 1];
    FILE *in = fopen(path, "r");

    if (!in) {
        fail(path);
    }
    load.request_len = fread(bytes, 1, sizeof(bytes) - 1, in);
    load.request = bytes;
    load.number_place = strstr(bytes, NUMBER_PLACE);
    /* So that no two loads of one measurement use the same. */
    load.number = now() / 1000 % NUMBER_MOST;
    fclose(in);
}

static void watch(connection_t *c, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = c};

    if (epoll_ctl(load.epoll, EPOLL_CTL_MOD, c->fd, &event) != 0) {
        fail("epoll_ctl");
    }
}

/* Whether the server can be there: that it is not may be known at once, or later by an event. */
static int open_connection(connection_t *c)
{
    struct epoll_event event = {.events = 0, .data.ptr = c};

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        fail("socket");
    }
    if (connect(c->fd, (struct sockaddr *)&load.address, sizeof(load.address)) != 0 &&
        errno != EINPROGRESS) {
        return 0;
    }
    if (epoll_ctl(load.epoll, EPOLL_CTL_ADD, c->fd, &event) != 0) {
        fail("epoll_ctl");
    }
    return 1;
}

static void close_connection(connection_t *c)
{
    close(c->fd);
    c->fd = -1;
}

static void put_number(connection_t *c)
{
    char digits[32];

    c->number = load.number++;
    if (load.number_place) {
        snprintf(digits, sizeof(digits), "%0*lld", NUMBER_LEN, (long long)c->number % NUMBER_MOST);
        memcpy(c->request + (load.number_place - load.request), digits, (size_t)NUMBER_LEN);
    }
}

static void write_line(const connection_t *c, int status)
{
    const char *id = load.after ? strstr(c->answer, load.after) : NULL;

    fprintf(load.out, "%lld %lld %d ", (long long)c->due, (long long)now(), status);
    if (id) {
        id += strlen(load.after);
        fprintf(load.out, "%.*s\n", (int)strcspn(id, "\""), id);
    } else if (!load.after && load.number_place) {
        fprintf(load.out, "%0*lld\n", NUMBER_LEN, (long long)c->number % NUMBER_MOST);
    } else {
        fputs("-\n", load.out);
    }
}

/* Whether the answer is complete, and whether the connection may be used again. */
static int is_complete(connection_t *c, int closed, int *keeps)
{
    const char *head = c->answer;
    const char *body;
    const char *length;

    c->answer[c->len] = '\0';
    body = strstr(head, "\r\n\r\n");
    if (!body) {
        return 0;
    }
    body += 4;
    *keeps = !closed && !strcasestr(head, "\r\nConnection: close");
    length = strcasestr(head, "\r\nContent-Length:");
    if (length && length < body) {
        return c->len >= (size_t)(body - head) + strtoul(length + 17, NULL, 10);
    }
    if (strcasestr(head, "\r\nTransfer-Encoding: chunked")) {
        return c->len >= 5 && memcmp(c->answer + c->len - 5, "0\r\n\r\n", 5) == 0;
    }
    return closed;
}

static void answered(connection_t *c, int keeps)
{
    int status = atoi(c->answer + strlen("HTTP/1.1 "));

    write_line(c, status);
    if (status >= 200 && status < 300) {
        load.good++;
    } else {
        load.bad++;
    }
    c->busy = 0;
    load.busy--;
    if (keeps) {
        watch(c, 0);
    } else {
        close_connection(c);
    }
}

static void send_request(connection_t *c);

/* A connection that the server has closed while it was idle is opened anew. */
static void start_over(connection_t *c)
{
    if (load.lossy) {
        load.broken++;
        c->answer[0] = '\0';
        write_line(c, 0);
        close_connection(c);
        c->busy = 0;
        load.busy--;
        return;
    }
    if (++load.broken > BROKEN_MOST) {
        fprintf(stderr, "load: more than %d connections broke\n", BROKEN_MOST);
        exit(1);
    }
    close_connection(c);
    send_request(c);
}

/* The request again, from its first byte, on a connection that is new or was left open. */
static void send_request(connection_t *c)
{
    c->sent = 0;
    c->len = 0;
    put_number(c);
    if (c->fd < 0 && !open_connection(c)) {
        start_over(c);
        return;
    }
    watch(c, EPOLLOUT);
}

static void step(connection_t *c, uint32_t events)
{
    ssize_t n;
    int keeps = 1;

    if (!c->busy) { /* the server has closed it while it was idle */
        close_connection(c);
        return;
    }
    if (events & EPOLLOUT) {
        n = send(c->fd, c->request + c->sent, load.request_len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            start_over(c);
            return;
        }
        c->sent += n > 0 ? (size_t)n : 0;
        if (c->sent == load.request_len) {
            watch(c, EPOLLIN);
        }
        return;
    }
    n = recv(c->fd, c->answer + c->len, ANSWER_MAX - c->len, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    c->len += n > 0 ? (size_t)n : 0;
    if (is_complete(c, n <= 0, &keeps)) {
        answered(c, keeps);
    } else if (n <= 0) {
        start_over(c);
    }
}

/*
 * When the next request is due; -1: none is. One that was due in time is begun late rather than
 * never, or slow answers would go unseen; but not where losses are counted and times are not.
 */
static int64_t next_due(void)
{
    int64_t due =
        load.rate > 0 ? load.begun + (int64_t)((double)load.started / load.rate * 1e9) : now();

    return due >= load.end || (load.lossy && now() >= load.end) ||
                   (load.most && load.started >= load.most)
               ? -1
               : due;
}

static void start_due(void)
{
    for (int i = 0; i < load.count && load.busy < load.count; i++) {
        connection_t *c = &load.connections[i];
        int64_t due = next_due();

        if (due < 0 || due > now()) {
            return;
        }
        if (!c->busy) {
            c->busy = 1;
            c->due = due;
            load.busy++;
            load.started++;
            send_request(c);
        }
    }
}

static void run(void)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t due;

    load.begun = now();
    load.end += load.begun;
    while ((due = next_due()) >= 0 || load.busy > 0) {
        int64_t wait = due >= 0 && load.busy < load.count ? due - now() : 1000000000;
        struct timespec timeout = {wait / 1000000000, wait % 1000000000};
        int n = epoll_pwait2(load.epoll, events, EVENTS_MAX,
                             wait > 0 ? &timeout : &(struct timespec){0, 0}, NULL);

        for (int i = 0; i < n; i++) {
            step(events[i].data.ptr, events[i].events);
        }
        start_due();
        if (now() - load.end > WAIT_FOR_ALL) {
            fprintf(stderr, "load: %d requests are not answered\n", load.busy);
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 9 && !(argc == 10 && strcmp(argv[9], "lossy") == 0)) {
        fprintf(stderr,
                "usage: load PORT CONNECTIONS SECONDS RATE MOST REQUEST AFTER OUT [lossy]\n");
        return 2;
    }
    load.address = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)atoi(argv[1])),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    load.count = atoi(argv[2]);
    load.end = (int64_t)(atof(argv[3]) * 1e9);
    load.rate = atof(argv[4]);
    load.most = atol(argv[5]);
    read_request(argv[6]);
    load.after = strcmp(argv[7], "-") != 0 ? argv[7] : NULL;
    load.lossy = argc == 10;
    load.out = fopen(argv[8], "w");
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    load.connections = calloc((size_t)load.count, sizeof(*load.connections));
    if (load.count < 1 || !load.out || load.epoll < 0 || !load.connections) {
        fail(argv[8]);
    }
    for (int i = 0; i < load.count; i++) {
        load.connections[i].fd = -1;
        load.connections[i].request = malloc(load.request_len);
        if (!load.connections[i].request) {
            fail("connections");
        }
        memcpy(load.connections[i].request, load.request, load.request_len);
    }
    run();
    printf("%ld %ld %ld\n", load.good, load.bad, load.broken);
    return fclose(load.out) == 0 ? 0 : 1;
}
