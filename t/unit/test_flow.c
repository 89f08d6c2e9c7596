/* SPDX-License-Identifier: Apache-2.0 */
/* flow/flow.h with project files and real programs: what an execution's outcome says. */
#include "flow_util.h"

static void test_flows_in_order(void **state)
{
    trial_t trial;

    (void)state;
    prepare(
        &trial,
        "\"flows\": [{\"name\": \"first\", \"actions\": ["
        "  {\"action\": \"exec\", \"name\": \"one\", \"command\": [\"echo\", \"1\"]},"
        "  {\"action\": \"wait\", \"seconds\": 0.001}]},"
        " {\"enabled\": false, \"actions\": [{\"action\": \"exec\", \"command\": [\"false\"]}]},"
        " {\"actions\": [{\"action\": \"exec\", \"command\": [\"echo\", \"[3]\"]}]}]");
    conduct(&trial);
    assert_completed(&trial, "[3]");
    assert_int_equal(trial.outcome.total, 3);
    assert_string_equal(trial.progress, "one 0/3\nwait 1/3\nexec 2/3\n");
    assert_int_equal(json_array_size(trial.actions), 3);
    assert_string_equal(text_of(&trial, 0, "action"), "exec");
    assert_string_equal(text_of(&trial, 0, "name"), "one");
    assert_string_equal(text_of(&trial, 0, "flow"), "first");
    assert_string_equal(text_of(&trial, 0, "status"), "completed");
    assert_string_equal(text_of(&trial, 0, "stdout"), "1\n");
    assert_int_equal(json_integer_value(member_of(&trial, 0, "exitCode")), 0);
    assert_true(json_is_integer(member_of(&trial, 0, "exitCode")));
    assert_null(member_of(&trial, 0, "stderr"));
    assert_null(member_of(&trial, 0, "stdoutCut"));
    assert_string_equal(text_of(&trial, 1, "action"), "wait");
    assert_null(member_of(&trial, 1, "exitCode"));
    assert_string_equal(text_of(&trial, 2, "flow"), "flow 3");
    assert_int_equal(strlen(text_of(&trial, 2, "startTime")), 24);
    assert_true(strcmp(text_of(&trial, 2, "startTime"), text_of(&trial, 2, "completionTime")) <= 0);
    finish(&trial);
}

static void test_timeout(void **state)
{
    static const char *const actions[] = {
        "{\"action\": \"wait\", \"name\": \"doze\", \"seconds\": 60}",
        "{\"action\": \"exec\", \"name\": \"doze\", \"command\": [\"sleep\", \"60\"]}",
        ("{\"action\": \"wait\", \"seconds\": 0.01}, {\"action\": \"exec\", \"name\": \"doze\","
         " \"command\": [\"sh\", \"-c\", \"trap 'exit 0' TERM; sleep 60 & wait\"]}"),
    };
    apr_time_t start = wf_clock();
    char members[512];
    trial_t trial;

    (void)state;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        size_t last;

        snprintf(members, sizeof(members), "\"timeout\": 0.25, \"flows\": [{\"actions\": [%s]}]",
                 actions[i]);
        prepare(&trial, members);
        conduct(&trial);
        assert_failed(&trial, WF_PROBLEM_TIMEOUT,
                      "the task's timeout of 0.25 seconds passed in action \"doze\"");
        last = json_array_size(trial.actions) - 1;
        assert_string_equal(text_of(&trial, last, "status"), "error");
        finish(&trial);
    }
    assert_true(wf_clock() - start >= 3 * apr_time_from_msec(250));
    assert_true(wf_clock() - start < SOON);
}

/* Requests the cancel of a trial as soon as its first action is begun. */
static void cancel_at_once(void *baton, const char *action, apr_uint64_t done, apr_uint64_t total)
{
    trial_t *trial = baton;

    (void)action;
    (void)total;
    if (done == 1) {
        wf_cancel_request(trial->execution.cancel, WF_CANCEL_SHUTDOWN);
    }
}

static void test_cancel(void **state)
{
    trial_t trial;

    (void)state;
    prepare_actions(&trial, "{\"action\": \"exec\", \"command\": [\"echo\", \"1\"]},"
                            "{\"action\": \"wait\", \"seconds\": 60},"
                            "{\"action\": \"exec\", \"command\": [\"false\"]}");
    trial.execution.progress = cancel_at_once;
    conduct(&trial);
    assert_int_equal(trial.outcome.cancelled, WF_CANCEL_SHUTDOWN);
    assert_int_equal(trial.outcome.problem, WF_PROBLEM_NONE);
    assert_int_equal(trial.outcome.done, 1);
    assert_int_equal(json_array_size(trial.actions), 2);
    assert_string_equal(text_of(&trial, 1, "status"), "interrupted");
    finish(&trial);

    prepare_actions(&trial, "{\"action\": \"exec\", \"command\": [\"false\"]}");
    wf_cancel_request(trial.execution.cancel, WF_CANCEL_LOST);
    conduct(&trial);
    assert_int_equal(trial.outcome.cancelled, WF_CANCEL_LOST);
    assert_int_equal(json_array_size(trial.actions), 0);
    finish(&trial);
}

/* Ends a program that runs, once it has said that it does. */
static void interrupt_program(void *baton)
{
    trial_t *trial = baton;
    char path[128];
    pid_t pid;

    await_pids(&pid, 1, scratch_path(path, "interrupted"));
    wf_cancel_request(trial->execution.cancel, WF_CANCEL_INTERRUPT);
}

static void test_interrupted_program(void **state)
{
    char path[128], actions[512];
    trial_t trial;
    job_t jobs[] = {{execute_trial, &trial, -1, 0}, {interrupt_program, &trial, -1, 0}};

    (void)state;
    snprintf(actions, sizeof(actions),
             "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\","
             " \"echo half; echo $$ >%s; exec sleep 60\"]}",
             scratch_path(path, "interrupted"));
    prepare_actions(&trial, actions);
    run_jobs(jobs, 2);
    assert_no_children();
    trial.actions = json_loadb(trial.outcome.actions.data, trial.outcome.actions.len, 0, NULL);
    assert_int_equal(trial.outcome.cancelled, WF_CANCEL_INTERRUPT);
    assert_int_equal(trial.outcome.problem, WF_PROBLEM_NONE);
    assert_string_equal(text_of(&trial, 0, "status"), "interrupted");
    assert_string_equal(text_of(&trial, 0, "signal"), "SIGTERM");
    assert_string_equal(text_of(&trial, 0, "stdout"), "half\n");
    finish(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flows_in_order),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_interrupted_program),
    };

    return cmocka_run_group_tests_name("flow", tests, set_up_processes, tear_down_processes);
}
