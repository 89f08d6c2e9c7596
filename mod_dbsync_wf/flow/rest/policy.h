/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What follows an answer: where a redirect leads, and whether and when a request is repeated.
 */
#ifndef WF_FLOW_REST_POLICY_H
#define WF_FLOW_REST_POLICY_H

#include <apr_time.h>
#include "flow/rest/url.h"

/* Redirects that are followed one after the other. */
#define WF_REDIRECTS_MOST 5

/* The longest pause between two attempts, whatever a server's Retry-After asks for. */
#define WF_RETRY_PAUSE_MOST apr_time_from_sec(60)

/* What a redirect is judged by. */
typedef struct wf_redirect_rules_t {
    const wf_url_t *home; /* the connector's URL */
    const wf_url_host_t *hosts;
    int host_count;
} wf_redirect_rules_t;

/*
 * Where an answer to a GET or HEAD of `from` leads (RFC 9110, 15.4: 301, 302, 303, 307 and 308,
 * which all keep these two methods). location is NULL where the answer had none; followed is how
 * many redirects led to it. APR_SUCCESS: *next is to be requested. APR_NOTFOUND: it is no redirect.
 * WF_EINVALID: it is not followed, and *why, a constant, says why: to a host that is not allowed,
 * from https to http, …
 */
apr_status_t wf_redirect_next(wf_url_t *next, const char **why, const wf_url_t *from, int status,
                              const char *location, int followed, const wf_redirect_rules_t *rules,
                              apr_pool_t *pool);

/* Whether a status says that the same request may succeed a little later: 429, 502, 503, 504. */
int wf_retry_is_status(int status);

/* Whether a method's requests may be repeated without harm (RFC 9110, 9.2.2). */
int wf_retry_is_idempotent(const char *method);

/*
 * How long to wait after attempt number `attempt` (from 1): what the server asks for, where
 * retry_after (seconds; negative: it asks for nothing) is given; otherwise the backoff, doubled for
 * each attempt before this one, of which `jitter` (0 to 255) takes up to a half away, so that those
 * who failed together do not come again together. WF_RETRY_PAUSE_MOST at most.
 */
apr_interval_time_t wf_retry_pause(apr_interval_time_t backoff, apr_uint32_t attempt,
                                   apr_int64_t retry_after, unsigned char jitter);

#endif
