/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact arithmetic with decimal numbers of any size up to WF_DECIMAL_DIGITS digits: sums,
 * differences and products lose nothing, quotients say how far they go. A number is a sign, its
 * digits without needless zeros, and a power of ten; so 1, 1.0 and 10e-1 are the same.
 */
#ifndef WF_FLOW_DECIMAL_H
#define WF_FLOW_DECIMAL_H

#include <apr_errno.h>
#include "base/slice.h"

/* The most digits that an operand or a result may have, written out without an exponent. */
#define WF_DECIMAL_DIGITS 1000

/* A quotient has as many significant digits as the dividend, and at least these. */
#define WF_DECIMAL_QUOTIENT 34

/* The longest text, in bytes, that is read as a number; a longer one is none. */
#define WF_DECIMAL_SPELLED 10000

/* (-1)^negative × digits × 10^exponent. Zero has no digits, no sign and exponent 0. */
typedef struct wf_decimal_t {
    int negative;
    const char *digits; /* '0' to '9'; neither the first nor the last is '0' */
    apr_size_t count;
    apr_int64_t exponent;
} wf_decimal_t;

typedef enum {
    WF_ROUND_HALF_UP, /* to the nearest; what is half way goes away from zero */
    WF_ROUND_FLOOR,   /* towards minus infinity */
    WF_ROUND_CEILING  /* towards infinity */
} wf_rounding_e;

/*
 * Reads a number as JSON spells it, or as people do: also with a "+", zeros in front, nothing
 * before or behind the point, white space around. The digits stay in text, or are copied to pool.
 * Exponents beyond ±10^15 count as that. APR_SUCCESS, or WF_EINVALID where text is no number, or
 * longer than WF_DECIMAL_SPELLED.
 */
apr_status_t wf_decimal_parse(wf_decimal_t *number, wf_slice_t text, apr_pool_t *pool);

/* The same for a text of any length. */
apr_status_t wf_decimal_parse_any(wf_decimal_t *number, wf_slice_t text, apr_pool_t *pool);

/* Less than 0, 0 or more than 0, as a is less than, equal to or more than b; at any size. */
int wf_decimal_compare(const wf_decimal_t *a, const wf_decimal_t *b);

/* The number with the other sign. */
wf_decimal_t wf_decimal_negate(wf_decimal_t number);

/* APR_SUCCESS, or WF_EFULL where operand or result are beyond WF_DECIMAL_DIGITS. */
apr_status_t wf_decimal_add(wf_decimal_t *sum, const wf_decimal_t *a, const wf_decimal_t *b,
                            apr_pool_t *pool);
apr_status_t wf_decimal_multiply(wf_decimal_t *product, const wf_decimal_t *a,
                                 const wf_decimal_t *b, apr_pool_t *pool);

/* Rounded half up. APR_SUCCESS; WF_EFULL as above; WF_EINVALID where b is zero. */
apr_status_t wf_decimal_divide(wf_decimal_t *quotient, const wf_decimal_t *a, const wf_decimal_t *b,
                               apr_pool_t *pool);

/* Rounds to so many places behind the point; negative: before it. Its size does not matter. */
void wf_decimal_round(wf_decimal_t *rounded, const wf_decimal_t *number, int places,
                      wf_rounding_e rounding, apr_pool_t *pool);

/* The most digits of a unit whose multiples are told, in front of any zeros. */
#define WF_DECIMAL_UNIT 18

/*
 * Whether a number of any size is a whole number times a unit; signs do not matter.
 * APR_SUCCESS; WF_EINVALID where the unit is zero or has more than WF_DECIMAL_UNIT digits.
 */
apr_status_t wf_decimal_is_multiple(int *is, const wf_decimal_t *number, const wf_decimal_t *unit);

/*
 * Spells the number as JSON, without an exponent, with at least so many places behind the point.
 * APR_SUCCESS, or WF_EFULL where that is more than WF_DECIMAL_DIGITS digits.
 */
apr_status_t wf_decimal_text(wf_slice_t *text, const wf_decimal_t *number, int places,
                             apr_pool_t *pool);

#endif
