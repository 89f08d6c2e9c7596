/* SPDX-License-Identifier: Apache-2.0 */
/* Requests until there is an answer: attempts, and the redirects of each. */
#include "flow/rest/exchange.h"

#include <sys/random.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/rest/policy.h"

/* In a run's resources: one client for all connectors, since libcurl tells their connections apart.
 */
#define RESOURCE "rest"

/* What the functions here need all of them. */
typedef struct state_t {
    wf_rest_exchange_t *exchange;
    const wf_rest_request_t *request;
    const wf_rest_action_t *action;
    const wf_rest_connector_t *connector;
    const wf_action_context_t *context;
    wf_http_client_t *client;
    apr_pool_t *pool;
    apr_pool_t *answer_pool; /* cleared before each request, so that long answers do not add up */
} state_t;

int wf_rest_is_expected(const wf_rest_action_t *action, int status)
{
    for (int i = 0; i < action->expect_count; i++) {
        if (action->expect[i] == status) {
            return 1;
        }
    }
    return action->expect_count == 0 && status >= 200 && status <= 299;
}

static apr_status_t get_client(wf_http_client_t **client, const wf_action_context_t *context)
{
    apr_status_t rv = APR_SUCCESS;

    *client = apr_hash_get(context->resources, RESOURCE, APR_HASH_KEY_STRING);
    if (!*client) {
        rv = wf_http_client_create(client, context->run_pool);
        if (rv == APR_SUCCESS) {
            apr_hash_set(context->resources, RESOURCE, APR_HASH_KEY_STRING, *client);
        }
    }
    return rv;
}

/* A secret that could not stand in a header would otherwise end, or forge, one. */
static apr_status_t read_secret(const state_t *state, wf_result_t *result)
{
    const char *name = state->action->connector->name;
    const wf_secret_t *secret = state->connector->secret;
    apr_status_t rv;

    if (!secret) {
        return APR_SUCCESS;
    }
    rv = wf_secret_read(&state->exchange->secret, secret, name, result, state->pool);
    if (rv == APR_SUCCESS && !wf_header_is_value(wf_slice(state->exchange->secret))) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_CONNECTOR,
                             "the %s of connector \"%s\" holds a line break or another control "
                             "character",
                             secret->what, name);
    }
    return rv;
}

/* How much of what is ours a request may carry. */
typedef struct hop_t {
    wf_url_t url;
    int is_trusted;  /* the connector's own origin, and never left: secret and headers go along */
    int has_headers; /* the origin that the action's headers were written for */
} hop_t;

static apr_array_header_t *choose_headers(const state_t *state, const hop_t *hop)
{
    const apr_array_header_t *own = state->connector->headers;
    const apr_array_header_t *more = state->request->headers;
    apr_array_header_t *chosen = apr_array_make(state->answer_pool, 8, sizeof(wf_header_t));

    for (int i = 0; i < own->nelts && hop->is_trusted; i++) {
        const wf_header_t *header = &((const wf_header_t *)own->elts)[i];
        wf_header_set(chosen, header->name, header->value);
    }
    for (int i = 0; i < more->nelts && hop->has_headers; i++) {
        const wf_header_t *header = &((const wf_header_t *)more->elts)[i];
        wf_header_set(chosen, header->name, header->value);
    }
    return chosen;
}

static apr_status_t send_request(const state_t *state, const hop_t *hop, apr_time_t until)
{
    const wf_rest_connector_t *connector = state->connector;
    wf_rest_exchange_t *exchange = state->exchange;
    wf_http_request_t request = {
        .method = state->request->method,
        .url = hop->url.text,
        .body = state->request->body,
        .has_body = state->request->has_body,
        .is_repeatable = state->request->is_repeatable,
        .ca_file = connector->ca_file,
        .proxy = connector->proxy,
        .connect_timeout = connector->connect_timeout,
        .until = until,
        .deadline = state->context->deadline,
        .response_most = connector->response_most,
    };
    apr_time_t began = wf_clock();
    apr_status_t rv;

    apr_pool_clear(state->answer_pool);
    request.headers = choose_headers(state, hop);
    if (hop->is_trusted) {
        request.credentials.user = connector->user;
        request.credentials.secret = exchange->secret;
    }
    exchange->request_count++;
    rv = wf_http_send(&exchange->answer, state->client, &request, state->context->cancel,
                      state->answer_pool);
    wf_log_debug(0, "WF0344", "run %s: %s to %s, %s %d after %d ms", state->context->pid,
                 request.method, hop->url.origin, exchange->answer.status ? "answered" : "ended as",
                 exchange->answer.status ? exchange->answer.status : (int)exchange->answer.end,
                 (int)apr_time_as_msec(wf_clock() - began));
    return rv;
}

