/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client against a real server: what it sends, what it takes, and how requests end. */
#include "client_util.h"

#include <dirent.h>
#include <fcntl.h>

static void set_header(trial_t *trial, const char *name, const char *value)
{
    wf_header_set((apr_array_header_t *)trial->request.headers, name, value);
}

static void a_request_is_sent_as_it_is_told(void **state)
{
    trial_t *trial = *state;

    set_header(trial, "Accept", "application/json");
    set_header(trial, "X-Empty", "");
    send_path(trial, "/echo?a=b%20c");
    assert_int_equal(trial->answer.status, 200);
    assert_string_equal(wf_header_get(trial->answer.headers, "content-type"), "message/http");
    assert_body(trial, apr_psprintf(trial->pool,
                                    "GET /echo?a=b%%20c HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                                    "User-Agent: mod_dbsync_wf/" WF_VERSION "\r\n"
                                    "Accept: application/json\r\nX-Empty:\r\n\r\n",
                                    trial->server.port));
}

static void bodies_are_sent_by_any_method(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    trial_t *trial = *state;

    set_header(trial, "Accept", "*/*");
    set_header(trial, "Content-Type", "text/plain");
    trial->request.body = wf_slice_of("a\0b", 3);
    trial->request.has_body = 1;
    for (int i = 0; i < 4; i++) {
        trial->request.method = methods[i];
        send_path(trial, "/echo");
        assert_end(trial, WF_HTTP_ANSWERED);
        assert_true(server_has_read(&trial->server, "\r\nContent-Type: text/plain\r\n"));
        assert_true(server_has_read(&trial->server, "\r\nContent-Length: 3\r\n"));
        assert_memory_equal(trial->answer.body.data + trial->answer.body.len - 7, "\r\n\r\na\0b",
                            7);
        assert_memory_equal(trial->answer.body.data, methods[i], strlen(methods[i]));
    }
    assert_int_equal(server_connections(&trial->server), 1); /* kept for all of them */
}

static void a_post_without_a_body_says_so(void **state)
{
    trial_t *trial = *state;

    trial->request.method = "POST";
    send_path(trial, "/echo");
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_true(server_has_read(&trial->server, "\r\nContent-Length: 0\r\n"));
    assert_false(server_has_read(&trial->server, "Content-Type"));
    assert_false(server_has_read(&trial->server, "Expect"));
}

static void a_long_body_is_sent_at_once(void **state)
{
    trial_t *trial = *state;
    char *body = apr_palloc(trial->pool, 3000000);

    memset(body, 'x', 3000000);
    trial->request.method = "PUT";
    trial->request.body = wf_slice_of(body, 3000000);
    trial->request.has_body = 1;
    send_path(trial, "/status/201");
    assert_body(trial, "busy\n");
    assert_false(server_has_read(&trial->server, "Expect"));
}

static void a_head_has_no_body(void **state)
{
    trial_t *trial = *state;

    trial->request.method = "HEAD";
    send_path(trial, "/echo");
    assert_body(trial, "");
    assert_string_equal(wf_header_get(trial->answer.headers, "content-length"), "1000000");
}

