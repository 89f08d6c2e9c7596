/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callbacks: the end of a run told to a URL, signed as the Standard Webhooks specification
 * (standardwebhooks.com, version 1) has it, so that whoever is told can know by whom.
 *
 * A receiver is sent the same webhook-id however often an end is told, and a timestamp of each
 * attempt. It has taken it where it answers 2xx; with 410 it wants no more. In a build without
 * libcurl (absent.c) there are none: every check says so.
 */
#ifndef WF_FLOW_REST_CALLBACK_H
#define WF_FLOW_REST_CALLBACK_H

#include <apr_tables.h>
#include <apr_time.h>
#include "base/slice.h"
#include "flow/cancel.h"
#include "flow/secret.h"

/* Where the ends of a task's runs are told, and what proves who tells them: one of the two. */
typedef struct wf_callback_t {
    const char *url;
    const char *secret;               /* of a stored configuration; NULL: none */
    const wf_secret_t *secret_source; /* of a project's file; NULL: none */
} wf_callback_t;

#define WF_CALLBACK_URL_MOST     2048u /* bytes of a URL */
#define WF_CALLBACK_SECRET_LEAST 24u   /* bytes of a secret, decoded, ... */
#define WF_CALLBACK_SECRET_MOST  64u   /* ... and at most */

/*
 * Whether a text may be a callback's URL: an absolute one, http or https, without a user, at most
 * WF_CALLBACK_URL_MOST bytes.
 * APR_SUCCESS, or WF_EINVALID with *reason, a constant that goes on behind "must".
 */
apr_status_t wf_callback_url_check(const char **reason, const char *url, apr_pool_t *pool);

/* Whether a text may be its secret: "whsec_" and the (padded) base64 of as many bytes as those.
 * APR_SUCCESS or WF_EINVALID, as wf_callback_url_check. */
apr_status_t wf_callback_secret_check(const char **reason, const char *secret);

/* Whether a text may be in a list of hosts: "host" or "host:port". APR_SUCCESS or WF_EINVALID, as
 * wf_callback_url_check. */
apr_status_t wf_callback_host_check(const char **reason, const char *host, apr_pool_t *pool);

/*
 * Whether a (checked) URL's host is one of a list (of const char *, each "host" or "host:port";
 * NULL: none). One without a port stands for the port of the URL's scheme.
 */
int wf_callback_is_allowed(const char *url, const apr_array_header_t *hosts, apr_pool_t *pool);

/* One attempt to tell. */
typedef struct wf_callback_message_t {
    const char *url;
    const char *secret;
    const char *id;  /* the same for each attempt: letters, digits, "-" and "_" */
    apr_time_t time; /* of the attempt, by the wall clock */
    wf_slice_t body; /* JSON */
} wf_callback_message_t;

/*
 * The value of webhook-signature for a message: "v1," and the base64 of the HMAC-SHA-256 (RFC 2104)
 * of its id, time in seconds and body, joined by dots. *signature lives in pool.
 * APR_SUCCESS; WF_EINVALID where the secret is none.
 */
apr_status_t wf_callback_sign(const char **signature, const wf_callback_message_t *message,
                              apr_pool_t *pool);

/* What came of an attempt. */
typedef struct wf_callback_answer_t {
    int is_delivered;   /* 2xx */
    int is_unwanted;    /* 410, or nothing that another attempt could mend: no more is to follow */
    int http_status;    /* 0: there was no answer */
    const char *reason; /* why it is not delivered, for people: no path, no query, no secret; NULL:
                           it is */
} wf_callback_answer_t;

/*
 * Makes an attempt, in 10 seconds at most, 5 of them to connect: a POST without following any
 * redirect, with TLS verified, over a connection of its own. Of the answer's body 64 KiB are read
 * at most, and none is kept. wf_rest_setup must have been called.
 * APR_SUCCESS, whatever came of it; WF_ECANCELLED where the cancel was requested: whether the
 * receiver got it is not known then; or the system's error.
 */
apr_status_t wf_callback_deliver(wf_callback_answer_t *answer, const wf_callback_message_t *message,
                                 wf_cancel_t *cancel, apr_pool_t *pool);

#endif
