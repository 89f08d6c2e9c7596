/* SPDX-License-Identifier: Apache-2.0 */
/* A page of the list of runs: what GET /runs answers, and its stream tells again and again. */
#ifndef WF_HTTP_RUNS_PAGE_H
#define WF_HTTP_RUNS_PAGE_H

#include "base/json.h"
#include "http/rights.h"

/*
 * Reads the arguments of a request's query that say which runs: project, task, user, status, from,
 * to and limit. The page is the first one (query->before). What *query points to lives as long as
 * the request. APR_SUCCESS; WF_EINVALID with WF_PROBLEM_BAD_REQUEST.
 */
apr_status_t wf_runs_page_read(wf_run_query_t *query, const request_rec *r, wf_result_t *result);

/*
 * Makes the page of those that may be seen, JSON without a line end, in pool. *version is that of
 * the store's list: a watch with it misses nothing that would change the page. APR_SUCCESS; or what
 * the store fails with, with its problem.
 */
apr_status_t wf_runs_page_make(wf_buf_t **text, apr_uint64_t *version, wf_rights_t *rights,
                               const wf_run_query_t *query, wf_result_t *result, apr_pool_t *pool);

#endif
