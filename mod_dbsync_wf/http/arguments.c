/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of a URL's query, checked. */
#include "http/arguments.h"

#include <stdlib.h>
#include <apr_strings.h>
#include "flow/project.h"
#include "http/query.h"
#include "store/store.h"

#define LIMIT_DEFAULT 50
#define NUMBER_DIGITS 3

apr_status_t wf_argument_refuse(wf_result_t *result, const char *name, const char *what)
{
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_BAD_REQUEST, "The argument %s must be %s.",
                         name, what);
}

apr_status_t wf_argument_text(const char **text, const request_rec *r, const char *name,
                              const char *what, wf_result_t *result)
{
    wf_slice_t value;
    apr_status_t status = wf_query_find(&value, r->args, name, r->pool);

    *text = NULL;
    if (status == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS) {
        return wf_result_set(result, status, WF_PROBLEM_BAD_REQUEST,
                             "Give each argument once, and write a %% in it as %%25.");
    }
    if (value.len == 0 || memchr(value.data, '\0', value.len)) {
        return wf_argument_refuse(result, name, what);
    }
    *text = value.data;
    return APR_SUCCESS;
}

apr_status_t wf_argument_id(const char **id, const request_rec *r, const char *name,
                            wf_result_t *result)
{
    const char *what = "an id: 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen, not beginning "
                       "with a dot";
    apr_status_t status = wf_argument_text(id, r, name, what, result);

    return status == APR_SUCCESS && *id && !wf_id_is_valid(*id)
               ? wf_argument_refuse(result, name, what)
               : status;
}

apr_status_t wf_argument_number(apr_uint32_t *number, const request_rec *r, const char *name,
                                apr_uint32_t most, wf_result_t *result)
{
    const char *what = apr_psprintf(r->pool, "a whole number from 1 to %u", most);
    const char *text;
    apr_status_t status = wf_argument_text(&text, r, name, what, result);
    apr_size_t digits = text ? strspn(text, "0123456789") : 0;

    if (status != APR_SUCCESS || !text) {
        return status;
    }
    if (digits < 1 || digits > NUMBER_DIGITS || text[digits] != '\0' || atoi(text) < 1 ||
        atoi(text) > (int)most) {
        return wf_argument_refuse(result, name, what);
    }
    *number = (apr_uint32_t)atoi(text);
    return APR_SUCCESS;
}

apr_status_t wf_argument_limit(apr_uint32_t *limit, const request_rec *r, wf_result_t *result)
{
    _Static_assert(WF_ARGUMENT_LIMIT_MOST <= WF_LIST_MOST, "what may be asked");

    *limit = LIMIT_DEFAULT;
    return wf_argument_number(limit, r, "limit", WF_ARGUMENT_LIMIT_MOST, result);
}
