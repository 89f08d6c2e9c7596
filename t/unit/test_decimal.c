/* SPDX-License-Identifier: Apache-2.0 */
/* flow/decimal.h: beside tables, numbers of all sizes against GMP-free arithmetic in int64, and
 * laws that hold for any number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include "base/result.h"
#include "flow/decimal.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static apr_pool_t *pool;

static wf_decimal_t number_of(const char *text)
{
    wf_decimal_t number;

    if (wf_decimal_parse(&number, wf_slice(text), pool) != APR_SUCCESS) {
        fail_msg("%s is no number", text);
    }
    return number;
}

static const char *text_of(const wf_decimal_t *number)
{
    wf_slice_t text;

    assert_int_equal(wf_decimal_text(&text, number, 0, pool), APR_SUCCESS);
    return apr_pstrmemdup(pool, text.data, text.len);
}

/* clang-format off */
static const char *const spellings[][2] = {
    {"0", "0"}, {"-0", "0"}, {"0.000", "0"}, {"0e99999999999999999999", "0"}, {"1", "1"},
    {"-1.50", "-1.5"}, {"100", "100"}, {"1e2", "100"}, {"1E+2", "100"}, {"12e-1", "1.2"},
    {"0.001", "0.001"}, {"1e-3", "0.001"}, {"+5", "5"}, {" 5\n", "5"}, {"005.500", "5.5"},
    {".5", "0.5"}, {"5.", "5"}, {"-.5E1", "-5"}, {"10.010", "10.01"},
};
static const char *const no_numbers[] = {
    "", " ", "-", "+", ".", "e1", ".e1", "1e", "1e+", "1e1.5", "1 2", "1,5", "--1", "+-1", "0x10",
    "Infinity", "NaN", "1_000", "1\xC2\xA0", "1e1e1", "1..2",
};
/* clang-format on */

static void reads_and_spells(void **state)
{
    char digits[WF_DECIMAL_SPELLED + 1];
    wf_decimal_t number;

    (void)state;
    for (size_t i = 0; i < COUNT(spellings); i++) {
        number = number_of(spellings[i][0]);
        assert_string_equal(text_of(&number), spellings[i][1]);
    }
    for (size_t i = 0; i < COUNT(no_numbers); i++) {
        assert_int_equal(wf_decimal_parse(&number, wf_slice(no_numbers[i]), pool), WF_EINVALID);
    }
    assert_int_equal(wf_decimal_parse(&number, wf_slice_of("1\0", 2), pool), WF_EINVALID);
    memset(digits, '1', sizeof(digits));
    assert_int_equal(wf_decimal_parse(&number, wf_slice_of(digits, WF_DECIMAL_SPELLED), pool),
                     APR_SUCCESS);
    assert_int_equal(wf_decimal_parse(&number, wf_slice_of(digits, sizeof(digits)), pool),
                     WF_EINVALID);
}

