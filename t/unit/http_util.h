/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server of the tests' own, on a free port of 127.0.0.1: a thread for each connection,
 * which answers each request as its path says, and counts it.
 *
 *   /status/503      that status; ";A:b!C:d!" behind it are further header lines
 *   /flaky/2         503, likewise, for the server's first two requests; then as /echo
 *   /redirect/URL    302, to that URL
 *   /refuse          400, and the request as the body
 *   /json            200, and a JSON object
 *   /echo            200, and the request, head and body, as the body
 *   /silent          no answer at all
 *   /drip            200, and a byte of the body every 20 ms for ever
 *   /long            200, and 1 MiB
 *   /bare            200, and a body that ends with the connection
 *   /nul             200, and 12 MB of NUL bytes
 *   /cut             200, and less than its Content-Length
 *   /garbage         what is no HTTP
 *   /once            200; the next request of the same connection ends it without an answer
 */
#ifndef WF_UNIT_HTTP_UTIL_H
#define WF_UNIT_HTTP_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/slice.h"

#define SERVER_CONNECTIONS 64
#define LONG_BODY          (1024 * 1024)

static const char filler[LONG_BODY];

typedef struct http_server_t {
    int fd;
    int port;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    int connections; /* accepted by now */
    int fds[SERVER_CONNECTIONS];
    pthread_t threads[SERVER_CONNECTIONS];
    int requests; /* read whole by now */
    wf_buf_t log; /* their heads and bodies, one after the other */
} http_server_t;

typedef struct http_peer_t {
    http_server_t *server;
    int fd;
    wf_buf_t in;
} http_peer_t;

static inline int send_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return 0;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return 1;
}

static inline int send_text(int fd, const char *text)
{
    return send_all(fd, text, strlen(text));
}

static inline size_t content_length(const char *head, size_t len)
{
    static const char name[] = "\r\nContent-Length:";
    const char *at = memmem(head, len, name, sizeof(name) - 1);

    return at ? strtoul(at + sizeof(name) - 1, NULL, 10) : 0;
}

/* Reads one request whole; its length, or 0 at the end of the connection. */
static inline size_t read_request(http_peer_t *peer)
{
    for (;;) {
        const char *end = peer->in.len ? memmem(peer->in.data, peer->in.len, "\r\n\r\n", 4) : NULL;
        ssize_t got;

        if (end) {
            size_t head = (size_t)(end - peer->in.data) + 4;
            size_t whole = head + content_length(peer->in.data, head);
            if (peer->in.len >= whole) {
                return whole;
            }
        }
        got = recv(peer->fd, wf_buf_reserve(&peer->in, 65536), 65536, 0);
        if (got <= 0) {
            return 0;
        }
        peer->in.len += (size_t)got;
    }
}

