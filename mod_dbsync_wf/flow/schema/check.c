/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running the machine. A frame goes through its node's rules until one waits for another node, or
 * is broken. The steps are counted so that no schema takes more time with a body than its length
 * justifies: branches within branches around a $ref would multiply without end.
 *
 * For unevaluatedItems and unevaluatedProperties each member and element that a rule looks at is
 * noted, one behind the other. What a frame has noted stays for the frame that applied it to the
 * same value, and is forgotten where it fails or is about a value inside. So what lies behind a
 * frame's beginning is what its node, and those it has applied, have looked at in its value.
 */
#include "flow/schema/check.h"
#include "flow/schema/explain.h"

#define STEPS_ANYWAY    1000000
#define STEPS_EACH_BYTE 8

/* Frames on the stack at most: a body's depth, and of each value what a schema's depth allows. */
#define FRAMES_MOST ((apr_size_t)512 * WF_SCHEMA_DEPTH)

static wf_schema_frame_t *top_frame(const wf_schema_machine_t *machine)
{
    return (wf_schema_frame_t *)(machine->frames.data + machine->frames.len) - 1;
}

int wf_schema_spend(wf_schema_machine_t *machine, apr_uint64_t steps)
{
    machine->steps -= (apr_int64_t)steps;
    if (machine->steps < 0 && !machine->stopped) {
        wf_schema_stop(machine, top_frame(machine), WF_SCHEMA_TOO_MUCH);
    }
    return !machine->stopped;
}

wf_schema_outcome_e wf_schema_apply(wf_schema_machine_t *machine, const wf_schema_node_t *node,
                                    const wf_spot_t *value)
{
    wf_schema_frame_t frame = {0};

    if (machine->frames.len >= FRAMES_MOST * sizeof(frame)) {
        return wf_schema_stop(machine, top_frame(machine), WF_SCHEMA_TOO_MUCH);
    }
    frame.node = node;
    frame.value = value;
    frame.rule = node->rules;
    frame.notes = machine->notes.len;
    wf_buf_add(&machine->frames, &frame, sizeof(frame));
    wf_schema_spend(machine, 1);
    return WF_SCHEMA_WAIT;
}

wf_schema_outcome_e wf_schema_fail(wf_schema_machine_t *machine, const wf_schema_frame_t *frame,
                                   apr_uint32_t a, apr_uint32_t b)
{
    int of_name = frame->value == &machine->name;

    if (!machine->stopped) {
        machine->failure = (wf_schema_failure_t){
            of_name ? machine->named : frame->value, frame->rule, a, b, WF_SCHEMA_BROKEN, of_name};
    }
    return WF_SCHEMA_FAIL;
}

wf_schema_outcome_e wf_schema_stop(wf_schema_machine_t *machine, const wf_schema_frame_t *frame,
                                   wf_schema_trouble_e trouble)
{
    wf_schema_fail(machine, frame, 0, 0);
    if (!machine->stopped) {
        machine->failure.trouble = trouble;
        machine->stopped = 1;
    }
    return WF_SCHEMA_FAIL;
}

static int says_something(const wf_schema_rule_t *rule, const wf_spot_t *value)
{
    return (rule->keyword->types & WF_SCHEMA_TYPE(value->type)) != 0;
}

/* Goes on with a frame's rules; inner is the outcome that its rule waits for, if it does. */
static wf_schema_outcome_e advance(wf_schema_machine_t *machine, wf_schema_frame_t *frame,
                                   wf_schema_outcome_e inner)
{
    while (frame->rule && wf_schema_spend(machine, 1)) {
        if (says_something(frame->rule, frame->value)) {
            wf_schema_outcome_e outcome = frame->rule->keyword->check(machine, frame, inner);

            /* The frame may have moved where the outcome is to wait. */
            if (outcome != WF_SCHEMA_PASS) {
                return outcome;
            }
        }
        inner = WF_SCHEMA_WAIT;
        *frame = (wf_schema_frame_t){.node = frame->node,
                                     .value = frame->value,
                                     .rule = frame->rule->next,
                                     .notes = frame->notes};
    }
    return WF_SCHEMA_PASS;
}

void wf_schema_note(wf_schema_machine_t *machine, const wf_spot_t *spot)
{
    if (machine->schema->notes) {
        apr_uint32_t index = wf_outline_index(&machine->body, spot);

        wf_buf_add(&machine->notes, &index, sizeof(index));
    }
}

/* Takes the frame off whose outcome is known. */
static void leave(wf_schema_machine_t *machine, wf_schema_outcome_e outcome)
{
    wf_schema_frame_t frame = *top_frame(machine);

    machine->frames.len -= sizeof(frame);
    if (outcome == WF_SCHEMA_FAIL ||
        (machine->frames.len && top_frame(machine)->value != frame.value)) {
        machine->notes.len = frame.notes;
    }
}

static wf_schema_outcome_e run(wf_schema_machine_t *machine)
{
    wf_schema_outcome_e outcome =
        wf_schema_apply(machine, machine->schema->root, wf_outline_spot(&machine->body, 0));

    while (machine->frames.len && !machine->stopped) {
        outcome = advance(machine, top_frame(machine), outcome);
        if (outcome != WF_SCHEMA_WAIT) {
            leave(machine, outcome);
        }
    }
    return machine->stopped ? WF_SCHEMA_FAIL : outcome;
}

static void free_all(wf_schema_machine_t *machine)
{
    wf_outline_free(&machine->body);
    wf_buf_free(&machine->frames);
    wf_buf_free(&machine->text);
    wf_buf_free(&machine->notes);
    wf_buf_free(&machine->noted);
    wf_schema_matcher_free(&machine->matcher);
    if (machine->numbers) {
        apr_pool_destroy(machine->numbers);
    }
}

apr_status_t wf_schema_check(const wf_schema_t *schema, wf_slice_t body, wf_schema_error_t *error,
                             apr_pool_t *pool)
{
    wf_schema_machine_t machine = {.schema = schema, .pool = pool};
    apr_status_t status = wf_outline_make(&machine.body, body);

    machine.steps = STEPS_ANYWAY + STEPS_EACH_BYTE * (apr_int64_t)body.len;
    if (status != APR_SUCCESS) {
        if (error) {
            *error = (wf_schema_error_t){"", "is too long to be checked", ""};
        }
    } else if (run(&machine) != WF_SCHEMA_PASS) {
        status = WF_EINVALID;
        if (error) {
            wf_schema_explain(error, &machine);
        }
    }
    free_all(&machine);
    return status;
}
