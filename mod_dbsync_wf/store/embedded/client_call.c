/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of a client, and one call over them. */
#include "store/embedded/client_call.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/socket.h"

#define READ_SIZE      (16u * 1024)
#define PAUSE_LEAST    1  /* milliseconds between attempts, doubled each time ... */
#define PAUSE_MOST     50 /* ... up to this */
#define KEEP_IDLE      64 /* connections kept when idle; more are closed after use */

#define LOOK_EVERY     apr_time_from_msec(250) /* whether an answer is wanted still */
#define COMPLAIN_EVERY apr_time_from_sec(10)

wf_call_t *wf_call_begin(wf_client_t *client, wf_op_e op, apr_pool_t *pool)
{
    wf_call_t *call = apr_pcalloc(pool, sizeof(*call));

    wf_buf_bind(&call->request, pool);
    wf_buf_bind(&call->answer, pool);
    apr_thread_mutex_lock(client->mutex);
    call->call = client->next_call++;
    apr_thread_mutex_unlock(client->mutex);
    call->mark = wf_frame_begin(&call->request, (unsigned char)op, call->call);
    return call;
}

/* Takes an idle connection, -1 where there is none. */
static int take_idle(wf_client_t *client)
{
    int *top;
    int fd;

    apr_thread_mutex_lock(client->mutex);
    top = apr_array_pop(client->idle);
    fd = top ? *top : -1;
    apr_thread_mutex_unlock(client->mutex);
    return fd;
}

static void give_back(wf_client_t *client, int fd)
{
    apr_thread_mutex_lock(client->mutex);
    if (client->idle->nelts < KEEP_IDLE) {
        APR_ARRAY_PUSH(client->idle, int) = fd;
        fd = -1;
    }
    apr_thread_mutex_unlock(client->mutex);
    if (fd >= 0) {
        close(fd);
    }
}

/* Waits until fd is ready for `events`. APR_SUCCESS, or APR_TIMEUP at the deadline. */
static apr_status_t wait_for(int fd, short events, apr_time_t deadline)
{
    struct pollfd p = {fd, events, 0};
    int n;

    do {
        n = poll(&p, 1, wf_clock_poll_ms(deadline));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno;
    }
    return n == 0 ? APR_TIMEUP : APR_SUCCESS;
}

static apr_status_t write_all(int fd, wf_slice_t bytes, apr_time_t deadline)
{
    apr_status_t rv = APR_SUCCESS;

    while (bytes.len && rv == APR_SUCCESS) {
        ssize_t n = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

        if (n >= 0) {
            bytes = wf_slice_of(bytes.data + n, bytes.len - (apr_size_t)n);
        } else if (errno == EAGAIN) {
            rv = wait_for(fd, POLLOUT, deadline);
        } else if (errno != EINTR) {
            rv = errno;
        }
    }
    return rv;
}

static int is_wanted(const wf_call_t *call)
{
    return !call->is_wanted || call->is_wanted(call->baton);
}

/* Waits for the answer, and asks now and then whether it is wanted still. */
static apr_status_t wait_for_answer(int fd, const wf_call_t *call, apr_time_t deadline)
{
    for (;;) {
        apr_time_t look = call->is_wanted ? wf_clock() + LOOK_EVERY : deadline;
        apr_status_t rv = wait_for(fd, POLLIN, look < deadline ? look : deadline);

        if (rv != APR_TIMEUP || wf_clock() >= deadline) {
            return rv;
        }
        if (!is_wanted(call)) {
            return WF_ECANCELLED;
        }
    }
}

/* Reads what is there, or waits for it. APR_EOF where the keeper closed. */
static apr_status_t read_some(int fd, wf_call_t *call, apr_size_t wanted, apr_time_t deadline)
{
    wf_buf_t *buf = &call->answer;
    apr_size_t room = wanted > READ_SIZE ? wanted : READ_SIZE;

    /* It has not come yet: what is done first is to wait. */
    for (;;) {
        ssize_t n;
        apr_status_t rv = wait_for_answer(fd, call, deadline);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        n = recv(fd, wf_buf_reserve(buf, room), room, 0);

        if (n > 0) {
            buf->len += (apr_size_t)n;
            return APR_SUCCESS;
        }
        if (n == 0) {
            return APR_EOF;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return errno;
        }
    }
}

