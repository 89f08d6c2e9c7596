/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers by their value, and all values in one order: by type, numbers by value, strings by their
 * characters, arrays and objects by their size and then by what they hold.
 */
#include "flow/schema/check.h"

/* Bytes of a number or a string that are looked at at the cost of one step. */
#define LOOKED_AT 16

static apr_size_t length(const wf_spot_t *spot)
{
    return spot->end - spot->start;
}

/* ---- numbers ---- */

static apr_pool_t *number_pool(wf_schema_machine_t *machine)
{
    if (!machine->numbers) {
        apr_pool_create(&machine->numbers, machine->pool);
        apr_pool_tag(machine->numbers, "wf_schema_numbers");
    }
    return machine->numbers;
}

/* The number lives until the numbers' pool is cleared. */
static wf_decimal_t number_of(wf_schema_machine_t *machine, const wf_outline_t *outline,
                              const wf_spot_t *spot)
{
    wf_decimal_t number = {0, "", 0, 0};

    wf_schema_spend(machine, length(spot) / LOOKED_AT);
    wf_decimal_parse_any(&number, wf_outline_text(outline, spot), number_pool(machine));
    return number;
}

static void forget_numbers(wf_schema_machine_t *machine)
{
    apr_pool_clear(machine->numbers);
}

/* Whether a number is spelled by digits alone, perhaps behind a minus, and is not -0. */
static int is_plain(wf_slice_t text)
{
    apr_size_t i = text.len && *text.data == '-';

    if (i && text.data[1] == '0') {
        return 0;
    }
    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9') {
        i++;
    }
    return i == text.len;
}

int wf_schema_is_integer(wf_schema_machine_t *machine, const wf_spot_t *value)
{
    wf_decimal_t number;
    int is;

    wf_schema_spend(machine, length(value) / LOOKED_AT);
    if (is_plain(wf_outline_text(&machine->body, value))) {
        return 1;
    }
    number = number_of(machine, &machine->body, value);
    is = number.exponent >= 0;
    forget_numbers(machine);
    return is;
}

int wf_schema_order_number(wf_schema_machine_t *machine, const wf_spot_t *value,
                           const wf_decimal_t *number)
{
    wf_decimal_t own = number_of(machine, &machine->body, value);
    int order = wf_decimal_compare(&own, number);

    forget_numbers(machine);
    return order;
}

int wf_schema_is_multiple(wf_schema_machine_t *machine, const wf_spot_t *value,
                          const wf_decimal_t *unit)
{
    wf_decimal_t own = number_of(machine, &machine->body, value);
    int is = 0;

    wf_decimal_is_multiple(&is, &own, unit);
    forget_numbers(machine);
    return is;
}

/* Of two that are plain: without needless zeros, the longer one is the larger. */
static int order_plain(wf_slice_t a, wf_slice_t b)
{
    int negative = *a.data == '-';
    int order;

    if (negative != (*b.data == '-')) {
        return negative ? -1 : 1;
    }
    order = a.len != b.len ? (a.len < b.len ? -1 : 1) : memcmp(a.data, b.data, a.len);
    return negative ? -order : order;
}

static int order_numbers(wf_schema_machine_t *machine, const wf_outline_t *left, const wf_spot_t *a,
                         const wf_outline_t *right, const wf_spot_t *b)
{
    wf_slice_t text = wf_outline_text(left, a), other = wf_outline_text(right, b);
    wf_decimal_t number, beside;
    int order;

    wf_schema_spend(machine, (text.len + other.len) / LOOKED_AT);
    if (is_plain(text) && is_plain(other)) {
        return order_plain(text, other);
    }
    number = number_of(machine, left, a);
    beside = number_of(machine, right, b);
    order = wf_decimal_compare(&number, &beside);
    forget_numbers(machine);
    return order;
}

/* ---- strings ---- */

wf_slice_t wf_schema_string(wf_schema_machine_t *machine, const wf_spot_t *value)
{
    wf_slice_t text = wf_outline_text(&machine->body, value);

    wf_schema_spend(machine, text.len / LOOKED_AT);
    if (!memchr(text.data, '\\', text.len)) {
        return wf_slice_of(text.data + 1, text.len - 2);
    }
    wf_buf_reset(&machine->text);
    wf_json_string_decode(&machine->text, text);
    return wf_buf_slice(&machine->text);
}

static int order_strings(wf_schema_machine_t *machine, wf_slice_t a, wf_slice_t b)
{
    wf_schema_spend(machine, (a.len < b.len ? a.len : b.len) / LOOKED_AT);
    return wf_json_string_compare(a, b);
}

/* ---- all values ---- */

/* Of two scalars of the same type. Not inlined, to keep the frames of the recursion small. */
static __attribute__((noinline)) int order_scalars(wf_schema_machine_t *machine,
                                                   const wf_outline_t *left, const wf_spot_t *a,
                                                   const wf_outline_t *right, const wf_spot_t *b)
{
    if (a->type == WF_JSON_NUMBER) {
        return order_numbers(machine, left, a, right, b);
    }
    if (a->type == WF_JSON_STRING) {
        return order_strings(machine, wf_outline_text(left, a), wf_outline_text(right, b));
    }
    return 0;
}

/* Of the names of two members. */
static __attribute__((noinline)) int order_names(wf_schema_machine_t *machine,
                                                 const wf_outline_t *left, const wf_spot_t *a,
                                                 const wf_outline_t *right, const wf_spot_t *b)
{
    return order_strings(machine, wf_outline_name(left, a), wf_outline_name(right, b));
}

/* Recursion: as deep as the values are, 512 at most. */
int wf_schema_order(wf_schema_machine_t *machine, const wf_outline_t *left, const wf_spot_t *a,
                    const wf_outline_t *right, const wf_spot_t *b)
{
    const wf_spot_t *one = NULL, *other = NULL;
    int order = 0;

    if (!wf_schema_spend(machine, 1)) {
        return 0;
    }
    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }
    if (a->type < WF_JSON_ARRAY) {
        return order_scalars(machine, left, a, right, b);
    }
    if (a->count != b->count) {
        return a->count < b->count ? -1 : 1;
    }
    for (apr_uint32_t i = 0; i < a->count && order == 0 && !machine->stopped; i++) {
        if (a->type == WF_JSON_OBJECT) {
            one = wf_outline_nth(left, a, i);
            other = wf_outline_nth(right, b, i);
            order = order_names(machine, left, one, right, other);
        } else {
            one = wf_outline_next(left, a, one);
            other = wf_outline_next(right, b, other);
        }
        order = order ? order : wf_schema_order(machine, left, one, right, other);
    }
    return order;
}
