/* SPDX-License-Identifier: Apache-2.0 */
/* The action "rest": whom credentials reach, where redirects lead, and what is tried again. */
#include "rest_util.h"

static void credentials_are_sent_as_the_connector_says(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE BASIC, REST("\"path\": \"/echo\""));
    assert_sent(rest, BASIC_HEADER);
    done(rest);
    execute(rest, HERE BEARER, REST("\"path\": \"/echo\""));
    assert_sent(rest, "\r\nAuthorization: Bearer open sesame\r\n");
    done(rest);
}

static void a_secret_that_cannot_be_had_sends_nothing(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE ", \"auth\": \"bearer\", \"tokenEnv\": \"WF_TEST_NOT_SET\"",
            REST("\"path\": \"/echo\""));
    assert_ill(rest, WF_PROBLEM_CONNECTOR,
               "the token of connector \"crm\" cannot be read; the server's error log says more");
    done(rest);
    execute(rest, HERE ", \"auth\": \"bearer\", \"tokenEnv\": \"WF_TEST_BROKEN\"",
            REST("\"path\": \"/echo\""));
    assert_ill(rest, WF_PROBLEM_CONNECTOR,
               "the token of connector \"crm\" holds a line break or another control character");
    done(rest);
    assert_int_equal(server_requests(&rest->service), 0);
}

static void what_may_pass_is_tried_again(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE QUICK, REST("\"path\": \"/flaky/2\""));
    assert_sent(rest, "GET /flaky/2 HTTP/1.1");
    assert_int_equal(json_integer_value(member_of(&rest->trial, 0, "requests")), 3);
    done(rest);
    execute(rest, HERE QUICK, REST("\"path\": \"/flaky/100\""));
    assert_ill(rest, WF_PROBLEM_REST,
               "action \"rest\": GET by connector \"crm\" was answered with status 503 (the last "
               "of 3 requests): busy?");
    done(rest);
    assert_int_equal(server_requests(&rest->service), 6);
    execute(rest, HERE QUICK, REST("\"path\": \"/status/500\""));
    done(rest);
    assert_int_equal(server_requests(&rest->service), 7);
    execute(rest, HERE QUICK, REST("\"path\": \"/status/503\", \"expect\": [503]"));
    assert_well(rest);
    done(rest);
    assert_int_equal(server_requests(&rest->service), 8);
    execute(rest, "\"url\": \"http://127.0.0.1:1\"" QUICK, REST("\"path\": \"/x\""));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_CONNECTOR);
    assert_non_null(strstr(rest->trial.outcome.detail,
                           "action \"rest\": GET by connector \"crm\" failed (the last of 3 "
                           "requests): Failed to connect to 127.0.0.1 port 1"));
    done(rest);
}

static void retry_after_is_kept(void **state)
{
    rest_t *rest = *state;
    apr_time_t began = wf_clock();

    execute(rest, HERE ", \"retries\": {\"backoff\": 100}",
            REST("\"path\": \"/flaky/1;Retry-After:1!\""));
    assert_well(rest);
    assert_true(wf_clock() - began >= apr_time_from_sec(1));
    assert_true(wf_clock() - began < apr_time_from_sec(3));
    done(rest);
}

static void a_post_is_not_tried_again_unless_it_says_so(void **state)
{
    static const char *const actions[] = {
        REST("\"path\": \"/status/503\", \"method\": \"POST\""),
        REST("\"path\": \"/status/503\", \"method\": \"PATCH\""),
        REST("\"path\": \"/status/503\", \"method\": \"POST\", \"repeatable\": false"),
        REST("\"path\": \"/status/503\", \"method\": \"POST\", \"repeatable\": true"),
        REST("\"path\": \"/status/503\", \"method\": \"POST\", \"idempotencyKey\": \"no {{n}}\""),
    };
    static const int expected[] = {1, 2, 3, 6, 9};
    static const char key[] = "\r\nIdempotency-Key: no 2\r\n";
    rest_t *rest = *state;
    wf_slice_t log;
    int keys = 0;

    for (int i = 0; i < 5; i++) {
        execute(rest, HERE QUICK, actions[i]);
        assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_REST);
        done(rest);
        assert_int_equal(server_requests(&rest->service), expected[i]);
    }
    log = wf_buf_slice(&rest->service.log);
    for (const char *at; (at = memmem(log.data, log.len, key, strlen(key))); keys++) {
        log.len -= (apr_size_t)(at + 1 - log.data);
        log.data = at + 1;
    }
    assert_int_equal(keys, 3);
}

static void a_pause_past_the_deadline_is_not_begun(void **state)
{
    rest_t *rest = *state;
    apr_time_t began = wf_clock();

    execute(rest, HERE ", \"retries\": {\"backoff\": 300}",
            REST("\"path\": \"/status/503;Retry-After:60!\""));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_REST);
    assert_true(wf_clock() - began < apr_time_from_sec(3));
    assert_int_equal(server_requests(&rest->service), 1);
    done(rest);
}

static void *execute_on_thread(void *data)
{
    trial_t *trial = data;

    wf_execute(&trial->outcome, &trial->execution, trial->pool);
    return NULL;
}

static void an_interrupt_ends_the_pause(void **state)
{
    rest_t *rest = *state;
    pthread_t thread;
    apr_time_t asked;

    prepare_rest(rest, HERE, REST("\"path\": \"/status/503;Retry-After:30!\""));
    assert_int_equal(pthread_create(&thread, NULL, execute_on_thread, &rest->trial), 0);
    server_await(&rest->service, 1);
    asked = wf_clock();
    wf_cancel_request(rest->trial.execution.cancel, WF_CANCEL_INTERRUPT);
    pthread_join(thread, NULL);
    assert_true(wf_clock() - asked < apr_time_from_sec(1));
    assert_int_equal(rest->trial.outcome.cancelled, WF_CANCEL_INTERRUPT);
    apr_pool_destroy(rest->trial.pool);
}

