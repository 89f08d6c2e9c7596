/* SPDX-License-Identifier: Apache-2.0 */
/* Redirects and repeated attempts: the rules alone. */
#include "flow/rest/policy.h"

#include "base/result.h"

static int is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

apr_status_t wf_redirect_next(wf_url_t *next, const char **why, const wf_url_t *from, int status,
                              const char *location, int followed, const wf_redirect_rules_t *rules,
                              apr_pool_t *pool)
{
    if (!is_redirect(status) || !location) {
        return APR_NOTFOUND;
    }
    if (followed >= WF_REDIRECTS_MOST) {
        *why = "one redirect too many";
    } else if (wf_url_resolve(next, from, location, pool) != APR_SUCCESS) {
        *why = "a redirect to what is no http or https URL";
    } else if (from->is_secure && !next->is_secure) {
        *why = "a redirect from https to http, which is not followed";
    } else if (!wf_url_is_allowed(next, rules->home, rules->hosts, rules->host_count)) {
        *why = "a redirect to a host that the connector's \"hosts\" does not have";
    } else {
        return APR_SUCCESS;
    }
    return WF_EINVALID;
}

int wf_retry_is_status(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

int wf_retry_is_idempotent(const char *method)
{
    return strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
}

apr_interval_time_t wf_retry_pause(apr_interval_time_t backoff, apr_uint32_t attempt,
                                   apr_int64_t retry_after, unsigned char jitter)
{
    apr_interval_time_t pause = backoff;

    if (retry_after >= 0) {
        return retry_after < apr_time_sec(WF_RETRY_PAUSE_MOST) ? apr_time_from_sec(retry_after)
                                                               : WF_RETRY_PAUSE_MOST;
    }
    for (apr_uint32_t i = 1; i < attempt && pause < WF_RETRY_PAUSE_MOST; i++) {
        pause *= 2;
    }
    pause = pause < WF_RETRY_PAUSE_MOST ? pause : WF_RETRY_PAUSE_MOST;
    return pause - pause / 2 * jitter / 255;
}
