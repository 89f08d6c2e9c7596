/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "for": {"action": "for", "each": "{{items}}", "as": "item", "index": "i", "do": […]}:
 * executes actions once for each element of an array, which is the variable @item meanwhile.
 */
#include "flow/action.h"
#include "flow/reads.h"

#include <apr_strings.h>

static const char *const members[] = {"each", "as", "index", "do", NULL};

typedef struct for_t {
    const wf_template_t *each;
    const char *as;
    const char *index; /* NULL: none */
    wf_action_list_t actions;
} for_t;

static apr_status_t parse_for(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    for_t *parsed = apr_pcalloc(at->pool, sizeof(*parsed));
    wf_alias_t element = {NULL, NULL, at->aliases};
    wf_check_t inside = *at;
    apr_status_t status = wf_check_template(&parsed->each, at, "each", WF_REQUIRED);

    *spec = parsed;
    parsed->as = "item";
    if (status == APR_SUCCESS) {
        status = wf_check_name(&parsed->as, at, "as", WF_OPTIONAL);
    }
    if (status == APR_SUCCESS) {
        status = wf_check_name(&parsed->index, at, "index", WF_OPTIONAL);
    }
    element.variable = parsed->as;
    element.path = wf_reads_element(at, json_object_get(at->object, "each"));
    inside.aliases = &element;
    return status == APR_SUCCESS
               ? wf_action_list_parse(&parsed->actions, &inside, "do", WF_REQUIRED, loader)
               : status;
}

/* The elements, as JSON that nothing in the loop can change. */
static apr_status_t find_elements(wf_slice_t *array, const for_t *parsed,
                                  const wf_action_context_t *context, wf_result_t *result,
                                  apr_pool_t *pool)
{
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));
    apr_status_t rv;

    wf_buf_bind(json, pool);
    rv = wf_template_json(json, parsed->each, &context->scope, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *array = wf_buf_slice(json);
    switch (wf_json_type(*array)) {
    case WF_JSON_ARRAY:
    case WF_JSON_NULL:
        return APR_SUCCESS;
    default:
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_MAPPING,
                             "\"each\" of action \"%s\" must be an array (or null, for none)",
                             context->action);
    }
}

static void set_index(const for_t *parsed, const wf_action_context_t *context, apr_int64_t index)
{
    char text[32];

    if (parsed->index) {
        apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, index);
        wf_variables_set(context->variables, parsed->index, wf_slice(text));
    }
}

static apr_status_t execute_for(wf_action_end_t *end, const void *spec,
                                const wf_action_context_t *context, wf_result_t *result,
                                apr_pool_t *pool)
{
    const for_t *parsed = spec;
    wf_slice_t rest, element;
    apr_int64_t count = 0;
    apr_status_t rv = find_elements(&rest, parsed, context, result, pool);

    end->has_none = 1;
    while (rv == APR_SUCCESS && wf_json_next(&element, &rest) == APR_SUCCESS) {
        rv = wf_action_may_go_on(context);
        if (rv == APR_SUCCESS) {
            wf_variables_set(context->variables, parsed->as, element);
            set_index(parsed, context, count++);
            rv = wf_action_list_execute(&parsed->actions, context, result);
        }
    }
    wf_json_put_int(end->details, "times", count);
    return rv;
}

const wf_action_kind_t wf_action_for = {"for", members, parse_for, execute_for};
