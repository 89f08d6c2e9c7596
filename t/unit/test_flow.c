/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow/flow.h with project files and real programs: what an execution's outcome says, what the
 * actions "exec" and "wait" accept, hand to a program and make of its end.
 */
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

static void note_progress(void *baton, const char *action, apr_uint64_t done, apr_uint64_t total)
{
    trial_t *trial = baton;
    size_t len = strlen(trial->progress);

    snprintf(trial->progress + len, sizeof(trial->progress) - len, "%s %d/%d\n", action, (int)done,
             (int)total);
}

/* Loads a project whose task 12 has these members. */
static apr_status_t load_task(trial_t *trial, const char *members, wf_result_t *result)
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

static void prepare(trial_t *trial, const char *members)
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

static void prepare_actions(trial_t *trial, const char *actions)
{
    char *members = NULL;

    assert_true(asprintf(&members, "\"flows\": [{\"actions\": [%s]}]", actions) > 0);
    prepare(trial, members);
    free(members);
}

static void execute_trial(void *baton)
{
    trial_t *trial = baton;

    wf_execute(&trial->outcome, &trial->execution, trial->pool);
}

static void conduct(trial_t *trial)
{
    job_t job = {execute_trial, trial, -1, 0};
    int before = count_descriptors();

    run_jobs(&job, 1);
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
    trial->actions = json_loadb(trial->outcome.actions.data, trial->outcome.actions.len, 0, NULL);
    assert_true(json_is_array(trial->actions));
}

static void conduct_actions(trial_t *trial, const char *actions)
{
    prepare_actions(trial, actions);
    conduct(trial);
}

static void finish(trial_t *trial)
{
    json_decref(trial->actions);
    apr_pool_destroy(trial->pool);
}

/* A member of the nth action's object; "" where it has none. */
static const char *text_of(const trial_t *trial, size_t n, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(trial->actions, n), name));

    return text ? text : "";
}

static const json_t *member_of(const trial_t *trial, size_t n, const char *name)
{
    return json_object_get(json_array_get(trial->actions, n), name);
}

static void assert_completed(const trial_t *trial, const char *result)
{
    assert_int_equal(trial->outcome.cancelled, WF_CANCEL_NONE);
    if (trial->outcome.problem != WF_PROBLEM_NONE) {
        fail_msg("%s", trial->outcome.detail);
    }
    assert_int_equal(trial->outcome.done, trial->outcome.total);
    assert_int_equal(trial->outcome.result.len, strlen(result));
    assert_memory_equal(trial->outcome.result.data, result, strlen(result));
}

static void assert_failed(const trial_t *trial, wf_problem_e problem, const char *detail)
{
    assert_int_equal(trial->outcome.cancelled, WF_CANCEL_NONE);
    assert_int_equal(trial->outcome.problem, problem);
    assert_string_equal(trial->outcome.detail, detail);
}

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

static void test_arguments(void **state)
{
    trial_t trial;

    (void)state;
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"printf\", \"<%s>\","
                            " \"{{name}}\", \"{{nothing}}\", \"to {{address/lineOne}}; rm -rf\","
                            " \"{{address}}\"]}");
    assert_completed(&trial, "\"<Jane\\n'$(id)' \\\"Doe\\\"><><to 123 Main Street; rm -rf>"
                             "<{\\\"lineOne\\\": \\\"123 Main Street\\\"}>\"");
    finish(&trial);
}

static void test_payload_byte_for_byte(void **state)
{
    trial_t trial;

    (void)state;
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"cat\"]}");
    /* The result is the value without the white space around it; the detail is all of it. */
    assert_int_equal(trial.outcome.result.len, wf_json_trim(wf_slice(payload)).len);
    assert_memory_equal(trial.outcome.result.data, payload + 1, trial.outcome.result.len);
    assert_string_equal(text_of(&trial, 0, "stdout"), payload);
    finish(&trial);

    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"cat\"], \"stdin\": \"none\"}");
    assert_completed(&trial, "\"\"");
    finish(&trial);
}

static void test_environment(void **state)
{
    trial_t trial;

    (void)state;
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"env\"], \"env\": {"
                            "\"LANG\": \"de\", \"_x1\": \"{{address/lineOne}}=\"}}");
    assert_string_equal(text_of(&trial, 0, "stdout"),
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                        "DBSYNC_WF_PID=0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a\n"
                        "DBSYNC_WF_PROJECT=569\n"
                        "DBSYNC_WF_TASK=12\n"
                        "DBSYNC_WF_FENCE=18446744073709551000\n"
                        "LANG=de\n"
                        "_x1=123 Main Street=\n");
    finish(&trial);

    conduct_actions(&trial,
                    "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\", \"pwd; echo $LANG\"],"
                    " \"directory\": \"/usr/bin\"}");
    assert_completed(&trial, "\"/usr/bin\\nC.UTF-8\\n\"");
    finish(&trial);
}

