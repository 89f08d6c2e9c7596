/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of rules that apply no other node: types, values, numbers, texts, counts, names. */
#include "base/utf8.h"
#include "flow/schema/check.h"

static wf_schema_outcome_e pass_if(int satisfied, wf_schema_machine_t *machine,
                                   const wf_schema_frame_t *frame)
{
    return satisfied ? WF_SCHEMA_PASS : wf_schema_fail(machine, frame, 0, 0);
}

wf_schema_outcome_e wf_schema_check_false(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                          wf_schema_outcome_e inner)
{
    (void)inner;
    return wf_schema_fail(machine, frame, 0, 0);
}

wf_schema_outcome_e wf_schema_check_type(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                         wf_schema_outcome_e inner)
{
    const unsigned types = frame->rule->as.types;
    int is = (types & WF_SCHEMA_TYPE(frame->value->type)) != 0;

    (void)inner;
    if (!is && (types & WF_SCHEMA_INTEGER) && frame->value->type == WF_JSON_NUMBER) {
        is = wf_schema_is_integer(machine, frame->value);
    }
    return pass_if(is, machine, frame);
}

static int equals(wf_schema_machine_t *machine, const wf_schema_frame_t *frame,
                  const wf_spot_t *value)
{
    return wf_schema_order(machine, &machine->body, frame->value, &machine->schema->outline,
                           value) == 0;
}

wf_schema_outcome_e wf_schema_check_const(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                          wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(equals(machine, frame, frame->rule->spot), machine, frame);
}

wf_schema_outcome_e wf_schema_check_enum(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                         wf_schema_outcome_e inner)
{
    const wf_spot_t *value = NULL;

    (void)inner;
    while ((value = wf_outline_next(&machine->schema->outline, frame->rule->spot, value)) != NULL) {
        if (equals(machine, frame, value)) {
            return WF_SCHEMA_PASS;
        }
    }
    return wf_schema_fail(machine, frame, 0, 0);
}

/* ---- numbers ---- */

static int order(wf_schema_machine_t *machine, const wf_schema_frame_t *frame)
{
    return wf_schema_order_number(machine, frame->value, &frame->rule->as.number);
}

wf_schema_outcome_e wf_schema_check_maximum(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                            wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(order(machine, frame) <= 0, machine, frame);
}

wf_schema_outcome_e wf_schema_check_exclusive_maximum(wf_schema_machine_t *machine,
                                                      wf_schema_frame_t *frame,
                                                      wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(order(machine, frame) < 0, machine, frame);
}

wf_schema_outcome_e wf_schema_check_minimum(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                            wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(order(machine, frame) >= 0, machine, frame);
}

wf_schema_outcome_e wf_schema_check_exclusive_minimum(wf_schema_machine_t *machine,
                                                      wf_schema_frame_t *frame,
                                                      wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(order(machine, frame) > 0, machine, frame);
}

wf_schema_outcome_e wf_schema_check_multiple(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                             wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(wf_schema_is_multiple(machine, frame->value, &frame->rule->as.number), machine,
                   frame);
}

/* ---- counts and texts ---- */

wf_schema_outcome_e wf_schema_check_most(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                         wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(frame->value->count <= frame->rule->as.count, machine, frame);
}

wf_schema_outcome_e wf_schema_check_least(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                          wf_schema_outcome_e inner)
{
    (void)inner;
    return pass_if(frame->value->count >= frame->rule->as.count, machine, frame);
}

wf_schema_outcome_e wf_schema_check_most_characters(wf_schema_machine_t *machine,
                                                    wf_schema_frame_t *frame,
                                                    wf_schema_outcome_e inner)
{
    wf_slice_t text = wf_schema_string(machine, frame->value);

    (void)inner;
    return pass_if(wf_utf8_count(text) <= frame->rule->as.count, machine, frame);
}

wf_schema_outcome_e wf_schema_check_least_characters(wf_schema_machine_t *machine,
                                                     wf_schema_frame_t *frame,
                                                     wf_schema_outcome_e inner)
{
    wf_slice_t text = wf_schema_string(machine, frame->value);

    (void)inner;
    return pass_if(wf_utf8_count(text) >= frame->rule->as.count, machine, frame);
}

wf_schema_outcome_e wf_schema_check_pattern(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                            wf_schema_outcome_e inner)
{
    wf_slice_t text = wf_schema_string(machine, frame->value);

    (void)inner;
    if (machine->stopped) {
        return WF_SCHEMA_FAIL;
    }
    switch (wf_schema_pattern_match(&machine->matcher, frame->rule->as.pattern, text,
                                    &machine->steps)) {
    case WF_SCHEMA_MATCHES:
        return WF_SCHEMA_PASS;
    case WF_SCHEMA_DIFFERS:
        return wf_schema_fail(machine, frame, 0, 0);
    default:
        return wf_schema_stop(machine, frame, WF_SCHEMA_TOO_LONG);
    }
}

