/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong and what is allowed, from the schema's own words. Nothing of the body is told but
 * its places and the types of its values.
 */
#include "flow/schema/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <apr_strings.h>
#include "base/printable.h"

/* Characters of the schema that are quoted at most. */
#define QUOTED_MOST 120

static wf_slice_t text_of(const wf_schema_machine_t *machine, const wf_spot_t *spot)
{
    return wf_outline_text(&machine->schema->outline, spot);
}

/* A piece of the schema, cut where it is long. */
static const char *quote(const wf_schema_machine_t *machine, wf_slice_t text)
{
    return wf_printable(text, QUOTED_MOST, machine->pool);
}

static void add(wf_buf_t *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(wf_buf_t *out, const char *format, ...)
{
    /* Numbers and short words; what is quoted is added by itself. */
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    wf_buf_add_text(out, text);
}

/* "1 element", "2 elements". */
static void add_count(wf_buf_t *out, apr_uint64_t count, const char *of)
{
    add(out, "%" APR_UINT64_T_FMT " %s%s", count, of, count == 1 ? "" : "s");
}

/* ---- types and values ---- */

static const char *const type_names[] = {"null",     "a boolean", "a boolean", "a number",
                                         "a string", "an array",  "an object", "an integer"};

/* "a string, a number or null" */
static void add_types(wf_buf_t *out, unsigned types)
{
    if (types & WF_SCHEMA_TYPE(WF_JSON_TRUE)) {
        types &= ~WF_SCHEMA_TYPE(WF_JSON_FALSE);
    }
    if (types & WF_SCHEMA_TYPE(WF_JSON_NUMBER)) {
        types &= ~WF_SCHEMA_INTEGER;
    }
    for (unsigned i = 0; types; i++) {
        if (types & (1u << i)) {
            types &= ~(1u << i);
            wf_buf_add_text(out, type_names[i]);
            wf_buf_add_text(out, !types ? "" : types & (types - 1) ? ", " : " or ");
        }
    }
}

void wf_schema_explain_type(wf_buf_t *out, const wf_schema_machine_t *machine,
                            const wf_schema_failure_t *failure)
{
    const unsigned types = failure->rule->as.types;
    unsigned type = failure->of_name ? WF_JSON_STRING : failure->value->type;

    (void)machine;
    wf_buf_add_text(out, "must be ");
    add_types(out, types);
    wf_buf_add_text(out, ", and is ");
    wf_buf_add_text(out, type == WF_JSON_NUMBER && (types & WF_SCHEMA_INTEGER)
                             ? "a number with a fraction"
                             : type_names[type]);
}

void wf_schema_explain_enum(wf_buf_t *out, const wf_schema_machine_t *machine,
                            const wf_schema_failure_t *failure)
{
    const wf_outline_t *outline = &machine->schema->outline;
    const wf_spot_t *spot = failure->rule->spot, *value = NULL;
    wf_buf_t list = {0};

    if (failure->rule->keyword->check == wf_schema_check_const) {
        wf_buf_add_text(out, "must be ");
        wf_buf_add_text(out, quote(machine, text_of(machine, spot)));
        return;
    }
    while (list.len <= 4 * QUOTED_MOST && (value = wf_outline_next(outline, spot, value)) != NULL) {
        wf_buf_add_text(&list, list.len ? ", " : "");
        wf_buf_add_slice(&list, text_of(machine, value));
    }
    wf_buf_add_text(out, spot->count > 1 ? "must be one of " : "must be ");
    wf_buf_add_text(out, quote(machine, wf_buf_slice(&list)));
    wf_buf_free(&list);
}

void wf_schema_explain_false(wf_buf_t *out, const wf_schema_machine_t *machine,
                             const wf_schema_failure_t *failure)
{
    wf_slice_t name = wf_outline_name(&machine->schema->outline, failure->rule->spot);

    if (wf_slice_is(name, "\"additionalProperties\"") ||
        wf_slice_is(name, "\"unevaluatedProperties\"")) {
        wf_buf_add_text(out, "is not a member that the schema knows");
    } else if (wf_slice_is(name, "\"items\"") || wf_slice_is(name, "\"unevaluatedItems\"")) {
        wf_buf_add_text(out, "is an element more than the schema knows");
    } else {
        wf_buf_add_text(out, "must not be there");
    }
}

/* ---- numbers ---- */

static void add_limit(wf_buf_t *out, const wf_schema_machine_t *machine,
                      const wf_schema_failure_t *failure, const char *words)
{
    wf_buf_add_text(out, words);
    wf_buf_add_text(out, quote(machine, text_of(machine, failure->rule->spot)));
}

void wf_schema_explain_bound(wf_buf_t *out, const wf_schema_machine_t *machine,
                             const wf_schema_failure_t *failure)
{
    wf_schema_check_f *const check = failure->rule->keyword->check;

    add_limit(out, machine, failure,
              check == wf_schema_check_maximum             ? "must be at most "
              : check == wf_schema_check_minimum           ? "must be at least "
              : check == wf_schema_check_exclusive_maximum ? "must be less than "
                                                           : "must be more than ");
}

void wf_schema_explain_multiple(wf_buf_t *out, const wf_schema_machine_t *machine,
                                const wf_schema_failure_t *failure)
{
    add_limit(out, machine, failure, "must be a multiple of ");
}

/* ---- sizes ---- */

void wf_schema_explain_count(wf_buf_t *out, const wf_schema_machine_t *machine,
                             const wf_schema_failure_t *failure)
{
    wf_schema_check_f *const check = failure->rule->keyword->check;
    int is_text =
        check == wf_schema_check_most_characters || check == wf_schema_check_least_characters;
    int is_most = check == wf_schema_check_most || check == wf_schema_check_most_characters;
    const char *of = is_text                                 ? "character"
                     : failure->value->type == WF_JSON_ARRAY ? "element"
                                                             : "member";

    (void)machine;
    wf_buf_add_text(out, is_most ? "must have at most " : "must have at least ");
    add_count(out, failure->rule->as.count, of);
}

void wf_schema_explain_pattern(wf_buf_t *out, const wf_schema_machine_t *machine,
                               const wf_schema_failure_t *failure)
{
    wf_buf_add_text(out, "must match the pattern ");
    wf_buf_add_text(out, quote(machine, wf_schema_pattern_text(failure->rule->as.pattern)));
}

/* ---- members ---- */

/* The name that is missing; a is its number. */
static void add_missing(wf_buf_t *out, const wf_schema_machine_t *machine, const wf_spot_t *names,
                        apr_uint32_t number)
{
    const wf_spot_t *name = wf_outline_element(&machine->schema->outline, names, number);

    wf_buf_add_text(out, "lacks the member ");
    wf_buf_add_text(out, quote(machine, text_of(machine, name)));
}

void wf_schema_explain_required(wf_buf_t *out, const wf_schema_machine_t *machine,
                                const wf_schema_failure_t *failure)
{
    add_missing(out, machine, failure->rule->spot, failure->a);
}

void wf_schema_explain_dependent_required(wf_buf_t *out, const wf_schema_machine_t *machine,
                                          const wf_schema_failure_t *failure)
{
    const wf_outline_t *outline = &machine->schema->outline;
    const wf_spot_t *names = wf_outline_spot(outline, failure->a);

    add_missing(out, machine, names, failure->b);
    wf_buf_add_text(out, ", which must be there where ");
    wf_buf_add_text(out, quote(machine, wf_outline_name(outline, names)));
    wf_buf_add_text(out, " is");
}

/* ---- elements ---- */

void wf_schema_explain_contains(wf_buf_t *out, const wf_schema_machine_t *machine,
                                const wf_schema_failure_t *failure)
{
    const wf_schema_contains_t *contains = &failure->rule->as.contains;

    (void)machine;
    wf_buf_add_text(out, failure->a ? "must have at most " : "must have at least ");
    add_count(out, failure->a ? contains->most : contains->least, "element");
    wf_buf_add_text(out, " as the schema's contains has it");
}

void wf_schema_explain_unique(wf_buf_t *out, const wf_schema_machine_t *machine,
                              const wf_schema_failure_t *failure)
{
    (void)machine;
    add(out, "must not have equal elements, and those at %u and %u are equal", failure->a,
        failure->b);
}

/* ---- other nodes ---- */

void wf_schema_explain_not(wf_buf_t *out, const wf_schema_machine_t *machine,
                           const wf_schema_failure_t *failure)
{
    (void)machine;
    (void)failure;
    wf_buf_add_text(out, "satisfies what the schema's not forbids");
}

void wf_schema_explain_branches(wf_buf_t *out, const wf_schema_machine_t *machine,
                                const wf_schema_failure_t *failure)
{
    (void)machine;
    if (failure->a != WF_SPOT_NONE) {
        add(out, "satisfies more than one alternative of %s: those at %u and %u",
            failure->rule->keyword->name, failure->a, failure->b);
    } else if (failure->rule->as.nodes.count == 1) {
        add(out, "does not satisfy the alternative of %s", failure->rule->keyword->name);
    } else {
        add(out, "satisfies none of the %u alternatives of %s", failure->rule->as.nodes.count,
            failure->rule->keyword->name);
    }
}

/* A rule of this kind fails where another node does, which says more; or by taking too long. */
void wf_schema_explain_inner(wf_buf_t *out, const wf_schema_machine_t *machine,
                             const wf_schema_failure_t *failure)
{
    (void)machine;
    (void)failure;
    wf_buf_add_text(out, "does not satisfy the schema");
}

/* ---- the whole ---- */

static void add_reason(wf_buf_t *out, const wf_schema_machine_t *machine,
                       const wf_schema_failure_t *failure)
{
    switch (failure->trouble) {
    case WF_SCHEMA_TOO_MUCH:
        wf_buf_add_text(out, "cannot be checked, for the schema takes too many steps with it");
        break;
    case WF_SCHEMA_TOO_LONG:
        wf_buf_add_text(out, failure->rule->keyword->check == wf_schema_check_pattern
                                 ? "takes too many steps to match the pattern "
                                 : "has a name that takes too many steps to match a pattern of it");
        if (failure->rule->keyword->check == wf_schema_check_pattern) {
            wf_buf_add_text(out, quote(machine, wf_schema_pattern_text(failure->rule->as.pattern)));
        }
        break;
    default:
        wf_buf_add_text(out, failure->of_name ? "its name " : "");
        failure->rule->keyword->explain(out, machine, failure);
    }
}

void wf_schema_explain(wf_schema_error_t *error, const wf_schema_machine_t *machine)
{
    const wf_schema_failure_t *failure = &machine->failure;
    wf_buf_t reason = {0};

    error->place = wf_schema_pointer(&machine->body, failure->value, machine->pool);
    if (failure->rule) {
        add_reason(&reason, machine, failure);
        error->keyword_place =
            wf_schema_pointer(&machine->schema->outline, failure->rule->spot, machine->pool);
    } else {
        wf_buf_add_text(&reason, "cannot be checked, for the schema takes too many steps with it");
        error->keyword_place = "";
    }
    error->reason = wf_slice_dup(wf_buf_slice(&reason), machine->pool).data;
    wf_buf_free(&reason);
}
