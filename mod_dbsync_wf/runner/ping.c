/* SPDX-License-Identifier: Apache-2.0 */
/* Pings. */
#include "runner/ping.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "store/embedded/socket.h"
#include "store/embedded/wire.h"

static void close_ping(wf_ping_t *ping)
{
    if (ping->fd >= 0) {
        close(ping->fd);
        ping->fd = -1;
    }
}

void wf_ping_on(wf_ping_t *ping, const char *path)
{
    ping->path = path;
    ping->fd = -1;
    ping->next = wf_clock() + WF_PING_PERIOD;
}

void wf_ping_off(wf_ping_t *ping)
{
    close_ping(ping);
    ping->deadline = ping->next = 0;
}

/* Sends one. A full backlog, too, is a keeper that does not answer: the deadline decides. */
static void send_ping(wf_ping_t *ping)
{
    wf_buf_t frame = {NULL, 0, 0};

    wf_frame_end(&frame, wf_frame_begin(&frame, WF_OP_PING, 1));
    if (wf_socket_connect(&ping->fd, ping->path) == APR_SUCCESS &&
        send(ping->fd, frame.data, frame.len, MSG_NOSIGNAL) != (ssize_t)frame.len) {
        close_ping(ping);
    }
    wf_buf_free(&frame);
}

/* Whether the answer has come. An end without one does not count: it is tried again. */
static int has_answer(wf_ping_t *ping)
{
    char bytes[64];
    ssize_t n = ping->fd >= 0 ? recv(ping->fd, bytes, sizeof(bytes), MSG_DONTWAIT) : 0;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close_ping(ping);
    }
    return n > 0;
}

int wf_ping_step(wf_ping_t *ping)
{
    apr_time_t now = wf_clock();

    if (!ping->next) {
        return 0;
    }
    if (ping->deadline && has_answer(ping)) {
        close_ping(ping);
        ping->deadline = 0;
        ping->next = now + WF_PING_PERIOD;
    } else if (ping->deadline && now >= ping->deadline) {
        close_ping(ping);
        ping->deadline = 0;
        return 1;
    } else if (ping->fd < 0 && now >= ping->next) {
        if (!ping->deadline) {
            ping->deadline = now + WF_PING_PATIENCE;
        }
        send_ping(ping);
        ping->next = now + WF_PING_PERIOD; /* of another attempt, where this one failed */
    }
    return 0;
}

apr_time_t wf_ping_next(const wf_ping_t *ping)
{
    if (ping->fd >= 0 || (ping->deadline && ping->deadline < ping->next)) {
        return ping->deadline;
    }
    return ping->next;
}
