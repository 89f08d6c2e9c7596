/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of an action's statements: {"params": {"id": "{{customerId}}"}} gives :id its
 * value, which is bound and never becomes part of the text.
 */
#ifndef WF_FLOW_SQL_PARAMS_H
#define WF_FLOW_SQL_PARAMS_H

#include "flow/sql/expr.h"
#include "flow/sql/sql.h"
#include "flow/sql/statement.h"

/* One statement with its values. */
typedef struct wf_call_t {
    wf_statement_t statement;
    const wf_expr_t *exprs; /* one for each parameter */
    int reserved;           /* the parameter that the program itself gives; -1: none */
} wf_call_t;

/*
 * Parses the statement at->object/sql, or `count` of them in an array there, and the values in
 * at->object/params: each parameter must have one, and each value must be used. `reserved` is a
 * parameter that the program gives, which "params" must not; NULL: none.
 */
apr_status_t wf_call_check(wf_call_t *call, const wf_check_t *at, const wf_sql_dialect_t *dialect,
                           const char *reserved);
apr_status_t wf_call_check_many(wf_call_t **calls, int *count, const wf_check_t *at,
                                const wf_sql_dialect_t *dialect);

/*
 * Evaluates the parameters, and puts a value for each place of the statement into *values, which
 * live in pool. `reserved` is what the program gives; NULL: null.
 */
apr_status_t wf_call_values(const wf_value_t **values, const wf_call_t *call,
                            const wf_scope_t *scope, const wf_value_t *reserved,
                            wf_result_t *result, apr_pool_t *pool);

#endif
