/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ceiling of a POST in httpd, for scripts/bench: the handler wf-bench reads the body, parses
 * it, and answers 202 with the JSON of a run's length. Nothing is stored.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <apr_strings.h>
#include <jansson.h>

#define BODY_MAX (1024 * 1024)

static const char answer[] =
    "{\"pid\":\"01a20bfb-f05c-779f-a0be-56ba5f1565a9\",\"projectId\":\"569\",\"taskId\":\"12\","
    "\"status\":\"submitted\",\"trigger\":\"API\",\"user\":\"bench\","
    "\"submitTime\":\"2026-11-24T05:16:30.370Z\"}\n";

static int handle(request_rec *r)
{
    char *body;
    apr_size_t len = 0;
    json_t *json;
    long n;

    if (!r->handler || strcmp(r->handler, "wf-bench") != 0) {
        return DECLINED;
    }
    if (ap_setup_client_block(r, REQUEST_CHUNKED_ERROR) != OK || !ap_should_client_block(r) ||
        r->remaining > BODY_MAX) {
        return HTTP_BAD_REQUEST;
    }
    body = apr_palloc(r->pool, (apr_size_t)r->remaining);
    while ((n = ap_get_client_block(r, body + len, (apr_size_t)r->remaining)) > 0) {
        len += (apr_size_t)n;
    }
    json = json_loadb(body, len, JSON_DECODE_ANY, NULL);
    if (!json) {
        return HTTP_BAD_REQUEST;
    }
    json_decref(json);
    r->status = HTTP_ACCEPTED;
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, sizeof(answer) - 1);
    ap_rwrite(answer, sizeof(answer) - 1, r);
    return OK;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA wf_bench_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, register_hooks, 0,
};