/* ---- names ---- */

/* The number of the first name in an array of the schema that no member of the value has. */
static int find_missing(apr_uint32_t *missing, wf_schema_machine_t *machine,
                        const wf_schema_frame_t *frame, const wf_spot_t *names)
{
    const wf_outline_t *outline = &machine->schema->outline;
    const wf_spot_t *name = NULL;

    for (*missing = 0; (name = wf_outline_next(outline, names, name)) != NULL; ++*missing) {
        wf_slice_t text = wf_outline_text(outline, name);

        if (!wf_schema_spend(machine, 1 + text.len / 16) ||
            !wf_outline_member(&machine->body, frame->value, text)) {
            return 1;
        }
    }
    return 0;
}

wf_schema_outcome_e wf_schema_check_required(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                             wf_schema_outcome_e inner)
{
    apr_uint32_t missing;

    (void)inner;
    if (find_missing(&missing, machine, frame, frame->rule->spot)) {
        return wf_schema_fail(machine, frame, missing, 0);
    }
    return WF_SCHEMA_PASS;
}

wf_schema_outcome_e wf_schema_check_dependent_required(wf_schema_machine_t *machine,
                                                       wf_schema_frame_t *frame,
                                                       wf_schema_outcome_e inner)
{
    const wf_outline_t *outline = &machine->schema->outline;
    const wf_spot_t *names = NULL;
    apr_uint32_t missing;

    (void)inner;
    while ((names = wf_outline_next(outline, frame->rule->spot, names)) != NULL) {
        wf_slice_t name = wf_outline_name(outline, names);

        if (!wf_schema_spend(machine, 1 + name.len / 16)) {
            return WF_SCHEMA_FAIL;
        }
        if (wf_outline_member(&machine->body, frame->value, name) &&
            find_missing(&missing, machine, frame, names)) {
            return wf_schema_fail(machine, frame, wf_outline_index(outline, names), missing);
        }
    }
    return WF_SCHEMA_PASS;
}

/* ---- elements that are equal ---- */

typedef struct elements_t {
    wf_schema_machine_t *machine;
    const apr_uint32_t *spots;
} elements_t;

static int order_elements(void *baton, apr_uint32_t a, apr_uint32_t b)
{
    const elements_t *elements = baton;
    const wf_outline_t *body = &elements->machine->body;

    return wf_schema_order(elements->machine, body, wf_outline_spot(body, elements->spots[a]), body,
                           wf_outline_spot(body, elements->spots[b]));
}

/* Of elements in order, the one that comes first in the text of those equal to a former one. */
static int find_equal(apr_uint32_t *first, apr_uint32_t *second, elements_t *elements,
                      const apr_uint32_t *sorted, apr_uint32_t count)
{
    int found = 0;

    for (apr_uint32_t i = 1; i < count && !elements->machine->stopped; i++) {
        if ((!found || sorted[i] < *second) &&
            order_elements(elements, sorted[i - 1], sorted[i]) == 0) {
            *first = sorted[i - 1];
            *second = sorted[i];
            found = 1;
        }
    }
    return found && !elements->machine->stopped;
}

wf_schema_outcome_e wf_schema_check_unique(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                           wf_schema_outcome_e inner)
{
    const wf_spot_t *at = NULL;
    apr_uint32_t count = frame->value->count, first = 0, second = 0;
    wf_buf_t numbers = {0};
    apr_uint32_t *spots, *sorted;
    elements_t elements;
    int found;

    (void)inner;
    if (count < 2) {
        return WF_SCHEMA_PASS;
    }
    spots = (apr_uint32_t *)wf_buf_reserve(&numbers, (apr_size_t)count * 3 * sizeof(*spots));
    sorted = spots + count;
    for (apr_uint32_t i = 0; i < count; i++) {
        at = wf_outline_next(&machine->body, frame->value, at);
        spots[i] = wf_outline_index(&machine->body, at);
        sorted[i] = i;
    }
    elements = (elements_t){machine, spots};
    wf_numbers_sort(sorted, count, sorted + count, order_elements, &elements);
    found = find_equal(&first, &second, &elements, sorted, count);
    wf_buf_free(&numbers);
    if (machine->stopped) {
        return WF_SCHEMA_FAIL;
    }
    return found ? wf_schema_fail(machine, frame, first, second) : WF_SCHEMA_PASS;
}