static int is_redirectable(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Where the answer at hand leads, for the next request: APR_SUCCESS where there is to be one. */
static apr_status_t find_next(hop_t *hop, const state_t *state, int followed)
{
    wf_redirect_rules_t rules = {&state->connector->url, state->connector->hosts,
                                 state->connector->host_count};
    wf_rest_exchange_t *exchange = state->exchange;
    wf_url_t next;
    apr_status_t rv;

    if (exchange->answer.end != WF_HTTP_ANSWERED || !is_redirectable(state->request->method) ||
        (state->action->expect_count &&
         wf_rest_is_expected(state->action, exchange->answer.status))) {
        return APR_NOTFOUND;
    }
    rv = wf_redirect_next(&next, &exchange->redirect, &hop->url, exchange->answer.status,
                          wf_header_get(exchange->answer.headers, "location"), followed, &rules,
                          state->pool);
    if (rv == APR_SUCCESS) {
        hop->has_headers = hop->has_headers && wf_url_is_same_origin(&next, &hop->url);
        hop->is_trusted = hop->is_trusted && hop->has_headers;
        hop->url = next;
    }
    return rv;
}

/* One attempt: the request, and the redirects that it meets. */
static apr_status_t attempt(const state_t *state)
{
    const wf_url_t *home = &state->connector->url;
    hop_t hop = {state->request->url, wf_url_is_same_origin(&state->request->url, home), 1};
    apr_time_t until = wf_clock() + state->connector->timeout;
    apr_status_t rv = APR_SUCCESS;

    state->exchange->redirect = NULL;
    for (int followed = 0; rv == APR_SUCCESS; followed++) {
        rv = send_request(state, &hop, until);
        if (rv == APR_SUCCESS && find_next(&hop, state, followed) != APR_SUCCESS) {
            return APR_SUCCESS;
        }
    }
    return rv;
}

/* Whether what came of an attempt may pass by itself. */
static int may_pass(const state_t *state)
{
    const wf_http_answer_t *answer = &state->exchange->answer;

    switch (answer->end) {
    case WF_HTTP_UNREACHED:
    case WF_HTTP_BROKEN:
        return 1;
    case WF_HTTP_ANSWERED:
        return wf_retry_is_status(answer->status) &&
               !wf_rest_is_expected(state->action, answer->status);
    default:
        return 0;
    }
}

static apr_time_t next_attempt(const state_t *state, apr_uint32_t number)
{
    unsigned char jitter = 0;

    /* Without random bytes there is no jitter, and nothing worse. */
    if (getrandom(&jitter, 1, GRND_NONBLOCK) != 1) {
        jitter = 0;
    }
    return wf_clock() + wf_retry_pause(state->connector->backoff, number,
                                       state->exchange->answer.retry_after, jitter);
}

apr_status_t wf_rest_exchange(wf_rest_exchange_t *exchange, const wf_rest_request_t *request,
                              const wf_rest_action_t *action, const wf_action_context_t *context,
                              wf_result_t *result, apr_pool_t *pool)
{
    state_t state = {exchange, request, action, action->connector->spec, context, NULL, pool, NULL};
    apr_status_t rv;

    memset(exchange, 0, sizeof(*exchange));
    apr_pool_create(&state.answer_pool, pool);
    apr_pool_tag(state.answer_pool, "wf_rest_answer");
    rv = get_client(&state.client, context);
    if (rv == APR_SUCCESS) {
        rv = read_secret(&state, result);
    }
    for (apr_uint32_t number = 1; rv == APR_SUCCESS; number++) {
        apr_time_t next;

        rv = attempt(&state);
        if (rv != APR_SUCCESS || number >= state.connector->attempts || !request->is_repeatable ||
            !may_pass(&state)) {
            break;
        }
        next = next_attempt(&state, number);
        /* Past the task's deadline there is nothing to wait for: what failed is the better news. */
        if (context->deadline && next >= context->deadline) {
            break;
        }
        rv = wf_cancel_sleep(context->cancel, next);
    }
    return rv;
}
