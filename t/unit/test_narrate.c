/* SPDX-License-Identifier: Apache-2.0 */
/* flow/narrate.h: what a run puts out, in its order, byte for byte between lines of ours. */
#include "flow_util.h"

static wf_buf_t told;

static void note_output(void *baton, wf_slice_t bytes)
{
    (void)baton;
    assert_true(bytes.len > 0);
    wf_buf_add_slice(&told, bytes);
}

/* Puts [T] in the place of each time, having looked at its form. */
static void hide_times(void)
{
    static const char form[] = "[0000-00-00T00:00:00.000Z] ";
    wf_buf_t hidden = {NULL, 0, 0};

    for (size_t i = 0; i < told.len; i++) {
        size_t j = 0;

        while (i + j < told.len && form[j] &&
               (form[j] == '0' ? told.data[i + j] >= '0' && told.data[i + j] <= '9'
                               : told.data[i + j] == form[j])) {
            j++;
        }
        if (form[j] == '\0') {
            wf_buf_add_text(&hidden, "[T] ");
            i += j - 1;
        } else {
            wf_buf_add_char(&hidden, told.data[i]);
        }
    }
    wf_buf_free(&told);
    told = hidden;
}

static void assert_told(const char *text)
{
    hide_times();
    wf_buf_add_char(&told, '\0');
    assert_string_equal(told.data, text);
    wf_buf_free(&told);
}

/* Executes and looks at what was put out, but for the times. */
static void assert_tells(const char *members, const char *text)
{
    trial_t trial;

    prepare(&trial, members);
    trial.execution.output = note_output;
    conduct(&trial);
    finish(&trial);
    assert_told(text);
}

static void test_order_and_lines(void **state)
{
    (void)state;
    assert_tells(
        "\"flows\": [{\"name\": \"main\", \"actions\": ["
        "  {\"action\": \"exec\", \"name\": \"greet\", \"command\": [\"printf\", \"one\\\\ntwo\"]},"
        "  {\"action\": \"wait\", \"seconds\": 0.001},"
        "  {\"action\": \"exec\", \"command\": [\"sh\", \"-c\", \"echo err >&2\"]}]},"
        " {\"name\": \"second\", \"actions\": ["
        "  {\"action\": \"exec\", \"command\": [\"true\"]}]}]",
        "[T] main / greet (exec) begins\n"
        "one\ntwo\n"
        "[T] main / greet (exec) ends: completed\n"
        "[T] main / wait (wait) begins\n"
        "[T] main / wait (wait) ends: completed\n"
        "[T] main / exec (exec) begins\n"
        "err\n"
        "[T] main / exec (exec) ends: completed\n"
        "[T] second / exec (exec) begins\n"
        "[T] second / exec (exec) ends: completed\n");
}

static void test_debug_and_inner_actions(void **state)
{
    (void)state;
    assert_tells(
        "\"flows\": [{\"name\": \"main\", \"actions\": ["
        "  {\"action\": \"for\", \"each\": \"{{FROMJSON('[1, 2]')}}\", \"do\": ["
        "    {\"action\": \"debug\", \"name\": \"say\", \"message\": \"n\\nis {{@item}}\"}]},"
        "  {\"action\": \"debug\", \"message\": {\"home\": \"{{address}}\"}}]}]",
        "[T] main / for (for) begins\n"
        "[T] main / say (debug) begins\n"
        "n\nis 1\n"
        "[T] main / say (debug) ends: completed\n"
        "[T] main / say (debug) begins\n"
        "n\nis 2\n"
        "[T] main / say (debug) ends: completed\n"
        "[T] main / for (for) ends: completed\n"
        "[T] main / debug (debug) begins\n"
        "{\"home\":{\"lineOne\": \"123 Main Street\"}}\n"
        "[T] main / debug (debug) ends: completed\n");
}

