/* SPDX-License-Identifier: Apache-2.0 */
/* Statements and the values of their parameters, checked against each other. */
#include "flow/sql/params.h"

#include <apr_hash.h>
#include <apr_strings.h>

#define STATEMENTS_MOST 1000

/* The member "params"; NULL where there is none. */
static apr_status_t find_params(const json_t **params, const wf_check_t *at, const char *reserved)
{
    apr_status_t rv = wf_check_object(params, at, "params", WF_OPTIONAL);

    if (rv == APR_SUCCESS && *params && reserved && json_object_get(*params, reserved)) {
        return wf_check_error(at, apr_pstrcat(at->pool, "params/", reserved, NULL),
                              "cannot be given: the program itself gives :%s", reserved);
    }
    return rv;
}

/* The expressions of a statement's parameters; each that is used is put into the set. */
static apr_status_t link_params(wf_call_t *call, const wf_check_t *at, const char *member,
                                const json_t *params, const char *reserved, apr_hash_t *used)
{
    const wf_statement_t *statement = &call->statement;
    wf_expr_t *exprs =
        apr_pcalloc(at->pool, sizeof(*exprs) * ((apr_size_t)statement->param_count + 1));

    call->exprs = exprs;
    call->reserved = reserved ? wf_statement_param(statement, reserved) : -1;
    for (int i = 0; i < statement->param_count; i++) {
        const char *name = statement->params[i];
        const json_t *value = json_object_get(params, name);
        apr_status_t rv;

        if (i == call->reserved) {
            continue;
        }
        if (!value) {
            return wf_check_error(at, member, "the value of :%s is missing in \"params\"", name);
        }
        rv = wf_expr_check(&exprs[i], at, apr_pstrcat(at->pool, "params/", name, NULL), value);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        apr_hash_set(used, name, APR_HASH_KEY_STRING, name);
    }
    return APR_SUCCESS;
}

static apr_status_t check_used(const wf_check_t *at, const json_t *params, apr_hash_t *used)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)params, name, value)
    {
        if (!apr_hash_get(used, name, APR_HASH_KEY_STRING)) {
            return wf_check_error(at, apr_pstrcat(at->pool, "params/", name, NULL),
                                  "is not used: no statement has a :%s", name);
        }
    }
    return APR_SUCCESS;
}

apr_status_t wf_call_check(wf_call_t *call, const wf_check_t *at, const wf_sql_dialect_t *dialect,
                           const char *reserved)
{
    const json_t *params = NULL;
    const json_t *text = json_object_get(at->object, "sql");
    apr_hash_t *used = apr_hash_make(at->pool);
    apr_status_t rv;

    if (!text) {
        return wf_check_error(at, "sql", "is missing");
    }
    rv = find_params(&params, at, reserved);
    if (rv == APR_SUCCESS) {
        rv = wf_statement_parse(&call->statement, at, "sql", text, dialect);
    }
    if (rv == APR_SUCCESS) {
        rv = link_params(call, at, "sql", params, reserved, used);
    }
    return rv == APR_SUCCESS ? check_used(at, params, used) : rv;
}

apr_status_t wf_call_check_many(wf_call_t **calls, int *count, const wf_check_t *at,
                                const wf_sql_dialect_t *dialect)
{
    const json_t *params = NULL, *array = NULL;
    apr_hash_t *used = apr_hash_make(at->pool);
    apr_status_t rv;

    *count = 1;
    if (!json_is_array(json_object_get(at->object, "sql"))) {
        *calls = apr_pcalloc(at->pool, sizeof(**calls));
        return wf_call_check(*calls, at, dialect, NULL);
    }
    rv = wf_check_array(&array, at, "sql", WF_REQUIRED);
    if (rv == APR_SUCCESS) {
        rv = find_params(&params, at, NULL);
    }
    if (rv == APR_SUCCESS && json_array_size(array) > STATEMENTS_MOST) {
        rv = wf_check_error(at, "sql", "must not have more than %d statements", STATEMENTS_MOST);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *count = (int)json_array_size(array);
    *calls = apr_pcalloc(at->pool, sizeof(**calls) * (apr_size_t)*count);
    for (int i = 0; i < *count && rv == APR_SUCCESS; i++) {
        const char *member = apr_psprintf(at->pool, "sql/%d", i);

        rv = wf_statement_parse(&(*calls)[i].statement, at, member,
                                json_array_get(array, (apr_size_t)i), dialect);
        if (rv == APR_SUCCESS) {
            rv = link_params(&(*calls)[i], at, member, params, NULL, used);
        }
    }
    return rv == APR_SUCCESS ? check_used(at, params, used) : rv;
}

apr_status_t wf_call_values(const wf_value_t **values, const wf_call_t *call,
                            const wf_scope_t *scope, const wf_value_t *reserved,
                            wf_result_t *result, apr_pool_t *pool)
{
    const wf_statement_t *statement = &call->statement;
    wf_value_t *params =
        apr_pcalloc(pool, sizeof(*params) * ((apr_size_t)statement->param_count + 1));
    wf_value_t *places =
        apr_pcalloc(pool, sizeof(*places) * ((apr_size_t)statement->place_count + 1));

    for (int i = 0; i < statement->param_count; i++) {
        int hint = WF_NO_HINT;
        apr_status_t rv = APR_SUCCESS;

        if (i != call->reserved) {
            rv = wf_expr_value(&params[i], &call->exprs[i], scope, &hint, result, pool);
        } else if (reserved) {
            params[i] = *reserved;
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    for (int i = 0; i < statement->place_count; i++) {
        places[i] = params[statement->places[i]];
    }
    *values = places;
    return APR_SUCCESS;
}
