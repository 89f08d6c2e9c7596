/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client: one transfer of libcurl's at a time, with the cancel in its poll. */
#include "flow/rest/client.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <curl/curl.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

/* Upper bound of a poll: libcurl's own timers, the cancel and the deadline end one earlier. */
#define POLL_MOST apr_time_from_sec(1)

struct wf_http_client_t {
    CURLM *multi; /* owns the connections */
    CURL *easy;
};

typedef struct transfer_t {
    const wf_http_request_t *request;
    wf_http_answer_t *answer;
    wf_buf_t *body;
    CURL *easy;
    struct curl_slist *headers;
    char error[CURL_ERROR_SIZE];
    apr_pool_t *pool;
} transfer_t;

apr_status_t wf_http_setup(void)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (code != CURLE_OK) {
        wf_log_error(0, "WF0340", "libcurl cannot start: %s", curl_easy_strerror(code));
        return APR_EGENERAL;
    }
    return APR_SUCCESS;
}

static apr_status_t close_client(void *data)
{
    wf_http_client_t *client = data;

    curl_easy_cleanup(client->easy);
    curl_multi_cleanup(client->multi);
    return APR_SUCCESS;
}

apr_status_t wf_http_client_create(wf_http_client_t **out, apr_pool_t *pool)
{
    wf_http_client_t *client = apr_pcalloc(pool, sizeof(*client));

    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    if (!client->multi || !client->easy) {
        close_client(client);
        return APR_ENOMEM;
    }
    apr_pool_cleanup_register(pool, client, close_client, apr_pool_cleanup_null);
    *out = client;
    return APR_SUCCESS;
}

/* libcurl's callback for a piece of the body; another count than it was given ends the transfer. */
static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    transfer_t *transfer = baton;
    wf_buf_t *body = transfer->body;

    if (size * count > transfer->request->response_most - body->len) {
        transfer->answer->end = WF_HTTP_TOO_LONG;
        return 0;
    }
    wf_buf_add(body, data, size * count);
    return size * count;
}

/* libcurl's callback for a socket: no program that another thread starts may inherit it. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)baton;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* An option that cannot be set would leave a request that does something else than it should. */
#define SET(transfer, option, value)                                                               \
    do {                                                                                           \
        if (curl_easy_setopt((transfer)->easy, option, value) != CURLE_OK) {                       \
            return #option;                                                                        \
        }                                                                                          \
    } while (0)