static void test_failures(void **state)
{
    (void)state;
    assert_tells(
        "\"flows\": [{\"name\": \"main\", \"actions\": ["
        "  {\"action\": \"exec\", \"name\": \"twice\", \"command\": [\"sh\", \"-c\","
        "   \"echo out; printf 'odd\\\\tend' >&2; exit 3\"], \"repeatable\": true,"
        "   \"retry\": {\"attempts\": 2, \"backoff\": 0.01}, \"onError\": \"continue\"},"
        "  {\"action\": \"exec\", \"command\": [\"/no/such/program\"]}]}]",
        "[T] main / twice (exec) begins\n"
        "out\nodd\tend\n"
        "[T] main / twice (exec) failed, attempt 1 of 2: exit-code: program \"sh\" of action "
        "\"twice\" ended with exit code 3: odd?end\n"
        "out\nodd\tend\n"
        "[T] main / twice (exec) ends: error, exit-code: program \"sh\" of action \"twice\" ended "
        "with exit code 3: odd?end\n"
        "[T] main / exec (exec) begins\n"
        "[T] main / exec (exec) ends: error, spawn-failed: program \"program\" could "
        "not be started: No such file or directory\n");
}

static void cancel_at_once(void *baton, const char *action, apr_uint64_t done, apr_uint64_t total)
{
    trial_t *trial = baton;

    (void)action;
    (void)done;
    (void)total;
    wf_cancel_request(trial->execution.cancel, WF_CANCEL_INTERRUPT);
}

static void test_interrupt(void **state)
{
    trial_t trial;

    (void)state;
    prepare_actions(&trial, "{\"action\": \"wait\", \"name\": \"doze\", \"seconds\": 60},"
                            "{\"action\": \"exec\", \"command\": [\"true\"]}");
    trial.execution.output = note_output;
    trial.execution.progress = cancel_at_once;
    conduct(&trial);
    finish(&trial);
    assert_told("[T] flow 1 / doze (wait) begins\n"
                "[T] flow 1 / doze (wait) ends: interrupted\n");
}

/* All of it, also past the caps of what `actions` and the result keep, and whatever bytes. */
static void test_every_byte(void **state)
{
    static const char head[] = "[T] main / exec (exec) begins\n";
    static const char tail[] = "\n[T] main / exec (exec) ends: completed\n";
    const size_t most = 3000000;
    trial_t trial;

    (void)state;
    prepare(&trial, "\"flows\": [{\"name\": \"main\", \"actions\": [{\"action\": \"exec\","
                    " \"command\": [\"sh\", \"-c\","
                    "  \"yes | tr 'y\\\\n' '\\\\377\\\\1' | head -c 3000000\"]}]}]");
    trial.execution.output = note_output;
    conduct(&trial);
    finish(&trial);
    hide_times();
    assert_int_equal(told.len, strlen(head) + most + strlen(tail));
    assert_memory_equal(told.data, head, strlen(head));
    for (size_t i = 0; i < most; i++) {
        assert_int_equal(told.data[strlen(head) + i], i % 2 ? '\1' : '\377');
    }
    assert_memory_equal(told.data + strlen(head) + most, tail, strlen(tail));
    wf_buf_free(&told);
}

static apr_time_t first_at;

static void note_first(void *baton, wf_slice_t bytes)
{
    trial_t *trial = baton;

    if (wf_slice_is(bytes, "early\n")) {
        first_at = wf_clock();
        wf_cancel_request(trial->execution.cancel, WF_CANCEL_INTERRUPT);
    }
}

/* What a program prints is handed on while it runs. */
static void test_as_it_comes(void **state)
{
    trial_t trial;

    (void)state;
    prepare_actions(&trial, "{\"action\": \"exec\", \"command\": [\"sh\", \"-c\","
                            " \"echo early; exec sleep 60\"]}");
    trial.execution.output = note_first;
    first_at = 0;
    conduct(&trial);
    assert_true(first_at != 0);
    assert_int_equal(trial.outcome.cancelled, WF_CANCEL_INTERRUPT);
    finish(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_lines), cmocka_unit_test(test_debug_and_inner_actions),
        cmocka_unit_test(test_failures),        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_every_byte),      cmocka_unit_test(test_as_it_comes),
    };

    return cmocka_run_group_tests_name("narrate", tests, set_up_processes, tear_down_processes);
}