static inline void note_request(http_peer_t *peer, size_t len)
{
    http_server_t *server = peer->server;

    pthread_mutex_lock(&server->lock);
    wf_buf_add(&server->log, peer->in.data, len);
    server->requests++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static inline int server_requests(http_server_t *server)
{
    int requests;

    pthread_mutex_lock(&server->lock);
    requests = server->requests;
    pthread_mutex_unlock(&server->lock);
    return requests;
}

static inline int answer_with(int fd, int status, const char *headers, const void *body, size_t len)
{
    char head[4096];

    snprintf(head, sizeof(head), "HTTP/1.1 %d Text\r\nContent-Length: %zu\r\n%s\r\n", status, len,
             headers);
    return send_text(fd, head) && send_all(fd, body, len);
}

static inline void drip(int fd)
{
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (send_all(fd, "x", 1)) {
        poll(NULL, 0, 20);
    }
}

/* The headers stand behind a semicolon: "/status/503;A:b!C:d%20e!". */
static inline int answer_status(int fd, int status, const char *target)
{
    char headers[2048] = "", *out = headers;
    const char *from = strchr(target, ';');

    for (from = from ? from + 1 : ""; *from && *from != ' '; from++) {
        if (*from == '!') {
            out = stpcpy(out, "\r\n");
        } else if (strncmp(from, "%20", 3) == 0) {
            *out++ = ' ';
            from += 2;
        } else {
            *out++ = *from;
        }
    }
    *out = '\0';
    return answer_with(fd, status, headers, "busy\n", 5);
}

/* So many MiB of NUL bytes. */
static inline int send_filler(int fd, int count)
{
    while (count > 0 && send_all(fd, filler, sizeof(filler))) {
        count--;
    }
    return count == 0;
}

/* Whether the connection goes on. */
static inline int answer_request(http_peer_t *peer, size_t len, int number)
{
    static const char json[] = " {\"id\": 12345678901234567890, \"a\": [null]}\n";
    char target[2048] = "", method[16] = "";
    int fd = peer->fd;

    sscanf(peer->in.data, "%15s %2047s", method, target);
    if (strcmp(method, "HEAD") == 0) {
        return send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nX-A: b\r\n\r\n");
    }
    if (strncmp(target, "/status/", 8) == 0) {
        return answer_status(fd, atoi(target + strlen("/status/")), target);
    }
    if (strncmp(target, "/flaky/", 7) == 0 && server_requests(peer->server) <= atoi(target + 7)) {
        return answer_status(fd, 503, target);
    }
    if (strncmp(target, "/redirect/", 10) == 0) {
        char location[2100];
        snprintf(location, sizeof(location), "Location: %s\r\n", target + 10);
        return answer_with(fd, 302, location, "busy\n", 5);
    }
    if (strcmp(target, "/refuse") == 0) {
        return answer_with(fd, 400, "", peer->in.data, len);
    }
    if (strcmp(target, "/json") == 0) {
        return answer_with(fd, 200, "Content-Type: application/json\r\nETag: \"7\"\r\n", json,
                           sizeof(json) - 1);
    }
    if (strcmp(target, "/silent") == 0) {
        return 1;
    }
    if (strcmp(target, "/drip") == 0) {
        drip(fd);
        return 0;
    }
    if (strcmp(target, "/long") == 0) {
        return answer_with(fd, 200, "", filler, sizeof(filler));
    }
    if (strcmp(target, "/bare") == 0) {
        return send_text(fd, "HTTP/1.1 200 OK\r\nX-A: b\r\nx-a: c\r\n\r\nto the end") && 0;
    }
    if (strcmp(target, "/nul") == 0) {
        return send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 12582912\r\n\r\n") &&
               send_filler(fd, 12);
    }
    if (strcmp(target, "/cut") == 0) {
        return send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") && 0;
    }
    if (strcmp(target, "/garbage") == 0) {
        return send_text(fd, "220 mail.example.org ESMTP\r\n") && 0;
    }
    if (strcmp(target, "/once") == 0 && number > 1) {
        return 0;
    }
    return answer_with(fd, 200, "Content-Type: message/http\r\n", peer->in.data, len);
}

static inline void *serve_peer(void *data)
{
    http_peer_t *peer = data;
    size_t len;
    int goes_on = 1;

    for (int number = 1; goes_on && (len = read_request(peer)) > 0; number++) {
        wf_buf_add_char(&peer->in, '\0');
        peer->in.len--;
        note_request(peer, len);
        goes_on = answer_request(peer, len, number);
        wf_buf_consume(&peer->in, len);
    }
    shutdown(peer->fd, SHUT_RDWR);
    wf_buf_free(&peer->in);
    free(peer);
    return NULL;
}

static inline void *serve(void *data)
{
    http_server_t *server = data;
    int fd;

    while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        http_peer_t *peer = calloc(1, sizeof(*peer));

        pthread_mutex_lock(&server->lock);
        if (server->connections == SERVER_CONNECTIONS) {
            abort();
        }
        peer->server = server;
        peer->fd = server->fds[server->connections] = fd;
        pthread_create(&server->threads[server->connections++], NULL, serve_peer, peer);
        pthread_mutex_unlock(&server->lock);
    }
    return NULL;
}

static inline void server_start(http_server_t *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    memset(server, 0, sizeof(*server));
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* Ends it and closes all of its connections. */
static inline void server_stop(http_server_t *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (int i = 0; i < server->connections; i++) {
        shutdown(server->fds[i], SHUT_RDWR);
        pthread_join(server->threads[i], NULL);
        close(server->fds[i]);
    }
    wf_buf_free(&server->log);
}

/* Waits until the server has read that many requests. */
static inline void server_await(http_server_t *server, int requests)
{
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&server->lock);
    while (server->requests < requests && rc == 0) {
        rc = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    }
    pthread_mutex_unlock(&server->lock);
    assert_int_equal(rc, 0);
}

static inline int server_connections(http_server_t *server)
{
    int connections;

    pthread_mutex_lock(&server->lock);
    connections = server->connections;
    pthread_mutex_unlock(&server->lock);
    return connections;
}

/* Whether a text is in what the server has read since it began. */
static inline int server_has_read(http_server_t *server, const char *text)
{
    int found;

    pthread_mutex_lock(&server->lock);
    found = server->log.len && memmem(server->log.data, server->log.len, text, strlen(text));
    pthread_mutex_unlock(&server->lock);
    return found;
}

static inline const char *server_url(const http_server_t *server, const char *path,
                                     apr_pool_t *pool)
{
    return apr_psprintf(pool, "http://127.0.0.1:%d%s", server->port, path);
}

#endif
