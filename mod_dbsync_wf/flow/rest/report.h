/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exchange means for the run: the details that are shown, the action's result, and whether
 * it failed.
 */
#ifndef WF_FLOW_REST_REPORT_H
#define WF_FLOW_REST_REPORT_H

#include "flow/rest/exchange.h"

/* Adds "httpStatus", where there was an answer, and "requests", where there were several. */
void wf_rest_report_details(wf_json_writer_t *details, const wf_rest_exchange_t *exchange);

/*
 * The action's result, JSON in pool: {"status": 200, "headers": {"content-type": "…"}, "body": …}.
 * The body is the JSON value that it is, or else its text as a string; null where there is none.
 */
wf_slice_t wf_rest_report_result(const wf_rest_exchange_t *exchange, apr_pool_t *pool);

/*
 * APR_SUCCESS where the answer has a status that the action expects. Otherwise WF_EINVALID with
 * WF_PROBLEM_REST (the service answered, but not so), or WF_PROBLEM_CONNECTOR (there was no
 * answer), and a detail that names action, method, connector, status and reason. It quotes the
 * beginning of the answer's body, unless something secret that was sent is in there.
 */
apr_status_t wf_rest_report_failure(const wf_rest_exchange_t *exchange,
                                    const wf_rest_action_t *action, const char *name,
                                    wf_result_t *result, apr_pool_t *pool);

#endif