static void compares_any_size(void **state)
{
    /* In their order; each is less than the next. */
    static const char *const table[] = {
        "-1e99999999999",
        "-1e400",
        "-10.1",
        "-10",
        "-1",
        "-0.1",
        "-1e-400",
        "0",
        "1e-400",
        "0.099999",
        "0.1",
        "0.10001",
        "1",
        "1.5",
        "9",
        "10",
        "1e3",
        "1001",
        "1e400",
        "1e99999999999",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        for (size_t j = 0; j < COUNT(table); j++) {
            wf_decimal_t a = number_of(table[i]), b = number_of(table[j]);
            int order = wf_decimal_compare(&a, &b);

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

/* Signed numbers of a few digits, so that carries, borrows and zeros all come up. */
static apr_int64_t some_number(unsigned *seed)
{
    static const apr_int64_t sizes[] = {1, 10, 1000, 100000, 1000000000};
    apr_int64_t size = sizes[rand_r(seed) % 5];

    return rand_r(seed) % (2 * size + 1) - size;
}

static wf_decimal_t decimal_of(apr_int64_t number)
{
    return number_of(apr_psprintf(pool, "%" APR_INT64_T_FMT, number));
}

static void agrees_with_integers(void **state)
{
    unsigned seed = 1;
    wf_decimal_t result;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        apr_int64_t x = some_number(&seed), y = some_number(&seed);
        wf_decimal_t a = decimal_of(x), b = decimal_of(y);

        assert_int_equal(wf_decimal_add(&result, &a, &b, pool), APR_SUCCESS);
        assert_string_equal(text_of(&result), apr_psprintf(pool, "%" APR_INT64_T_FMT, x + y));
        assert_int_equal(wf_decimal_multiply(&result, &a, &b, pool), APR_SUCCESS);
        assert_string_equal(text_of(&result), apr_psprintf(pool, "%" APR_INT64_T_FMT, x * y));
        if (y != 0) {
            wf_decimal_t product = result;

            assert_int_equal(wf_decimal_divide(&result, &product, &b, pool), APR_SUCCESS);
            assert_int_equal(wf_decimal_compare(&result, &a), 0);
        }
        if (i % 100 == 0) {
            apr_pool_clear(pool);
        }
    }
}

static wf_decimal_t long_number(unsigned *seed, int digits)
{
    char *text = apr_palloc(pool, (apr_size_t)digits + 2);

    text[0] = rand_r(seed) % 2 ? '-' : '+';
    for (int i = 1; i <= digits; i++) {
        text[i] = (char)('0' + (rand_r(seed) % 3 ? rand_r(seed) % 10 : 9 * (rand_r(seed) % 2)));
    }
    if (digits > 1) {
        text[digits / 2 + 1] = '.';
    }
    text[digits + 1] = '\0';
    return number_of(text);
}

/* (a + b) - b = a, (a + b) × c = a × c + b × c, (a × c) / c = a: for numbers of 300 digits. */
static void keeps_laws(void **state)
{
    unsigned seed = 2;

    (void)state;
    for (int i = 0; i < 300; i++) {
        wf_decimal_t a = long_number(&seed, 1 + i), b = long_number(&seed, 300 - i);
        wf_decimal_t c = long_number(&seed, 1 + i / 2), minus = wf_decimal_negate(b);
        wf_decimal_t sum, left, right, other, back;

        assert_int_equal(wf_decimal_add(&sum, &a, &b, pool), APR_SUCCESS);
        assert_int_equal(wf_decimal_add(&back, &sum, &minus, pool), APR_SUCCESS);
        assert_int_equal(wf_decimal_compare(&back, &a), 0);
        assert_int_equal(wf_decimal_multiply(&left, &sum, &c, pool), APR_SUCCESS);
        assert_int_equal(wf_decimal_multiply(&right, &a, &c, pool), APR_SUCCESS);
        assert_int_equal(wf_decimal_multiply(&other, &b, &c, pool), APR_SUCCESS);
        if (c.count) {
            assert_int_equal(wf_decimal_divide(&back, &right, &c, pool), APR_SUCCESS);
            assert_int_equal(wf_decimal_compare(&back, &a), 0);
        }
        assert_int_equal(wf_decimal_add(&right, &right, &other, pool), APR_SUCCESS);
        assert_int_equal(wf_decimal_compare(&left, &right), 0);
        apr_pool_clear(pool);
    }
}

/* A quotient is never further from the truth than half of its last digit: |q × b - a| ≤ |b| × ulp
 * / 2. */
static void rounds_quotients(void **state)
{
    unsigned seed = 3;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        wf_decimal_t a = decimal_of(some_number(&seed)), b = decimal_of(some_number(&seed) | 1);
        wf_decimal_t quotient, product, error, bound, ulp;

        assert_int_equal(wf_decimal_divide(&quotient, &a, &b, pool), APR_SUCCESS);
        assert_true(quotient.count <= WF_DECIMAL_QUOTIENT);
        if (quotient.count == 0) {
            assert_int_equal(a.count, 0);
            continue;
        }
        ulp = (wf_decimal_t){
            0, "5", 1, quotient.exponent + (apr_int64_t)quotient.count - WF_DECIMAL_QUOTIENT - 1};
        assert_int_equal(wf_decimal_multiply(&product, &quotient, &b, pool), APR_SUCCESS);
        product = wf_decimal_negate(product);
        assert_int_equal(wf_decimal_add(&error, &a, &product, pool), APR_SUCCESS);
        assert_int_equal(wf_decimal_multiply(&bound, &b, &ulp, pool), APR_SUCCESS);
        error.negative = bound.negative = 0;
        assert_true(wf_decimal_compare(&error, &bound) <= 0);
    }
    apr_pool_clear(pool);
}

static void rounds(void **state)
{
    /* clang-format off */
    static const struct {
        const char *number;
        int places;
        const char *half_up, *floor, *ceiling;
    } table[] = {
        {"2.5", 0, "3", "2", "3"},       {"-2.5", 0, "-3", "-3", "-2"}, {"0.4", 0, "0", "0", "1"},
        {"-0.4", 0, "0", "-1", "0"},     {"99.95", 1, "100", "99.9", "100"},
        {"-99.95", 1, "-100", "-100", "-99.9"}, {"1250", -2, "1300", "1200", "1300"},
        {"49", -2, "0", "0", "100"},     {"50", -2, "100", "0", "100"}, {"5", -3, "0", "0", "1000"},
        {"-5", -3, "0", "-1000", "0"},   {"0", -3, "0", "0", "0"},      {"1.5", 3, "1.5", "1.5", "1.5"},
        {"0.00049", 3, "0", "0", "0.001"}, {"0.0005", 3, "0.001", "0", "0.001"},
        {"1e-500", 2, "0", "0", "0.01"},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        wf_decimal_t number = number_of(table[i].number), rounded;

        wf_decimal_round(&rounded, &number, table[i].places, WF_ROUND_HALF_UP, pool);
        assert_string_equal(text_of(&rounded), table[i].half_up);
        wf_decimal_round(&rounded, &number, table[i].places, WF_ROUND_FLOOR, pool);
        assert_string_equal(text_of(&rounded), table[i].floor);
        wf_decimal_round(&rounded, &number, table[i].places, WF_ROUND_CEILING, pool);
        assert_string_equal(text_of(&rounded), table[i].ceiling);
    }
}

/* The cap is the same whichever end of a number is too far away. */
static void keeps_its_cap(void **state)
{
    static const char *const pairs[][2] = {
        {"1e999", "1"},   {"1e-999", "0"},    {"1e999", "1e1000"},
        {"1e1000", "1"},  {"1e-1000", "1"},   {"1e998", "0.1"},
        {"1e999", "0.1"}, {"9e999", "9e999"}, {"1e999999999999", "-1"},
    };
    static const int fits[] = {1, 1, 0, 0, 0, 1, 0, 0, 0};

    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        wf_decimal_t a = number_of(pairs[i][0]), b = number_of(pairs[i][1]), sum;

        assert_int_equal(wf_decimal_add(&sum, &a, &b, pool), fits[i] ? APR_SUCCESS : WF_EFULL);
        assert_int_equal(wf_decimal_add(&sum, &b, &a, pool), fits[i] ? APR_SUCCESS : WF_EFULL);
    }
}

