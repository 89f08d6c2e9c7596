/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that checks a body: a stack of frames, each a node that is applied to a value, on the
 * heap. So the thread's stack stays small however deep the body is. Private to this folder.
 */
#ifndef WF_FLOW_SCHEMA_CHECK_H
#define WF_FLOW_SCHEMA_CHECK_H

#include "flow/schema/spec.h"

typedef enum {
    WF_SCHEMA_BROKEN,   /* the rule is broken */
    WF_SCHEMA_TOO_LONG, /* a text takes too long to be matched against the rule's pattern */
    WF_SCHEMA_TOO_MUCH  /* all of it takes too many steps */
} wf_schema_trouble_e;

/* Why a value does not satisfy a node. a and b are the rule's own: what its explain wants to know.
 */
struct wf_schema_failure_t {
    const wf_spot_t *value; /* in the body */
    const wf_schema_rule_t *rule;
    apr_uint32_t a;
    apr_uint32_t b;
    wf_schema_trouble_e trouble;
    int of_name; /* it is the member's name that fails, not its value */
};

struct wf_schema_frame_t {
    const wf_schema_node_t *node;
    const wf_spot_t *value;
    const wf_schema_rule_t *rule; /* that is being checked */
    apr_size_t notes;             /* how long the machine's were as the frame began */
    /* The rule's own, zeros as it begins. */
    const wf_spot_t *at; /* a member or element of the value */
    apr_uint32_t i;
    apr_uint32_t count;
    apr_uint32_t satisfied;      /* the number of a branch, from 1 */
    wf_schema_failure_t failure; /* of a branch */
};

struct wf_schema_machine_t {
    const wf_schema_t *schema;
    wf_outline_t body;
    wf_buf_t frames;
    apr_int64_t steps; /* that are left */
    int stopped;       /* whatever the outcome would be, the body is refused */
    wf_schema_failure_t failure;
    wf_spot_t name;         /* of a member, as a value of its own */
    const wf_spot_t *named; /* that member */
    wf_buf_t text;          /* a string, decoded */
    wf_buf_t notes; /* apr_uint32_t: members and elements that were looked at; see check.c */
    wf_buf_t noted; /* a byte for each spot of the body, for wf_schema_check_unevaluated */
    wf_schema_matcher_t matcher;
    apr_pool_t *pool;    /* the caller's */
    apr_pool_t *numbers; /* cleared after each comparison of numbers; NULL until the first */
};

/* Takes steps off those that are left. Whether there were as many; else the machine stops. */
int wf_schema_spend(wf_schema_machine_t *machine, apr_uint64_t steps);

/* Applies a node to a value: the frame's rule is called again with the outcome. WF_SCHEMA_WAIT. */
wf_schema_outcome_e wf_schema_apply(wf_schema_machine_t *machine, const wf_schema_node_t *node,
                                    const wf_spot_t *value);

/* Notes that a member or element is looked at, where the schema wants to know. */
void wf_schema_note(wf_schema_machine_t *machine, const wf_spot_t *spot);

/* The frame's rule is broken; a and b are for its explain. WF_SCHEMA_FAIL. */
wf_schema_outcome_e wf_schema_fail(wf_schema_machine_t *machine, const wf_schema_frame_t *frame,
                                   apr_uint32_t a, apr_uint32_t b);

/* Stops the machine because of the frame's rule. WF_SCHEMA_FAIL. */
wf_schema_outcome_e wf_schema_stop(wf_schema_machine_t *machine, const wf_schema_frame_t *frame,
                                   wf_schema_trouble_e trouble);

/* The characters of a string of the body, valid until the next call. */
wf_slice_t wf_schema_string(wf_schema_machine_t *machine, const wf_spot_t *value);

/* Whether a number of the body is an integer, and its order beside another. */
int wf_schema_is_integer(wf_schema_machine_t *machine, const wf_spot_t *value);
int wf_schema_order_number(wf_schema_machine_t *machine, const wf_spot_t *value,
                           const wf_decimal_t *number);
int wf_schema_is_multiple(wf_schema_machine_t *machine, const wf_spot_t *value,
                          const wf_decimal_t *unit);

/*
 * An order of all JSON values, in which those that are equal by JSON Schema are beside each other.
 * Takes steps of the machine, and means nothing where they run out.
 */
int wf_schema_order(wf_schema_machine_t *machine, const wf_outline_t *left, const wf_spot_t *a,
                    const wf_outline_t *right, const wf_spot_t *b);

wf_schema_check_f wf_schema_check_all, wf_schema_check_any, wf_schema_check_condition,
    wf_schema_check_const, wf_schema_check_contains, wf_schema_check_dependent_required,
    wf_schema_check_dependent_schemas, wf_schema_check_elements, wf_schema_check_enum,
    wf_schema_check_exclusive_maximum, wf_schema_check_exclusive_minimum, wf_schema_check_false,
    wf_schema_check_least, wf_schema_check_least_characters, wf_schema_check_maximum,
    wf_schema_check_members, wf_schema_check_minimum, wf_schema_check_most,
    wf_schema_check_most_characters, wf_schema_check_multiple, wf_schema_check_names,
    wf_schema_check_not, wf_schema_check_one, wf_schema_check_pattern, wf_schema_check_reference,
    wf_schema_check_required, wf_schema_check_type, wf_schema_check_unevaluated,
    wf_schema_check_unique;

#endif
