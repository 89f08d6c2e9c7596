/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a template, as JSON or as text. */
#include "flow/mapping_ast.h"

/* Takes one step down. APR_SUCCESS or APR_NOTFOUND. */
static apr_status_t take_step(wf_slice_t *value, const wf_step_t *step)
{
    if (wf_json_type(*value) == WF_JSON_ARRAY) {
        return step->is_index ? wf_json_element(value, *value, step->index) : APR_NOTFOUND;
    }
    return wf_json_member(value, *value, step->name);
}

/* The JSON text that a path names; null where it names nothing. */
static wf_slice_t find(const wf_node_t *path, const wf_scope_t *scope)
{
    wf_slice_t value = scope->payload.len ? wf_json_trim(scope->payload) : wf_slice("null");

    for (int i = 0; i < path->step_count; i++) {
        if (take_step(&value, &path->steps[i]) != APR_SUCCESS) {
            return wf_slice("null");
        }
    }
    return value;
}

static void add_value_text(wf_buf_t *out, wf_slice_t value)
{
    switch (wf_json_type(value)) {
    case WF_JSON_NULL:
        break;
    case WF_JSON_STRING:
        wf_json_string_decode(out, value);
        break;
    default:
        wf_buf_add_slice(out, value);
    }
}

int wf_template_is_constant(const wf_template_t *tmpl)
{
    for (int i = 0; i < tmpl->part_count; i++) {
        if (tmpl->parts[i]->kind != WF_NODE_TEXT) {
            return 0;
        }
    }
    return 1;
}

wf_slice_t wf_template_source(const wf_template_t *tmpl)
{
    return tmpl->source;
}

apr_status_t wf_template_text(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result)
{
    (void)result; /* texts and paths have a value in every scope */
    for (int i = 0; i < tmpl->part_count; i++) {
        const wf_node_t *part = tmpl->parts[i];

        if (part->kind == WF_NODE_TEXT) {
            wf_buf_add_slice(out, part->text);
        } else {
            add_value_text(out, find(part, scope));
        }
    }
    return APR_SUCCESS;
}

apr_status_t wf_template_json(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result)
{
    wf_buf_t text = {0};
    apr_status_t status;

    if (tmpl->part_count == 1 && tmpl->parts[0]->kind == WF_NODE_PATH) {
        wf_buf_add_slice(out, find(tmpl->parts[0], scope));
        return APR_SUCCESS;
    }
    status = wf_template_text(&text, tmpl, scope, result);
    if (status == APR_SUCCESS) {
        wf_json_string_encode(out, wf_buf_slice(&text));
    }
    wf_buf_free(&text);
    return status;
}

apr_status_t wf_template_value(wf_value_t *value, const wf_template_t *tmpl,
                               const wf_scope_t *scope, wf_result_t *result, apr_pool_t *pool)
{
    wf_buf_t *json = apr_pcalloc(pool, sizeof(*json));
    apr_status_t status;

    wf_buf_bind(json, pool);
    status = wf_template_json(json, tmpl, scope, result);
    if (status == APR_SUCCESS) {
        *value = wf_value_of_json(wf_buf_slice(json), pool);
    }
    return status;
}