/* What only the service may see. */
#define SECRETS BASIC ", \"headers\": {\"X-Api-Key\": \"4711-0815\"}"
/* An action that the service redirects to a path of one of the two. */
static const char *redirect_to(const http_server_t *server, const char *path)
{
    static char text[512];

    snprintf(text, sizeof(text),
             REST("\"path\": \"/redirect/http://127.0.0.1:%d%s\", \"headers\": {\"X-Mine\": "
                  "\"yes\"}"),
             server->port, path);
    return text;
}

static void a_redirect_is_followed_within_the_service(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE SECRETS, redirect_to(&rest->service, "/echo/a"));
    assert_sent(rest, "GET /echo/a HTTP/1.1\r\n");
    assert_sent(rest, BASIC_HEADER);
    assert_sent(rest, "\r\nX-Api-Key: 4711-0815\r\n");
    assert_sent(rest, "\r\nX-Mine: yes\r\n");
    assert_int_equal(json_integer_value(member_of(&rest->trial, 0, "requests")), 2);
    done(rest);
}

static void credentials_do_not_follow_to_another_host(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE SECRETS ", \"hosts\": [\"$2\"]", redirect_to(&rest->other, "/echo"));
    assert_sent(rest, "GET /echo HTTP/1.1\r\n");
    assert_int_equal(server_requests(&rest->service), 1);
    assert_int_equal(server_requests(&rest->other), 1);
    assert_true(server_has_read(&rest->service, BASIC_HEADER));
    assert_true(server_has_read(&rest->service, "\r\nX-Api-Key: 4711-0815\r\n"));
    assert_false(server_has_read(&rest->other, "Authorization"));
    assert_false(server_has_read(&rest->other, "X-Api-Key"));
    assert_false(server_has_read(&rest->other, "X-Mine"));
    done(rest);
}

static void who_has_left_does_not_come_back_with_credentials(void **state)
{
    rest_t *rest = *state;
    char back[256];

    snprintf(back, sizeof(back), "/redirect/http://127.0.0.1:%d/echo", rest->service.port);
    execute(rest, HERE SECRETS ", \"hosts\": [\"$2\"]", redirect_to(&rest->other, back));
    assert_sent(rest, "GET /echo HTTP/1.1\r\n");
    assert_not_sent(rest, "Authorization");
    assert_not_sent(rest, "X-Api-Key");
    assert_not_sent(rest, "X-Mine");
    assert_int_equal(server_requests(&rest->service), 2);
    done(rest);
}

static void a_redirect_that_is_not_allowed_is_the_answer(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE SECRETS, redirect_to(&rest->other, "/echo"));
    assert_ill(rest, WF_PROBLEM_REST,
               "action \"rest\": GET by connector \"crm\" was answered with status 302, a redirect "
               "to a host that the connector's \"hosts\" does not have: busy?");
    done(rest);
    assert_int_equal(server_requests(&rest->other), 0);
    execute(rest, HERE, REST("\"path\": \"/redirect/loop\""));
    assert_non_null(strstr(rest->trial.outcome.detail,
                           "status 302, one redirect too many (the last of 6 requests)"));
    done(rest);
    /* One that is expected, or that a POST meets, is not followed. */
    execute(rest, HERE, REST("\"path\": \"/redirect/echo\", \"expect\": [302]"));
    assert_well(rest);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(rest->result, "headers"), "location")),
        "echo");
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/redirect/echo\", \"method\": \"POST\""));
    assert_ill(rest, WF_PROBLEM_REST,
               "action \"rest\": POST by connector \"crm\" was answered with status 302: busy?");
    done(rest);
}

static void an_action_may_name_another_host_that_is_allowed(void **state)
{
    rest_t *rest = *state;
    wf_result_t result;

    execute(rest, HERE SECRETS ", \"hosts\": [\"$2\"]",
            REST("\"path\": \"http://$2/echo\", \"headers\": {\"X-Mine\": \"yes\"}"));
    assert_sent(rest, "\r\nX-Mine: yes\r\n");
    assert_not_sent(rest, "Authorization");
    assert_not_sent(rest, "X-Api-Key");
    assert_int_equal(server_requests(&rest->service), 0);
    done(rest);
    assert_int_equal(load(rest, HERE, REST("\"path\": \"http://$2/echo\""), &result), WF_EINVALID);
    assert_non_null(strstr(result.detail, "path: leads to a host that the connector's \"hosts\""));
    apr_pool_destroy(rest->trial.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(credentials_are_sent_as_the_connector_says),
        TRIAL(a_secret_that_cannot_be_had_sends_nothing),
        TRIAL(what_may_pass_is_tried_again),
        TRIAL(retry_after_is_kept),
        TRIAL(a_post_is_not_tried_again_unless_it_says_so),
        TRIAL(a_pause_past_the_deadline_is_not_begun),
        TRIAL(an_interrupt_ends_the_pause),
        TRIAL(a_redirect_is_followed_within_the_service),
        TRIAL(credentials_do_not_follow_to_another_host),
        TRIAL(who_has_left_does_not_come_back_with_credentials),
        TRIAL(a_redirect_that_is_not_allowed_is_the_answer),
        TRIAL(an_action_may_name_another_host_that_is_allowed),
    };

    return cmocka_run_group_tests(tests, set_up_rest, tear_down_processes);
}
