/* SPDX-License-Identifier: Apache-2.0 */
/* store/run_json.h: which members a run has for its clients, when, and in what form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "store/run_json.h"

#define PID "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a"

/* A run as it stands right after it was submitted. */
static wf_run_t submitted_run(void)
{
    wf_run_t run = {
        .vhost = "hidden-vhost:80",
        .project = "569",
        .task = "12",
        .source = "/hidden/source",
        .trigger = "API",
        .user = "al\"ice",
        .idempotency_key = "hidden-key",
        .status = WF_RUN_SUBMITTED,
        .submitted = 1,
        .fence = 77,
        .incarnation = 88,
    };

    assert_int_equal(wf_uuid_parse(&run.pid, wf_slice(PID)), APR_SUCCESS);
    return run;
}

static void assert_rendered(const wf_run_t *run, const char *expected)
{
    wf_buf_t text = {NULL, 0, 0};

    wf_run_json(&text, run);
    assert_int_equal(wf_json_check(wf_buf_slice(&text), 8, NULL), APR_SUCCESS);
    wf_buf_add_char(&text, '\0');
    assert_string_equal(text.data, expected);
    wf_buf_free(&text);
}

#define HEAD(status)                                                                               \
    "{\"pid\":\"" PID "\",\"projectId\":\"569\",\"taskId\":\"12\",\"status\":\"" status "\","      \
    "\"trigger\":\"API\",\"user\":\"al\\\"ice\",\"submitTime\":\"1970-01-01T00:00:00.000Z\""

static void leaves_out_what_there_is_not(void **state)
{
    wf_run_t run = submitted_run();

    (void)state;
    assert_rendered(&run, HEAD("submitted") "}");
}

static void shows_all_of_a_completed_run(void **state)
{
    wf_run_t run = submitted_run();

    (void)state;
    run.status = WF_RUN_COMPLETED;
    run.started = apr_time_from_sec(1);
    run.completed = apr_time_from_sec(2);
    run.progress.action = "exec";
    run.progress.done = 1;
    run.progress.total = 2;
    run.records.failed = 3;
    run.result = wf_slice("[1]");
    run.result_cut = 1;
    run.actions = wf_slice("[{}]");
    run.interrupt_requested = apr_time_from_sec(3);
    assert_rendered(&run,
                    HEAD("completed") ",\"startTime\":\"1970-01-01T00:00:01.000Z\","
                                      "\"completionTime\":\"1970-01-01T00:00:02.000Z\","
                                      "\"progress\":{\"action\":\"exec\",\"done\":1,\"total\":2},"
                                      "\"records\":{\"read\":0,\"written\":0,\"failed\":3},"
                                      "\"result\":[1],\"resultCut\":true,\"actions\":[{}],"
                                      "\"interruptTime\":\"1970-01-01T00:00:03.000Z\"}");
}

static void shows_no_result_before_the_end(void **state)
{
    wf_run_t run = submitted_run();

    (void)state;
    run.status = WF_RUN_RUNNING;
    run.result = wf_slice("1");
    assert_rendered(&run, HEAD("running") "}");
}

static void shows_errors_with_their_title(void **state)
{
    wf_run_t run = submitted_run();

    (void)state;
    run.status = WF_RUN_ERROR;
    run.error.type = "exit-code";
    run.error.detail = "exec: ended with 3";
    assert_rendered(&run, HEAD("error") ",\"error\":{\"type\":\"exit-code\","
                                        "\"title\":\"A program ended with a failure code\","
                                        "\"detail\":\"exec: ended with 3\"}}");
    run.error.type = "of-a-later-version";
    run.error.detail = NULL;
    assert_rendered(&run, HEAD("error") ",\"error\":{\"type\":\"of-a-later-version\"}}");
}

static void shows_what_becomes_of_its_callback(void **state)
{
    wf_run_t run = submitted_run();

    (void)state;
    run.callback.status = WF_CALLBACK_WANTED;
    assert_rendered(&run,
                    HEAD("submitted") ",\"callback\":{\"status\":\"wanted\",\"attempts\":0}}");
    run.callback = (wf_run_callback_t){WF_CALLBACK_PENDING,  2,   apr_time_from_sec(1),
                                       apr_time_from_sec(2), 503, "the receiver answered 503"};
    assert_rendered(&run, HEAD("submitted") ",\"callback\":{\"status\":\"pending\",\"attempts\":2,"
                                            "\"lastAttemptTime\":\"1970-01-01T00:00:01.000Z\","
                                            "\"nextAttemptTime\":\"1970-01-01T00:00:02.000Z\","
                                            "\"httpStatus\":503,"
                                            "\"reason\":\"the receiver answered 503\"}}");
    run.callback =
        (wf_run_callback_t){WF_CALLBACK_DELIVERED, 3, apr_time_from_sec(1), 0, 204, NULL};
    assert_rendered(&run,
                    HEAD("submitted") ",\"callback\":{\"status\":\"delivered\",\"attempts\":3,"
                                      "\"lastAttemptTime\":\"1970-01-01T00:00:01.000Z\","
                                      "\"httpStatus\":204}}");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_out_what_there_is_not),
        cmocka_unit_test(shows_all_of_a_completed_run),
        cmocka_unit_test(shows_no_result_before_the_end),
        cmocka_unit_test(shows_errors_with_their_title),
        cmocka_unit_test(shows_what_becomes_of_its_callback),
    };

    return cmocka_run_group_tests_name("run_json", tests, NULL, NULL);
}
