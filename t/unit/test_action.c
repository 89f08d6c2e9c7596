/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions of project files, with real programs: what "exec" and "wait" accept, what a program
 * is handed, and what is made of its end.
 */
#include "flow_util.h"

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

    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"cat\"],"
                            " \"input\": {\"a\": [\"{{n}}\", \"x{{n}}\"]}}");
    assert_completed(&trial, "{\"a\":[2,\"x2\"]}");
    finish(&trial);

    conduct_actions(&trial, "{\"action\": \"exec\", \"command\": [\"cat\"],"
                            " \"input\": \"to {{address/lineOne}}\"}");
    assert_completed(&trial, "\"to 123 Main Street\"");
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
         ": there is no member \"shell\"; allowed are: action, name, into, onError, retry, "
         "repeatable, command, directory, env, stdin, input"},
        {"\"action\": \"exec\", \"command\": [\"x\"], \"stdin\": \"none\", \"input\": 1",
         "/input: cannot be there beside stdin"},
        {"\"action\": \"wait\"", "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"wait\", \"seconds\": -1", "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"wait\", \"seconds\": 604801",
         "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"wait\", \"seconds\": \"1\"", "/seconds: must be a number from 0 to 604800"},
        {"\"action\": \"fly\"",
         "/action: must be one of: exec, if, for, flow, wait, variable, debug, rest, query, sql, write"},
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
        cmocka_unit_test(test_arguments),       cmocka_unit_test(test_payload_byte_for_byte),
        cmocka_unit_test(test_environment),     cmocka_unit_test(test_results),
        cmocka_unit_test(test_cut_output),      cmocka_unit_test(test_failures),
        cmocka_unit_test(test_nul_is_refused),  cmocka_unit_test(test_broken_actions),
        cmocka_unit_test(test_longest_command),
    };

    return cmocka_run_group_tests_name("actions", tests, set_up_processes, tear_down_processes);
}
