/* SPDX-License-Identifier: Apache-2.0 */
/* The action "wait": lets time pass, {"action": "wait", "seconds": 2.5}. */
#include "flow/action.h"
#include "flow/check.h"

#include "base/clock.h"

#define SECONDS_MOST (7 * 86400)

static const char *const members[] = {"seconds", NULL};

static apr_status_t parse_wait(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    const json_t *value = json_object_get(at->object, "seconds");
    apr_interval_time_t *time = apr_palloc(at->pool, sizeof(*time));
    double seconds = value && json_is_number(value) ? json_number_value(value) : -1;

    (void)loader;
    if (!(seconds >= 0 && seconds <= SECONDS_MOST)) {
        return wf_check_error(at, "seconds", "must be a number from 0 to %d", SECONDS_MOST);
    }
    *time = (apr_interval_time_t)(seconds * APR_USEC_PER_SEC);
    *spec = time;
    return APR_SUCCESS;
}

static apr_status_t execute_wait(wf_action_end_t *end, const void *spec,
                                 const wf_action_context_t *context, wf_result_t *result,
                                 apr_pool_t *pool)
{
    const apr_interval_time_t *time = spec;
    apr_time_t until = wf_clock() + *time;
    int cuts = context->deadline && context->deadline < until;
    apr_status_t rv = wf_cancel_sleep(context->cancel, cuts ? context->deadline : until);

    (void)end;
    (void)pool;
    if (rv == APR_SUCCESS && cuts) {
        wf_cancel_request(context->cancel, WF_CANCEL_TIMEOUT);
        return WF_ECANCELLED;
    }
    if (rv != APR_SUCCESS && rv != WF_ECANCELLED) {
        wf_result_set(result, rv, WF_PROBLEM_INTERNAL, "the server could not wait");
    }
    return rv;
}

const wf_action_kind_t wf_action_wait = {"wait", members, parse_wait, execute_wait};
