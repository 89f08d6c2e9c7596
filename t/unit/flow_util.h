/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of flows and of actions share: a project file made of a text, its task 12
 * executed on a thread, and the outcome to look at.
 */
#ifndef WF_UNIT_FLOW_UTIL_H
#define WF_UNIT_FLOW_UTIL_H

#include "process_util.h"

#include <jansson.h>
#include "flow/flow.h"
#include "flow/project.h"

static const char payload[] =
    " {\"name\": \"Jane\\n'$(id)' \\\"Doe\\\"\", \"n\": 12345678901234567890123, \"n\": 2,\n"
    "  \"nul\": \"a\\u0000b\", \"address\": {\"lineOne\": \"123 Main Street\"}} \n";

/* One execution of task 12 of a project, and what came of it. */
typedef struct trial_t {
    apr_pool_t *pool;
    wf_project_t *project;
    wf_execution_t execution;
    wf_outcome_t outcome;
    json_t *actions;
    char progress[256]; /* what the callback was told, one line a call */
} trial_t;

static inline void note_progress(void *baton, const char *action, apr_uint64_t done,
                                 apr_uint64_t total)
{
    trial_t *trial = baton;
    size_t len = strlen(trial->progress);

    snprintf(trial->progress + len, sizeof(trial->progress) - len, "%s %d/%d\n", action, (int)done,
             (int)total);
}

/* Loads a project whose task 12 has these members. */
static inline apr_status_t load_task(trial_t *trial, const char *members, wf_result_t *result)
{
    char path[128];

    memset(trial, 0, sizeof(*trial));
    apr_pool_create(&trial->pool, NULL);
    wf_result_init(result, trial->pool);
    write_file(scratch_path(path, "569.json"),
               apr_psprintf(trial->pool, "{\"id\": \"569\", \"tasks\": {\"12\": {%s}}}", members),
               0644);
    return wf_project_load(&trial->project, scratch, "569", result, trial->pool);
}

static inline void prepare(trial_t *trial, const char *members)
{
    wf_result_t result;

    if (load_task(trial, members, &result) != APR_SUCCESS) {
        fail_msg("%s", result.detail);
    }
    assert_int_equal(wf_cancel_create(&trial->execution.cancel, trial->pool), APR_SUCCESS);
    trial->execution.task = wf_project_task(trial->project, "12");
    trial->execution.pid = "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a";
    trial->execution.project = "569";
    trial->execution.fence = 18446744073709551000u;
    trial->execution.payload = wf_slice(payload);
    trial->execution.grace = apr_time_from_sec(1);
    trial->execution.progress = note_progress;
    trial->execution.baton = trial;
}

static inline void prepare_actions(trial_t *trial, const char *actions)
{
    char *members = NULL;

    assert_true(asprintf(&members, "\"flows\": [{\"actions\": [%s]}]", actions) > 0);
    prepare(trial, members);
    free(members);
}

static inline void execute_trial(void *baton)
{
    trial_t *trial = baton;

    wf_execute(&trial->outcome, &trial->execution, trial->pool);
}

static inline void conduct(trial_t *trial)
{
    job_t job = {execute_trial, trial, -1, 0};
    int before = count_descriptors();

    run_jobs(&job, 1);
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
    trial->actions = json_loadb(trial->outcome.actions.data, trial->outcome.actions.len, 0, NULL);
    assert_true(json_is_array(trial->actions));
}

static inline void conduct_actions(trial_t *trial, const char *actions)
{
    prepare_actions(trial, actions);
    conduct(trial);
}

static inline void finish(trial_t *trial)
{
    json_decref(trial->actions);
    apr_pool_destroy(trial->pool);
}

/* A member of the nth action's object; "" where it has none. */
static inline const char *text_of(const trial_t *trial, size_t n, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(trial->actions, n), name));

    return text ? text : "";
}

static inline const json_t *member_of(const trial_t *trial, size_t n, const char *name)
{
    return json_object_get(json_array_get(trial->actions, n), name);
}

static inline void assert_completed(const trial_t *trial, const char *result)
{
    assert_int_equal(trial->outcome.cancelled, WF_CANCEL_NONE);
    if (trial->outcome.problem != WF_PROBLEM_NONE) {
        fail_msg("%s", trial->outcome.detail);
    }
    assert_int_equal(trial->outcome.done, trial->outcome.total);
    assert_int_equal(trial->outcome.result.len, strlen(result));
    assert_memory_equal(trial->outcome.result.data, result, strlen(result));
}

static inline void assert_failed(const trial_t *trial, wf_problem_e problem, const char *detail)
{
    assert_int_equal(trial->outcome.cancelled, WF_CANCEL_NONE);
    assert_int_equal(trial->outcome.problem, problem);
    assert_string_equal(trial->outcome.detail, detail);
}

#endif
