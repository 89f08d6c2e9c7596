/* SPDX-License-Identifier: Apache-2.0 */
/* Paths: their steps, and where they lead in a scope. */
#include "flow/mapping_path.h"

#include <apr_strings.h>
#include <apr_tables.h>

/* ---- reading ---- */

/* Whether a step is a number that can count elements, and which. */
static int parse_index(apr_size_t *index, wf_slice_t step)
{
    apr_size_t number = 0;

    if (step.len == 0 || step.len > 18 || (step.data[0] == '0' && step.len > 1)) {
        return 0;
    }
    for (apr_size_t i = 0; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9') {
            return 0;
        }
        number = number * 10 + (apr_size_t)(step.data[i] - '0');
    }
    *index = number;
    return 1;
}

/* Resolves ~0 and ~1. Whether there was no other ~. */
static int parse_step(wf_step_t *step, wf_slice_t spelled, apr_pool_t *pool)
{
    char *name = apr_palloc(pool, spelled.len + 1);
    apr_size_t len = 0;

    for (apr_size_t i = 0; i < spelled.len; i++) {
        char c = spelled.data[i];

        if (c == '~') {
            i++;
            if (i == spelled.len || (spelled.data[i] != '0' && spelled.data[i] != '1')) {
                return 0;
            }
            c = spelled.data[i] == '0' ? '~' : '/';
        }
        name[len++] = c;
    }
    step->name = wf_slice_of(name, len);
    step->is_index = parse_index(&step->index, step->name);
    return 1;
}

/* Takes the front of *rest up to its first "/", which goes too; *more tells whether there was one.
 */
static wf_slice_t cut_step(wf_slice_t *rest, int *more)
{
    const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
    apr_size_t len = slash ? (apr_size_t)(slash - rest->data) : rest->len;
    wf_slice_t step = wf_slice_of(rest->data, len);

    *more = slash != NULL;
    len += slash != NULL;
    *rest = wf_slice_of(rest->data + len, rest->len - len);
    return step;
}

/* Takes the root off the front of a path; *more tells whether steps follow. Whether it is one. */
static int parse_root(wf_path_t *path, wf_slice_t *rest, int *more, apr_pool_t *pool)
{
    wf_step_t name;
    wf_slice_t root;

    path->root = WF_ROOT_NEAREST;
    *more = rest->len > 0;
    if (rest->len == 0 || (rest->data[0] != '@' && rest->data[0] != '/')) {
        return 1;
    }
    root = cut_step(rest, more);
    if (root.len == 0) {
        return 1;
    }
    if (wf_slice_is(root, "@payload")) {
        path->root = WF_ROOT_PAYLOAD;
        return 1;
    }
    path->root = WF_ROOT_VARIABLE;
    if (!parse_step(&name, wf_slice_of(root.data + 1, root.len - 1), pool)) {
        return 0;
    }
    path->variable = name.name;
    return 1;
}

const char *wf_path_parse(wf_path_t *path, wf_slice_t spelled, apr_pool_t *pool)
{
    static const char tilde[] = "~ in a path is written ~0, and / in a name ~1";
    apr_array_header_t *steps = apr_array_make(pool, 4, sizeof(wf_step_t));
    wf_slice_t rest = spelled.len ? spelled : wf_slice("");
    int more;

    memset(path, 0, sizeof(*path));
    if (!parse_root(path, &rest, &more, pool)) {
        return tilde;
    }
    if (path->root == WF_ROOT_VARIABLE && path->variable.len == 0) {
        return apr_psprintf(pool,
                            "@ needs a variable's name; a member whose name begins with @ is "
                            "written /%s",
                            apr_pstrmemdup(pool, spelled.data, spelled.len));
    }
    path->spelled = rest;
    while (more) {
        wf_slice_t step = cut_step(&rest, &more);

        if (!parse_step(apr_array_push(steps), step, pool)) {
            return tilde;
        }
    }
    path->step_count = steps->nelts;
    path->steps = (const wf_step_t *)steps->elts;
    return NULL;
}

