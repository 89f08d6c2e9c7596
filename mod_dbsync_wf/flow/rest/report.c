/* SPDX-License-Identifier: Apache-2.0 */
/* An exchange, as details, result and failure. */
#include "flow/rest/report.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include "base/printable.h"

#define BODY_DEPTH    500 /* with what is around it, no deeper than what is let in elsewhere */
#define EXCERPT_CHARS 200
#define KEY_LEAST     8 /* characters of a header that may be a key */

void wf_rest_report_details(wf_json_writer_t *details, const wf_rest_exchange_t *exchange)
{
    if (exchange->answer.end == WF_HTTP_ANSWERED) {
        wf_json_put_int(details, "httpStatus", exchange->answer.status);
    }
    if (exchange->request_count > 1) {
        wf_json_put_int(details, "requests", exchange->request_count);
    }
}

static void put_body(wf_json_writer_t *writer, wf_slice_t body)
{
    if (body.len == 0) {
        wf_json_put_raw(writer, "body", wf_slice("null"));
    } else if (wf_json_check(body, BODY_DEPTH, NULL) == APR_SUCCESS) {
        wf_json_put_raw(writer, "body", wf_json_trim(body));
    } else {
        wf_json_put_bytes(writer, "body", body);
    }
}

wf_slice_t wf_rest_report_result(const wf_rest_exchange_t *exchange, apr_pool_t *pool)
{
    const apr_array_header_t *headers = exchange->answer.headers;
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));
    wf_json_writer_t writer;

    wf_buf_bind(json, pool);
    wf_json_writer_init(&writer, json);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_int(&writer, "status", exchange->answer.status);
    wf_json_open(&writer, "headers", '{');
    for (int i = 0; i < headers->nelts; i++) {
        const wf_header_t *header = &((const wf_header_t *)headers->elts)[i];
        wf_json_put_bytes(&writer, header->name, wf_slice(header->value));
    }
    wf_json_close(&writer, '}');
    put_body(&writer, exchange->answer.body);
    wf_json_close(&writer, '}');
    return wf_buf_slice(json);
}

static int has_text(wf_slice_t body, const char *text)
{
    return *text && memmem(body.data, body.len, text, strlen(text)) != NULL;
}

static const char *encode_basic(const char *user, const char *secret, apr_pool_t *pool)
{
    const char *pair = apr_pstrcat(pool, user, ":", secret, NULL);
    int len = (int)strlen(pair);
    char *text = apr_palloc(pool, (apr_size_t)apr_base64_encode_len(len));

    apr_base64_encode(text, pair, len);
    return text;
}

/*
 * Whether a body gives away what the connector sent, as some services do that quote a request they
 * refuse: its secret, as it is or as Basic's base64, or a header that is long enough to be a key.
 */
static int has_secret(wf_slice_t body, const wf_rest_exchange_t *exchange,
                      const wf_rest_connector_t *connector, apr_pool_t *pool)
{
    const apr_array_header_t *headers = connector->headers;
    const char *secret = exchange->secret;

    for (int i = 0; i < headers->nelts; i++) {
        const char *value = ((const wf_header_t *)headers->elts)[i].value;

        if (strlen(value) >= KEY_LEAST && has_text(body, value)) {
            return 1;
        }
    }
    return secret &&
           (has_text(body, secret) ||
            (connector->user && has_text(body, encode_basic(connector->user, secret, pool))));
}

/* ": " and the beginning of the body on one line; "" where there is nothing to quote. */
static const char *quote_body(const wf_rest_exchange_t *exchange,
                              const wf_rest_connector_t *connector, apr_pool_t *pool)
{
    wf_slice_t body = exchange->answer.body;

    if (body.len == 0 || has_secret(body, exchange, connector, pool)) {
        return "";
    }
    return apr_pstrcat(pool, ": ", wf_printable(body, EXCERPT_CHARS, pool), NULL);
}

static const char *count_requests(const wf_rest_exchange_t *exchange, apr_pool_t *pool)
{
    return exchange->request_count > 1
               ? apr_psprintf(pool, " (the last of %u requests)", exchange->request_count)
               : "";
}

apr_status_t wf_rest_report_failure(const wf_rest_exchange_t *exchange,
                                    const wf_rest_action_t *action, const char *name,
                                    wf_result_t *result, apr_pool_t *pool)
{
    const wf_rest_connector_t *connector = action->connector->spec;
    const wf_http_answer_t *answer = &exchange->answer;

    if (answer->end == WF_HTTP_ANSWERED && wf_rest_is_expected(action, answer->status)) {
        return APR_SUCCESS;
    }
    if (answer->end == WF_HTTP_ANSWERED) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_REST,
                             "action \"%s\": %s by connector \"%s\" was answered with status "
                             "%d%s%s%s%s",
                             name, action->method, action->connector->name, answer->status,
                             exchange->redirect ? ", " : "",
                             exchange->redirect ? exchange->redirect : "",
                             count_requests(exchange, pool), quote_body(exchange, connector, pool));
    }
    return wf_result_set(result, WF_EINVALID,
                         answer->end == WF_HTTP_TOO_LONG ? WF_PROBLEM_REST : WF_PROBLEM_CONNECTOR,
                         "action \"%s\": %s by connector \"%s\" failed%s: %s", name, action->method,
                         action->connector->name, count_requests(exchange, pool), answer->reason);
}
