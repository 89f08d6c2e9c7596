/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks: what may be one, how it is signed, and what becomes of an attempt. */
#include "http_util.h"

#include <signal.h>
#include "base/result.h"
#include "flow/rest/callback.h"
#include "flow/rest/rest.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

typedef struct trial_t {
    apr_pool_t *pool;
    http_server_t server;
    wf_cancel_t *cancel;
    wf_callback_message_t message;
    wf_callback_answer_t answer;
} trial_t;

static int set_up(void **state)
{
    trial_t *trial = calloc(1, sizeof(*trial));

    apr_pool_create(&trial->pool, NULL);
    server_start(&trial->server);
    assert_int_equal(wf_cancel_create(&trial->cancel, trial->pool), APR_SUCCESS);
    /* The example of the Standard Webhooks specification's libraries. */
    trial->message.secret = SECRET;
    trial->message.id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    trial->message.time = apr_time_from_sec(1614265330) + 999999;
    trial->message.body = wf_slice("{\"test\": 2432232314}");
    *state = trial;
    return 0;
}

static int tear_down(void **state)
{
    trial_t *trial = *state;

    apr_pool_destroy(trial->pool);
    server_stop(&trial->server);
    free(trial);
    return 0;
}

static void deliver(trial_t *trial, const char *path)
{
    trial->message.url = server_url(&trial->server, path, trial->pool);
    assert_int_equal(
        wf_callback_deliver(&trial->answer, &trial->message, trial->cancel, trial->pool),
        APR_SUCCESS);
    assert_int_equal(trial->answer.reason == NULL, trial->answer.is_delivered);
}

static const char *url_mistake(const char *url, apr_pool_t *pool)
{
    const char *reason = NULL;

    return wf_callback_url_check(&reason, url, pool) == APR_SUCCESS ? NULL : reason;
}

static void a_url_is_absolute_and_names_no_user(void **state)
{
    trial_t *trial = *state;
    char *longest = apr_pcalloc(trial->pool, 2050);

    memset(longest, 'a', 2048);
    memcpy(longest, "https://e/", 10);
    assert_null(url_mistake("https://hooks.example.org/a?b=c", trial->pool));
    assert_null(url_mistake("http://127.0.0.1:8080", trial->pool));
    assert_null(url_mistake(longest, trial->pool));
    longest[2048] = 'a';
    assert_string_equal(url_mistake(longest, trial->pool), "have at most 2048 bytes");
    assert_string_equal(url_mistake("ftp://e/", trial->pool), "begin with http:// or https://");
    assert_string_equal(url_mistake("file:///etc/passwd", trial->pool),
                        "begin with http:// or https://");
    assert_string_equal(url_mistake("https://u:p@e/", trial->pool),
                        "have no user or password in it");
    assert_string_equal(url_mistake("/hooks", trial->pool), "begin with http:// or https://");
    assert_non_null(url_mistake("", trial->pool));
}

static void a_secret_is_of_24_to_64_bytes(void **state)
{
    static const char *const good[] = {
        SECRET,
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMQ==",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMTE=",
        /* 64 bytes */
        ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5M"
         "DEyMw=="),
    };
    static const char *const bad[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaQ=",   /* 23 bytes */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwM",  /* no base64 */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMQ", /* not padded */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwM===",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS=MQ==",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\n",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_",
        /* 65 bytes */
        ("whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5M"
         "DEyMzQ="),
    };
    const char *reason;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(wf_callback_secret_check(&reason, good[i]), APR_SUCCESS);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(wf_callback_secret_check(&reason, bad[i]), WF_EINVALID);
    }
}

static apr_array_header_t *hosts_of(const char *a, const char *b, apr_pool_t *pool)
{
    apr_array_header_t *hosts = apr_array_make(pool, 2, sizeof(const char *));

    APR_ARRAY_PUSH(hosts, const char *) = a;
    APR_ARRAY_PUSH(hosts, const char *) = b;
    return hosts;
}

