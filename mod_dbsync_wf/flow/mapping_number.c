/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers: what is one, arithmetic, rounding. All of it is exact, but for quotients. */
#include "flow/mapping_function.h"

#define PLACES_MOST 100 /* places to round to, before and behind the point */

static wf_value_t value_of_spelled(wf_slice_t number)
{
    return (wf_value_t){WF_VALUE_NUMBER, number};
}

static apr_status_t refuse_size(wf_eval_t *eval)
{
    return wf_eval_fail(eval, "%s would take a number of more than %d digits", eval->function->name,
                        WF_DECIMAL_DIGITS);
}

/* Spells the number that a computation gave, or fails as it did. */
static apr_status_t finish(wf_value_t *value, wf_eval_t *eval, const wf_decimal_t *number,
                           apr_status_t rv)
{
    if (rv == APR_SUCCESS) {
        rv = wf_decimal_text(&value->text, number, 0, eval->pool);
    }
    value->kind = WF_VALUE_NUMBER;
    if (rv == WF_EFULL) {
        return refuse_size(eval);
    }
    return rv == WF_EINVALID ? wf_eval_fail(eval, "nothing can be divided by 0") : rv;
}

typedef apr_status_t combine_f(wf_decimal_t *number, const wf_decimal_t *a, const wf_decimal_t *b,
                               apr_pool_t *pool);

