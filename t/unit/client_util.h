/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the HTTP client share: one client and one server for each test, a request to
 * change, and its end.
 */
#ifndef WF_UNIT_CLIENT_UTIL_H
#define WF_UNIT_CLIENT_UTIL_H

#include "http_util.h"

#include <signal.h>
#include "base/result.h"
#include "flow/rest/client.h"

#define SOON apr_time_from_sec(1) /* within which an interrupt or a timeout must be seen */

typedef struct trial_t {
    apr_pool_t *pool;
    http_server_t server;
    wf_cancel_t *cancel;
    wf_http_client_t *client;
    wf_http_request_t request;
    wf_http_answer_t answer;
    apr_status_t rv;
    apr_time_t ended;
    int full_port;  /* of a socket that takes no connection */
    int connecting; /* to it, before the request */
} trial_t;

static inline int set_up_clients(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    /* What libcurl would obey if it were left to itself. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    return apr_initialize() == APR_SUCCESS && wf_http_setup() == APR_SUCCESS ? 0 : -1;
}

static inline int set_up_client(void **state)
{
    trial_t *trial = calloc(1, sizeof(*trial));

    apr_pool_create(&trial->pool, NULL);
    server_start(&trial->server);
    assert_int_equal(wf_cancel_create(&trial->cancel, trial->pool), APR_SUCCESS);
    assert_int_equal(wf_http_client_create(&trial->client, trial->pool), APR_SUCCESS);
    trial->request.method = "GET";
    trial->request.headers = apr_array_make(trial->pool, 4, sizeof(wf_header_t));
    trial->request.is_repeatable = 1;
    trial->request.connect_timeout = apr_time_from_sec(10);
    trial->request.response_most = 100000;
    *state = trial;
    return 0;
}

static inline int tear_down_client(void **state)
{
    trial_t *trial = *state;

    apr_pool_destroy(trial->pool);
    server_stop(&trial->server);
    free(trial);
    return 0;
}

static inline void send_url(trial_t *trial, const char *url)
{
    trial->request.url = url;
    if (!trial->request.until) {
        trial->request.until = wf_clock() + apr_time_from_sec(30);
    }
    trial->rv =
        wf_http_send(&trial->answer, trial->client, &trial->request, trial->cancel, trial->pool);
    trial->ended = wf_clock();
}

static inline void send_path(trial_t *trial, const char *path)
{
    send_url(trial, server_url(&trial->server, path, trial->pool));
}

static inline void assert_end(const trial_t *trial, wf_http_end_e end)
{
    assert_int_equal(trial->rv, APR_SUCCESS);
    if (trial->answer.end != end) {
        fail_msg("ended as %d: %s", trial->answer.end, trial->answer.reason);
    }
    assert_int_equal(trial->answer.reason == NULL, end == WF_HTTP_ANSWERED);
}

static inline void assert_body(const trial_t *trial, const char *text)
{
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_int_equal(trial->answer.body.len, strlen(text));
    assert_memory_equal(trial->answer.body.data, text, strlen(text));
}

#define TRIAL(test) cmocka_unit_test_setup_teardown(test, set_up_client, tear_down_client)

#endif
