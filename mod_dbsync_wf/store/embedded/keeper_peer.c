/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's connections: accepted, read, written, closed. */
#include "store/embedded/keeper_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/log.h"
#include "store/embedded/socket.h"

#define READ_TURN (1024u * 1024) /* read from one peer in one turn, unless a frame is longer */
#define KEEP_ROOM (256u * 1024)  /* a buffer that grew past this is given back when empty */

void wf_peer_touch(wf_keeper_t *keeper, wf_peer_t *peer)
{
    if (!peer->is_touched) {
        peer->is_touched = 1;
        peer->mark = peer->out.len;
        TAILQ_INSERT_TAIL(&keeper->touched, peer, touch);
    }
}

static apr_status_t watch(wf_keeper_t *keeper, wf_peer_t *peer, int how)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};

    if (peer->wants_write) {
        event.events |= EPOLLOUT;
    }
    return epoll_ctl(keeper->epoll, how, peer->fd, &event) == 0 ? APR_SUCCESS : errno;
}

/* Only our own user may speak to the keeper; the socket's mode says so too. */
static int is_welcome(int fd)
{
    uid_t uid;
    pid_t pid;
    apr_status_t rv = wf_socket_peer(&uid, &pid, fd);

    if (rv != APR_SUCCESS || uid != geteuid()) {
        wf_log_warning(rv, "WF0130", "a connection of another user to the keeper was refused");
        return 0;
    }
    return 1;
}

void wf_peer_accept_all(wf_keeper_t *keeper)
{
    for (;;) {
        wf_peer_t *peer;
        apr_status_t rv;
        int fd = accept4(keeper->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
                wf_log_error(errno, "WF0131", "a connection could not be accepted");
            }
            return;
        }
        if (!is_welcome(fd)) {
            close(fd);
            continue;
        }
        peer = calloc(1, sizeof(*peer));
        if (!peer) {
            abort();
        }
        peer->fd = fd;
        TAILQ_INSERT_TAIL(&keeper->peers, peer, link);
        rv = watch(keeper, peer, EPOLL_CTL_ADD);
        if (rv != APR_SUCCESS) {
            wf_log_error(rv, "WF0132", "a connection could not be watched");
            wf_peer_close(keeper, peer);
        }
    }
}

void wf_peer_read(wf_keeper_t *keeper, wf_peer_t *peer)
{
    apr_size_t taken = 0;

    wf_peer_touch(keeper, peer);
    while (!peer->closing && taken < READ_TURN) {
        ssize_t n = recv(peer->fd, keeper->inbox, WF_INBOX_SIZE, 0);

        if (n > 0) {
            wf_buf_add(&peer->in, keeper->inbox, (apr_size_t)n);
            peer->claimer.is_unread = 0; /* a client has one call under way */
            taken += (apr_size_t)n;
            if ((apr_size_t)n < WF_INBOX_SIZE) {
                return;
            }
        } else if (n < 0 && errno == EAGAIN) {
            return;
        } else if (n == 0 || errno != EINTR) {
            peer->closing = 1; /* what it asked for is done; it may not be there for the answer */
            /* Linux tells apart whether all that was sent has been read (unix(7) does not say). */
            wf_claims_gone(keeper, peer, (n < 0 && errno == ECONNRESET) || peer->out.len);
        }
    }
}

static void give_room_back(wf_buf_t *buf)
{
    if (buf->len == 0 && buf->room > KEEP_ROOM) {
        wf_buf_free(buf);
    }
}

static void want_write(wf_keeper_t *keeper, wf_peer_t *peer, int wanted)
{
    if (peer->wants_write != wanted) {
        peer->wants_write = wanted;
        if (watch(keeper, peer, EPOLL_CTL_MOD) != APR_SUCCESS) {
            peer->closing = 1;
        }
    }
}

void wf_peer_flush(wf_keeper_t *keeper, wf_peer_t *peer)
{
    apr_size_t sent = 0;

    while (sent < peer->out.len) {
        ssize_t n = send(peer->fd, peer->out.data + sent, peer->out.len - sent, MSG_NOSIGNAL);

        if (n >= 0) {
            sent += (apr_size_t)n;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            peer->closing = 1;
            wf_claims_gone(keeper, peer, 1);
            sent = peer->out.len; /* nobody is there to read the rest */
        }
    }
    wf_buf_consume(&peer->out, sent);
    give_room_back(&peer->out);
    give_room_back(&peer->in);
    if (peer->closing && peer->out.len == 0) {
        wf_peer_close(keeper, peer);
    } else {
        want_write(keeper, peer, peer->out.len != 0);
    }
}

void wf_peer_drop_wait(wf_keeper_t *keeper, wf_peer_t *peer)
{
    if (peer->waits_for) {
        TAILQ_REMOVE(&keeper->waiting, peer, wait);
        peer->waits_for = 0;
    }
}

void wf_peer_close(wf_keeper_t *keeper, wf_peer_t *peer)
{
    wf_peer_drop_wait(keeper, peer);
    wf_claims_drop(keeper, peer);
    wf_news_drop(keeper, peer);
    if (peer->is_touched) {
        TAILQ_REMOVE(&keeper->touched, peer, touch);
    }
    TAILQ_REMOVE(&keeper->peers, peer, link);
    close(peer->fd);
    wf_buf_free(&peer->in);
    wf_buf_free(&peer->out);
    free(peer);
}

void wf_peer_close_all(wf_keeper_t *keeper)
{
    wf_peer_t *peer;

    while ((peer = TAILQ_FIRST(&keeper->peers)) != NULL) {
        wf_peer_close(keeper, peer);
    }
}
