/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arguments of a URL's query, checked. Each function fails as wf_argument_refuse does where what is
 * given cannot be, or is given twice; what it gives lives in the request's pool.
 */
#ifndef WF_HTTP_ARGUMENTS_H
#define WF_HTTP_ARGUMENTS_H

#include <httpd.h>
#include "base/result.h"

#define WF_ARGUMENT_LIMIT_MOST 500

/* Refuses an argument with what it must be: WF_EINVALID with WF_PROBLEM_BAD_REQUEST. */
apr_status_t wf_argument_refuse(wf_result_t *result, const char *name, const char *what);

/*
 * An argument's text, NULL where it is not given. One that is empty, or holds a NUL, is refused
 * with what it must be.
 */
apr_status_t wf_argument_text(const char **text, const request_rec *r, const char *name,
                              const char *what, wf_result_t *result);

/* The id of a project or a task, NULL where it is not given. */
apr_status_t wf_argument_id(const char **id, const request_rec *r, const char *name,
                            wf_result_t *result);

/* A whole number from 1 to `most`, which is 999 at most; *number stays as it is where it is not
 * given. */
apr_status_t wf_argument_number(apr_uint32_t *number, const request_rec *r, const char *name,
                                apr_uint32_t most, wf_result_t *result);

/* The argument "limit": how many of a list at most, 1 to WF_ARGUMENT_LIMIT_MOST; 50 where it is not
 * given. */
apr_status_t wf_argument_limit(apr_uint32_t *limit, const request_rec *r, wf_result_t *result);

#endif