/* What holds for every request. NULL, or the option that libcurl did not take. */
static const char *set_rules(transfer_t *transfer)
{
    SET(transfer, CURLOPT_NOSIGNAL, 1L);
    /* A thread that still resolves is not waited for. */
    SET(transfer, CURLOPT_QUICK_EXIT, 1L);
    SET(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(transfer, CURLOPT_FOLLOWLOCATION, 0L);
    SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(transfer, CURLOPT_HTTP09_ALLOWED, 0L);
    SET(transfer, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(transfer, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(transfer, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(transfer, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(transfer, CURLOPT_USERAGENT, "mod_dbsync_wf/" WF_VERSION);
    SET(transfer, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(transfer, CURLOPT_ERRORBUFFER, transfer->error);
    SET(transfer, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(transfer, CURLOPT_WRITEFUNCTION, take_body);
    SET(transfer, CURLOPT_WRITEDATA, transfer);
    return NULL;
}

/* Where the request goes, and whom it trusts and believes on the way. */
static const char *set_peer(transfer_t *transfer)
{
    const wf_http_request_t *request = transfer->request;
    apr_interval_time_t left = request->until - wf_clock();

    SET(transfer, CURLOPT_URL, request->url);
    /* An empty text, unlike NULL, keeps libcurl from looking for one in the environment. */
    SET(transfer, CURLOPT_PROXY, request->proxy ? request->proxy : "");
    SET(transfer, CURLOPT_NOPROXY, "");
    if (request->ca_file) {
        SET(transfer, CURLOPT_CAINFO, request->ca_file);
        SET(transfer, CURLOPT_CAPATH, NULL);
    }
    SET(transfer, CURLOPT_FRESH_CONNECT, request->is_repeatable ? 0L : 1L);
    /* 0 would mean none. */
    SET(transfer, CURLOPT_TIMEOUT_MS, left > 1000 ? (long)apr_time_as_msec(left) : 1L);
    SET(transfer, CURLOPT_CONNECTTIMEOUT_MS,
        request->connect_timeout > 1000 ? (long)apr_time_as_msec(request->connect_timeout) : 1L);
    return NULL;
}

static const char *set_body(transfer_t *transfer)
{
    const wf_http_request_t *request = transfer->request;

    if (strcmp(request->method, "HEAD") == 0) {
        SET(transfer, CURLOPT_NOBODY, 1L);
    } else if (request->has_body || strcmp(request->method, "POST") == 0) {
        SET(transfer, CURLOPT_POST, 1L);
        SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        SET(transfer, CURLOPT_POSTFIELDS, request->body.len ? request->body.data : "");
        SET(transfer, CURLOPT_CUSTOMREQUEST, request->method);
    } else if (strcmp(request->method, "GET") != 0) {
        SET(transfer, CURLOPT_CUSTOMREQUEST, request->method);
    }
    return NULL;
}

static const char *set_credentials(transfer_t *transfer)
{
    const wf_http_credentials_t *credentials = &transfer->request->credentials;

    if (!credentials->secret) {
        return NULL;
    }
    if (credentials->user) {
        SET(transfer, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(transfer, CURLOPT_USERNAME, credentials->user);
        SET(transfer, CURLOPT_PASSWORD, credentials->secret);
    } else {
        SET(transfer, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        SET(transfer, CURLOPT_XOAUTH2_BEARER, credentials->secret);
    }
    return NULL;
}

static void add_line(transfer_t *transfer, const char *line)
{
    struct curl_slist *list = curl_slist_append(transfer->headers, line);

    if (!list) {
        abort();
    }
    transfer->headers = list;
}

static const char *set_headers(transfer_t *transfer)
{
    const wf_header_t *list = (const wf_header_t *)transfer->request->headers->elts;

    /* Without what libcurl adds of itself: no second round trip before a body, no form's type. */
    add_line(transfer, "Expect:");
    if (!wf_header_get(transfer->request->headers, "Content-Type")) {
        add_line(transfer, "Content-Type:");
    }
    for (int i = 0; i < transfer->request->headers->nelts; i++) {
        /* "Name;" is libcurl's way to spell an empty value: "Name:" would leave the header out. */
        add_line(transfer, list[i].value[0] ? apr_pstrcat(transfer->pool, list[i].name, ": ",
                                                          list[i].value, NULL)
                                            : apr_pstrcat(transfer->pool, list[i].name, ";", NULL));
    }
    SET(transfer, CURLOPT_HTTPHEADER, transfer->headers);
    return NULL;
}

static apr_status_t prepare(transfer_t *transfer)
{
    static const char *(*const steps[])(transfer_t *) = {set_rules, set_peer, set_body,
                                                         set_credentials, set_headers};

    for (apr_size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const char *option = steps[i](transfer);

        if (option) {
            wf_log_error(0, "WF0341", "libcurl does not take the option %s", option);
            transfer->answer->end = WF_HTTP_REFUSED;
            transfer->answer->reason = "the client could not be prepared";
            return APR_EGENERAL;
        }
    }
    return APR_SUCCESS;
}

/* Whether the transfer may go on: WF_ECANCELLED where not. */
static apr_status_t may_go_on(const wf_http_request_t *request, wf_cancel_t *cancel)
{
    if (request->deadline && wf_clock() >= request->deadline) {
        wf_cancel_request(cancel, WF_CANCEL_TIMEOUT);
    }
    return wf_cancel_reason(cancel) == WF_CANCEL_NONE ? APR_SUCCESS : WF_ECANCELLED;
}

/* Waits for whatever libcurl waits for, and for the cancel. */
static CURLMcode wait_for_more(wf_http_client_t *client, const wf_http_request_t *request,
                               wf_cancel_t *cancel)
{
    struct curl_waitfd fd = {wf_cancel_fd(cancel), CURL_WAIT_POLLIN, 0};
    apr_time_t until = wf_clock() + POLL_MOST;

    if (request->deadline && request->deadline < until) {
        until = request->deadline;
    }
    return curl_multi_poll(client->multi, &fd, 1, wf_clock_poll_ms(until), NULL);
}

/* Drives the transfer to its end. */
static apr_status_t drive(CURLcode *code, wf_http_client_t *client,
                          const wf_http_request_t *request, wf_cancel_t *cancel)
{
    CURLMcode rc = curl_multi_add_handle(client->multi, client->easy);
    apr_status_t rv = APR_SUCCESS;
    const CURLMsg *message;
    int running = 1, left;

    while (rc == CURLM_OK && running) {
        rv = may_go_on(request, cancel);
        if (rv != APR_SUCCESS) {
            break;
        }
        rc = curl_multi_perform(client->multi, &running);
        if (rc == CURLM_OK && running) {
            rc = wait_for_more(client, request, cancel);
        }
    }
    message = curl_multi_info_read(client->multi, &left);
    *code = message && message->msg == CURLMSG_DONE ? message->data.result : CURLE_FAILED_INIT;
    if (rc != CURLM_OK) {
        wf_log_error(0, "WF0342", "libcurl: %s", curl_multi_strerror(rc));
    }
    curl_multi_remove_handle(client->multi, client->easy);
    return rv;
}

/* Whether a connection had come about: a request was on its way, or could have been. */
static int was_connected(CURL *easy)
{
    curl_off_t ready = 0;

    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready) == CURLE_OK && ready > 0;
}

static wf_http_end_e classify(CURL *easy, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return WF_HTTP_ANSWERED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return WF_HTTP_UNREACHED;
    case CURLE_OPERATION_TIMEDOUT:
        return was_connected(easy) ? WF_HTTP_LATE : WF_HTTP_UNREACHED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return WF_HTTP_BROKEN;
    default:
        return WF_HTTP_REFUSED;
    }
}

/*
 * libcurl's own words, where they are known to be about hosts, times and certificates; the general
 * ones of its error codes where they could quote a path, or what a server said.
 */
static const char *explain(const transfer_t *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PEER_FAILED_VERIFICATION:
        if (transfer->error[0]) {
            return apr_pstrdup(transfer->pool, transfer->error);
        }
        break;
    case CURLE_SSL_CACERT_BADFILE:
        wf_log_error(0, "WF0343", "the certificates of %s cannot be used",
                     transfer->request->ca_file);
        break;
    default:
        break;
    }
    return curl_easy_strerror(code);
}

static void take_headers(transfer_t *transfer)
{
    apr_array_header_t *headers = transfer->answer->headers;
    struct curl_header *header = NULL;

    while ((header = curl_easy_nextheader(transfer->easy, CURLH_HEADER, -1, header))) {
        char *name = apr_pstrdup(transfer->pool, header->name);
        const char *before;

        for (char *c = name; *c; c++) {
            *c = (char)apr_tolower(*c);
        }
        before = wf_header_get(headers, name);
        wf_header_set(headers, name,
                      before ? apr_pstrcat(transfer->pool, before, ", ", header->value, NULL)
                             : apr_pstrdup(transfer->pool, header->value));
    }
}

static void take_answer(transfer_t *transfer)
{
    wf_http_answer_t *answer = transfer->answer;
    curl_off_t retry_after = 0;
    long status = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
    answer->status = (int)status;
    answer->body = wf_buf_slice(transfer->body);
    take_headers(transfer);
    if (wf_header_get(answer->headers, "retry-after")) {
        answer->retry_after = retry_after > 0 ? retry_after : 0; /* 0 also for a date gone by */
    }
}

/* Sets how it ended; the callback has done so already where the body was too long. */
static void take_end(transfer_t *transfer, CURLcode code)
{
    wf_http_answer_t *answer = transfer->answer;

    if (answer->end == WF_HTTP_ANSWERED) {
        answer->end = classify(transfer->easy, code);
    } else if (transfer->request->response_may_be_cut) {
        answer->end = WF_HTTP_ANSWERED;
    }
    if (answer->end == WF_HTTP_ANSWERED) {
        take_answer(transfer);
    } else if (answer->end == WF_HTTP_TOO_LONG) {
        answer->reason = apr_psprintf(transfer->pool,
                                      "the answer is longer than the %" APR_SIZE_T_FMT
                                      " bytes of \"maxResponse\"",
                                      transfer->request->response_most);
    } else {
        answer->reason = explain(transfer, code);
    }
}

apr_status_t wf_http_send(wf_http_answer_t *answer, wf_http_client_t *client,
                          const wf_http_request_t *request, wf_cancel_t *cancel, apr_pool_t *pool)
{
    transfer_t transfer = {
        .request = request, .answer = answer, .easy = client->easy, .pool = pool};
    CURLcode code = CURLE_OK;
    apr_status_t rv;

    memset(answer, 0, sizeof(*answer));
    answer->end = WF_HTTP_ANSWERED;
    answer->headers = apr_array_make(pool, 16, sizeof(wf_header_t));
    answer->retry_after = -1;
    transfer.body = apr_pcalloc(pool, sizeof(*transfer.body));
    wf_buf_bind(transfer.body, pool);
    rv = prepare(&transfer);
    if (rv == APR_SUCCESS) {
        rv = drive(&code, client, request, cancel);
        if (rv == APR_SUCCESS) {
            take_end(&transfer, code);
        }
    }
    /* No option outlives the request: neither its credentials nor what points to this frame. */
    curl_easy_reset(client->easy);
    curl_slist_free_all(transfer.headers);
    return rv == WF_ECANCELLED ? rv : APR_SUCCESS;
}
