/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of keywords whose values are schemas, or lead to one. */
#include <stdlib.h>
#include "flow/schema/spec.h"

static const wf_spot_t *sibling(const wf_schema_compiler_t *compiler, const wf_schema_node_t *node,
                                const char *name)
{
    return wf_outline_member(&compiler->schema->outline, node->spot, wf_slice(name));
}

/* The rule that a node has of a keyword that several keywords share; NULL where it has none yet. */
static wf_schema_rule_t *find_rule(const wf_schema_node_t *node, const wf_schema_keyword_t *keyword)
{
    for (wf_schema_rule_t *rule = node->rules; rule; rule = rule->next) {
        if (rule->keyword == keyword) {
            return rule;
        }
    }
    return NULL;
}

/* ---- lists of schemas ---- */

static apr_status_t get_nodes(wf_schema_nodes_t *nodes, wf_schema_compiler_t *compiler,
                              const wf_spot_t *value)
{
    const wf_outline_t *outline = &compiler->schema->outline;
    const wf_spot_t *at = NULL;

    nodes->count = value->count;
    nodes->list = apr_pcalloc(compiler->pool, (value->count + 1) * sizeof(*nodes->list));
    for (apr_uint32_t i = 0; i < value->count; i++) {
        wf_schema_node_t *node;

        at = value->type == WF_JSON_OBJECT ? wf_outline_nth(outline, value, i)
                                           : wf_outline_next(outline, value, at);
        if (wf_schema_node_get(&node, compiler, at) != APR_SUCCESS) {
            return WF_EINVALID;
        }
        nodes->list[i] = node;
    }
    return APR_SUCCESS;
}

/* An object of schemas, by the order of names. */
static apr_status_t get_object(wf_schema_nodes_t *nodes, wf_schema_compiler_t *compiler,
                               const wf_spot_t *value)
{
    if (value->type != WF_JSON_OBJECT) {
        return wf_schema_refuse(compiler, value, "must be an object of schemas");
    }
    return get_nodes(nodes, compiler, value);
}

/* An array of schemas. */
static apr_status_t get_array(wf_schema_nodes_t *nodes, wf_schema_compiler_t *compiler,
                              const wf_spot_t *value)
{
    if (value->type != WF_JSON_ARRAY || value->count == 0) {
        return wf_schema_refuse(compiler, value, "must be an array of one schema at least");
    }
    return get_nodes(nodes, compiler, value);
}

/* ---- applied to the same value ---- */

