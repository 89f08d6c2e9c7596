/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler's frame: nodes, each made once however often it is referred to, and the search for
 * those that lead to themselves. Recursion is bounded by the schema's depth: what a $ref leads to
 * is compiled after all that is found on the way.
 */
#include <stdarg.h>
#include <apr_strings.h>
#include "flow/schema/spec.h"

/* That `to` is applied to the very value that a node is applied to. */
typedef struct wf_schema_edge_t {
    wf_schema_node_t *to;
    const wf_spot_t *spot; /* because of this */
    int reference;         /* which is a $ref */
    struct wf_schema_edge_t *next;
} edge_t;

/* A $ref whose node is to be had. */
typedef struct reference_t {
    wf_schema_node_t *from;
    wf_schema_rule_t *rule;
    const wf_spot_t *target;
} reference_t;

static const char *pointer_of(const wf_schema_compiler_t *compiler, const wf_spot_t *spot)
{
    return wf_schema_pointer(&compiler->schema->outline, spot, compiler->pool);
}

const char *wf_schema_pointer(const wf_outline_t *outline, const wf_spot_t *spot, apr_pool_t *pool)
{
    wf_buf_t place = {0}, text = {0};
    const char *copy;

    wf_outline_pointer(&place, outline, spot);
    for (apr_size_t i = 0; i < place.len; i++) {
        wf_buf_add(&text, place.data[i] ? place.data + i : "\xEF\xBF\xBD", place.data[i] ? 1 : 3);
    }
    copy = wf_slice_dup(wf_buf_slice(&text), pool).data;
    wf_buf_free(&place);
    wf_buf_free(&text);
    return copy;
}

apr_status_t wf_schema_refuse(wf_schema_compiler_t *compiler, const wf_spot_t *spot,
                              const char *format, ...)
{
    va_list arguments;

    if (compiler->error) {
        va_start(arguments, format);
        compiler->error->reason = apr_pvsprintf(compiler->pool, format, arguments);
        va_end(arguments);
        compiler->error->place = pointer_of(compiler, spot);
        compiler->error->keyword_place = NULL;
    }
    return WF_EINVALID;
}

/* ---- nodes and their rules ---- */

wf_schema_rule_t *wf_schema_rule_add(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                     const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_schema_rule_t *rule = apr_pcalloc(compiler->pool, sizeof(*rule));
    wf_schema_rule_t **at = &node->rules;

    while (*at && (*at)->keyword < keyword) {
        at = &(*at)->next;
    }
    rule->keyword = keyword;
    rule->spot = value;
    rule->next = *at;
    *at = rule;
    return rule;
}

void wf_schema_edge_add(wf_schema_compiler_t *compiler, wf_schema_node_t *from,
                        wf_schema_node_t *to, const wf_spot_t *spot)
{
    edge_t *edge = apr_pcalloc(compiler->pool, sizeof(*edge));

    edge->to = to;
    edge->spot = spot;
    edge->next = from->edges;
    from->edges = edge;
}

static apr_status_t compile_keyword(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                    const wf_spot_t *value)
{
    const wf_schema_keyword_t *keyword;
    wf_slice_t name;

    wf_buf_reset(&compiler->name);
    wf_json_string_decode(&compiler->name, wf_outline_name(&compiler->schema->outline, value));
    name = wf_buf_slice(&compiler->name);
    keyword = wf_schema_keyword_find(name);
    if (keyword) {
        return keyword->compile(compiler, node, keyword, value);
    }
    if (name.len > 2 && memcmp(name.data, "x-", 2) == 0) {
        return APR_SUCCESS;
    }
    return wf_schema_refuse(compiler, value, "%s", wf_schema_keyword_refusal(name, compiler->pool));
}

static apr_status_t compile_object(wf_schema_compiler_t *compiler, wf_schema_node_t *node)
{
    const wf_outline_t *outline = &compiler->schema->outline;
    const wf_spot_t *value = NULL;
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && (value = wf_outline_next(outline, node->spot, value)) != NULL) {
        status = compile_keyword(compiler, node, value);
    }
    return status;
}

apr_status_t wf_schema_node_get(wf_schema_node_t **node, wf_schema_compiler_t *compiler,
                                const wf_spot_t *spot)
{
    wf_schema_node_t **known = &compiler->nodes[wf_outline_index(&compiler->schema->outline, spot)];

    if (!*known) {
        if (spot->type != WF_JSON_OBJECT && spot->type != WF_JSON_TRUE &&
            spot->type != WF_JSON_FALSE) {
            return wf_schema_refuse(compiler, spot, "must be a schema: an object or a boolean");
        }
        *known = apr_pcalloc(compiler->pool, sizeof(**known));
        (*known)->spot = spot;
        if (spot->type == WF_JSON_FALSE) {
            wf_schema_rule_add(compiler, *known, &wf_schema_keyword_false, spot);
        } else if (spot->type == WF_JSON_OBJECT) {
            *node = *known;
            return compile_object(compiler, *known);
        }
    }
    *node = *known;
    return APR_SUCCESS;
}

