/* SPDX-License-Identifier: Apache-2.0 */
/* Watching a run, by a call that waits or by a connection that is waited for elsewhere. */
#include "store/embedded/client_watch.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "store/embedded/client_call.h"
#include "store/embedded/socket.h"

#define ANSWER_MAX 256 /* bytes: an answer to a watch has one number in it */

static wf_call_t *begin(wf_client_t *client, const wf_watch_t *watch, apr_pool_t *pool)
{
    wf_call_t *call = wf_call_begin(client, WF_OP_WATCH, pool);

    wf_field_add(&call->request, WF_FIELD_PID, wf_slice_of(&watch->pid, sizeof(watch->pid)));
    wf_field_add_u64(&call->request, WF_FIELD_VERSION, watch->version);
    wf_field_add_u64(&call->request, WF_FIELD_MAX, watch->most);
    wf_field_add_u64(&call->request, WF_FIELD_TIMEOUT, (apr_uint64_t)watch->timeout);
    return call;
}

/* What an answer says. */
static apr_status_t read_answer(const wf_message_t *message)
{
    apr_status_t rv = wf_answer_status(message->code);

    return rv == APR_SUCCESS && wf_message_u64(message, WF_FIELD_COUNT) == 0 ? APR_TIMEUP : rv;
}

apr_status_t wf_client_watch(wf_store_t *store, const wf_watch_t *watch, apr_pool_t *pool)
{
    wf_call_t *call = begin(store->impl, watch, pool);
    apr_status_t rv;

    call->is_wanted = watch->is_wanted;
    call->baton = watch->baton;
    rv = wf_call_send(call, store->impl, watch->timeout, NULL);
    return rv == APR_SUCCESS ? read_answer(&call->message) : rv;
}

/*
 * A connection of its own, on which nothing else is asked: the request is smaller than the socket's
 * buffer and goes out at once. Where there is no keeper at the moment, that is not waited for: the
 * caller looks at the run, and that waits.
 */
apr_status_t wf_client_watch_begin(int *fd, wf_store_t *store, const wf_watch_t *watch,
                                   apr_pool_t *pool)
{
    wf_client_t *client = store->impl;
    wf_call_t *call = begin(client, watch, pool);
    apr_status_t rv = wf_socket_connect(fd, client->path);

    wf_frame_end(&call->request, call->mark);
    if (rv == APR_SUCCESS && send(*fd, call->request.data, call->request.len, MSG_NOSIGNAL) !=
                                 (ssize_t)call->request.len) {
        close(*fd);
        *fd = -1;
        rv = APR_EGENERAL;
    }
    return rv == APR_SUCCESS ? rv : WF_EUNAVAILABLE;
}

apr_status_t wf_client_watch_end(wf_store_t *store, int fd)
{
    char bytes[ANSWER_MAX];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    apr_status_t rv = APR_SUCCESS; /* the keeper has gone, or speaks out of turn: look again */
    wf_message_t message;
    wf_slice_t frame;
    apr_size_t need;

    (void)store;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        rv = WF_ECANCELLED;
    } else if (n > 0 &&
               wf_frame_next(&frame, &need, wf_slice_of(bytes, (apr_size_t)n)) == APR_SUCCESS &&
               wf_message_read(&message, frame) == APR_SUCCESS) {
        rv = read_answer(&message);
    }
    close(fd);
    return rv;
}
