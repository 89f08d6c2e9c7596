/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The result of a call, from the deepest function to the answer.
 *
 * Functions return apr_status_t; whoever finds the cause also sets it in the wf_result_t that was
 * passed down: which problem it is and a detail for the client (one sentence that says what, where
 * and what to do; never a path, a pointer or a secret). The first cause stays: what callers add
 * later is dropped, so that a caller may set its own without asking.
 */
#ifndef WF_BASE_RESULT_H
#define WF_BASE_RESULT_H

#include <apr_errno.h>
#include <apr_pools.h>
#include "base/problem.h"

/* Statuses of our own, beside APR's. */
#define WF_ESTART       (APR_OS_START_USERERR + 7000)
#define WF_ESTALE       (WF_ESTART + 1) /* the token or incarnation is not in force any more */
#define WF_ECONFLICT    (WF_ESTART + 2) /* the idempotency key belongs to another request */
#define WF_EFULL        (WF_ESTART + 3) /* the queue is full */
#define WF_EENDED       (WF_ESTART + 4) /* the run has ended already */
#define WF_EUNAVAILABLE (WF_ESTART + 5) /* the store does not answer, or could not write */
#define WF_EINVALID     (WF_ESTART + 6) /* input that breaks a rule; the detail says which */
#define WF_EPROTOCOL    (WF_ESTART + 7) /* the peer speaks something else */
#define WF_ECANCELLED   (WF_ESTART + 8) /* ended early because it was asked to */
#define WF_EDAMAGED                                                                                \
    (WF_ESTART + 9)                  /* what is stored cannot be read, or is not what was written  \
                                      */
#define WF_EOVERLAP (WF_ESTART + 10) /* as many runs of the task as may be are under way */
#define WF_ECHANGED (WF_ESTART + 11) /* somebody has changed it meanwhile */
#define WF_ERATE    (WF_ESTART + 12) /* more often than is allowed */

typedef struct wf_result_t {
    apr_pool_t *pool; /* the detail lives here */
    apr_status_t status;
    wf_problem_e problem;
    const char *detail;
} wf_result_t;

/* Makes an empty (successful) result whose detail will live in pool. */
void wf_result_init(wf_result_t *result, apr_pool_t *pool);

/*
 * Sets the cause, unless one is set already, and returns `status` in either case, so that
 * `return wf_result_set(result, WF_EINVALID, WF_PROBLEM_…, "…")` ends a function.
 * result may be NULL: then only the status is returned.
 */
apr_status_t wf_result_set(wf_result_t *result, apr_status_t status, wf_problem_e problem,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/* apr_strerror that also knows the statuses of our own. Returns buf. */
const char *wf_strerror(apr_status_t status, char *buf, apr_size_t size);

#endif