static apr_status_t read_answer(int fd, wf_call_t *call, apr_time_t deadline)
{
    apr_status_t rv;
    wf_slice_t frame;
    apr_size_t need;

    wf_buf_reset(&call->answer);
    while ((rv = wf_frame_next(&frame, &need, wf_buf_slice(&call->answer))) == APR_INCOMPLETE) {
        rv = read_some(fd, call, need - call->answer.len, deadline);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (rv == APR_SUCCESS) {
        rv = wf_message_read(&call->message, frame);
    }
    /* A connection has one call under way: another call's answer means that it is out of step. */
    return rv == APR_SUCCESS && call->message.call != call->call ? WF_EPROTOCOL : rv;
}

/*
 * One attempt on one connection, which is kept where it went well and closed where not. *fresh is
 * whether the connection was new: only that tells something of the keeper as it is now.
 */
static apr_status_t attempt(wf_call_t *call, wf_client_t *client, apr_time_t deadline, int *fresh)
{
    apr_status_t rv = APR_SUCCESS;
    int fd = take_idle(client);

    *fresh = fd < 0;
    if (*fresh) {
        rv = wf_socket_connect(&fd, client->path);
    }
    if (rv == APR_SUCCESS) {
        rv = write_all(fd, wf_buf_slice(&call->request), deadline);
    }
    if (rv == APR_SUCCESS) {
        rv = read_answer(fd, call, deadline);
    }
    if (rv == APR_SUCCESS) {
        give_back(client, fd);
    } else if (fd >= 0) {
        close(fd);
    }
    return rv;
}

/* A keeper that is not there fails every call of every thread: one line speaks for many. */
static void complain(wf_client_t *client, apr_status_t rv, apr_interval_time_t patience)
{
    apr_uint64_t left = 0;
    int may;

    apr_thread_mutex_lock(client->mutex);
    may = wf_log_may(&client->limit, 1, COMPLAIN_EVERY, &left);
    apr_thread_mutex_unlock(client->mutex);
    if (may) {
        wf_log_error(rv, "WF0101",
                     "the keeper did not answer a call within %" APR_INT64_T_FMT
                     " ms (nor %" APR_UINT64_T_FMT " others since this was last said)",
                     apr_time_as_msec(patience), left);
    }
}

apr_status_t wf_call_send(wf_call_t *call, wf_client_t *client, apr_interval_time_t extra,
                          wf_result_t *result)
{
    apr_time_t deadline = wf_clock() + client->patience + extra;
    int pause = PAUSE_LEAST;
    int fresh;
    apr_status_t rv;

    wf_frame_end(&call->request, call->mark);
    while ((rv = attempt(call, client, deadline, &fresh)) != APR_SUCCESS) {
        if (rv == WF_ECANCELLED || !is_wanted(call)) {
            return WF_ECANCELLED;
        }
        if (rv == WF_EPROTOCOL || rv == WF_EINVALID || wf_clock() >= deadline) {
            complain(client, rv, client->patience + extra);
            return wf_result_set(result, WF_EUNAVAILABLE, WF_PROBLEM_UNAVAILABLE,
                                 "The run store does not answer. Try again in a moment.");
        }
        if (fresh) {
            poll(NULL, 0, pause);
            pause = pause * 2 > PAUSE_MOST ? PAUSE_MOST : pause * 2;
        }
    }
    rv = wf_answer_status(call->message.code);
    if (rv == WF_EUNAVAILABLE) {
        wf_result_set(result, rv, WF_PROBLEM_UNAVAILABLE,
                      "The run store cannot do this at the moment. Try again later.");
    }
    return rv;
}