static void test_results(void **state)
{
    static const struct {
        const char *script;
        const char *result;
    } rows[] = {
        {"printf ' {\"a\": [1, 2.50]} \\n'", "{\"a\": [1, 2.50]}"},
        {"echo 12345678901234567890123", "12345678901234567890123"},
        {"echo null", "null"},
        {"echo hello", "\"hello\\n\""},
        {"printf ' two\\n words '", "\" two\\n words \""},
        {"printf '{}{}'", "\"{}{}\""},
        {"printf '\\377x'", "\"\xEF\xBF\xBDx\""},
        {"true", "\"\""},
    };
    trial_t trial;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        json_t *action = json_pack("{s:s, s:[s, s, s]}", "action", "exec", "command", "sh", "-c",
                                   rows[i].script);
        char *text = json_dumps(action, 0);

        conduct_actions(&trial, text);
        assert_completed(&trial, rows[i].result);
        finish(&trial);
        free(text);
        json_decref(action);
    }
}

static void test_cut_output(void **state)
{
    trial_t trial;

    (void)state;
    /* Two bytes a character, after one that makes every cap fall inside one. */
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\","
                            " \"printf x; yes \xC3\xA9 | tr -d '\\\\n' | head -c 3000000;"
                            " yes \xC3\xA9 | tr -d '\\\\n' | head -c 9000 >&2\"]}");
    assert_int_equal(trial.outcome.problem, WF_PROBLEM_NONE);
    assert_true(trial.outcome.result_cut);
    assert_int_equal(trial.outcome.result.len, WF_RESULT_CAP - 1 + 2);
    assert_int_equal(wf_json_check(trial.outcome.result, 1, NULL), APR_SUCCESS);
    assert_null(memmem(trial.outcome.result.data, trial.outcome.result.len, "\xEF\xBF\xBD", 3));
    assert_int_equal(strlen(text_of(&trial, 0, "stdout")), WF_OUTPUT_CAP - 1);
    assert_int_equal(strlen(text_of(&trial, 0, "stderr")), WF_OUTPUT_CAP);
    assert_null(strstr(text_of(&trial, 0, "stdout"), "\xEF\xBF\xBD"));
    assert_true(json_is_true(member_of(&trial, 0, "stdoutCut")));
    assert_true(json_is_true(member_of(&trial, 0, "stderrCut")));
    finish(&trial);

    /* Longer than what is shown, shorter than what is kept: whole, and a value. */
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\","
                            " \"echo [; yes 1, | head -n 20000; echo 1]\"]}");
    assert_int_equal(trial.outcome.result.data[0], '[');
    assert_false(trial.outcome.result_cut);
    assert_true(json_is_true(member_of(&trial, 0, "stdoutCut")));
    finish(&trial);
}

static void test_failures(void **state)
{
    trial_t trial;

    (void)state;
    conduct_actions(
        &trial, "{\"action\": \"exec\", \"command\": [\"echo\", \"7\"]},"
                "{\"action\": \"exec\", \"name\": \"say hello\", \"command\": [\"/bin/sh\","
                " \"-c\", \"echo out; printf 'first\\\\nno\\\\033 such \xC3\xA9 \\\\377\\\\n\\\\n'"
                " >&2; exit 3\"]},"
                "{\"action\": \"exec\", \"command\": [\"echo\", \"never\"]}");
    assert_failed(&trial, WF_PROBLEM_EXIT_CODE,
                  "program \"sh\" of action \"say hello\" ended with exit code 3: "
                  "no? such \xC3\xA9 ?");
    assert_int_equal(trial.outcome.done, 1);
    assert_int_equal(trial.outcome.total, 3);
    assert_int_equal(json_array_size(trial.actions), 2);
    assert_string_equal(text_of(&trial, 1, "status"), "error");
    assert_string_equal(text_of(&trial, 1, "stdout"), "out\n");
    assert_int_equal(json_integer_value(member_of(&trial, 1, "exitCode")), 3);
    /* Of the last action that ended well. */
    assert_int_equal(trial.outcome.result.len, 1);
    finish(&trial);

    conduct_actions(&trial,
                    "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\", \"kill -9 $$\"]}");
    assert_failed(&trial, WF_PROBLEM_SIGNAL,
                  "program \"sh\" of action \"exec\" was ended by SIGKILL");
    assert_string_equal(text_of(&trial, 0, "signal"), "SIGKILL");
    assert_null(member_of(&trial, 0, "exitCode"));
    assert_int_equal(trial.outcome.result.len, 0);
    finish(&trial);

    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"/no/such/greet\"]}");
    assert_failed(&trial, WF_PROBLEM_SPAWN,
                  "program \"greet\" could not be started: No such file or directory");
    assert_string_equal(text_of(&trial, 0, "status"), "error");
    finish(&trial);

    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\","
                            " \"yes 12345678 | tr -d '\\\\n' | head -c 300 >&2; exit 1\"]}");
    assert_non_null(strstr(trial.outcome.detail, "exit code 1: 12345678"));
    assert_int_equal(strlen(strstr(trial.outcome.detail, ": ")), 2 + 200 + 3);
    finish(&trial);
}

