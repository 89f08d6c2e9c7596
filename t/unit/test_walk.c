/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions inside actions, and what follows a failure: if, for, flow, variable, debug; into,
 * onError, retry; and what is written down of them.
 */
#include "flow_util.h"

#define ECHO(text) "{\"action\": \"exec\", \"command\": [\"echo\", \"" text "\"]}"
#define FAILS      "{\"action\": \"exec\", \"name\": \"fails\", \"command\": [\"false\"]"

/* A member of an action inside the nth action. */
static const char *text_inside(const trial_t *trial, size_t n, size_t m, const char *name)
{
    const json_t *inside = json_array_get(member_of(trial, n, "actions"), m);
    const char *text = json_string_value(json_object_get(inside, name));

    return text ? text : "";
}

static void test_if_takes_one_branch(void **state)
{
    static const struct {
        const char *condition;
        const char *result;
    } rows[] = {
        {"{{name}}", "1"}, {"{{missing}}", "2"}, {"{{n}}", "1"},  {"{{nul}}", "1"},
        {"", "2"},         {"{{address}}", "1"}, {"always", "1"}, {"{{address/none}}", "2"},
    };
    trial_t trial;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char actions[512];

        snprintf(actions, sizeof(actions),
                 "{\"action\": \"if\", \"condition\": \"%s\", \"then\": [" ECHO(
                     "1") "],"
                          " \"else\": [" ECHO("2") "]}",
                 rows[i].condition);
        conduct_actions(&trial, actions);
        assert_completed(&trial, rows[i].result);
        assert_int_equal(trial.outcome.total, 1);
        assert_int_equal(json_array_size(member_of(&trial, 0, "actions")), 1);
        assert_string_equal(text_inside(&trial, 0, 0, "action"), "exec");
        finish(&trial);
    }
    conduct_actions(&trial, "{\"action\": \"if\", \"condition\": \"\", \"then\": [" ECHO("1") "]}");
    assert_completed(&trial, "");
    assert_null(member_of(&trial, 0, "actions"));
    finish(&trial);
}

static void test_a_failure_may_be_passed_over(void **state)
{
    trial_t trial;
    const json_t *error;

    (void)state;
    conduct_actions(&trial, FAILS ", \"onError\": \"continue\"}," ECHO("2"));
    assert_int_equal(trial.outcome.problem, WF_PROBLEM_NONE);
    assert_int_equal(trial.outcome.done, 1);
    assert_int_equal(trial.outcome.total, 2);
    assert_string_equal(text_of(&trial, 0, "status"), "error");
    error = member_of(&trial, 0, "error");
    assert_string_equal(json_string_value(json_object_get(error, "type")), "exit-code");
    assert_string_equal(json_string_value(json_object_get(error, "action")), "fails");
    assert_string_equal(text_of(&trial, 1, "status"), "completed");
    finish(&trial);

    conduct_actions(&trial, FAILS ", \"onError\": \"stop\"}," ECHO("2"));
    assert_failed(&trial, WF_PROBLEM_EXIT_CODE,
                  "program \"false\" of action \"fails\" ended with exit code 1");
    assert_int_equal(json_array_size(trial.actions), 1);
    finish(&trial);
}

static void test_a_flow_may_handle_a_failure(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial,
            "\"flows\": ["
            "{\"name\": \"main\", \"actions\": [" FAILS
            ", \"onError\": {\"flow\": \"mend\"}}, " ECHO(
                "2") "]},"
                     "{\"name\": \"mend\", \"enabled\": false, \"actions\": [" ECHO("3") "]}]");
    conduct(&trial);
    assert_int_equal(trial.outcome.problem, WF_PROBLEM_NONE);
    assert_int_equal(trial.outcome.done, 1);
    assert_int_equal(json_array_size(trial.actions), 3);
    assert_string_equal(text_of(&trial, 1, "flow"), "mend");
    assert_string_equal(text_of(&trial, 1, "stdout"), "3\n");
    assert_string_equal(text_of(&trial, 2, "flow"), "main");
    finish(&trial);

    /* Where that fails too, the run does. */
    prepare(&trial,
            "\"flows\": ["
            "{\"name\": \"main\", \"actions\": [" FAILS
            ", \"onError\": {\"flow\": \"mend\"}}, " ECHO(
                "2") "]},"
                     "{\"name\": \"mend\", \"enabled\": false, \"actions\": ["
                     "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\", \"exit 9\"]}]}]");
    conduct(&trial);
    assert_failed(&trial, WF_PROBLEM_EXIT_CODE,
                  "program \"sh\" of action \"exec\" ended with exit code 9");
    finish(&trial);
}

