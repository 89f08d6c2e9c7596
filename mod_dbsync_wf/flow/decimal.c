/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal numbers as schoolbooks have it, digit by digit. The cap on digits bounds the time: some
 * milliseconds for the largest quotient.
 */
#include "flow/decimal.h"

#include "base/result.h"

#define EXPONENT_MOST APR_INT64_C(1000000000000000)

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the needless zeros off both ends. */
static wf_decimal_t normalize(wf_decimal_t number)
{
    while (number.count && *number.digits == '0') {
        number.digits++;
        number.count--;
    }
    while (number.count && number.digits[number.count - 1] == '0') {
        number.count--;
        number.exponent++;
    }
    if (number.count == 0) {
        return (wf_decimal_t){0, "", 0, 0};
    }
    return number;
}

/* ---- reading ---- */

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at)) {
        at++;
    }
    return at;
}

/* "e" and what follows, up to end. Whether it is an exponent. */
static int parse_exponent(apr_int64_t *exponent, const char *at, const char *end)
{
    int negative = at + 1 < end && at[1] == '-';

    at += at + 1 < end && (at[1] == '-' || at[1] == '+') ? 2 : 1;
    if (at == end || skip_digits(at, end) != end) {
        return 0;
    }
    for (*exponent = 0; at < end; at++) {
        *exponent = *exponent * 10 + (*at - '0');
        *exponent = *exponent < EXPONENT_MOST ? *exponent : EXPONENT_MOST;
    }
    *exponent = negative ? -*exponent : *exponent;
    return 1;
}

/* The digits before and behind the point as one text. */
static const char *join(wf_slice_t whole, wf_slice_t fraction, apr_pool_t *pool)
{
    char *digits;

    if (fraction.len == 0) {
        return whole.data;
    }
    digits = apr_palloc(pool, whole.len + fraction.len);
    memcpy(digits, whole.data, whole.len);
    memcpy(digits + whole.len, fraction.data, fraction.len);
    return digits;
}

