/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP client of one run: one request at a time, by libcurl, with connections that are kept for
 * the run's next requests.
 *
 * A request sends exactly what it is told to: redirects are answers, cookies are not kept, nothing
 * is read from .netrc, and a proxy is used only where the request names one. TLS is always
 * verified. Whatever the client waits for, it waits for the cancel too; a resolver that hangs is
 * left to itself then, a thread of libcurl's that ends when the resolver's own patience does.
 */
#ifndef WF_FLOW_REST_CLIENT_H
#define WF_FLOW_REST_CLIENT_H

#include <apr_time.h>
#include "flow/cancel.h"
#include "flow/rest/header.h"

typedef struct wf_http_client_t wf_http_client_t;

/* How a request proves who it comes from: both NULL for not at all. */
typedef struct wf_http_credentials_t {
    const char *user; /* HTTP Basic (RFC 7617), with the secret as password; NULL: a bearer token */
    const char *secret; /* (RFC 6750) */
} wf_http_credentials_t;

typedef struct wf_http_request_t {
    const char *method;
    const char *url;
    const apr_array_header_t *headers; /* of wf_header_t; names and values checked */
    wf_http_credentials_t credentials;
    wf_slice_t body;
    int has_body;
    /* Whether it does no harm if the server gets it twice. One that may not be repeated goes over
     * a new connection, because libcurl repeats one whose kept connection turns out to be dead. */
    int is_repeatable;
    const char *ca_file; /* certificates to trust instead of the system's; NULL: the system's */
    const char *proxy;   /* NULL: none */
    apr_interval_time_t connect_timeout;
    apr_time_t until;         /* a wf_clock time: when the answer must be there */
    apr_time_t deadline;      /* of the task, likewise; 0: none */
    apr_size_t response_most; /* greatest length of a body that is taken, in bytes */
    int response_may_be_cut;  /* whether a longer one is an answer all the same, without the rest */
} wf_http_request_t;

typedef enum {
    WF_HTTP_ANSWERED,  /* there is an answer */
    WF_HTTP_UNREACHED, /* no connection came about: nothing has been sent */
    WF_HTTP_BROKEN,    /* the connection broke off: what the server did is not known */
    WF_HTTP_LATE,      /* no answer in time: neither is it */
    WF_HTTP_TOO_LONG,  /* the answer's body is longer than allowed */
    WF_HTTP_REFUSED    /* what repeating will not mend: a certificate, say, or no HTTP */
} wf_http_end_e;

typedef struct wf_http_answer_t {
    wf_http_end_e end;
    const char *reason; /* why there is no answer, for people; names no path and no secret */
    int status;
    apr_array_header_t *headers; /* of wf_header_t: names in lower case, values of the same name
                                    joined by ", " */
    wf_slice_t body;
    apr_int64_t retry_after; /* seconds, from Retry-After (also a date); -1: there is none */
} wf_http_answer_t;

/* Once for the process, before its threads start. APR_SUCCESS or APR_EGENERAL. */
apr_status_t wf_http_setup(void);

/* Makes a client; its connections are closed with pool. One thread uses it at a time. */
apr_status_t wf_http_client_create(wf_http_client_t **client, apr_pool_t *pool);

/*
 * Sends a request and waits for the end of it; what *answer points to lives in pool.
 * APR_SUCCESS, however it ended; WF_ECANCELLED where the cancel was requested, which it does itself
 * (TIMEOUT) when the task's deadline passes.
 */
apr_status_t wf_http_send(wf_http_answer_t *answer, wf_http_client_t *client,
                          const wf_http_request_t *request, wf_cancel_t *cancel, apr_pool_t *pool);

#endif