static void test_what_says_that_it_may_be_repeated_is(void **state)
{
    char path[128], actions[512];
    trial_t trial;

    (void)state;
    scratch_path(path, "attempts");
    unlink(path);
    snprintf(actions, sizeof(actions),
             "{\"action\": \"exec\", \"repeatable\": true, \"retry\": {\"attempts\": 5,"
             " \"backoff\": 0.01}, \"command\": [\"sh\", \"-c\", \"echo x >>%s; test $(wc -l <%s)"
             " -ge 3\"]}",
             path, path);
    conduct_actions(&trial, actions);
    assert_completed(&trial, "\"\"");
    assert_int_equal(json_integer_value(member_of(&trial, 0, "attempts")), 3);
    assert_int_equal(json_integer_value(member_of(&trial, 0, "exitCode")), 0);
    finish(&trial);

    conduct_actions(&trial, FAILS ", \"repeatable\": true, \"retry\": {\"attempts\": 2,"
                                  " \"backoff\": 0.01}}");
    assert_failed(&trial, WF_PROBLEM_EXIT_CODE,
                  "program \"false\" of action \"fails\" ended with exit code 1");
    assert_int_equal(json_integer_value(member_of(&trial, 0, "attempts")), 2);
    finish(&trial);
}

static void test_a_pause_between_attempts_ends_with_the_run(void **state)
{
    apr_time_t start = wf_clock();
    trial_t trial;

    (void)state;
    prepare(&trial, "\"timeout\": 0.25, \"flows\": [{\"actions\": [" FAILS
                    ", \"repeatable\": true, \"retry\": {\"attempts\": 2, \"backoff\": 60}}]}]");
    conduct(&trial);
    assert_failed(&trial, WF_PROBLEM_TIMEOUT,
                  "the task's timeout of 0.25 seconds passed in action \"fails\"");
    assert_true(wf_clock() - start < SOON);
    finish(&trial);
}

static void test_for_executes_for_each_element(void **state)
{
    trial_t trial;

    (void)state;
    prepare_actions(
        &trial, "{\"action\": \"for\", \"each\": \"{{list}}\", \"do\": [" ECHO(
                    "1") "]},"
                         "{\"action\": \"for\", \"each\": \"{{none}}\", \"do\": [" ECHO("2") "]}");
    trial.execution.payload = wf_slice("{\"list\": [1, [2, \"]\"], {\"a\": 3}]}");
    conduct(&trial);
    assert_completed(&trial, "1");
    assert_int_equal(json_integer_value(member_of(&trial, 0, "times")), 3);
    assert_int_equal(json_array_size(member_of(&trial, 0, "actions")), 3);
    assert_int_equal(json_integer_value(member_of(&trial, 1, "times")), 0);
    finish(&trial);

    conduct_actions(&trial,
                    "{\"action\": \"for\", \"each\": \"{{name}}\", \"do\": [" ECHO("1") "]}");
    assert_failed(&trial, WF_PROBLEM_MAPPING,
                  "\"each\" of action \"for\" must be an array (or null, for none)");
    finish(&trial);
}

static void test_variables_go_from_action_to_action(void **state)
{
    trial_t trial;

    (void)state;
    prepare_actions(
        &trial,
        "{\"action\": \"variable\", \"set\": {\"sum\": 0, \"who\": {\"n\": \"{{name}}\"}}},"
        "{\"action\": \"for\", \"each\": \"{{list}}\", \"as\": \"one\", \"index\": \"i\", \"do\": ["
        "  {\"action\": \"if\", \"condition\": \"{{@one > 1}}\", \"then\": ["
        "    {\"action\": \"variable\", \"set\": {\"sum\": \"{{@sum + @one * @i}}\"}}]}]},"
        "{\"action\": \"exec\", \"command\": [\"echo\", \"{\\\"a\\\": 1}\"], \"into\": \"out\"},"
        "{\"action\": \"exec\", \"name\": \"fails\", \"command\": [\"false\"], \"onError\": "
        "\"continue\"},"
        "{\"action\": \"exec\", \"command\": [\"printf\", \"%s|\", \"{{@sum}}\", \"{{@who/n}}\","
        " \"{{@out/a}}\", \"{{@error/type}}\", \"{{@error/action}}\", \"{{@none}}\"]}");
    trial.execution.payload = wf_slice("{\"name\": \"Jane\", \"list\": [1, 2, 30]}");
    conduct(&trial);
    assert_int_equal(trial.outcome.problem, WF_PROBLEM_NONE);
    assert_int_equal(trial.outcome.done, 4);
    assert_string_equal(text_of(&trial, 4, "stdout"), "62|Jane|1|exit-code|fails||");
    finish(&trial);
}

static void test_what_is_written_down_is_bounded(void **state)
{
    char *list = malloc(400000);
    trial_t trial;

    (void)state;
    assert_non_null(list);
    strcpy(list, "[0");
    for (int i = 1; i < 1000; i++) {
        strcat(list, ",0");
    }
    strcat(list, "]");
    prepare_actions(&trial, "{\"action\": \"for\", \"each\": \"{{@payload}}\", \"do\": ["
                            "{\"action\": \"debug\", \"message\": [\"x\", 1]}]}");
    trial.execution.payload = wf_slice(list);
    conduct(&trial);
    assert_completed(&trial, "");
    assert_int_equal(json_array_size(member_of(&trial, 0, "actions")), 100);
    assert_int_equal(json_integer_value(member_of(&trial, 0, "actionsLeftOut")), 900);
    assert_true(trial.outcome.actions.len < 64 * 1024);
    finish(&trial);
    free(list);
}

