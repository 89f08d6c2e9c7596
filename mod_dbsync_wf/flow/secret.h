/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: a password or a token that a project's file does not hold but names, as a file or as an
 * environment variable of httpd's. It is read when it is used, so that a new one is taken up, and
 * appears in no status, log line or error.
 */
#ifndef WF_FLOW_SECRET_H
#define WF_FLOW_SECRET_H

#include "flow/check.h"

typedef struct wf_secret_t {
    const char *what; /* "password", for messages */
    const char *file; /* an absolute path; NULL: none */
    const char *env;  /* a variable's name; NULL: none */
} wf_secret_t;

/*
 * The members `what`File and `what`Env of a connector ("passwordFile", "passwordEnv"), of which one
 * may be there. *secret is NULL where neither is.
 */
apr_status_t wf_secret_check(const wf_secret_t **secret, const wf_check_t *at, const char *what);

/*
 * Reads it, without the line end behind it; *text lives in pool.
 * APR_SUCCESS; otherwise it cannot be had, with WF_PROBLEM_CONNECTOR and a detail that names
 * `connector` and neither path nor content (the log has the path).
 */
apr_status_t wf_secret_read(const char **text, const wf_secret_t *secret, const char *connector,
                            wf_result_t *result, apr_pool_t *pool);

/* The same where the caller says that it cannot be had: APR_SUCCESS, or the system's error, with
 * nothing in the log. */
apr_status_t wf_secret_load(const char **text, const wf_secret_t *secret, apr_pool_t *pool);

#endif
