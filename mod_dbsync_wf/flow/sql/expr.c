/* SPDX-License-Identifier: Apache-2.0 */
/* Values from expressions, with a short cut for a column by its bare name. */
#include "flow/sql/expr.h"

#include <stdlib.h>
#include <apr_strings.h>

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
    if (!json_is_string(value)) {
        return check_constant(expr, at, member, value);
    }
    status = wf_check_template_value(&tmpl, at, member, value);
    expr->tmpl = tmpl;
    return status;
}

/* What a hint is beside a column's number, or WF_NO_HINT. */
#define NO_COLUMN (-2)

apr_status_t wf_expr_value(wf_value_t *value, const wf_expr_t *expr, const wf_scope_t *scope,
                           int *hint, wf_result_t *result, apr_pool_t *pool)
{
    const wf_row_t *row = scope->row;

    if (!expr->tmpl) {
        *value = expr->constant;
        return APR_SUCCESS;
    }
    if (*hint == WF_NO_HINT) {
        *hint = row ? wf_template_column(expr->tmpl, row->names, row->count) : NO_COLUMN;
        *hint = *hint < 0 ? NO_COLUMN : *hint;
    }
    if (*hint >= 0) {
        *value = row->values[*hint];
        return APR_SUCCESS;
    }
    return wf_template_value(value, expr->tmpl, scope, result, pool);
}