static void divides_the_largest(void **state)
{
    char *text = apr_palloc(pool, 1001);
    wf_decimal_t a, b = number_of("3"), quotient, zero = number_of("0");

    (void)state;
    memset(text, '9', 1000);
    text[1000] = '\0';
    a = number_of(text);
    assert_int_equal(wf_decimal_divide(&quotient, &a, &b, pool), APR_SUCCESS);
    assert_int_equal(quotient.count, 1000);
    assert_int_equal(strspn(text_of(&quotient), "3"), 1000);
    assert_int_equal(wf_decimal_divide(&quotient, &a, &a, pool), APR_SUCCESS);
    assert_string_equal(text_of(&quotient), "1");
    assert_int_equal(wf_decimal_divide(&quotient, &a, &zero, pool), WF_EINVALID);
    assert_int_equal(wf_decimal_divide(&quotient, &zero, &zero, pool), WF_EINVALID);
}

static int is_multiple(const wf_decimal_t *number, const wf_decimal_t *unit)
{
    int is = -1;

    assert_int_equal(wf_decimal_is_multiple(&is, number, unit), APR_SUCCESS);
    return is;
}

static void tells_multiples(void **state)
{
    static const char *const are[][2] = {
        {"19.99", "0.01"},   {"0", "3"},
        {"-6", "3"},         {"6", "-3"},
        {"1e999999", "8"},   {"4.5", "1.5"},
        {"1e308", "1e-308"}, {"1e1000000000000", "64"},
        {"35", "0.000001"},  {"1.0e1", "2.5"},
        {"1", "1"},          {"999999999999999999e3", "999999999999999999"},
    };
    static const char *const are_not[][2] = {
        {"19.999", "0.01"}, {"7", "3"},  {"1e999999", "3"}, {"4.6", "1.5"},
        {"0.5", "1"},       {"1", "10"}, {"1e-400", "1"},   {"1e18", "999999999999999999"},
    };
    wf_decimal_t zero = number_of("0"), long_unit = number_of("1234567890123456789");
    unsigned seed = 4;
    int is;

    (void)state;
    for (size_t i = 0; i < COUNT(are); i++) {
        wf_decimal_t number = number_of(are[i][0]), unit = number_of(are[i][1]);

        assert_int_equal(is_multiple(&number, &unit), 1);
    }
    for (size_t i = 0; i < COUNT(are_not); i++) {
        wf_decimal_t number = number_of(are_not[i][0]), unit = number_of(are_not[i][1]);

        assert_int_equal(is_multiple(&number, &unit), 0);
    }
    assert_int_equal(wf_decimal_is_multiple(&is, &zero, &zero), WF_EINVALID);
    assert_int_equal(wf_decimal_is_multiple(&is, &zero, &long_unit), WF_EINVALID);
    for (int i = 0; i < 20000; i++) {
        apr_int64_t x = some_number(&seed), y = some_number(&seed) | 1;
        wf_decimal_t a = decimal_of(x), b = decimal_of(y);

        assert_int_equal(is_multiple(&a, &b), x % y == 0);
        if (i % 100 == 0) {
            apr_pool_clear(pool);
        }
    }
}

