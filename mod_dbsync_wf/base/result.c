/* SPDX-License-Identifier: Apache-2.0 */
/* Results, and the texts of our own statuses. */
#include "base/result.h"

#include <stdarg.h>
#include <apr_strings.h>

void wf_result_init(wf_result_t *result, apr_pool_t *pool)
{
    result->pool = pool;
    result->status = APR_SUCCESS;
    result->problem = WF_PROBLEM_NONE;
    result->detail = NULL;
}

apr_status_t wf_result_set(wf_result_t *result, apr_status_t status, wf_problem_e problem,
                           const char *format, ...)
{
    va_list args;

    if (result && result->problem == WF_PROBLEM_NONE) {
        va_start(args, format);
        result->detail = apr_pvsprintf(result->pool, format, args);
        va_end(args);
        result->status = status;
        result->problem = problem;
    }
    return status;
}

static const char *own_text(apr_status_t status)
{
    switch (status) {
    case WF_ESTALE:
        return "the token or incarnation is not in force any more";
    case WF_ECONFLICT:
        return "the idempotency key belongs to another request";
    case WF_EFULL:
        return "the queue is full";
    case WF_EENDED:
        return "the run has ended already";
    case WF_EUNAVAILABLE:
        return "the store is not available";
    case WF_EINVALID:
        return "the input breaks a rule";
    case WF_EPROTOCOL:
        return "the peer speaks another protocol";
    case WF_ECANCELLED:
        return "ended because it was asked to";
    case WF_EDAMAGED:
        return "what is stored is damaged";
    case WF_ECHANGED:
        return "it was changed meanwhile";
    case WF_ERATE:
        return "it is more often than allowed";
    default:
        return NULL;
    }
}

const char *wf_strerror(apr_status_t status, char *buf, apr_size_t size)
{
    const char *text = own_text(status);

    if (text) {
        apr_cpystrn(buf, text, size);
        return buf;
    }
    return apr_strerror(status, buf, size);
}
