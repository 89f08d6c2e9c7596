/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a project's file gives for a value that goes to a database: a string with expressions, or a
 * number, true, false or null as it stands.
 */
#ifndef WF_FLOW_SQL_EXPR_H
#define WF_FLOW_SQL_EXPR_H

#include "flow/check.h"
#include "flow/value.h"

typedef struct wf_expr_t {
    const wf_template_t *tmpl; /* NULL: a constant */
    wf_value_t constant;
} wf_expr_t;

/* Parses a value at hand; `member` is its place, for errors. */
apr_status_t wf_expr_check(wf_expr_t *expr, const wf_check_t *at, const char *member,
                           const json_t *value);

/* Where a hint begins. */
#define WF_NO_HINT (-1)

/*
 * Evaluates it; the bytes live in pool, in the scope or in the expression. *hint remembers what the
 * expression is for rows of the same columns: the caller keeps it from row to row.
 */
apr_status_t wf_expr_value(wf_value_t *value, const wf_expr_t *expr, const wf_scope_t *scope,
                           int *hint, wf_result_t *result, apr_pool_t *pool);

#endif
