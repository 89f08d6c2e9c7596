/* SPDX-License-Identifier: Apache-2.0 */
/* What a run puts out. */
#include "flow/narrate.h"

#include <apr_strings.h>
#include "base/clock.h"
#include "base/printable.h"

#define LINE_MOST 4000 /* characters; names and an error's detail may be long */

static void hand_on(wf_walk_t *walk, wf_slice_t bytes)
{
    const wf_execution_t *execution = walk->execution;

    if (bytes.len) {
        execution->output(execution->baton, bytes);
        walk->mid_line = bytes.data[bytes.len - 1] != '\n';
    }
}

/* Hands on one line of ours about an action. */
static void say(wf_walk_t *walk, const char *flow, const wf_action_t *action, const char *what)
{
    char now[WF_TIME_TEXT_LEN + 1];
    const char *line;

    wf_time_format(now, apr_time_now());
    line = apr_psprintf(walk->line_pool, "[%s] %s / %s (%s) %s", now, flow, action->name,
                        action->kind->name, what);
    line = apr_pstrcat(walk->line_pool, walk->mid_line ? "\n" : "",
                       wf_printable(wf_slice(line), LINE_MOST, walk->line_pool), "\n", NULL);
    hand_on(walk, wf_slice(line));
    apr_pool_clear(walk->line_pool);
}

void wf_narrate_open(wf_walk_t *walk)
{
    if (walk->execution->output) {
        apr_pool_create(&walk->line_pool, walk->pool);
        apr_pool_tag(walk->line_pool, "wf_narrate");
    }
}

void wf_narrate_begin(wf_walk_t *walk, const char *flow, const wf_action_t *action)
{
    if (walk->execution->output) {
        say(walk, flow, action, "begins");
    }
}

static const char *tell_problem(const wf_walk_t *walk, const wf_result_t *result)
{
    return apr_psprintf(walk->line_pool, "%s: %s", wf_problem_info(result->problem)->slug,
                        result->detail ? result->detail : "");
}

void wf_narrate_attempt(wf_walk_t *walk, const char *flow, const wf_action_t *action,
                        apr_uint32_t attempt, const wf_result_t *result)
{
    if (walk->execution->output) {
        say(walk, flow, action,
            apr_psprintf(walk->line_pool, "failed, attempt %u of %u: %s", attempt, action->attempts,
                         tell_problem(walk, result)));
    }
}

void wf_narrate_end(wf_walk_t *walk, const char *flow, const wf_action_t *action,
                    apr_status_t status, const wf_result_t *result)
{
    if (!walk->execution->output) {
        return;
    }
    if (status == APR_SUCCESS) {
        say(walk, flow, action, "ends: completed");
    } else if (status == WF_ECANCELLED) {
        say(walk, flow, action, "ends: interrupted");
    } else {
        say(walk, flow, action,
            apr_pstrcat(walk->line_pool, "ends: error, ", tell_problem(walk, result), NULL));
    }
}

int wf_action_has_output(const wf_action_context_t *context)
{
    return context->walk->execution->output != NULL;
}

void wf_action_output(void *walk, wf_slice_t bytes)
{
    hand_on(walk, bytes);
}