static void only_hosts_of_the_list_are_allowed(void **state)
{
    trial_t *trial = *state;
    apr_pool_t *pool = trial->pool;
    apr_array_header_t *hosts = hosts_of("hooks.example.org", "127.0.0.1:8080", pool);
    const char *reason;

    assert_true(wf_callback_is_allowed("https://Hooks.Example.org/x", hosts, pool));
    assert_true(wf_callback_is_allowed("http://hooks.example.org/x", hosts, pool));
    assert_true(wf_callback_is_allowed("http://127.0.0.1:8080/", hosts, pool));
    assert_false(wf_callback_is_allowed("https://hooks.example.org:8443/x", hosts, pool));
    assert_false(wf_callback_is_allowed("https://a.hooks.example.org/", hosts, pool));
    assert_false(wf_callback_is_allowed("http://127.0.0.1/", hosts, pool));
    assert_false(wf_callback_is_allowed("nonsense", hosts, pool));
    assert_false(wf_callback_is_allowed("https://hooks.example.org/", NULL, pool));
    assert_int_equal(wf_callback_host_check(&reason, "a:1", pool), APR_SUCCESS);
    assert_int_equal(wf_callback_host_check(&reason, "http://a", pool), WF_EINVALID);
    assert_string_equal(reason, "be a host or host:port");
}

static void a_signature_is_that_of_the_specification(void **state)
{
    trial_t *trial = *state;
    const char *signature;

    assert_int_equal(wf_callback_sign(&signature, &trial->message, trial->pool), APR_SUCCESS);
    assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    trial->message.secret = "whsec_short";
    assert_int_equal(wf_callback_sign(&signature, &trial->message, trial->pool), WF_EINVALID);
}

/* A key of 64 bytes, a hash's whole block; what is expected is by Python's hmac. */
static void a_signature_is_right_for_the_longest_secret(void **state)
{
    trial_t *trial = *state;
    const char *signature;

    trial->message.secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3"
                            "ODkwMTIzNDU2Nzg5MDEyMw==";
    assert_int_equal(wf_callback_sign(&signature, &trial->message, trial->pool), APR_SUCCESS);
    assert_string_equal(signature, "v1,nRXMlHauOYns/Trfpw6KUO0I5QaDXMjQjkKpAEVTFVQ=");
}

static void an_attempt_sends_body_and_signature(void **state)
{
    trial_t *trial = *state;

    deliver(trial, "/echo?token=hush");
    assert_true(trial->answer.is_delivered);
    assert_int_equal(trial->answer.http_status, 200);
    assert_true(server_has_read(&trial->server, "POST /echo?token=hush HTTP/1.1\r\n"));
    assert_true(
        server_has_read(&trial->server, "\r\nUser-Agent: mod_dbsync_wf/" WF_VERSION "\r\n"));
    assert_true(server_has_read(&trial->server, "\r\nContent-Type: application/json\r\n"));
    assert_true(
        server_has_read(&trial->server, "\r\nwebhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\n"));
    assert_true(server_has_read(&trial->server, "\r\nwebhook-timestamp: 1614265330\r\n"));
    assert_true(server_has_read(
        &trial->server,
        "\r\nwebhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"));
    assert_true(server_has_read(&trial->server, "\r\n\r\n{\"test\": 2432232314}"));
    assert_false(server_has_read(&trial->server, SECRET));
}

static void a_status_tells_what_came_of_it(void **state)
{
    static const struct {
        const char *path;
        int status, is_delivered, is_unwanted;
    } table[] = {
        {"/status/200", 200, 1, 0}, {"/status/204", 204, 1, 0}, {"/status/299", 299, 1, 0},
        {"/status/304", 304, 0, 0}, {"/status/404", 404, 0, 0}, {"/status/410", 410, 0, 1},
        {"/status/500", 500, 0, 0}, {"/status/503", 503, 0, 0},
    };
    trial_t *trial = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        deliver(trial, table[i].path);
        assert_int_equal(trial->answer.http_status, table[i].status);
        assert_int_equal(trial->answer.is_delivered, table[i].is_delivered);
        assert_int_equal(trial->answer.is_unwanted, table[i].is_unwanted);
    }
    assert_string_equal(trial->answer.reason, "the receiver answered 503");
}

