/* SPDX-License-Identifier: Apache-2.0 */
/* A template's value, and what it reads. */
#include "flow/mapping_function.h"
#include "flow/mapping_path.h"

/* ---- what a template is ---- */

wf_slice_t wf_template_source(const wf_template_t *tmpl)
{
    return tmpl->source;
}

int wf_template_is_constant(const wf_template_t *tmpl)
{
    for (int i = 0; i < tmpl->part_count; i++) {
        if (tmpl->parts[i].node->kind != WF_NODE_CONSTANT) {
            return 0;
        }
    }
    return 1;
}

/* The node of a template that is one expression alone, or NULL. */
static const wf_node_t *lone_node(const wf_template_t *tmpl)
{
    return tmpl->part_count == 1 && tmpl->parts[0].source.len ? tmpl->parts[0].node : NULL;
}

int wf_template_is_path(const wf_template_t *tmpl)
{
    const wf_node_t *node = lone_node(tmpl);

    return node && node->kind == WF_NODE_PATH;
}

int wf_template_column(const wf_template_t *tmpl, const wf_slice_t *names, int count)
{
    const wf_node_t *node = lone_node(tmpl);
    int i = count - 1;

    if (!node || node->kind != WF_NODE_PATH || node->path.root != WF_ROOT_NEAREST ||
        node->path.step_count != 1) {
        return -1;
    }
    while (i >= 0 && !wf_slice_equal(names[i], node->path.steps[0].name)) {
        i--;
    }
    return i;
}

static int is_table_call(const wf_node_t *node)
{
    return strcmp(node->function->name, "MEMLOOKUP") == 0 ||
           strcmp(node->function->name, "MEMTABLE") == 0;
}

static void list_node(const wf_node_t *node, wf_reads_f *reads, void *baton)
{
    static const wf_read_kind_e kinds[] = {WF_READ_PATH, WF_READ_PAYLOAD, WF_READ_VARIABLE};
    wf_read_t read = {WF_READ_TABLE, wf_slice(NULL), wf_slice(NULL), 0};

    if (node->kind == WF_NODE_PATH || node->kind == WF_NODE_SEARCH) {
        read.kind = kinds[node->path.root];
        read.name = node->path.variable;
        read.path = node->path.spelled;
        read.at_any_depth = node->kind == WF_NODE_SEARCH;
        reads(baton, &read);
    } else if (node->kind == WF_NODE_CALL) {
        if (is_table_call(node)) {
            read.name = node->arguments[0]->value.text;
            reads(baton, &read);
        }
        for (int i = 0; i < node->count; i++) {
            list_node(node->arguments[i], reads, baton);
        }
    }
}

void wf_template_reads(const wf_template_t *tmpl, wf_reads_f *reads, void *baton)
{
    for (int i = 0; i < tmpl->part_count; i++) {
        list_node(tmpl->parts[i].node, reads, baton);
    }
}

/* ---- its value ---- */

/* The texts of all parts, joined. */
static apr_status_t interpolate(wf_value_t *value, wf_eval_t *eval, const wf_template_t *tmpl)
{
    wf_slice_t *texts = apr_palloc(eval->pool, sizeof(*texts) * ((apr_size_t)tmpl->part_count + 1));
    apr_size_t len = 0;
    char *joined;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < tmpl->part_count && rv == APR_SUCCESS; i++) {
        wf_value_t part;

        eval->part = &tmpl->parts[i];
        rv = wf_eval(&part, eval, tmpl->parts[i].node);
        if (rv == APR_SUCCESS) {
            rv = wf_eval_text(&texts[i], eval, part);
        }
        len += rv == APR_SUCCESS ? texts[i].len : 0;
    }
    if (rv == APR_SUCCESS) {
        rv = wf_eval_allocate(&joined, eval, len);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *value = wf_value_of_text(wf_slice_of(joined, len));
    for (int i = 0; i < tmpl->part_count; i++) {
        memcpy(joined, texts[i].len ? texts[i].data : "", texts[i].len);
        joined += texts[i].len;
    }
    return APR_SUCCESS;
}

apr_status_t wf_template_value(wf_value_t *value, const wf_template_t *tmpl,
                               const wf_scope_t *scope, wf_result_t *result, apr_pool_t *pool)
{
    wf_eval_t eval = {.scope = scope, .room = WF_MAPPING_ROOM, .result = result, .pool = pool};
    const wf_node_t *node = lone_node(tmpl);

    if (tmpl->part_count == 0) {
        *value = wf_value_of_text(wf_slice(NULL));
        return APR_SUCCESS;
    }
    if (tmpl->part_count == 1 && !node) {
        *value = tmpl->parts[0].node->value;
        return APR_SUCCESS;
    }
    if (node) {
        eval.part = &tmpl->parts[0];
        return wf_eval(value, &eval, node);
    }
    return interpolate(value, &eval, tmpl);
}

/* Whether a template is one path alone that leads into JSON text, and where. */
static int find_json(wf_slice_t *json, const wf_template_t *tmpl, const wf_scope_t *scope)
{
    const wf_node_t *node = lone_node(tmpl);
    wf_place_t place;

    if (!node || (node->kind != WF_NODE_PATH && node->kind != WF_NODE_SEARCH)) {
        return 0;
    }
    place = node->kind == WF_NODE_PATH ? wf_path_follow(&node->path, scope)
                                       : wf_path_search(&node->path, scope);
    *json = place.json;
    return place.kind == WF_PLACE_JSON;
}

/* Evaluates with a scratch pool of its own, and hands the value to `add`. */
static apr_status_t add_value(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result, void (*add)(wf_buf_t *, wf_value_t))
{
    apr_pool_t *pool;
    wf_value_t value;
    apr_status_t rv;

    apr_pool_create(&pool, NULL);
    apr_pool_tag(pool, "wf_template");
    rv = wf_template_value(&value, tmpl, scope, result, pool);
    if (rv == APR_SUCCESS) {
        add(out, value);
    }
    apr_pool_destroy(pool);
    return rv;
}

apr_status_t wf_template_json(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result)
{
    wf_slice_t json;

    /* As it is spelled, byte for byte. */
    if (find_json(&json, tmpl, scope)) {
        wf_buf_add_slice(out, json);
        return APR_SUCCESS;
    }
    return add_value(out, tmpl, scope, result, wf_value_json);
}

apr_status_t wf_template_text(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result)
{
    return add_value(out, tmpl, scope, result, wf_value_text);
}
