/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON value of a project's file in whose strings, at any depth, expressions stand: what a
 * variable is set to, what a service is sent. {"id": "{{customerId}}", "tags": ["{{a}}", "b"]}
 */
#ifndef WF_FLOW_DOCUMENT_H
#define WF_FLOW_DOCUMENT_H

#include "flow/check.h"

typedef struct wf_document_t wf_document_t;

/* Parses a value; names of members are taken as they are. `member` is its place, for errors. */
apr_status_t wf_document_check(const wf_document_t **document, const wf_check_t *at,
                               const char *member, const json_t *value);

/* Appends the JSON text of the value with its expressions evaluated. pool is scratch. */
apr_status_t wf_document_json(wf_buf_t *out, const wf_document_t *document, const wf_scope_t *scope,
                              wf_result_t *result, apr_pool_t *pool);

#endif
