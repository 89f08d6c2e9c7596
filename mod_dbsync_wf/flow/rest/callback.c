/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks: what may be one, their signature by nettle, and the attempt by the HTTP client. */
#include "flow/rest/callback.h"

#include <string.h>
#include <nettle/hmac.h>
#include <apr_base64.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/result.h"
#include "flow/rest/client.h"
#include "flow/rest/url.h"

#define SECRET_PREFIX   "whsec_"
#define ATTEMPT_TIME    apr_time_from_sec(10)
#define CONNECT_TIME    apr_time_from_sec(5)
#define ANSWER_MOST     65536u
#define BASE64_LETTERS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define STATUS_UNWANTED 410

apr_status_t wf_callback_url_check(const char **reason, const char *url, apr_pool_t *pool)
{
    wf_url_t parsed;

    if (strlen(url) > WF_CALLBACK_URL_MOST) {
        *reason = "have at most 2048 bytes";
        return WF_EINVALID;
    }
    return wf_url_parse(&parsed, reason, url, pool);
}

/* How many bytes a (padded) base64 text stands for; 0 where it is none. */
static apr_size_t base64_length(const char *text)
{
    apr_size_t letters = strspn(text, BASE64_LETTERS);
    apr_size_t padding = strlen(text + letters);

    if (padding > 2 || strspn(text + letters, "=") != padding || (letters + padding) % 4 != 0) {
        return 0;
    }
    return (letters + padding) / 4 * 3 - padding;
}

apr_status_t wf_callback_secret_check(const char **reason, const char *secret)
{
    const apr_size_t prefix = sizeof(SECRET_PREFIX) - 1;
    apr_size_t len;

    if (strncmp(secret, SECRET_PREFIX, prefix) != 0) {
        *reason = "begin with \"whsec_\"";
        return WF_EINVALID;
    }
    len = base64_length(secret + prefix);
    if (len < WF_CALLBACK_SECRET_LEAST || len > WF_CALLBACK_SECRET_MOST) {
        *reason = "be \"whsec_\" and the base64 of 24 to 64 bytes";
        return WF_EINVALID;
    }
    return APR_SUCCESS;
}

apr_status_t wf_callback_host_check(const char **reason, const char *host, apr_pool_t *pool)
{
    wf_url_host_t parsed;
    apr_status_t rv = wf_url_host_parse(&parsed, host, pool);

    if (rv != APR_SUCCESS) {
        *reason = "be a host or host:port";
    }
    return rv;
}

int wf_callback_is_allowed(const char *url, const apr_array_header_t *hosts, apr_pool_t *pool)
{
    const char *reason;
    wf_url_t parsed;

    if (!hosts || wf_url_parse(&parsed, &reason, url, pool) != APR_SUCCESS) {
        return 0;
    }
    for (int i = 0; i < hosts->nelts; i++) {
        wf_url_host_t host;

        if (wf_url_host_parse(&host, APR_ARRAY_IDX(hosts, i, const char *), pool) == APR_SUCCESS &&
            wf_url_is_allowed(&parsed, NULL, &host, 1)) {
            return 1;
        }
    }
    return 0;
}

static apr_int64_t seconds_of(const wf_callback_message_t *message)
{
    return apr_time_sec(message->time);
}

apr_status_t wf_callback_sign(const char **signature, const wf_callback_message_t *message,
                              apr_pool_t *pool)
{
    unsigned char key[WF_CALLBACK_SECRET_MOST + 3]; /* apr's decoder writes whole groups */
    unsigned char code[SHA256_DIGEST_SIZE];
    char base64[2 * SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx hmac;
    const char *reason, *head;
    int len;
    apr_status_t rv = wf_callback_secret_check(&reason, message->secret);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    len = apr_base64_decode_binary(key, message->secret + sizeof(SECRET_PREFIX) - 1);
    head = apr_psprintf(pool, "%s.%" APR_INT64_T_FMT ".", message->id, seconds_of(message));
    hmac_sha256_set_key(&hmac, (size_t)len, key);
    hmac_sha256_update(&hmac, strlen(head), (const uint8_t *)head);
    hmac_sha256_update(&hmac, message->body.len, (const uint8_t *)message->body.data);
    hmac_sha256_digest(&hmac, sizeof(code), code);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(&hmac, sizeof(hmac));
    apr_base64_encode_binary(base64, code, sizeof(code));
    *signature = apr_pstrcat(pool, "v1,", base64, NULL);
    return APR_SUCCESS;
}

static apr_array_header_t *make_headers(const wf_callback_message_t *message, const char *signature,
                                        apr_pool_t *pool)
{
    apr_array_header_t *headers = apr_array_make(pool, 5, sizeof(wf_header_t));

    wf_header_set(headers, "Content-Type", "application/json");
    wf_header_set(headers, "webhook-id", message->id);
    wf_header_set(headers, "webhook-timestamp",
                  apr_psprintf(pool, "%" APR_INT64_T_FMT, seconds_of(message)));
    wf_header_set(headers, "webhook-signature", signature);
    return headers;
}

static void judge(wf_callback_answer_t *answer, const wf_http_answer_t *from, apr_pool_t *pool)
{
    memset(answer, 0, sizeof(*answer));
    if (from->end != WF_HTTP_ANSWERED) {
        answer->reason = from->reason;
        return;
    }
    answer->http_status = from->status;
    answer->is_delivered = from->status / 100 == 2;
    answer->is_unwanted = from->status == STATUS_UNWANTED;
    if (!answer->is_delivered) {
        answer->reason = apr_psprintf(pool, "the receiver answered %d", from->status);
    }
}

apr_status_t wf_callback_deliver(wf_callback_answer_t *answer, const wf_callback_message_t *message,
                                 wf_cancel_t *cancel, apr_pool_t *pool)
{
    wf_http_request_t request = {.method = "POST",
                                 .url = message->url,
                                 .body = message->body,
                                 .has_body = 1,
                                 .connect_timeout = CONNECT_TIME,
                                 .until = wf_clock() + ATTEMPT_TIME,
                                 .response_most = ANSWER_MOST,
                                 .response_may_be_cut = 1};
    wf_http_client_t *client;
    wf_http_answer_t got;
    const char *signature;
    apr_status_t rv = wf_callback_sign(&signature, message, pool);

    if (rv == WF_EINVALID) {
        memset(answer, 0, sizeof(*answer));
        answer->reason = "its secret is not \"whsec_\" and the base64 of 24 to 64 bytes";
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        rv = wf_http_client_create(&client, pool);
    }
    if (rv == APR_SUCCESS) {
        request.headers = make_headers(message, signature, pool);
        rv = wf_http_send(&got, client, &request, cancel, pool);
    }
    if (rv == APR_SUCCESS) {
        judge(answer, &got, pool);
    }
    return rv;
}