/* Longer than what a mapping reads. */
static void reads_any_length(void **state)
{
    char *digits = apr_palloc(pool, 1000000);
    wf_decimal_t number, unit;

    (void)state;
    memset(digits, '3', 1000000);
    assert_int_equal(wf_decimal_parse_any(&number, wf_slice_of(digits, 1000000), pool),
                     APR_SUCCESS);
    assert_int_equal(number.count, 1000000);
    unit = number_of("3");
    assert_int_equal(is_multiple(&number, &unit), 1);
    unit = number_of("7");
    assert_int_equal(is_multiple(&number, &unit),
                     0); /* 333333 is one, and 10^6 is no multiple of 6 */
    assert_int_equal(wf_decimal_parse_any(&number, wf_slice("x"), pool), WF_EINVALID);
}

static int set_up(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_spells),     cmocka_unit_test(compares_any_size),
        cmocka_unit_test(agrees_with_integers), cmocka_unit_test(keeps_laws),
        cmocka_unit_test(rounds_quotients),     cmocka_unit_test(rounds),
        cmocka_unit_test(keeps_its_cap),        cmocka_unit_test(divides_the_largest),
        cmocka_unit_test(tells_multiples),      cmocka_unit_test(reads_any_length),
    };

    return cmocka_run_group_tests_name("decimal", tests, set_up, tear_down);
}