/* ---- following ---- */

static wf_place_t place_of_json(wf_slice_t json)
{
    return (wf_place_t){.kind = WF_PLACE_JSON, .json = json.len ? json : wf_slice("null")};
}

/* Takes one step down. APR_SUCCESS or APR_NOTFOUND. */
static apr_status_t take_step(wf_slice_t *json, const wf_step_t *step)
{
    if (wf_json_type(*json) == WF_JSON_ARRAY) {
        return step->is_index ? wf_json_element(json, *json, step->index) : APR_NOTFOUND;
    }
    return wf_json_member(json, *json, step->name);
}

/* Takes a path's steps from the one at `first` on. */
static wf_place_t descend(wf_slice_t json, const wf_path_t *path, int first)
{
    for (int i = first; i < path->step_count; i++) {
        if (take_step(&json, &path->steps[i]) != APR_SUCCESS) {
            return place_of_json(wf_slice(NULL));
        }
    }
    return place_of_json(json);
}

/* Where the columns of a row lead; of two with one name the last counts, as of members. */
static wf_place_t follow_column(const wf_row_t *row, const wf_path_t *path)
{
    int i = row->count - 1;

    if (path->step_count == 0) {
        return (wf_place_t){.kind = WF_PLACE_ROW, .row = row};
    }
    while (i >= 0 && !wf_slice_equal(row->names[i], path->steps[0].name)) {
        i--;
    }
    if (i < 0) {
        return place_of_json(wf_slice(NULL));
    }
    if (row->values[i].kind == WF_VALUE_JSON) {
        return descend(row->values[i].text, path, 1);
    }
    if (path->step_count > 1) {
        return place_of_json(wf_slice(NULL));
    }
    return (wf_place_t){.kind = WF_PLACE_VALUE, .value = row->values[i]};
}

/* The row whose columns a path begins at, or NULL where it begins at JSON text. */
static const wf_row_t *columns_of(const wf_path_t *path, const wf_scope_t *scope)
{
    int is_row = path->root == WF_ROOT_NEAREST && scope->row && scope->row->count > 0;

    return is_row ? scope->row : NULL;
}

static wf_slice_t json_of(const wf_path_t *path, const wf_scope_t *scope)
{
    wf_slice_t json = scope->payload;

    if (path->root == WF_ROOT_NEAREST && scope->row) {
        json = scope->row->json;
    } else if (path->root == WF_ROOT_VARIABLE &&
               (!scope->variables ||
                wf_variables_get(&json, scope->variables, path->variable) != APR_SUCCESS)) {
        json = wf_slice(NULL);
    }
    return wf_json_trim(json);
}

wf_place_t wf_path_follow(const wf_path_t *path, const wf_scope_t *scope)
{
    const wf_row_t *row = columns_of(path, scope);

    return row ? follow_column(row, path) : descend(json_of(path, scope), path, 0);
}

/* The first column of the name, or the first member inside one, whichever comes first. */
static wf_place_t search_columns(const wf_row_t *row, const wf_path_t *path)
{
    wf_slice_t name = path->steps[0].name;
    wf_slice_t json;

    for (int i = 0; i < row->count; i++) {
        if (wf_slice_equal(row->names[i], name)) {
            wf_row_t column = {1, &row->names[i], &row->values[i], wf_slice(NULL)};

            return follow_column(&column, path);
        }
        if (row->values[i].kind == WF_VALUE_JSON &&
            wf_json_search(&json, row->values[i].text, name) == APR_SUCCESS) {
            return descend(json, path, 1);
        }
    }
    return place_of_json(wf_slice(NULL));
}

wf_place_t wf_path_search(const wf_path_t *path, const wf_scope_t *scope)
{
    const wf_row_t *row = columns_of(path, scope);
    wf_slice_t json;

    if (row) {
        return search_columns(row, path);
    }
    if (wf_json_search(&json, json_of(path, scope), path->steps[0].name) != APR_SUCCESS) {
        return place_of_json(wf_slice(NULL));
    }
    return descend(json, path, 1);
}
