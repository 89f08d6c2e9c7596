/* SPDX-License-Identifier: Apache-2.0 */
/*
 * True and false: conditions, choices and comparisons. There is no third truth: null is false, is
 * equal to null alone, and is neither less nor more than anything.
 */
#include "flow/mapping_function.h"

#include "base/utf8.h"

/* ---- what evaluates no more of its arguments than it needs ---- */

/* Whether one of the arguments is as true as `truth` says; evaluates them up to that one. */
static apr_status_t find_truth(int *found, wf_eval_t *eval, const wf_node_t *call, int truth)
{
    apr_status_t rv = APR_SUCCESS;

    *found = 0;
    for (int i = 0; i < call->count && rv == APR_SUCCESS && !*found; i++) {
        wf_value_t value;

        rv = wf_eval(&value, eval, call->arguments[i]);
        *found = rv == APR_SUCCESS && wf_value_is_true(value) == truth;
    }
    return rv;
}

static apr_status_t lazy_and(wf_value_t *value, wf_eval_t *eval, const wf_node_t *call)
{
    int found;
    apr_status_t rv = find_truth(&found, eval, call, 0);

    *value = wf_value_bool(!found);
    return rv;
}

static apr_status_t lazy_or(wf_value_t *value, wf_eval_t *eval, const wf_node_t *call)
{
    int found;
    apr_status_t rv = find_truth(&found, eval, call, 1);

    *value = wf_value_bool(found);
    return rv;
}

static apr_status_t lazy_if(wf_value_t *value, wf_eval_t *eval, const wf_node_t *call)
{
    apr_status_t rv = wf_eval(value, eval, call->arguments[0]);
    int branch;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    branch = wf_value_is_true(*value) ? 1 : 2;
    *value = wf_value_null();
    return branch < call->count ? wf_eval(value, eval, call->arguments[branch]) : APR_SUCCESS;
}

static apr_status_t lazy_coalesce(wf_value_t *value, wf_eval_t *eval, const wf_node_t *call)
{
    apr_status_t rv = APR_SUCCESS;

    *value = wf_value_null();
    for (int i = 0; i < call->count && rv == APR_SUCCESS && value->kind == WF_VALUE_NULL; i++) {
        rv = wf_eval(value, eval, call->arguments[i]);
    }
    return rv;
}