static int is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static wf_slice_t trim(wf_slice_t text)
{
    while (text.len && is_white(*text.data)) {
        text = wf_slice_of(text.data + 1, text.len - 1);
    }
    while (text.len && is_white(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

apr_status_t wf_decimal_parse(wf_decimal_t *number, wf_slice_t text, apr_pool_t *pool)
{
    return text.len > WF_DECIMAL_SPELLED ? WF_EINVALID : wf_decimal_parse_any(number, text, pool);
}

apr_status_t wf_decimal_parse_any(wf_decimal_t *number, wf_slice_t text, apr_pool_t *pool)
{
    wf_slice_t spelled = trim(text);
    const char *at = spelled.len ? spelled.data : "";
    const char *end = at + spelled.len;
    int negative = at < end && *at == '-';
    wf_slice_t whole;
    wf_slice_t fraction = wf_slice(NULL);
    apr_int64_t exponent = 0;

    at += at < end && (*at == '-' || *at == '+');
    whole = wf_slice_of(at, (apr_size_t)(skip_digits(at, end) - at));
    at += whole.len;
    if (at < end && *at == '.') {
        at++;
        fraction = wf_slice_of(at, (apr_size_t)(skip_digits(at, end) - at));
        at += fraction.len;
    }
    if (whole.len + fraction.len == 0) {
        return WF_EINVALID;
    }
    if (at < end && ((*at != 'e' && *at != 'E') || !parse_exponent(&exponent, at, end))) {
        return WF_EINVALID;
    }
    *number =
        normalize((wf_decimal_t){negative, join(whole, fraction, pool), whole.len + fraction.len,
                                 exponent - (apr_int64_t)fraction.len});
    return APR_SUCCESS;
}

/* ---- comparing ---- */

/* The power of ten just above the first digit: 0 for 0.5, 2 for 10. */
static apr_int64_t magnitude(const wf_decimal_t *number)
{
    return number->exponent + (apr_int64_t)number->count;
}

/* Compares without regard to signs; neither is zero. */
static int compare_sizes(const wf_decimal_t *a, const wf_decimal_t *b)
{
    apr_size_t common = a->count < b->count ? a->count : b->count;
    int order;

    if (magnitude(a) != magnitude(b)) {
        return magnitude(a) < magnitude(b) ? -1 : 1;
    }
    order = memcmp(a->digits, b->digits, common);
    if (order != 0) {
        return order < 0 ? -1 : 1;
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int sign(const wf_decimal_t *number)
{
    return number->count == 0 ? 0 : number->negative ? -1 : 1;
}

int wf_decimal_compare(const wf_decimal_t *a, const wf_decimal_t *b)
{
    if (sign(a) != sign(b)) {
        return sign(a) - sign(b);
    }
    return sign(a) * (sign(a) ? compare_sizes(a, b) : 0);
}

wf_decimal_t wf_decimal_negate(wf_decimal_t number)
{
    number.negative = number.count ? !number.negative : 0;
    return number;
}

/* ---- computing ---- */

/* The digits that a number takes where it is written out. */
static apr_int64_t width(const wf_decimal_t *number)
{
    apr_int64_t whole = magnitude(number) > 1 ? magnitude(number) : 1;

    return whole + (number->exponent < 0 ? -number->exponent : 0);
}

static int is_too_wide(const wf_decimal_t *number)
{
    return width(number) > WF_DECIMAL_DIGITS;
}

/* The digit that stands for 10^power, as a number. */
static int digit_at(const wf_decimal_t *number, apr_int64_t power)
{
    apr_int64_t place = magnitude(number) - 1 - power;

    return place >= 0 && place < (apr_int64_t)number->count ? number->digits[place] - '0' : 0;
}

/* a + factor × b, digit by digit, where factor is 1, or -1 and b is not larger than a. */
static wf_decimal_t combine(const wf_decimal_t *a, const wf_decimal_t *b, int factor,
                            apr_pool_t *pool)
{
    apr_int64_t low = a->exponent < b->exponent ? a->exponent : b->exponent;
    apr_int64_t high = magnitude(a) > magnitude(b) ? magnitude(a) : magnitude(b);
    apr_size_t count = (apr_size_t)(high - low + 1);
    char *digits = apr_palloc(pool, count);
    int carry = 0;

    for (apr_size_t i = 0; i < count; i++) {
        apr_int64_t power = low + (apr_int64_t)i;
        int digit = digit_at(a, power) + factor * digit_at(b, power) + carry;

        carry = digit > 9 ? 1 : digit < 0 ? -1 : 0;
        digits[count - 1 - i] = (char)('0' + digit - 10 * carry);
    }
    return normalize((wf_decimal_t){a->negative, digits, count, low});
}

apr_status_t wf_decimal_add(wf_decimal_t *sum, const wf_decimal_t *a, const wf_decimal_t *b,
                            apr_pool_t *pool)
{
    if (is_too_wide(a) || is_too_wide(b)) {
        return WF_EFULL;
    }
    if (a->count == 0 || b->count == 0) {
        *sum = a->count ? *a : *b;
    } else if (a->negative == b->negative) {
        *sum = combine(a, b, 1, pool);
    } else if (compare_sizes(a, b) >= 0) {
        *sum = combine(a, b, -1, pool);
    } else {
        *sum = combine(b, a, -1, pool);
    }
    return is_too_wide(sum) ? WF_EFULL : APR_SUCCESS;
}

apr_status_t wf_decimal_multiply(wf_decimal_t *product, const wf_decimal_t *a,
                                 const wf_decimal_t *b, apr_pool_t *pool)
{
    apr_size_t count = a->count + b->count;
    char *digits;

    if (is_too_wide(a) || is_too_wide(b)) {
        return WF_EFULL;
    }
    digits = apr_palloc(pool, count + 1);
    memset(digits, '0', count);
    for (apr_size_t i = a->count; i-- > 0;) {
        int carry = 0;

        for (apr_size_t j = b->count; j-- > 0;) {
            char *to = &digits[i + j + 1];
            int digit = *to - '0' + (a->digits[i] - '0') * (b->digits[j] - '0') + carry;

            *to = (char)('0' + digit % 10);
            carry = digit / 10;
        }
        digits[i] = (char)('0' + carry);
    }
    *product = normalize(
        (wf_decimal_t){a->negative != b->negative, digits, count, a->exponent + b->exponent});
    return is_too_wide(product) ? WF_EFULL : APR_SUCCESS;
}

/* Takes divisor off rest, both of so many digits, as often as it goes; gives how often. */
static char take_off(char *rest, const char *divisor, apr_size_t count)
{
    char times = '0';

    while (memcmp(rest, divisor, count) >= 0) {
        int borrow = 0;

        for (apr_size_t i = count; i-- > 0;) {
            int digit = rest[i] - divisor[i] - borrow;

            borrow = digit < 0;
            rest[i] = (char)('0' + digit + 10 * borrow);
        }
        times++;
    }
    return times;
}

/* The first `count` digits of a's digits divided by b's, with zeros behind a's. */
static char *divide_digits(const wf_decimal_t *a, const wf_decimal_t *b, apr_size_t count,
                           apr_pool_t *pool)
{
    char *quotient = apr_palloc(pool, count);
    apr_size_t size = b->count + 1; /* ten times a rest has one digit more than the divisor */
    char *rest = apr_palloc(pool, size * 2);
    char *divisor = rest + size;

    memset(rest, '0', size);
    divisor[0] = '0';
    memcpy(divisor + 1, b->digits, b->count);
    for (apr_size_t i = 0; i < count; i++) {
        memmove(rest, rest + 1, size - 1);
        rest[size - 1] = i < a->count ? a->digits[i] : '0';
        quotient[i] = take_off(rest, divisor, size);
    }
    return quotient;
}

apr_status_t wf_decimal_divide(wf_decimal_t *quotient, const wf_decimal_t *a, const wf_decimal_t *b,
                               apr_pool_t *pool)
{
    apr_size_t significant = a->count > WF_DECIMAL_QUOTIENT ? a->count : WF_DECIMAL_QUOTIENT;
    apr_size_t count = b->count + significant + 1; /* the first of them may be zeros */
    wf_decimal_t longer;

    if (b->count == 0) {
        return WF_EINVALID;
    }
    if (is_too_wide(a) || is_too_wide(b)) {
        return WF_EFULL;
    }
    if (a->count == 0) {
        *quotient = *a;
        return APR_SUCCESS;
    }
    longer = normalize(
        (wf_decimal_t){a->negative != b->negative, divide_digits(a, b, count, pool), count,
                       a->exponent - b->exponent - (apr_int64_t)count + (apr_int64_t)a->count});
    if (longer.count > significant) {
        wf_decimal_round(quotient, &longer, (int)((apr_int64_t)significant - magnitude(&longer)),
                         WF_ROUND_HALF_UP, pool);
    } else {
        *quotient = longer;
    }
    return is_too_wide(quotient) ? WF_EFULL : APR_SUCCESS;
}

/* Whether what is cut off behind the first `kept` digits (it is not zero) makes them one more. */
static int goes_up(const wf_decimal_t *number, apr_int64_t kept, wf_rounding_e rounding)
{
    if (rounding == WF_ROUND_HALF_UP) {
        return kept >= 0 && number->digits[kept] >= '5';
    }
    return (rounding == WF_ROUND_FLOOR) == number->negative;
}

void wf_decimal_round(wf_decimal_t *rounded, const wf_decimal_t *number, int places,
                      wf_rounding_e rounding, apr_pool_t *pool)
{
    apr_int64_t kept = magnitude(number) + places;
    apr_size_t count = kept > 0 ? (apr_size_t)kept : 0;
    char *digits;
    int up;

    if (number->count == 0 || number->exponent >= -(apr_int64_t)places) {
        *rounded = *number;
        return;
    }
    /* A digit more in front takes the carry of 99.9. */
    up = goes_up(number, kept, rounding);
    digits = apr_palloc(pool, count + 1);
    digits[0] = '0';
    memcpy(digits + 1, number->digits, count);
    for (apr_size_t i = count; up; i--) {
        up = digits[i] == '9';
        digits[i] = up ? '0' : (char)(digits[i] + 1);
    }
    *rounded = normalize((wf_decimal_t){number->negative, digits, count + 1, -(apr_int64_t)places});
}

/* ---- dividing without a rest ---- */

/* a × b modulo m, bit by bit: what is added stays below 2 × 10^18. */
static apr_uint64_t multiply_modulo(apr_uint64_t a, apr_uint64_t b, apr_uint64_t m)
{
    apr_uint64_t product = 0;

    for (; b; b /= 2) {
        product = b % 2 ? (product + a) % m : product;
        a = a * 2 % m;
    }
    return product;
}

static apr_uint64_t power_modulo(apr_uint64_t base, apr_int64_t exponent, apr_uint64_t m)
{
    apr_uint64_t power = 1 % m;

    for (base %= m; exponent; exponent /= 2) {
        power = exponent % 2 ? multiply_modulo(power, base, m) : power;
        base = multiply_modulo(base, base, m);
    }
    return power;
}

apr_status_t wf_decimal_is_multiple(int *is, const wf_decimal_t *number, const wf_decimal_t *unit)
{
    apr_uint64_t divisor = 0, rest = 0;

    if (unit->count == 0 || unit->count > WF_DECIMAL_UNIT) {
        return WF_EINVALID;
    }
    for (apr_size_t i = 0; i < unit->count; i++) {
        divisor = divisor * 10 + (apr_uint64_t)(unit->digits[i] - '0');
    }
    for (apr_size_t i = 0; i < number->count; i++) {
        rest = (rest * 10 + (apr_uint64_t)(number->digits[i] - '0')) % divisor;
    }
    /* No zero ends a number's digits, so none with places finer than the unit's is a multiple. */
    *is = number->count == 0 ||
          (number->exponent >= unit->exponent &&
           multiply_modulo(rest, power_modulo(10, number->exponent - unit->exponent, divisor),
                           divisor) == 0);
    return APR_SUCCESS;
}

/* ---- writing ---- */

apr_status_t wf_decimal_text(wf_slice_t *text, const wf_decimal_t *number, int places,
                             apr_pool_t *pool)
{
    apr_int64_t whole = magnitude(number) > 1 ? magnitude(number) : 1;
    apr_int64_t fraction = number->exponent < 0 ? -number->exponent : 0;
    char *spelled, *to;

    fraction = fraction > places ? fraction : places;
    if (whole + fraction > WF_DECIMAL_DIGITS) {
        return WF_EFULL;
    }
    to = spelled = apr_palloc(pool, (apr_size_t)(whole + fraction) + 2);
    if (number->negative) {
        *to++ = '-';
    }
    for (apr_int64_t power = whole - 1; power >= -fraction; power--) {
        if (power == -1) {
            *to++ = '.';
        }
        *to++ = (char)('0' + digit_at(number, power));
    }
    *text = wf_slice_of(spelled, (apr_size_t)(to - spelled));
    return APR_SUCCESS;
}
