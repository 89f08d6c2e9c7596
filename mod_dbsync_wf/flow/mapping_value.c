/* SPDX-License-Identifier: Apache-2.0 */
/* What a value is to a function: a text, a number, true or false; and how two of them compare. */
#include "flow/mapping_function.h"

apr_status_t wf_eval_text(wf_slice_t *text, wf_eval_t *eval, wf_value_t value)
{
    wf_buf_t spelled = {NULL, 0, 0};
    wf_value_t kept;
    apr_status_t rv;

    if (value.kind != WF_VALUE_BYTES) {
        *text = value.kind == WF_VALUE_NULL ? wf_slice(NULL) : value.text;
        return APR_SUCCESS;
    }
    wf_value_text(&spelled, value);
    rv = wf_eval_keep(&kept, eval, WF_VALUE_TEXT, &spelled);
    if (rv == APR_SUCCESS) {
        *text = kept.text;
    }
    return rv;
}

int wf_value_number(wf_decimal_t *number, wf_value_t value, apr_pool_t *pool)
{
    return (value.kind == WF_VALUE_NUMBER || value.kind == WF_VALUE_TEXT) &&
           wf_decimal_parse(number, value.text, pool) == APR_SUCCESS;
}

apr_status_t wf_eval_number(wf_decimal_t *number, wf_eval_t *eval, wf_value_t value)
{
    if (!wf_value_number(number, value, eval->pool)) {
        return wf_eval_refuse(eval, "a number", value);
    }
    return APR_SUCCESS;
}

apr_status_t wf_eval_integer(apr_int64_t *number, wf_eval_t *eval, wf_value_t value,
                             apr_int64_t least, apr_int64_t most, const char *what)
{
    wf_decimal_t decimal;
    apr_int64_t read = 0;

    /* The bounds are far from where this could overflow: at most 10^16 digits are asked for. */
    if (!wf_value_number(&decimal, value, eval->pool) || decimal.exponent < 0 ||
        decimal.exponent + (apr_int64_t)decimal.count > 16) {
        return wf_eval_refuse(eval, what, value);
    }
    for (apr_size_t i = 0; i < decimal.count; i++) {
        read = read * 10 + (decimal.digits[i] - '0');
    }
    for (apr_int64_t i = 0; i < decimal.exponent; i++) {
        read *= 10;
    }
    read = decimal.negative ? -read : read;
    if (read < least || read > most) {
        return wf_eval_refuse(eval, what, value);
    }
    *number = read;
    return APR_SUCCESS;
}

static int compare_bytes(wf_slice_t a, wf_slice_t b)
{
    apr_size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

apr_status_t wf_eval_compare(int *order, wf_eval_t *eval, wf_value_t a, wf_value_t b)
{
    wf_decimal_t x, y;
    wf_slice_t text_a, text_b;
    apr_status_t rv;

    if ((a.kind == WF_VALUE_NUMBER || b.kind == WF_VALUE_NUMBER) &&
        wf_value_number(&x, a, eval->pool) && wf_value_number(&y, b, eval->pool)) {
        *order = wf_decimal_compare(&x, &y);
        return APR_SUCCESS;
    }
    rv = wf_eval_text(&text_a, eval, a);
    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(&text_b, eval, b);
    }
    if (rv == APR_SUCCESS) {
        *order = compare_bytes(text_a, text_b);
    }
    return rv;
}

apr_status_t wf_eval_equal(int *equal, wf_eval_t *eval, wf_value_t a, wf_value_t b)
{
    int order = 0;
    apr_status_t rv;

    if (a.kind == WF_VALUE_NULL || b.kind == WF_VALUE_NULL) {
        *equal = a.kind == b.kind;
        return APR_SUCCESS;
    }
    rv = wf_eval_compare(&order, eval, a, b);
    *equal = order == 0;
    return rv;
}