static void credentials_are_basic_or_a_bearer_token(void **state)
{
    trial_t *trial = *state;

    trial->request.credentials = (wf_http_credentials_t){"Aladdin", "open sesame"};
    send_path(trial, "/echo");
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_true(server_has_read(&trial->server,
                                "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    trial->request.credentials = (wf_http_credentials_t){NULL, "mF_9.B5f-4.1JqM"};
    send_path(trial, "/echo");
    assert_true(server_has_read(&trial->server, "\r\nAuthorization: Bearer mF_9.B5f-4.1JqM\r\n"));
    trial->request.credentials = (wf_http_credentials_t){NULL, NULL};
    send_path(trial, "/echo");
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_null(memmem(trial->answer.body.data, trial->answer.body.len, "Authorization", 13));
}

static void a_proxy_is_used_where_it_is_named(void **state)
{
    trial_t *trial = *state;

    trial->request.proxy = server_url(&trial->server, "", trial->pool);
    setenv("no_proxy", "*", 1);
    send_url(trial, "http://unknown.invalid/echo");
    unsetenv("no_proxy");
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_memory_equal(trial->answer.body.data, "GET http://unknown.invalid/echo HTTP/1.1\r\n",
                        42);
}

static void a_redirect_is_an_answer(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/status/302;Location:/echo!");
    assert_body(trial, "busy\n");
    assert_int_equal(trial->answer.status, 302);
    assert_string_equal(wf_header_get(trial->answer.headers, "location"), "/echo");
    assert_int_equal(server_requests(&trial->server), 1);
}

static void headers_of_one_name_are_joined(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/bare");
    assert_body(trial, "to the end");
    assert_string_equal(wf_header_get(trial->answer.headers, "x-a"), "b, c");
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/status/503");
    assert_int_equal(trial->answer.retry_after, -1);
    send_path(trial, "/status/503;Retry-After:7!");
    assert_int_equal(trial->answer.retry_after, 7);
    send_path(trial, "/status/503;Retry-After:0!");
    assert_int_equal(trial->answer.retry_after, 0);
    send_path(trial, "/status/503;Retry-After:Fri,%2031%20Dec%201999%2023:59:59%20GMT!");
    assert_int_equal(trial->answer.retry_after, 0);
    send_path(trial, "/status/503;Retry-After:Thu,%2031%20Dec%202099%2023:59:59%20GMT!");
    assert_true(trial->answer.retry_after > 365 * 86400);
}

static void a_body_that_is_too_long_is_not_taken(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/long");
    assert_end(trial, WF_HTTP_TOO_LONG);
    assert_int_equal(trial->answer.body.len, 0);
    assert_non_null(strstr(trial->answer.reason, "100000 bytes"));
    trial->request.response_most = LONG_BODY - 1;
    send_path(trial, "/long");
    assert_end(trial, WF_HTTP_TOO_LONG);
    trial->request.response_most = LONG_BODY;
    send_path(trial, "/long");
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_int_equal(trial->answer.body.len, LONG_BODY);
}

static void how_a_request_failed_is_told_apart(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/cut");
    assert_end(trial, WF_HTTP_BROKEN);
    send_path(trial, "/garbage");
    assert_end(trial, WF_HTTP_REFUSED);
    send_url(trial, "http://127.0.0.1:1/");
    assert_end(trial, WF_HTTP_UNREACHED);
    send_url(trial, "file:///etc/passwd");
    assert_end(trial, WF_HTTP_REFUSED);
    assert_int_equal(trial->answer.body.len, 0);
}

static void a_kept_connection_that_is_dead_does_no_harm(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/once");
    assert_end(trial, WF_HTTP_ANSWERED);
    send_path(trial, "/once"); /* the server has it and ends the connection; libcurl repeats it */
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_int_equal(server_requests(&trial->server), 3);
}

static void what_may_not_be_repeated_is_sent_once(void **state)
{
    trial_t *trial = *state;

    send_path(trial, "/once");
    assert_end(trial, WF_HTTP_ANSWERED);
    trial->request.method = "POST";
    trial->request.is_repeatable = 0;
    send_path(trial, "/once"); /* on a connection of its own */
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_int_equal(server_requests(&trial->server), 2);
    assert_int_equal(server_connections(&trial->server), 2);
}

static int count_descriptors(int *leaked)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    *leaked = 0;
    while ((entry = readdir(dir))) {
        int fd = atoi(entry->d_name);
        int type = 0;
        socklen_t len = sizeof(type);
        count++;
        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &type, &len) == 0 && type == AF_INET) {
            *leaked += (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
        }
    }
    closedir(dir);
    return count;
}

static void connections_are_closed_with_the_pool_and_never_inherited(void **state)
{
    trial_t *trial = *state;
    wf_http_client_t *first = trial->client;
    int inherited, before = count_descriptors(&inherited);
    apr_pool_t *pool;

    apr_pool_create(&pool, trial->pool);
    assert_int_equal(wf_http_client_create(&trial->client, pool), APR_SUCCESS);
    send_path(trial, "/silent?");
    assert_end(trial, WF_HTTP_ANSWERED);
    assert_true(count_descriptors(&inherited) > before + 1);
    assert_int_equal(inherited, 0);
    apr_pool_destroy(pool);
    trial->client = first;
    /* The server's end of it stays until the server stops. */
    assert_int_equal(count_descriptors(&inherited), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(a_request_is_sent_as_it_is_told),
        TRIAL(bodies_are_sent_by_any_method),
        TRIAL(a_post_without_a_body_says_so),
        TRIAL(a_long_body_is_sent_at_once),
        TRIAL(a_head_has_no_body),
        TRIAL(credentials_are_basic_or_a_bearer_token),
        TRIAL(a_proxy_is_used_where_it_is_named),
        TRIAL(a_redirect_is_an_answer),
        TRIAL(headers_of_one_name_are_joined),
        TRIAL(retry_after_is_seconds_or_a_date),
        TRIAL(a_body_that_is_too_long_is_not_taken),
        TRIAL(how_a_request_failed_is_told_apart),
        TRIAL(a_kept_connection_that_is_dead_does_no_harm),
        TRIAL(what_may_not_be_repeated_is_sent_once),
        TRIAL(connections_are_closed_with_the_pool_and_never_inherited),
    };

    return cmocka_run_group_tests(tests, set_up_clients, NULL);
}