/* The node of a schema that is applied to the very value its parent is applied to. */
static apr_status_t get_inplace(const wf_schema_node_t **node, wf_schema_compiler_t *compiler,
                                wf_schema_node_t *parent, const wf_spot_t *value)
{
    wf_schema_node_t *inner;

    if (wf_schema_node_get(&inner, compiler, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    wf_schema_edge_add(compiler, parent, inner, value);
    *node = inner;
    return APR_SUCCESS;
}

/* Notes the same of all that a list or an object holds, which are nodes already. */
static void add_edges(wf_schema_compiler_t *compiler, wf_schema_node_t *parent,
                      const wf_spot_t *value)
{
    const wf_spot_t *at = NULL;
    const wf_schema_node_t *node;

    while ((at = wf_outline_next(&compiler->schema->outline, value, at)) != NULL) {
        get_inplace(&node, compiler, parent, at);
    }
}

apr_status_t wf_schema_compile_branches(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                        const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_schema_nodes_t nodes;

    if (get_array(&nodes, compiler, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    wf_schema_rule_add(compiler, node, keyword, value)->as.nodes = nodes;
    add_edges(compiler, node, value);
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_dependent_schemas(wf_schema_compiler_t *compiler,
                                                 wf_schema_node_t *node,
                                                 const wf_schema_keyword_t *keyword,
                                                 const wf_spot_t *value)
{
    wf_schema_nodes_t nodes;

    if (get_object(&nodes, compiler, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    wf_schema_rule_add(compiler, node, keyword, value)->as.nodes = nodes;
    add_edges(compiler, node, value);
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_not(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                   const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_schema_node_t *inner;

    if (get_inplace(&inner, compiler, node, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    wf_schema_rule_add(compiler, node, keyword, value)->as.node = inner;
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_condition(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                         const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_spot_t *then = sibling(compiler, node, "\"then\"");
    const wf_spot_t *otherwise = sibling(compiler, node, "\"else\"");
    wf_schema_condition_t condition = {0};

    if (get_inplace(&condition.test, compiler, node, value) != APR_SUCCESS ||
        (then && get_inplace(&condition.then, compiler, node, then) != APR_SUCCESS) ||
        (otherwise &&
         get_inplace(&condition.otherwise, compiler, node, otherwise) != APR_SUCCESS)) {
        return WF_EINVALID;
    }
    /* Also where it is alone: what it looks at, unevaluatedProperties wants to know. */
    wf_schema_rule_add(compiler, node, keyword, value)->as.condition = condition;
    return APR_SUCCESS;
}

/* What another keyword takes up, if that is there; it must be a schema in any case. */
apr_status_t wf_schema_compile_part(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                    const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_schema_node_t *inner;

    (void)node;
    (void)keyword;
    return wf_schema_node_get(&inner, compiler, value);
}

apr_status_t wf_schema_compile_definitions(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                           const wf_schema_keyword_t *keyword,
                                           const wf_spot_t *value)
{
    wf_schema_nodes_t nodes;

    (void)node;
    (void)keyword;
    return get_object(&nodes, compiler, value);
}

/* ---- applied to what a value holds ---- */

apr_status_t wf_schema_compile_names(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                     const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_schema_node_t *inner;

    if (wf_schema_node_get(&inner, compiler, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    wf_schema_rule_add(compiler, node, keyword, value)->as.node = inner;
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_unevaluated(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                           const wf_schema_keyword_t *keyword,
                                           const wf_spot_t *value)
{
    compiler->schema->notes = 1;
    return wf_schema_compile_names(compiler, node, keyword, value);
}

static apr_status_t get_patterned(wf_schema_members_t *members, wf_schema_compiler_t *compiler,
                                  const wf_spot_t *value)
{
    const wf_outline_t *outline = &compiler->schema->outline;

    if (get_object(&members->patterned, compiler, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    members->patterns =
        apr_pcalloc(compiler->pool, (value->count + 1) * sizeof(*members->patterns));
    for (apr_uint32_t i = 0; i < value->count; i++) {
        const wf_spot_t *at = wf_outline_nth(outline, value, i);

        if (wf_schema_pattern_get(&members->patterns[i], compiler, wf_outline_name(outline, at),
                                  at) != APR_SUCCESS) {
            return WF_EINVALID;
        }
    }
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_members(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                       const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_schema_keyword_t *shared = wf_schema_keyword_find(wf_slice("properties"));
    const wf_spot_t *patterns = sibling(compiler, node, "\"patternProperties\"");
    const wf_spot_t *others = sibling(compiler, node, "\"additionalProperties\"");
    wf_schema_members_t members = {0};
    wf_schema_node_t *inner = NULL;

    (void)keyword;
    if (find_rule(node, shared)) {
        return APR_SUCCESS;
    }
    members.names = sibling(compiler, node, "\"properties\"");
    if ((members.names && get_object(&members.named, compiler, members.names) != APR_SUCCESS) ||
        (patterns && get_patterned(&members, compiler, patterns) != APR_SUCCESS) ||
        (others && wf_schema_node_get(&inner, compiler, others) != APR_SUCCESS)) {
        return WF_EINVALID;
    }
    members.others = inner;
    wf_schema_rule_add(compiler, node, shared, value)->as.members = members;
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_elements(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                        const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_schema_keyword_t *shared = wf_schema_keyword_find(wf_slice("items"));
    const wf_spot_t *first = sibling(compiler, node, "\"prefixItems\"");
    const wf_spot_t *others = sibling(compiler, node, "\"items\"");
    wf_schema_elements_t elements = {0};
    wf_schema_node_t *inner = NULL;

    (void)keyword;
    if (find_rule(node, shared)) {
        return APR_SUCCESS;
    }
    if (others && others->type == WF_JSON_ARRAY) {
        return wf_schema_refuse(compiler, others,
                                "must be a schema: an array of them, as in former drafts, is "
                                "written \"prefixItems\"");
    }
    if ((first && get_array(&elements.first, compiler, first) != APR_SUCCESS) ||
        (others && wf_schema_node_get(&inner, compiler, others) != APR_SUCCESS)) {
        return WF_EINVALID;
    }
    elements.others = inner;
    wf_schema_rule_add(compiler, node, shared, value)->as.elements = elements;
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_contains(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                        const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_spot_t *least = sibling(compiler, node, "\"minContains\"");
    const wf_spot_t *most = sibling(compiler, node, "\"maxContains\"");
    wf_schema_contains_t contains = {NULL, 1, APR_UINT64_MAX};
    wf_schema_node_t *inner;

    if (wf_schema_node_get(&inner, compiler, value) != APR_SUCCESS ||
        (least && wf_schema_count_get(&contains.least, compiler, least) != APR_SUCCESS) ||
        (most && wf_schema_count_get(&contains.most, compiler, most) != APR_SUCCESS)) {
        return WF_EINVALID;
    }
    contains.node = inner;
    wf_schema_rule_add(compiler, node, keyword, value)->as.contains = contains;
    return APR_SUCCESS;
}

/* ---- $ref ---- */

/* Resolves %XX. Whether all of them are whole. */
static int decode_percent(wf_buf_t *text)
{
    apr_size_t to = 0;

    for (apr_size_t i = 0; i < text->len; i++) {
        unsigned byte;
        char digits[3] = {0};

        if (text->data[i] != '%') {
            text->data[to++] = text->data[i];
            continue;
        }
        if (text->len - i < 3) {
            return 0;
        }
        memcpy(digits, text->data + i + 1, 2);
        if (strspn(digits, "0123456789abcdefABCDEF") != 2) {
            return 0;
        }
        byte = (unsigned)strtoul(digits, NULL, 16);
        text->data[to++] = (char)byte;
        i += 2;
    }
    text->len = to;
    return 1;
}

/* One step of a pointer, its escapes resolved, as a JSON string. Whether they are well-formed. */
static int decode_step(wf_buf_t *name, wf_slice_t step)
{
    wf_buf_t plain = {0};
    int fine = 1;

    for (apr_size_t i = 0; i < step.len; i++) {
        if (step.data[i] != '~') {
            wf_buf_add_char(&plain, step.data[i]);
        } else if (++i < step.len && (step.data[i] == '0' || step.data[i] == '1')) {
            wf_buf_add_char(&plain, step.data[i] == '0' ? '~' : '/');
        } else {
            fine = 0;
        }
    }
    wf_buf_reset(name);
    wf_json_string_encode(name, wf_buf_slice(&plain));
    wf_buf_free(&plain);
    return fine;
}

/* The element that a step of digits names. */
static const wf_spot_t *find_element(const wf_outline_t *outline, const wf_spot_t *array,
                                     wf_slice_t step)
{
    apr_size_t index = 0;

    if (step.len == 0 || step.len > 9 || (step.len > 1 && *step.data == '0')) {
        return NULL;
    }
    for (apr_size_t i = 0; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9') {
            return NULL;
        }
        index = index * 10 + (apr_size_t)(step.data[i] - '0');
    }
    return wf_outline_element(outline, array, index);
}

/* Where a JSON pointer leads to; NULL for nowhere. */
static const wf_spot_t *follow(const wf_outline_t *outline, wf_slice_t pointer)
{
    const wf_spot_t *at = wf_outline_spot(outline, 0);
    wf_buf_t name = {0};

    while (at && pointer.len) {
        const char *start = pointer.data + 1, *end = pointer.data + pointer.len;
        const char *slash = memchr(start, '/', (apr_size_t)(end - start));
        wf_slice_t step = wf_slice_of(start, (apr_size_t)((slash ? slash : end) - start));

        if (*pointer.data != '/') {
            at = NULL;
        } else if (at->type == WF_JSON_ARRAY) {
            at = find_element(outline, at, step);
        } else {
            at = decode_step(&name, step) ? wf_outline_member(outline, at, wf_buf_slice(&name))
                                          : NULL;
        }
        pointer = wf_slice_of(start + step.len, pointer.len - 1 - step.len);
    }
    wf_buf_free(&name);
    return at;
}

apr_status_t wf_schema_compile_reference(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                         const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_outline_t *outline = &compiler->schema->outline;
    const wf_spot_t *target = NULL;
    wf_buf_t text = {0};
    int local;

    if (value->type == WF_JSON_STRING) {
        wf_json_string_decode(&text, wf_outline_text(outline, value));
    }
    local = text.len && *text.data == '#' && (text.len == 1 || text.data[1] == '/');
    if (local && decode_percent(&text)) {
        target = follow(outline, wf_slice_of(text.data + 1, text.len - 1));
    }
    wf_buf_free(&text);
    if (!local) {
        return wf_schema_refuse(compiler, value,
                                "must be a JSON pointer within the schema: \"#\" or \"#/…\"");
    }
    if (!target) {
        return wf_schema_refuse(compiler, value, "leads to nothing that is in the schema");
    }
    wf_schema_reference_add(compiler, node, wf_schema_rule_add(compiler, node, keyword, value),
                            target);
    return APR_SUCCESS;
}
