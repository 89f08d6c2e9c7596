/* SPDX-License-Identifier: Apache-2.0 */
/* The action "variable": {"action": "variable", "set": {"total": "{{a}}", "list": [1, "{{b}}"]}}.
 */
#include "flow/action.h"
#include "flow/document.h"

#include <apr_strings.h>

static const char *const members[] = {"set", NULL};

typedef struct setting_t {
    const char *name;
    const wf_document_t *value;
} setting_t;

typedef struct variable_t {
    int count;
    setting_t *settings;
} variable_t;

static apr_status_t parse_variable(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    variable_t *variable = apr_pcalloc(at->pool, sizeof(*variable));
    const json_t *object = NULL;
    apr_status_t status = wf_check_object(&object, at, "set", WF_REQUIRED);
    wf_check_t place = *at;
    const char *name;
    json_t *value;

    (void)loader;
    *spec = variable;
    if (status != APR_SUCCESS) {
        return status;
    }
    place.object = object;
    place.path = apr_pstrcat(at->pool, at->path, "/set", NULL);
    variable->settings =
        apr_pcalloc(at->pool, json_object_size(object) * sizeof(*variable->settings) + 1);
    json_object_foreach((json_t *)object, name, value)
    {
        setting_t *setting = &variable->settings[variable->count++];

        status = wf_check_is_name(name) ? APR_SUCCESS : wf_check_bad_name(&place, NULL, name);
        if (status == APR_SUCCESS) {
            setting->name = apr_pstrdup(at->pool, name);
            status = wf_document_check(&setting->value, &place, name, value);
        }
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t execute_variable(wf_action_end_t *end, const void *spec,
                                     const wf_action_context_t *context, wf_result_t *result,
                                     apr_pool_t *pool)
{
    const variable_t *variable = spec;
    wf_buf_t json = {NULL, 0, 0};
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < variable->count && rv == APR_SUCCESS; i++) {
        wf_buf_reset(&json);
        rv = wf_document_json(&json, variable->settings[i].value, &context->scope, result, pool);
        if (rv == APR_SUCCESS) {
            wf_variables_set(context->variables, variable->settings[i].name, wf_buf_slice(&json));
        }
    }
    wf_buf_free(&json);
    end->has_none = 1;
    return rv;
}

const wf_action_kind_t wf_action_variable = {"variable", members, parse_variable, execute_variable};
