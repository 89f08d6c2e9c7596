/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request and all that it takes until there is an answer to report: redirects that are followed,
 * attempts that are repeated, and which credentials go where.
 *
 * Credentials (the connector's secret and its headers) go to the connector's own origin alone. A
 * redirect that leaves it takes neither them nor the action's headers along, and one that leads
 * back does not get them again.
 */
#ifndef WF_FLOW_REST_EXCHANGE_H
#define WF_FLOW_REST_EXCHANGE_H

#include "flow/rest/client.h"
#include "flow/rest/request.h"

typedef struct wf_rest_exchange_t {
    wf_http_answer_t answer;    /* the last one */
    const char *redirect;       /* why its redirect was not followed; NULL: it is none */
    apr_uint32_t request_count; /* that were sent, or were to be */
    const char *secret;         /* what was sent as a password or a token; NULL: none */
} wf_rest_exchange_t;

/* Whether the action takes a status for success. */
int wf_rest_is_expected(const wf_rest_action_t *action, int status);

/*
 * Sends the request, and again where that is allowed and may help. What *exchange
 * points to lives in pool.
 * APR_SUCCESS: the last answer is there, or why there is none. WF_ECANCELLED. Otherwise nothing has
 * been sent, and result says why: a secret that cannot be read (WF_PROBLEM_CONNECTOR).
 */
apr_status_t wf_rest_exchange(wf_rest_exchange_t *exchange, const wf_rest_request_t *request,
                              const wf_rest_action_t *action, const wf_action_context_t *context,
                              wf_result_t *result, apr_pool_t *pool);

#endif
