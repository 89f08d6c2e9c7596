/* SPDX-License-Identifier: Apache-2.0 */
/* The action "if": {"action": "if", "condition": "{{…}}", "then": […], "else": […]}. */
#include "flow/action.h"

static const char *const members[] = {"condition", "then", "else", NULL};

typedef struct if_t {
    const wf_template_t *condition;
    wf_action_list_t then;
    wf_action_list_t otherwise;
} if_t;

static apr_status_t parse_if(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    if_t *parsed = apr_pcalloc(at->pool, sizeof(*parsed));
    apr_status_t status = wf_check_template(&parsed->condition, at, "condition", WF_REQUIRED);

    *spec = parsed;
    if (status == APR_SUCCESS) {
        status = wf_action_list_parse(&parsed->then, at, "then", WF_REQUIRED, loader);
    }
    return status == APR_SUCCESS
               ? wf_action_list_parse(&parsed->otherwise, at, "else", WF_OPTIONAL, loader)
               : status;
}

static apr_status_t execute_if(wf_action_end_t *end, const void *spec,
                               const wf_action_context_t *context, wf_result_t *result,
                               apr_pool_t *pool)
{
    const if_t *parsed = spec;
    wf_value_t value;
    int holds;
    apr_status_t rv = wf_template_value(&value, parsed->condition, &context->scope, result, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    holds = wf_value_is_true(value);
    end->has_none = 1;
    wf_json_put_bool(end->details, "condition", holds);
    return wf_action_list_execute(holds ? &parsed->then : &parsed->otherwise, context, result);
}

const wf_action_kind_t wf_action_if = {"if", members, parse_if, execute_if};