static void test_nul_is_refused(void **state)
{
    trial_t trial;

    (void)state;
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"echo\", \"x\", \"{{nul}}\"]}");
    assert_failed(&trial, WF_PROBLEM_MAPPING,
                  "argument 2 of action \"exec\" would hold a NUL character, which the system "
                  "cannot hand to a program");
    finish(&trial);
    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"echo\"],"
                            " \"env\": {\"V\": \"{{nul}}\"}}");
    assert_failed(&trial, WF_PROBLEM_MAPPING,
                  "variable \"V\" of action \"exec\" would hold a NUL character, which the system "
                  "cannot hand to a program");
    finish(&trial);
}

static void test_timeout(void **state)
{
    static const char *const actions[] = {
        "{\"action\": \"wait\", \"name\": \"doze\", \"seconds\": 60}",
        "{\"action\": \"exec\", \"name\": \"doze\", \"command\": [\"sleep\", \"60\"]}",
        "{\"action\": \"wait\", \"seconds\": 0.01}, {\"action\": \"exec\", \"name\": \"doze\","
        " \"command\": [\"sh\", \"-c\", \"trap 'exit 0' TERM; sleep 60 & wait\"]}",
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

static void test_broken_actions(void **state)
{
    static const struct {
        const char *action;
        const char *reason;
    } rows[] = {
        {"\"action\": \"exec\"", "/command: is missing"},
        {"\"action\": \"exec\", \"command\": []", "/command: must not be empty"},
        {"\"action\": \"exec\", \"command\": [\"\"]",
         "/command/0: must not be empty or hold a NUL character"},
        {"\"action\": \"exec\", \"command\": [\"{{name}}\"]",
         "/command/0: must not hold an expression"},
        {"\"action\": \"exec\", \"command\": [\"bin/x\"]",
         "/command/0: must be an absolute path or a bare name"},
        {"\"action\": \"exec\", \"command\": [\"/bin/\"]",
         "/command/0: must be an absolute path or a bare name"},
        {"\"action\": \"exec\", \"command\": [\"x\", 1]", "/command/1: must be a string"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"directory\": \"tmp\"",
         "/directory: must be an absolute path"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"directory\": \"/{{name}}\"",
         "/directory: must not hold an expression"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"stdin\": \"file\"",
         "/stdin: must be one of: payload, none"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"env\": {\"1A\": \"\"}",
         "/env/1A: must be named with letters, digits and _, not begin with a digit, and not "
         "with DBSYNC_WF_"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"env\": {\"DBSYNC_WF_PID\": \"\"}",
         "/env/DBSYNC_WF_PID: must be named with letters, digits and _, not begin with a digit, "
         "and not with DBSYNC_WF_"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"env\": {\"A\": 1}",
         "/env/A: must be a string"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"shell\": true",
         ": there is no member \"shell\"; allowed are: action, name, command, directory, env, "
         "stdin"},
        {"\"action\": \"wait\"", "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"wait\", \"seconds\": -1", "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"wait\", \"seconds\": 604801",
         "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"wait\", \"seconds\": \"1\"", "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"fly\"", "/action: must be one of: exec, wait"},
    };
    trial_t trial;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *members = NULL;
        wf_result_t result;

        assert_true(asprintf(&members, "\"flows\": [{\"actions\": [{%s}]}]", rows[i].action) > 0);
        assert_int_equal(load_task(&trial, members, &result), WF_EINVALID);
        assert_int_equal(result.problem, WF_PROBLEM_INVALID_PROJECT);
        assert_string_equal(
            result.detail,
            apr_pstrcat(trial.pool, "569.json: /tasks/12/flows/0/actions/0", rows[i].reason, NULL));
        apr_pool_destroy(trial.pool);
        free(members);
    }
}

static void test_longest_command(void **state)
{
    char members[4096] = "\"flows\": [{\"actions\": [{\"action\": \"exec\", \"command\": [\"echo\"";
    wf_result_t result;
    trial_t trial;

    (void)state;
    for (int i = 1; i < 256; i++) {
        strcat(members, ", \"\"");
    }
    strcat(members, "]}]}]");
    assert_int_equal(load_task(&trial, members, &result), APR_SUCCESS);
    apr_pool_destroy(trial.pool);
    strcpy(strstr(members, "]}]}]"), ", \"\"]}]}]");
    assert_int_equal(load_task(&trial, members, &result), WF_EINVALID);
    assert_non_null(strstr(result.detail, "/command: must not have more than 256 elements"));
    apr_pool_destroy(trial.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flows_in_order),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_payload_byte_for_byte),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_cut_output),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_nul_is_refused),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_interrupted_program),
        cmocka_unit_test(test_broken_actions),
        cmocka_unit_test(test_longest_command),
    };

    return cmocka_run_group_tests_name("flow", tests, set_up_processes, tear_down_processes);
}
