/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the action "rest" share: a project with one connector, its task executed, and
 * two servers, which are new for each test.
 */
#ifndef WF_UNIT_REST_UTIL_H
#define WF_UNIT_REST_UTIL_H

#include "flow_util.h"
#include "http_util.h"

#include "flow/rest/rest.h"

typedef struct rest_t {
    trial_t trial;
    http_server_t service;
    http_server_t other;
    json_t *result;
} rest_t;

static inline int set_up_rest(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    setenv("WF_TEST_SECRET", "open sesame", 1);
    setenv("WF_TEST_BROKEN", "open\r\nX: y", 1);
    return set_up_processes(state) == 0 && wf_rest_setup() == APR_SUCCESS ? 0 : -1;
}

static inline int set_up_servers(void **state)
{
    rest_t *rest = calloc(1, sizeof(*rest));

    server_start(&rest->service);
    server_start(&rest->other);
    *state = rest;
    return 0;
}

static inline int tear_down_servers(void **state)
{
    rest_t *rest = *state;

    server_stop(&rest->service);
    server_stop(&rest->other);
    free(rest);
    return 0;
}

/* Loads a project with one connector, "crm", and the actions of task 12. $1 and $2 in either are
 * the two servers' "127.0.0.1:port". */
static inline apr_status_t load(rest_t *rest, const char *connector, const char *actions,
                                wf_result_t *result)
{
    trial_t *trial = &rest->trial;
    wf_buf_t text = {NULL, 0, 0};
    char path[128];
    const char *all;

    memset(trial, 0, sizeof(*trial));
    apr_pool_create(&trial->pool, NULL);
    wf_result_init(result, trial->pool);
    all = apr_psprintf(trial->pool,
                       "{\"id\": \"569\", \"connectors\": {\"crm\": {\"type\": \"rest\", %s}},"
                       " \"tasks\": {\"12\": {\"timeout\": 60, \"flows\": [{\"actions\": [%s]}]}}}",
                       connector, actions);
    for (; *all; all++) {
        if (all[0] == '$' && (all[1] == '1' || all[1] == '2')) {
            const http_server_t *server = *++all == '1' ? &rest->service : &rest->other;
            wf_buf_add_text(&text, apr_psprintf(trial->pool, "127.0.0.1:%d", server->port));
        } else {
            wf_buf_add_char(&text, *all);
        }
    }
    wf_buf_add_char(&text, '\0');
    write_file(scratch_path(path, "569.json"), text.data, 0644);
    wf_buf_free(&text);
    return wf_project_load(&trial->project, scratch, "569", result, trial->pool);
}

static inline void prepare_rest(rest_t *rest, const char *connector, const char *actions)
{
    trial_t *trial = &rest->trial;
    wf_result_t result;

    if (load(rest, connector, actions, &result) != APR_SUCCESS) {
        fail_msg("%s", result.detail);
    }
    assert_int_equal(wf_cancel_create(&trial->execution.cancel, trial->pool), APR_SUCCESS);
    trial->execution.task = wf_project_task(trial->project, "12");
    trial->execution.pid = "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a";
    trial->execution.project = "569";
    trial->execution.payload = wf_slice(payload);
}

#define CRM           "\"url\": \"http://$1/v1\""
#define HERE          "\"url\": \"http://$1\""
#define QUICK         ", \"retries\": {\"backoff\": 0.01}"
#define BASIC         ", \"auth\": \"basic\", \"user\": \"Aladdin\", \"passwordEnv\": \"WF_TEST_SECRET\""
#define BASIC_HEADER  "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"
#define BEARER        ", \"auth\": \"bearer\", \"tokenEnv\": \"WF_TEST_SECRET\""
#define REST(members) "{\"action\": \"rest\", \"connector\": \"crm\", " members "}"

static inline void execute(rest_t *rest, const char *connector, const char *actions)
{
    trial_t *trial = &rest->trial;

    prepare_rest(rest, connector, actions);
    wf_execute(&trial->outcome, &trial->execution, trial->pool);
    rest->result = json_loadb(trial->outcome.result.data, trial->outcome.result.len,
                              JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    trial->actions = json_loadb(trial->outcome.actions.data, trial->outcome.actions.len, 0, NULL);
    assert_true(json_is_array(trial->actions));
}

static inline void done(rest_t *rest)
{
    json_decref(rest->result);
    rest->result = NULL;
    finish(&rest->trial);
}

static inline void assert_well(const rest_t *rest)
{
    if (rest->trial.outcome.problem != WF_PROBLEM_NONE) {
        fail_msg("%s", rest->trial.outcome.detail);
    }
}

static inline void assert_ill(const rest_t *rest, wf_problem_e problem, const char *detail)
{
    assert_int_equal(rest->trial.outcome.problem, problem);
    assert_string_equal(rest->trial.outcome.detail, detail);
}

/* The answer's body, which has to be a string. */
static inline const char *body_of(const rest_t *rest)
{
    const char *text = json_string_value(json_object_get(rest->result, "body"));

    assert_well(rest);
    assert_non_null(text);
    return text;
}

static inline void assert_sent(const rest_t *rest, const char *text)
{
    const char *body = body_of(rest);

    if (!strstr(body, text)) {
        fail_msg("there is no %s in %s", text, body);
    }
}

static inline void assert_not_sent(const rest_t *rest, const char *text)
{
    assert_null(strstr(body_of(rest), text));
}

#define TRIAL(test) cmocka_unit_test_setup_teardown(test, set_up_servers, tear_down_servers)

#endif
