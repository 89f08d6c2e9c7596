/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call to the keeper: send a frame, wait for its answer, and where the connection is lost do
 * the same again on a new one, until the patience is over.
 */
#ifndef WF_STORE_EMBEDDED_CLIENT_CALL_H
#define WF_STORE_EMBEDDED_CLIENT_CALL_H

#include <apr_thread_mutex.h>
#include "base/log.h"
#include "store/embedded/wire.h"

typedef struct wf_client_t {
    const char *path;
    apr_interval_time_t patience;
    apr_thread_mutex_t *mutex; /* guards idle, next_call, the sequences and limit */
    apr_array_header_t *idle;  /* int: connections that nobody uses at the moment */
    apr_uint32_t next_call;
    apr_uint64_t claim_sequence;    /* of the next claim; grows when one has been answered */
    apr_uint64_t callback_sequence; /* likewise */
    wf_log_limit_t limit;           /* of complaints */
    apr_pool_t *pool;
} wf_client_t;

/* A request under way, and its answer. */
typedef struct wf_call_t {
    wf_buf_t request;
    wf_buf_t answer; /* the raw bytes that message points into */
    wf_message_t message;
    apr_size_t mark;
    apr_uint32_t call;
    int (*is_wanted)(void *baton); /* NULL: the answer is waited for whatever happens */
    void *baton;
} wf_call_t;

static inline wf_client_t *wf_client_of(const wf_store_t *store)
{
    return store->impl;
}

/* Begins a request, in pool; its fields are then appended to call->request. */
wf_call_t *wf_call_begin(wf_client_t *client, wf_op_e op, apr_pool_t *pool);

/*
 * Sends the request and waits for the answer, which is then in call->message. `extra` is how long
 * the keeper may take on purpose (a WAIT's timeout).
 * The status that the answer stands for, or WF_EUNAVAILABLE where no answer came in time, or
 * WF_ECANCELLED where call->is_wanted said that it is wanted no more.
 */
apr_status_t wf_call_send(wf_call_t *call, wf_client_t *client, apr_interval_time_t extra,
                          wf_result_t *result);

#endif