/* Pairs of a case and its value, and behind them at most one value for all else. */
static apr_status_t lazy_switch(wf_value_t *value, wf_eval_t *eval, const wf_node_t *call)
{
    wf_value_t subject, match;
    int equal = 0;
    int i;
    apr_status_t rv = wf_eval(&subject, eval, call->arguments[0]);

    for (i = 1; i + 1 < call->count && rv == APR_SUCCESS; i += 2) {
        rv = wf_eval(&match, eval, call->arguments[i]);
        if (rv == APR_SUCCESS) {
            rv = wf_eval_equal(&equal, eval, subject, match);
        }
        if (rv == APR_SUCCESS && equal) {
            return wf_eval(value, eval, call->arguments[i + 1]);
        }
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *value = wf_value_null();
    return i < call->count ? wf_eval(value, eval, call->arguments[i]) : APR_SUCCESS;
}

/* ---- tests of one value ---- */

static apr_status_t call_not(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count)
{
    (void)eval;
    (void)count;
    *value = wf_value_bool(!wf_value_is_true(arguments[0]));
    return APR_SUCCESS;
}

static apr_status_t call_isnull(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                int count)
{
    (void)eval;
    (void)count;
    *value = wf_value_bool(arguments[0].kind == WF_VALUE_NULL);
    return APR_SUCCESS;
}

static apr_status_t call_isblank(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                 int count)
{
    (void)eval;
    (void)count;
    *value = wf_value_bool(arguments[0].text.len == 0);
    return APR_SUCCESS;
}

/* ---- comparisons ---- */

static apr_status_t call_equal(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    int equal;
    apr_status_t rv = wf_eval_equal(&equal, eval, arguments[0], arguments[1]);

    (void)count;
    *value = wf_value_bool(equal);
    return rv;
}

static apr_status_t call_unequal(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                 int count)
{
    int equal;
    apr_status_t rv = wf_eval_equal(&equal, eval, arguments[0], arguments[1]);

    (void)count;
    *value = wf_value_bool(!equal);
    return rv;
}

/* Whether the order of two values, its sign times factor, is at least `least`. */
static apr_status_t compare(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                            int factor, int least)
{
    int order;
    apr_status_t rv;

    *value = wf_value_bool(0);
    if (arguments[0].kind == WF_VALUE_NULL || arguments[1].kind == WF_VALUE_NULL) {
        return APR_SUCCESS;
    }
    rv = wf_eval_compare(&order, eval, arguments[0], arguments[1]);
    if (rv == APR_SUCCESS) {
        *value = wf_value_bool(factor * ((order > 0) - (order < 0)) >= least);
    }
    return rv;
}

static apr_status_t call_less(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    (void)count;
    return compare(value, eval, arguments, -1, 1);
}

static apr_status_t call_less_equal(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                    int count)
{
    (void)count;
    return compare(value, eval, arguments, -1, 0);
}

static apr_status_t call_more(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    (void)count;
    return compare(value, eval, arguments, 1, 1);
}

static apr_status_t call_more_equal(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                    int count)
{
    (void)count;
    return compare(value, eval, arguments, 1, 0);
}

/* ---- LIKE ---- */

#define PATTERN_MOST 1000 /* bytes: a pattern with many % takes its length times the text's */

static wf_slice_t drop(wf_slice_t text, apr_size_t count)
{
    return wf_slice_of(text.data + count, text.len - count);
}

/*
 * Takes one character of the pattern, which is not a bare %, off both, where they fit. Characters
 * compare as bytes, so that only _ needs to know how long one is.
 */
static int match_one(wf_slice_t *text, wf_slice_t *pattern)
{
    apr_size_t span = 1;

    if (text->len == 0 || pattern->len == 0) {
        return 0;
    }
    if (*pattern->data == '_') {
        wf_utf8_get(&span, *text);
    } else {
        apr_size_t escape = *pattern->data == '\\' && pattern->len > 1;

        if (pattern->data[escape] != *text->data) {
            return 0;
        }
        *pattern = drop(*pattern, escape);
    }
    *text = drop(*text, span);
    *pattern = drop(*pattern, 1);
    return 1;
}

/* Goes on from the last % with one more byte under it, where the rest does not fit. */
static int is_like(wf_slice_t text, wf_slice_t pattern)
{
    wf_slice_t text_behind = text;
    wf_slice_t pattern_behind = pattern;
    int has_percent = 0;

    while (text.len || pattern.len) {
        if (pattern.len && *pattern.data == '%') {
            pattern = pattern_behind = drop(pattern, 1);
            text_behind = text;
            has_percent = 1;
        } else if (!match_one(&text, &pattern)) {
            apr_size_t span;

            /* Where the text ended too early, less of it will not do. */
            if (!has_percent || text.len == 0) {
                return 0;
            }
            wf_utf8_get(&span, text_behind);
            text = text_behind = drop(text_behind, span);
            pattern = pattern_behind;
        }
    }
    return 1;
}

static apr_status_t call_like(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_slice_t text, pattern;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(&pattern, eval, arguments[1]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (pattern.len > PATTERN_MOST) {
        return wf_eval_fail(eval, "LIKE needs a pattern of %d bytes at most", PATTERN_MOST);
    }
    *value = wf_value_bool(arguments[0].kind != WF_VALUE_NULL &&
                           arguments[1].kind != WF_VALUE_NULL && is_like(text, pattern));
    return APR_SUCCESS;
}

/* clang-format off */
const wf_function_t wf_operator_or =         {"OR",  "a OR b",  2, 2, NULL, lazy_or, NULL};
const wf_function_t wf_operator_and =        {"AND", "a AND b", 2, 2, NULL, lazy_and, NULL};
const wf_function_t wf_operator_not =        {"NOT", "NOT a",   1, 1, call_not, NULL, NULL};
const wf_function_t wf_operator_equal =      {"=",  "a = b",  2, 2, call_equal, NULL, NULL};
const wf_function_t wf_operator_unequal =    {"!=", "a != b", 2, 2, call_unequal, NULL, NULL};
const wf_function_t wf_operator_less =       {"<",  "a < b",  2, 2, call_less, NULL, NULL};
const wf_function_t wf_operator_less_equal = {"<=", "a <= b", 2, 2, call_less_equal, NULL, NULL};
const wf_function_t wf_operator_more =       {">",  "a > b",  2, 2, call_more, NULL, NULL};
const wf_function_t wf_operator_more_equal = {">=", "a >= b", 2, 2, call_more_equal, NULL, NULL};
const wf_function_t wf_operator_like =       {"LIKE", "a LIKE \"pattern\"", 2, 2, call_like, NULL, NULL};

const wf_function_t wf_logic_functions[] = {
    {"IF", "IF(condition, then[, else])", 2, 3, NULL, lazy_if, NULL},
    {"AND", "AND(a, b, …)", 1, WF_ARGUMENTS_MOST, NULL, lazy_and, NULL},
    {"OR", "OR(a, b, …)", 1, WF_ARGUMENTS_MOST, NULL, lazy_or, NULL},
    {"NOT", "NOT(a)", 1, 1, call_not, NULL, NULL},
    {"SWITCH", "SWITCH(value, case, then, …[, else])", 3, WF_ARGUMENTS_MOST, NULL, lazy_switch, NULL},
    {"COALESCE", "COALESCE(a, b, …)", 1, WF_ARGUMENTS_MOST, NULL, lazy_coalesce, NULL},
    {"ISNULL", "ISNULL(a)", 1, 1, call_isnull, NULL, NULL},
    {"ISBLANK", "ISBLANK(a)", 1, 1, call_isblank, NULL, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */
