/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a task, and a body that has them. */
#include "flow/reads.h"

#include <stdlib.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "flow/mapping_path.h"

#define STEPS_MOST    16 /* of a path in an example, as are elements of an array in it */
#define ELEMENTS_MOST 16
#define ANYTHING      "\xe2\x80\xa6" /* an ellipsis */

struct wf_reads_t {
    apr_pool_t *pool;
    apr_array_header_t *parameters; /* wf_parameter_t */
    apr_hash_t *known;              /* its members by depth and path */
};

wf_reads_t *wf_reads_create(apr_pool_t *pool)
{
    wf_reads_t *reads = apr_pcalloc(pool, sizeof(*reads));

    reads->pool = pool;
    reads->parameters = apr_array_make(pool, 4, sizeof(wf_parameter_t));
    reads->known = apr_hash_make(pool);
    return reads;
}

/* ---- collecting ---- */

/* What stands for a variable, or the row where that is NULL; NULL where nothing does. */
static const wf_alias_t *find_alias(const wf_check_t *at, const wf_slice_t *variable)
{
    const wf_alias_t *alias = at->aliases;

    while (alias && (variable ? !alias->variable || !wf_slice_is(*variable, alias->variable)
                              : alias->variable != NULL)) {
        alias = alias->next;
    }
    return alias;
}

/*
 * The path in the body of what is read, put into `room`, which has WF_PARAMETER_PATH_MOST bytes and
 * one more: most of what a file reads it has read before. Whether it is a part of the body, and not
 * too long.
 */
static int resolve(char *room, const wf_check_t *at, const wf_read_t *read)
{
    int is_variable = read->kind == WF_READ_VARIABLE;
    const wf_alias_t *alias = NULL;
    apr_size_t len = 0;

    if (is_variable || read->kind == WF_READ_PATH) {
        alias = find_alias(at, is_variable ? &read->name : NULL);
    }
    if (read->kind == WF_READ_TABLE || (is_variable && !alias) || (alias && !alias->path)) {
        return 0;
    }
    if (alias && !read->at_any_depth) {
        len = strlen(alias->path);
        memcpy(room, alias->path, len);
    }
    if (len + 1 + read->path.len > WF_PARAMETER_PATH_MOST) {
        return 0;
    }
    if (len > 0 && read->path.len > 0) {
        room[len++] = '/';
    }
    if (read->path.len > 0) {
        memcpy(room + len, read->path.data, read->path.len);
    }
    room[len + read->path.len] = '\0';
    return 1;
}

static void add_read(void *baton, const wf_read_t *read)
{
    const wf_check_t *at = baton;
    wf_reads_t *reads = at->reads;
    char key[1 + WF_PARAMETER_PATH_MOST + 1];
    const char *kept;

    if (reads->parameters->nelts == WF_PARAMETERS_MOST || !resolve(key + 1, at, read) ||
        key[1] == '\0') {
        return;
    }
    key[0] = read->at_any_depth ? '*' : '/';
    if (!apr_hash_get(reads->known, key, APR_HASH_KEY_STRING)) {
        kept = apr_pstrdup(reads->pool, key);
        apr_hash_set(reads->known, kept, APR_HASH_KEY_STRING, kept);
        APR_ARRAY_PUSH(reads->parameters, wf_parameter_t) =
            (wf_parameter_t){kept + 1, read->at_any_depth};
    }
}

void wf_reads_add(const wf_check_t *at, const wf_template_t *tmpl)
{
    if (at->reads) {
        wf_check_t place = *at;

        wf_template_reads(tmpl, add_read, &place);
    }
}

/* Where a lone path leads. */
typedef struct lead_t {
    const wf_check_t *at;
    char path[WF_PARAMETER_PATH_MOST + 1];
    int is_known;
} lead_t;

static void follow(void *baton, const wf_read_t *read)
{
    lead_t *lead = baton;

    lead->is_known = resolve(lead->path, lead->at, read);
}

const char *wf_reads_element(const wf_check_t *at, const json_t *value)
{
    lead_t lead = {.at = at};
    wf_template_t *tmpl;

    if (!at->reads || !json_is_string(value) ||
        wf_template_parse(&tmpl, wf_slice_of(json_string_value(value), json_string_length(value)),
                          NULL, at->pool) != APR_SUCCESS ||
        !wf_template_is_path(tmpl)) {
        return NULL;
    }
    wf_template_reads(tmpl, follow, &lead);
    /* Nothing within what has no room left would be kept. */
    if (!lead.is_known || strlen(lead.path) + strlen("/0") > WF_PARAMETER_PATH_MOST) {
        return NULL;
    }
    return apr_pstrcat(at->pool, lead.path, *lead.path ? "/0" : "0", NULL);
}

const wf_parameter_t *wf_reads_parameters(int *count, const wf_reads_t *reads)
{
    *count = reads->parameters->nelts;
    return (const wf_parameter_t *)reads->parameters->elts;
}

/* ---- an example ---- */

static json_t *grow(json_t *node, const wf_step_t *steps, int count, apr_pool_t *pool);

static json_t *grow_array(json_t *array, const wf_step_t *steps, int count, apr_pool_t *pool)
{
    json_t *element = json_incref(json_array_get(array, steps->index));

    while (json_array_size(array) <= steps->index) {
        json_array_append_new(array, json_null());
    }
    json_array_set_new(array, steps->index,
                       grow(json_is_null(element) ? NULL : element, steps + 1, count - 1, pool));
    return array;
}

static json_t *grow_object(json_t *object, const wf_step_t *steps, int count, apr_pool_t *pool)
{
    const char *name = apr_pstrmemdup(pool, steps->name.data, steps->name.len);
    json_t *member = json_incref(json_object_get(object, name));

    json_object_set_new(object, name, grow(member, steps + 1, count - 1, pool));
    return object;
}

/*
 * Gives a node, NULL for none yet, the place that the steps lead to; takes over the node and gives
 * the one that is to be there. What is an object already does not become an array, and the other
 * way round: a step of digits may mean either.
 */
static json_t *grow(json_t *node, const wf_step_t *steps, int count, apr_pool_t *pool)
{
    if (count == 0) {
        return node ? node : json_string(ANYTHING);
    }
    if (node && !json_is_object(node) && !json_is_array(node)) {
        json_decref(node);
        node = NULL;
    }
    if (!node) {
        node = steps->is_index && steps->index < ELEMENTS_MOST ? json_array() : json_object();
    }
    if (json_is_object(node)) {
        return grow_object(node, steps, count, pool);
    }
    return steps->is_index && steps->index < ELEMENTS_MOST ? grow_array(node, steps, count, pool)
                                                           : node;
}

const char *wf_reads_example(const wf_reads_t *reads, apr_pool_t *pool)
{
    json_t *root = NULL;
    const char *example;
    char *text;

    for (int i = 0; i < reads->parameters->nelts; i++) {
        const wf_parameter_t *parameter = &APR_ARRAY_IDX(reads->parameters, i, wf_parameter_t);
        const char *spelled = apr_pstrcat(pool, "/", parameter->path, NULL);
        wf_path_t path;

        /* The slash in front keeps what begins with "@" from being a root. */
        if (!wf_path_parse(&path, wf_slice(spelled), pool) && path.step_count <= STEPS_MOST) {
            root = grow(root, path.steps, path.step_count, pool);
        }
    }
    text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    example = apr_pstrdup(pool, text ? text : "{}");
    free(text);
    json_decref(root);
    return example;
}
