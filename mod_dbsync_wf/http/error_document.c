/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping the site's ErrorDocuments from answering for the API. */
#include <apr_strings.h>
#include <httpd.h>
#include <http_core.h>
#include <http_protocol.h>
#include <mod_core.h>
#include "http/problem.h"

#define LAST_STATUS 600 /* one past it */

/*
 * A local ErrorDocument is an internal redirect. Failing that one here makes httpd go back to the
 * request that failed first and send its own error response for it, which the filter replaces.
 */
int wf_problem_post_read(request_rec *r)
{
    if (r->prev && r->prev->status >= HTTP_BAD_REQUEST && wf_request_base(r->prev)) {
        wf_request_keep_note(r, r->prev);
        return r->prev->status;
    }
    if (wf_server_config(r->server)->shared->remote_documents && wf_request_base(r)) {
        wf_problem_claim(r);
    }
    return DECLINED;
}

void wf_problem_claim(request_rec *r)
{
    if (!wf_server_config(r->server)->shared->remote_documents) {
        return;
    }
    /* httpd asks for the request's own texts first; what they say is replaced anyway. */
    for (int status = HTTP_BAD_REQUEST; status < LAST_STATUS; status++) {
        ap_custom_response(r, status, "");
    }
}

int wf_problem_behind_redirect(request_rec *r)
{
    const char *location = apr_table_get(r->headers_out, "Location");

    if (r->status != HTTP_MOVED_TEMPORARILY || !location ||
        !wf_server_config(r->server)->shared->remote_documents) {
        return 0;
    }
    for (int status = HTTP_BAD_REQUEST; status < LAST_STATUS; status++) {
        const char *document = ap_response_code_string(r, ap_index_of_response(status));

        if (document && strcmp(document, location) == 0) {
            return status;
        }
    }
    return 0;
}

/* "404 https://…"; an expression may give anything. */
static int is_remote(const ap_directive_t *node, apr_pool_t *pool)
{
    const char *args = node->args;
    const char *target;

    if (strcasecmp(node->directive, "ErrorDocument") != 0) {
        return 0;
    }
    (void)ap_getword_conf(pool, &args);
    target = ap_getword_conf(pool, &args);
    return ap_is_url(target) || strstr(target, "%{") != NULL;
}

int wf_problem_has_remote_documents(const ap_directive_t *tree, apr_pool_t *pool)
{
    for (const ap_directive_t *node = tree; node; node = node->next) {
        if (is_remote(node, pool) || wf_problem_has_remote_documents(node->first_child, pool)) {
            return 1;
        }
    }
    return 0;
}
