/* SPDX-License-Identifier: Apache-2.0 */
/* Values from expressions, with a short cut for a column by its bare name. */
#include "flow/sql/expr.h"

#include <stdlib.h>
#include <apr_lib.h>
#include <apr_strings.h>

static int is_plain(char c)
{
    return apr_isalnum(c) || c == '_';
}

/* The name in "{{ name }}" where that is all there is, and no digits, which might be an index. */
static wf_slice_t bare_name(wf_slice_t source)
{
    wf_slice_t none = {"", 0};
    const char *at = source.data, *end = source.data + source.len;
    const char *name;

    if (source.len < 5 || memcmp(at, "{{", 2) != 0 || memcmp(end - 2, "}}", 2) != 0) {
        return none;
    }
    at += 2;
    end -= 2;
    while (at < end && apr_isspace(*at)) {
        at++;
    }
    while (at < end && apr_isspace(end[-1])) {
        end--;
    }
    for (name = at; at < end; at++) {
        if (!is_plain(*at)) {
            return none;
        }
    }
    return name < end && !apr_isdigit(*name) ? wf_slice_of(name, (apr_size_t)(end - name)) : none;
}

static apr_status_t check_constant(wf_expr_t *expr, const wf_check_t *at, const char *member,
                                   const json_t *value)
{
    char *text;

    if (json_is_object(value) || json_is_array(value)) {
        return wf_check_error(at, member,
                              "must be a string with an expression, a number, true, false or null");
    }
    text = json_dumps(value, JSON_ENCODE_ANY);
    if (!text) {
        return wf_check_error(at, member, "cannot be written as JSON");
    }
    expr->constant = wf_value_of_json(wf_slice(apr_pstrdup(at->pool, text)), at->pool);
    free(text);
    return APR_SUCCESS;
}

apr_status_t wf_expr_check(wf_expr_t *expr, const wf_check_t *at, const char *member,
                           const json_t *value)
{
    wf_template_t *tmpl = NULL;
    apr_status_t status;

    memset(expr, 0, sizeof(*expr));
    expr->column = wf_slice(NULL);
    if (!json_is_string(value)) {
        return check_constant(expr, at, member, value);
    }
    status = wf_check_template_value(&tmpl, at, member, value);
    expr->tmpl = tmpl;
    if (status == APR_SUCCESS) {
        expr->column = bare_name(wf_template_source(tmpl));
    }
    return status;
}

static int is_column(const wf_row_t *row, int number, wf_slice_t name)
{
    return number >= 0 && number < row->count && wf_slice_equal(row->names[number], name);
}

/* The row's column of that name, or -1; of two with one name the last, as in JSON. */
static int find_column(const wf_row_t *row, wf_slice_t name)
{
    for (int i = row->count - 1; i >= 0; i--) {
        if (wf_slice_equal(row->names[i], name)) {
            return i;
        }
    }
    return -1;
}

static const wf_value_t null_value = {WF_VALUE_NULL, {"", 0}};

/* A column, or a member, of the row by its bare name; null where it has none. */
static wf_value_t take_column(const wf_row_t *row, wf_slice_t name, int *hint, apr_pool_t *pool)
{
    wf_slice_t member;

    if (row->count == 0) {
        return wf_json_member(&member, row->json, name) == APR_SUCCESS
                   ? wf_value_of_json(member, pool)
                   : null_value;
    }
    if (!is_column(row, *hint, name)) {
        *hint = find_column(row, name);
    }
    return *hint < 0 ? null_value : row->values[*hint];
}

apr_status_t wf_expr_value(wf_value_t *value, const wf_expr_t *expr, const wf_scope_t *scope,
                           int *hint, wf_result_t *result, apr_pool_t *pool)
{
    if (!expr->tmpl) {
        *value = expr->constant;
        return APR_SUCCESS;
    }
    if (scope->row && expr->column.len > 0) {
        *value = take_column(scope->row, expr->column, hint, pool);
        return APR_SUCCESS;
    }
    return wf_template_value(value, expr->tmpl, scope, result, pool);
}