static apr_status_t combine(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                            combine_f *function)
{
    wf_decimal_t a, b, number;
    apr_status_t rv = wf_eval_number(&a, eval, arguments[0]);

    if (rv == APR_SUCCESS) {
        rv = wf_eval_number(&b, eval, arguments[1]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return finish(value, eval, &number, function(&number, &a, &b, eval->pool));
}

static apr_status_t subtract(wf_decimal_t *number, const wf_decimal_t *a, const wf_decimal_t *b,
                             apr_pool_t *pool)
{
    wf_decimal_t negative = wf_decimal_negate(*b);

    return wf_decimal_add(number, a, &negative, pool);
}

static apr_status_t call_add(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count)
{
    (void)count;
    return combine(value, eval, arguments, wf_decimal_add);
}

static apr_status_t call_subtract(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    (void)count;
    return combine(value, eval, arguments, subtract);
}

static apr_status_t call_multiply(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    (void)count;
    return combine(value, eval, arguments, wf_decimal_multiply);
}

static apr_status_t call_divide(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                int count)
{
    (void)count;
    return combine(value, eval, arguments, wf_decimal_divide);
}

static apr_status_t call_minus(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    wf_decimal_t number;
    apr_status_t rv = wf_eval_number(&number, eval, arguments[0]);

    (void)count;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    number = wf_decimal_negate(number);
    return finish(value, eval, &number, APR_SUCCESS);
}

static apr_status_t call_abs(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count)
{
    wf_decimal_t number;
    apr_status_t rv = wf_eval_number(&number, eval, arguments[0]);

    (void)count;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    number.negative = 0;
    return finish(value, eval, &number, APR_SUCCESS);
}

/* The number itself where JSON would spell it so, or else spelled as JSON does. */
static apr_status_t keep_number(wf_value_t *value, wf_eval_t *eval, wf_value_t given,
                                const wf_decimal_t *number)
{
    wf_slice_t text = wf_json_trim(given.text);

    if (wf_json_check(text, 1, NULL) == APR_SUCCESS && wf_json_type(text) == WF_JSON_NUMBER) {
        *value = value_of_spelled(text);
        return APR_SUCCESS;
    }
    return finish(value, eval, number, APR_SUCCESS);
}

/* Whether a value needs no reading: null and the empty text are 0, true is 1 and false is 0.
 * Otherwise *value is 0 too. */
static int is_plain_number(wf_value_t *value, wf_value_t given)
{
    if (given.kind == WF_VALUE_BOOL) {
        *value = value_of_spelled(wf_slice(wf_value_is_true(given) ? "1" : "0"));
        return 1;
    }
    *value = value_of_spelled(wf_slice("0"));
    return given.kind == WF_VALUE_NULL || (given.kind == WF_VALUE_TEXT && given.text.len == 0);
}

static apr_status_t call_number(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                int count)
{
    wf_decimal_t number;
    apr_status_t rv;

    (void)count;
    if (is_plain_number(value, arguments[0])) {
        return APR_SUCCESS;
    }
    rv = wf_eval_number(&number, eval, arguments[0]);
    return rv == APR_SUCCESS ? keep_number(value, eval, arguments[0], &number) : rv;
}

static apr_status_t call_asnumber(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    wf_decimal_t number;

    (void)count;
    if (is_plain_number(value, arguments[0]) ||
        !wf_value_number(&number, arguments[0], eval->pool)) {
        return APR_SUCCESS;
    }
    return keep_number(value, eval, arguments[0], &number);
}

static apr_status_t call_isnumber(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    wf_decimal_t number;

    (void)count;
    *value = wf_value_bool(wf_value_number(&number, arguments[0], eval->pool));
    return APR_SUCCESS;
}

/* The number of the first argument, and the places of the second, 0 where there is none. */
static apr_status_t take_places(wf_decimal_t *number, apr_int64_t *places, wf_eval_t *eval,
                                const wf_value_t *arguments, int count, apr_int64_t least)
{
    apr_status_t rv = wf_eval_number(number, eval, arguments[0]);

    *places = 0;
    if (rv == APR_SUCCESS && count > 1) {
        rv = wf_eval_integer(places, eval, arguments[1], least, PLACES_MOST,
                             least < 0 ? "a whole number of digits from -100 to 100"
                                       : "a whole number of digits from 0 to 100");
    }
    return rv;
}

static apr_status_t round_to(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count, wf_rounding_e rounding)
{
    wf_decimal_t number;
    apr_int64_t places;
    apr_status_t rv = take_places(&number, &places, eval, arguments, count, -PLACES_MOST);

    if (rv == APR_SUCCESS) {
        wf_decimal_round(&number, &number, (int)places, rounding, eval->pool);
        rv = finish(value, eval, &number, APR_SUCCESS);
    }
    return rv;
}

static apr_status_t call_round(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    return round_to(value, eval, arguments, count, WF_ROUND_HALF_UP);
}

static apr_status_t call_floor(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    return round_to(value, eval, arguments, count, WF_ROUND_FLOOR);
}

static apr_status_t call_ceiling(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                 int count)
{
    return round_to(value, eval, arguments, count, WF_ROUND_CEILING);
}

static apr_status_t call_fixed(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    wf_decimal_t number;
    apr_int64_t places;
    apr_status_t rv = take_places(&number, &places, eval, arguments, count, 0);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    wf_decimal_round(&number, &number, (int)places, WF_ROUND_HALF_UP, eval->pool);
    value->kind = WF_VALUE_TEXT;
    rv = wf_decimal_text(&value->text, &number, (int)places, eval->pool);
    return rv == WF_EFULL ? refuse_size(eval) : rv;
}

/* The least (factor -1) or the greatest (1) of numbers; nulls do not count. */
static apr_status_t find_extreme(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                 int count, int factor)
{
    wf_decimal_t best, number;
    apr_status_t rv = APR_SUCCESS;

    *value = wf_value_null();
    for (int i = 0; i < count && rv == APR_SUCCESS; i++) {
        if (arguments[i].kind == WF_VALUE_NULL) {
            continue;
        }
        rv = wf_eval_number(&number, eval, arguments[i]);
        if (rv == APR_SUCCESS &&
            (value->kind == WF_VALUE_NULL || factor * wf_decimal_compare(&number, &best) > 0)) {
            best = number;
            rv = keep_number(value, eval, arguments[i], &number);
        }
    }
    return rv;
}

static apr_status_t call_min(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count)
{
    return find_extreme(value, eval, arguments, count, -1);
}

static apr_status_t call_max(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                             int count)
{
    return find_extreme(value, eval, arguments, count, 1);
}

/* clang-format off */
const wf_function_t wf_operator_add =      {"+", "a + b", 2, 2, call_add, NULL, NULL};
const wf_function_t wf_operator_subtract = {"-", "a - b", 2, 2, call_subtract, NULL, NULL};
const wf_function_t wf_operator_multiply = {"*", "a * b", 2, 2, call_multiply, NULL, NULL};
const wf_function_t wf_operator_divide =   {"/", "a / b", 2, 2, call_divide, NULL, NULL};
const wf_function_t wf_operator_minus =    {"-", "-(a)",  1, 1, call_minus, NULL, NULL};

const wf_function_t wf_number_functions[] = {
    {"NUMBER", "NUMBER(value)", 1, 1, call_number, NULL, NULL},
    {"ASNUMBER", "ASNUMBER(value)", 1, 1, call_asnumber, NULL, NULL},
    {"ISNUMBER", "ISNUMBER(value)", 1, 1, call_isnumber, NULL, NULL},
    {"ROUND", "ROUND(number[, digits])", 1, 2, call_round, NULL, NULL},
    {"FLOOR", "FLOOR(number[, digits])", 1, 2, call_floor, NULL, NULL},
    {"CEILING", "CEILING(number[, digits])", 1, 2, call_ceiling, NULL, NULL},
    {"FIXED", "FIXED(number[, digits])", 1, 2, call_fixed, NULL, NULL},
    {"ABS", "ABS(number)", 1, 1, call_abs, NULL, NULL},
    {"MIN", "MIN(a, b, …)", 1, WF_ARGUMENTS_MOST, call_min, NULL, NULL},
    {"MAX", "MAX(a, b, …)", 1, WF_ARGUMENTS_MOST, call_max, NULL, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */
