/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of rules that apply other nodes, to the same value or to what it holds. Each is called
 * again with the outcome of the node it has applied, and goes on from where its frame says it was.
 */
#include "flow/schema/check.h"

/* ---- the same value ---- */

wf_schema_outcome_e wf_schema_check_reference(wf_schema_machine_t *machine,
                                              wf_schema_frame_t *frame, wf_schema_outcome_e inner)
{
    if (inner == WF_SCHEMA_WAIT) {
        return wf_schema_apply(machine, frame->rule->as.node, frame->value);
    }
    return inner;
}

wf_schema_outcome_e wf_schema_check_not(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                        wf_schema_outcome_e inner)
{
    if (inner == WF_SCHEMA_WAIT) {
        return wf_schema_apply(machine, frame->rule->as.node, frame->value);
    }
    return inner == WF_SCHEMA_FAIL ? WF_SCHEMA_PASS : wf_schema_fail(machine, frame, 0, 0);
}

wf_schema_outcome_e wf_schema_check_condition(wf_schema_machine_t *machine,
                                              wf_schema_frame_t *frame, wf_schema_outcome_e inner)
{
    const wf_schema_condition_t *condition = &frame->rule->as.condition;
    const wf_schema_node_t *chosen;

    switch (frame->i++) {
    case 0:
        return wf_schema_apply(machine, condition->test, frame->value);
    case 1:
        chosen = inner == WF_SCHEMA_PASS ? condition->then : condition->otherwise;
        return chosen ? wf_schema_apply(machine, chosen, frame->value) : WF_SCHEMA_PASS;
    default:
        return inner;
    }
}

wf_schema_outcome_e wf_schema_check_all(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                        wf_schema_outcome_e inner)
{
    const wf_schema_nodes_t *nodes = &frame->rule->as.nodes;

    if (inner == WF_SCHEMA_FAIL || frame->i == nodes->count) {
        return inner;
    }
    return wf_schema_apply(machine, nodes->list[frame->i++], frame->value);
}

/*
 * Whether a branch fails at once because it is about something else: another type of value, or
 * another word in the member that tells kinds apart.
 */
static int is_about_another(const wf_schema_machine_t *machine, const wf_schema_frame_t *frame)
{
    const wf_schema_failure_t *failure = &machine->failure;
    wf_schema_check_f *const check = failure->rule->keyword->check;
    int is_value = check == wf_schema_check_const || check == wf_schema_check_enum;

    if (failure->value == frame->value || frame->value == &machine->name) {
        return check == wf_schema_check_type || check == wf_schema_check_false || is_value;
    }
    return is_value && !failure->of_name && frame->value->type == WF_JSON_OBJECT &&
           failure->value->parent == wf_outline_index(&machine->body, frame->value);
}

/* Keeps the failure of a branch that is meant for the value; count says how many there were. */
static void note_branch(const wf_schema_machine_t *machine, wf_schema_frame_t *frame)
{
    if (!is_about_another(machine, frame)) {
        frame->failure = machine->failure;
        frame->count++;
    }
}

/* None of the branches is satisfied. Where one alone is meant, what is wrong is what it says. */
static wf_schema_outcome_e fail_branches(wf_schema_machine_t *machine,
                                         const wf_schema_frame_t *frame)
{
    if (frame->count == 1 && !machine->stopped) {
        machine->failure = frame->failure;
        return WF_SCHEMA_FAIL;
    }
    return wf_schema_fail(machine, frame, WF_SPOT_NONE, WF_SPOT_NONE);
}

wf_schema_outcome_e wf_schema_check_any(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                        wf_schema_outcome_e inner)
{
    const wf_schema_nodes_t *nodes = &frame->rule->as.nodes;

    if (inner == WF_SCHEMA_PASS) {
        if (!machine->schema->notes) {
            return inner;
        }
        frame->satisfied = frame->i; /* each that is satisfied may look at something else */
    } else if (inner == WF_SCHEMA_FAIL) {
        note_branch(machine, frame);
    }
    if (frame->i == nodes->count) {
        return frame->satisfied ? WF_SCHEMA_PASS : fail_branches(machine, frame);
    }
    return wf_schema_apply(machine, nodes->list[frame->i++], frame->value);
}

wf_schema_outcome_e wf_schema_check_one(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                        wf_schema_outcome_e inner)
{
    const wf_schema_nodes_t *nodes = &frame->rule->as.nodes;

    if (inner == WF_SCHEMA_PASS && frame->satisfied) {
        return wf_schema_fail(machine, frame, frame->satisfied - 1, frame->i - 1);
    }
    if (inner == WF_SCHEMA_PASS) {
        frame->satisfied = frame->i;
    } else if (inner == WF_SCHEMA_FAIL) {
        note_branch(machine, frame);
    }
    if (frame->i == nodes->count) {
        return frame->satisfied ? WF_SCHEMA_PASS : fail_branches(machine, frame);
    }
    return wf_schema_apply(machine, nodes->list[frame->i++], frame->value);
}

wf_schema_outcome_e wf_schema_check_dependent_schemas(wf_schema_machine_t *machine,
                                                      wf_schema_frame_t *frame,
                                                      wf_schema_outcome_e inner)
{
    const wf_outline_t *outline = &machine->schema->outline;
    const wf_schema_nodes_t *nodes = &frame->rule->as.nodes;

    if (inner == WF_SCHEMA_FAIL) {
        return inner;
    }
    while (frame->i < nodes->count) {
        apr_uint32_t i = frame->i++;
        wf_slice_t name = wf_outline_name(outline, wf_outline_nth(outline, frame->rule->spot, i));

        if (!wf_schema_spend(machine, 1 + name.len / 16)) {
            return WF_SCHEMA_FAIL;
        }
        if (wf_outline_member(&machine->body, frame->value, name)) {
            return wf_schema_apply(machine, nodes->list[i], frame->value);
        }
    }
    return WF_SCHEMA_PASS;
}

/* ---- members ---- */

/* The next member or element of the frame's value, or its first. */
static const wf_spot_t *next_inside(const wf_schema_machine_t *machine, wf_schema_frame_t *frame)
{
    frame->at = wf_outline_next(&machine->body, frame->value, frame->at);
    return frame->at;
}

/* A member's name as a value: what is wrong with it is told at the member's place. */
wf_schema_outcome_e wf_schema_check_names(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                          wf_schema_outcome_e inner)
{
    wf_slice_t name;

    if (inner == WF_SCHEMA_FAIL || !next_inside(machine, frame)) {
        return inner == WF_SCHEMA_FAIL ? inner : WF_SCHEMA_PASS;
    }
    name = wf_outline_name(&machine->body, frame->at);
    machine->named = frame->at;
    machine->name = (wf_spot_t){.start = frame->at->name,
                                .end = frame->at->name + (apr_uint32_t)name.len,
                                .type = WF_JSON_STRING};
    return wf_schema_apply(machine, frame->rule->as.node, &machine->name);
}

/* The node that "properties" has for a name; NULL for none. */
static const wf_schema_node_t *find_named(wf_schema_machine_t *machine,
                                          const wf_schema_members_t *members, wf_slice_t name)
{
    apr_uint32_t i;

    if (!members->names || !wf_schema_spend(machine, name.len / 16)) {
        return NULL;
    }
    i = wf_outline_find(&machine->schema->outline, members->names, name);
    return i == WF_SPOT_NONE ? NULL : members->named.list[i];
}

/* Whether the name of the member at which the frame stands has a pattern. */
static int has_pattern(wf_schema_machine_t *machine, const wf_schema_frame_t *frame,
                       const wf_schema_pattern_t *pattern)
{
    wf_slice_t name = wf_outline_name(&machine->body, frame->at);
    wf_spot_t spot = {.start = frame->at->name, .end = frame->at->name + (apr_uint32_t)name.len};
    wf_schema_match_e match = wf_schema_pattern_match(
        &machine->matcher, pattern, wf_schema_string(machine, &spot), &machine->steps);

    if (match == WF_SCHEMA_GIVEN_UP) {
        wf_schema_stop(machine, frame, WF_SCHEMA_TOO_LONG);
    }
    return match == WF_SCHEMA_MATCHES;
}

/*
 * The next node to be applied to the member at which the frame stands: of properties, then of each
 * pattern, then that for others. i says how far it is, count how many there were; NULL for no more.
 */
static const wf_schema_node_t *next_node(wf_schema_machine_t *machine, wf_schema_frame_t *frame)
{
    const wf_schema_members_t *members = &frame->rule->as.members;
    const wf_schema_node_t *node;

    while (wf_schema_spend(machine, 1) && frame->i <= members->patterned.count) {
        apr_uint32_t i = frame->i++;

        if (i == 0) {
            node = find_named(machine, members, wf_outline_name(&machine->body, frame->at));
        } else {
            node = has_pattern(machine, frame, members->patterns[i - 1])
                       ? members->patterned.list[i - 1]
                       : NULL;
        }
        if (node) {
            frame->count++;
            return node;
        }
    }
    return frame->count++ ? NULL : members->others;
}

wf_schema_outcome_e wf_schema_check_members(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                            wf_schema_outcome_e inner)
{
    const wf_schema_node_t *node;

    if (inner == WF_SCHEMA_FAIL) {
        return inner;
    }
    if (inner == WF_SCHEMA_WAIT) {
        next_inside(machine, frame);
    }
    for (; frame->at && !machine->stopped; next_inside(machine, frame)) {
        while ((node = next_node(machine, frame)) != NULL) {
            wf_schema_note(machine, frame->at);
            if (node->rules) {
                return wf_schema_apply(machine, node, frame->at);
            }
        }
        frame->i = frame->count = 0;
    }
    return WF_SCHEMA_PASS;
}

/* ---- elements ---- */

wf_schema_outcome_e wf_schema_check_elements(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                             wf_schema_outcome_e inner)
{
    const wf_schema_elements_t *elements = &frame->rule->as.elements;
    const wf_schema_node_t *node;

    if (inner == WF_SCHEMA_FAIL) {
        return inner;
    }
    if (frame->i >= elements->first.count && !elements->others) {
        return WF_SCHEMA_PASS;
    }
    if (!next_inside(machine, frame)) {
        return WF_SCHEMA_PASS;
    }
    node = frame->i < elements->first.count ? elements->first.list[frame->i] : elements->others;
    frame->i++;
    wf_schema_note(machine, frame->at);
    return wf_schema_apply(machine, node, frame->at);
}

wf_schema_outcome_e wf_schema_check_contains(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                             wf_schema_outcome_e inner)
{
    const wf_schema_contains_t *contains = &frame->rule->as.contains;

    if (inner == WF_SCHEMA_PASS) {
        frame->count++;
        wf_schema_note(machine, frame->at);
    }
    if (frame->count > contains->most) {
        return wf_schema_fail(machine, frame, 1, 0);
    }
    if (frame->count >= contains->least && contains->most == APR_UINT64_MAX &&
        !machine->schema->notes) {
        return WF_SCHEMA_PASS;
    }
    if (next_inside(machine, frame)) {
        return wf_schema_apply(machine, contains->node, frame->at);
    }
    return frame->count < contains->least ? wf_schema_fail(machine, frame, 0, 0) : WF_SCHEMA_PASS;
}

/* ---- what nothing has looked at ---- */

/* Makes a byte 1 for each member or element that the frame's node has looked at. */
static void spread_notes(wf_schema_machine_t *machine, const wf_schema_frame_t *frame)
{
    const apr_size_t spots = wf_outline_count(&machine->body);
    const apr_size_t count = (machine->notes.len - frame->notes) / sizeof(apr_uint32_t);

    if (!machine->noted.len) {
        memset(wf_buf_reserve(&machine->noted, spots), 0, spots);
        machine->noted.len = spots;
    }
    wf_schema_spend(machine, count);
    for (apr_size_t i = 0; i < count; i++) {
        apr_uint32_t spot;

        memcpy(&spot, machine->notes.data + frame->notes + i * sizeof(spot), sizeof(spot));
        machine->noted.data[spot] = 1;
    }
}

/* Makes them 0 again, so that they are when the next rule comes. */
static void wipe_notes(wf_schema_machine_t *machine, const wf_schema_frame_t *frame)
{
    const wf_spot_t *at = NULL;

    while ((at = wf_outline_next(&machine->body, frame->value, at)) != NULL) {
        machine->noted.data[wf_outline_index(&machine->body, at)] = 0;
    }
}

wf_schema_outcome_e wf_schema_check_unevaluated(wf_schema_machine_t *machine,
                                                wf_schema_frame_t *frame, wf_schema_outcome_e inner)
{
    if (inner == WF_SCHEMA_WAIT) {
        spread_notes(machine, frame);
    }
    while (inner != WF_SCHEMA_FAIL && wf_schema_spend(machine, 1) && next_inside(machine, frame)) {
        if (!machine->noted.data[wf_outline_index(&machine->body, frame->at)]) {
            wf_schema_note(machine, frame->at);
            return wf_schema_apply(machine, frame->rule->as.node, frame->at);
        }
    }
    wipe_notes(machine, frame);
    return inner == WF_SCHEMA_FAIL ? inner : WF_SCHEMA_PASS;
}