static void a_redirect_is_not_followed(void **state)
{
    trial_t *trial = *state;

    deliver(trial,
            apr_psprintf(trial->pool, "/redirect/http://127.0.0.1:%d/echo", trial->server.port));
    assert_int_equal(trial->answer.http_status, 302);
    assert_false(trial->answer.is_delivered);
    assert_int_equal(server_requests(&trial->server), 1);
}

static void a_long_answer_is_one_all_the_same(void **state)
{
    trial_t *trial = *state;

    deliver(trial, "/long");
    assert_int_equal(trial->answer.http_status, 200);
    assert_true(trial->answer.is_delivered);
}

static void no_answer_is_told_in_words_without_the_path(void **state)
{
    static const char *const paths[] = {"/garbage", "/cut"};
    trial_t *trial = *state;

    for (int i = 0; i < 2; i++) {
        deliver(trial, paths[i]);
        assert_int_equal(trial->answer.http_status, 0);
        assert_false(trial->answer.is_delivered || trial->answer.is_unwanted);
        assert_null(strstr(trial->answer.reason, paths[i]));
    }
    trial->message.url = "http://127.0.0.1:1/hook?token=hush";
    assert_int_equal(
        wf_callback_deliver(&trial->answer, &trial->message, trial->cancel, trial->pool),
        APR_SUCCESS);
    assert_int_equal(trial->answer.http_status, 0);
    assert_non_null(strstr(trial->answer.reason, "127.0.0.1"));
    assert_null(strstr(trial->answer.reason, "hush"));
}

static void a_secret_that_is_none_sends_nothing(void **state)
{
    trial_t *trial = *state;

    trial->message.secret = "hush";
    deliver(trial, "/echo");
    assert_false(trial->answer.is_delivered || trial->answer.is_unwanted);
    assert_null(strstr(trial->answer.reason, "hush"));
    assert_int_equal(server_requests(&trial->server), 0);
}

static void *cancel_when_asked(void *data)
{
    trial_t *trial = data;

    server_await(&trial->server, 1);
    wf_cancel_request(trial->cancel, WF_CANCEL_SHUTDOWN);
    return NULL;
}

static void an_attempt_can_be_cancelled(void **state)
{
    trial_t *trial = *state;
    apr_time_t begun = wf_clock();
    pthread_t thread;

    trial->message.url = server_url(&trial->server, "/silent", trial->pool);
    assert_int_equal(pthread_create(&thread, NULL, cancel_when_asked, trial), 0);
    assert_int_equal(
        wf_callback_deliver(&trial->answer, &trial->message, trial->cancel, trial->pool),
        WF_ECANCELLED);
    pthread_join(thread, NULL);
    assert_true(wf_clock() - begun < apr_time_from_sec(5));
}

static void a_receiver_that_says_nothing_has_ten_seconds(void **state)
{
    trial_t *trial = *state;
    apr_time_t begun = wf_clock();

    deliver(trial, "/silent");
    assert_int_equal(trial->answer.http_status, 0);
    assert_non_null(strstr(trial->answer.reason, "timed out"));
    assert_true(wf_clock() - begun >= apr_time_from_sec(9));
    assert_true(wf_clock() - begun < apr_time_from_sec(20));
}

static int set_up_all(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* what libcurl would obey */
    return apr_initialize() == APR_SUCCESS && wf_rest_setup() == APR_SUCCESS ? 0 : -1;
}

#define TRIAL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(a_url_is_absolute_and_names_no_user),
        TRIAL(a_secret_is_of_24_to_64_bytes),
        TRIAL(only_hosts_of_the_list_are_allowed),
        TRIAL(a_signature_is_that_of_the_specification),
        TRIAL(a_signature_is_right_for_the_longest_secret),
        TRIAL(an_attempt_sends_body_and_signature),
        TRIAL(a_status_tells_what_came_of_it),
        TRIAL(a_redirect_is_not_followed),
        TRIAL(a_long_answer_is_one_all_the_same),
        TRIAL(no_answer_is_told_in_words_without_the_path),
        TRIAL(a_secret_that_is_none_sends_nothing),
        TRIAL(an_attempt_can_be_cancelled),
        TRIAL(a_receiver_that_says_nothing_has_ten_seconds),
    };

    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