static void test_flows_call_flows_but_not_without_end(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial,
            "\"flows\": ["
            "{\"name\": \"main\", \"actions\": [{\"action\": \"flow\", \"flow\": \"sub\"}]},"
            "{\"name\": \"sub\", \"enabled\": false, \"actions\": [" ECHO("7") "]}]");
    conduct(&trial);
    assert_completed(&trial, "7");
    assert_int_equal(trial.outcome.total, 1);
    assert_string_equal(text_inside(&trial, 0, 0, "flow"), "sub");
    finish(&trial);

    prepare(&trial, "\"flows\": [{\"name\": \"main\", \"actions\": ["
                    "{\"action\": \"flow\", \"flow\": \"main\"}]}]");
    conduct(&trial);
    assert_failed(&trial, WF_PROBLEM_NESTING,
                  "flow \"main\" was to be called within 32 others; do flows call each other "
                  "without end?");
    finish(&trial);
}

static void test_debug_shows_its_message(void **state)
{
    trial_t trial;
    const json_t *message;

    (void)state;
    conduct_actions(&trial, ECHO("5") ", {\"action\": \"debug\", \"message\": {\"city\":"
                                      " \"{{address/lineOne}}\", \"n\": [\"{{n}}\", null]}}");
    assert_completed(&trial, "5");
    message = member_of(&trial, 1, "message");
    assert_string_equal(json_string_value(json_object_get(message, "city")), "123 Main Street");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(message, "n"), 0)), 2);
    finish(&trial);
}

/* What is refused when it is loaded, by its end. */
static void test_what_is_wrong_is_found_when_it_is_loaded(void **state)
{
    static const struct {
        const char *action;
        const char *error;
    } rows[] = {
        {FAILS ", \"onError\": \"ignore\"}",
         "/onError: must be \"stop\", \"continue\" or {\"flow\": \"name\"}"},
        {FAILS ", \"onError\": {\"flow\": \"none\"}}",
         "/onError/flow: the task has no flow \"none\""},
        {FAILS ", \"retry\": {\"attempts\": 2}}",
         "/retry: only what may be done twice is repeated: add \"repeatable\": true where that is "
         "so"},
        {FAILS ", \"into\": \"a b\"}",
         "/into: \"a b\" is no name of a variable: letters, digits, underscore and hyphen, "
         "beginning with a letter or underscore, and not \"payload\""},
        {"{\"action\": \"flow\", \"flow\": \"none\"}", "/flow: the task has no flow \"none\""},
        {"{\"action\": \"if\", \"condition\": \"\"}", "/then: is missing"},
        {"{\"action\": \"if\", \"condition\": \"{{\", \"then\": []}",
         "/condition: column 1, in {{: this {{ is not closed by }}"},
        {"{\"action\": \"for\", \"each\": \"\", \"do\": [{\"action\": \"wait\"}]}",
         "/do/0/seconds: must be a number from 0 to 604800"},
        {"{\"action\": \"variable\", \"set\": {\"payload\": 1}}",
         "/set: \"payload\" is no name of a variable: letters, digits, underscore and hyphen, "
         "beginning with a letter or underscore, and not \"payload\""},
        {"{\"action\": \"variable\", \"set\": {\"a\": {\"b\": [\"{{(}}\"]}}}",
         "/set/a/b/0: column 4, in {{(}}: a path, a function or a value is expected before "
         "}}"},
        {"{\"action\": \"debug\"}", "/message: is missing"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *members = NULL;
        wf_result_t result;
        trial_t trial;

        assert_true(asprintf(&members, "\"flows\": [{\"actions\": [%s]}]", rows[i].action) > 0);
        assert_int_equal(load_task(&trial, members, &result), WF_EINVALID);
        assert_string_equal(
            result.detail,
            apr_pstrcat(trial.pool, "569.json: /tasks/12/flows/0/actions/0", rows[i].error, NULL));
        apr_pool_destroy(trial.pool);
        free(members);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_if_takes_one_branch),
        cmocka_unit_test(test_a_failure_may_be_passed_over),
        cmocka_unit_test(test_a_flow_may_handle_a_failure),
        cmocka_unit_test(test_what_says_that_it_may_be_repeated_is),
        cmocka_unit_test(test_a_pause_between_attempts_ends_with_the_run),
        cmocka_unit_test(test_for_executes_for_each_element),
        cmocka_unit_test(test_variables_go_from_action_to_action),
        cmocka_unit_test(test_what_is_written_down_is_bounded),
        cmocka_unit_test(test_flows_call_flows_but_not_without_end),
        cmocka_unit_test(test_debug_shows_its_message),
        cmocka_unit_test(test_what_is_wrong_is_found_when_it_is_loaded),
    };

    return cmocka_run_group_tests_name("walk", tests, set_up_processes, tear_down_processes);
}