/* ---- references ---- */

void wf_schema_reference_add(wf_schema_compiler_t *compiler, wf_schema_node_t *from,
                             wf_schema_rule_t *rule, const wf_spot_t *target)
{
    reference_t reference = {from, rule, target};

    wf_buf_add(&compiler->references, &reference, sizeof(reference));
}

/* Compiling one may find more. */
static apr_status_t compile_references(wf_schema_compiler_t *compiler)
{
    reference_t reference;
    wf_schema_node_t *node;
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && compiler->references.len) {
        compiler->references.len -= sizeof(reference);
        memcpy(&reference, compiler->references.data + compiler->references.len, sizeof(reference));
        status = wf_schema_node_get(&node, compiler, reference.target);
        if (status == APR_SUCCESS) {
            reference.rule->as.node = node;
            wf_schema_edge_add(compiler, reference.from, node, reference.rule->spot);
            reference.from->edges->reference = 1;
        }
    }
    return status;
}

/* ---- what leads to itself ---- */

enum { UNSEEN, ON_THE_WAY, DONE };

/* The $ref of a circle that comes from `last` back to a node on the way; there is one in each. */
static apr_status_t refuse_circle(wf_schema_compiler_t *compiler, const wf_schema_node_t *last)
{
    while (!last->walked->reference) {
        last = last->from;
    }
    return wf_schema_refuse(compiler, last->walked->spot,
                            "leads to itself without an end, for any value");
}

/* Goes along all edges from a node, depth first; the nodes themselves are the way back. */
static apr_status_t walk_edges(wf_schema_compiler_t *compiler, wf_schema_node_t *start)
{
    wf_schema_node_t *node = start, *back;

    node->state = ON_THE_WAY;
    node->walked = node->edges;
    while (node) {
        wf_schema_node_t *to = node->walked ? node->walked->to : NULL;

        if (to && to->state == ON_THE_WAY) {
            return refuse_circle(compiler, node);
        }
        if (to && to->state == UNSEEN) {
            to->state = ON_THE_WAY;
            to->walked = to->edges;
            to->from = node;
            node = to;
        } else if (to) {
            node->walked = node->walked->next;
        } else {
            node->state = DONE;
            back = node->from;
            node = back;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t refuse_circles(wf_schema_compiler_t *compiler)
{
    apr_uint32_t count = wf_outline_count(&compiler->schema->outline);

    for (apr_uint32_t i = 0; i < count; i++) {
        wf_schema_node_t *node = compiler->nodes[i];

        if (node && node->state == UNSEEN && walk_edges(compiler, node) != APR_SUCCESS) {
            return WF_EINVALID;
        }
    }
    return APR_SUCCESS;
}

/* ---- the whole ---- */

static apr_status_t compile_all(wf_schema_compiler_t *compiler)
{
    wf_schema_t *schema = compiler->schema;
    wf_schema_node_t *root = NULL;
    apr_status_t status = wf_schema_node_get(&root, compiler, wf_outline_spot(&schema->outline, 0));

    if (status == APR_SUCCESS) {
        status = compile_references(compiler);
    }
    schema->root = root;
    return status == APR_SUCCESS ? refuse_circles(compiler) : status;
}

apr_status_t wf_schema_compile(const wf_schema_t **schema, wf_slice_t text,
                               wf_schema_error_t *error, apr_pool_t *pool)
{
    wf_schema_t *made = apr_pcalloc(pool, sizeof(*made));
    wf_schema_compiler_t compiler = {made, error, NULL, {0}, {0}, pool};
    apr_status_t status;

    if (wf_json_check(text, WF_SCHEMA_DEPTH, NULL) != APR_SUCCESS ||
        wf_outline_make(&made->outline, wf_slice_dup(text, pool)) != APR_SUCCESS) {
        if (error) {
            *error = (wf_schema_error_t){
                "", "is nested deeper than " APR_STRINGIFY(WF_SCHEMA_DEPTH) " arrays and objects",
                NULL};
        }
        return WF_EINVALID;
    }
    wf_buf_bind(&made->outline.spots, pool);
    wf_buf_bind(&made->outline.members, pool);
    compiler.nodes = apr_pcalloc(pool, wf_outline_count(&made->outline) * sizeof(*compiler.nodes));
    status = compile_all(&compiler);
    wf_buf_free(&compiler.references);
    wf_buf_free(&compiler.name);
    if (status == APR_SUCCESS) {
        *schema = made;
    }
    return status;
}
