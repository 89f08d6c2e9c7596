/* SPDX-License-Identifier: Apache-2.0 */
/* The action "rest": what a project may say of it, what is sent, and what becomes of the answer. */
#include "rest_util.h"

static void a_project_that_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *connector, *action, *error;
    } rows[] = {
        {"\"headers\": {}", "\"path\": \"/\"", "connectors/crm/url: is missing"},
        {"\"url\": \"ftp://a\"", "\"path\": \"/\"",
         "connectors/crm/url: must begin with http:// or https://"},
        {"\"url\": \"http://u:p@a\"", "\"path\": \"/\"",
         "connectors/crm/url: must have no user or password in it"},
        {"\"url\": \"http://a?b\"", "\"path\": \"/\"", "connectors/crm/url: must not hold ? or #"},
        {HERE ", \"verify\": false", "\"path\": \"/\"",
         "connectors/crm: there is no member \"verify\""},
        {HERE ", \"auth\": \"digest\"", "\"path\": \"/\"",
         "crm/auth: must be one of: none, basic, bearer"},
        {HERE ", \"auth\": \"basic\", \"user\": \"a\"", "\"path\": \"/\"",
         "crm/auth: basic needs user, and passwordFile or passwordEnv"},
        {HERE ", \"auth\": \"basic\", \"user\": \"a:b\", \"passwordEnv\": \"P\"", "\"path\": \"/\"",
         "crm/user: must not hold a colon"},
        {HERE ", \"auth\": \"bearer\"", "\"path\": \"/\"",
         "crm/auth: bearer needs tokenFile or tokenEnv"},
        {HERE ", \"passwordEnv\": \"P\"", "\"path\": \"/\"",
         "crm/auth: must be basic where there is a user or a password"},
        {HERE ", \"tokenEnv\": \"P\"", "\"path\": \"/\"",
         "crm/auth: must be bearer where there is a token"},
        {HERE BEARER ", \"headers\": {\"authorization\": \"x\"}", "\"path\": \"/\"",
         "crm/headers/Authorization: cannot be there beside auth"},
        {HERE ", \"headers\": {\"A b\": \"x\"}", "\"path\": \"/\"",
         "crm/headers/A b: is no header's name"},
        {HERE ", \"headers\": {\"host\": \"x\"}", "\"path\": \"/\"",
         "crm/headers/host: must be left to the client: it is the URL's"},
        {HERE ", \"headers\": {\"A\": \"x\\r\\ny\"}", "\"path\": \"/\"",
         "crm/headers/A: must not hold a line break"},
        {HERE ", \"headers\": {\"A\": \"{{x}}\"}", "\"path\": \"/\"",
         "crm/headers/A: must not hold an expression; an action's headers may"},
        {HERE ", \"headers\": {\"A\": 1}", "\"path\": \"/\"", "crm/headers/A: must be a string"},
        {HERE ", \"hosts\": [\"a\", \"http://b\"]", "\"path\": \"/\"",
         "crm/hosts/1: must be a host, or host:port"},
        {HERE ", \"hosts\": [1]", "\"path\": \"/\"", "crm/hosts/0: must be a host, or host:port"},
        {HERE ", \"caFile\": \"ca.pem\"", "\"path\": \"/\"",
         "crm/caFile: must be an absolute path"},
        {HERE ", \"proxy\": \"proxy:3128\"", "\"path\": \"/\"", "crm/proxy: must begin with http"},
        {HERE ", \"maxResponse\": 0", "\"path\": \"/\"", "crm/maxResponse: must be a whole number"},
        {HERE ", \"timeout\": 0", "\"path\": \"/\"", "crm/timeout: must be a number of seconds"},
        {HERE ", \"retries\": {\"attempts\": 11}", "\"path\": \"/\"",
         "crm/retries/attempts: must be a whole number from 1 to 10"},
        {HERE ", \"retries\": {\"count\": 1}", "\"path\": \"/\"",
         "crm/retries: there is no member \"count\""},
        {HERE, "\"path\": \"x\"", "actions/0/path: must begin with /"},
        {HERE, "\"method\": \"get\"",
         "method: must be one of: GET, POST, PUT, PATCH, DELETE, HEAD"},
        {HERE, "\"query\": {\"a\": 1}", "query/a: must be a string"},
        {HERE, "\"headers\": {\"Content-Length\": \"1\"}",
         "headers/Content-Length: must be left to the client"},
        {HERE BEARER, "\"headers\": {\"Authorization\": \"x\"}",
         "headers/Authorization: cannot be there beside the connector's auth"},
        {HERE, "\"body\": 1", "body: cannot be sent by GET"},
        {HERE, "\"method\": \"HEAD\", \"bodyText\": \"\"", "bodyText: cannot be sent by HEAD"},
        {HERE, "\"method\": \"PUT\", \"body\": 1, \"bodyText\": \"\"",
         "bodyText: cannot be there beside body"},
        {HERE, "\"method\": \"PUT\", \"body\": {\"a\": [\"{{\"]}", "body/a/0: column"},
        {HERE, "\"expect\": [200, \"2xx\"]", "expect/1: must be a status from 200 to 599"},
        {HERE, "\"expect\": [100]", "expect/0: must be a status from 200 to 599"},
        {HERE, "\"repeatable\": 1", "repeatable: must be true or false"},
    };
    rest_t *rest = *state;
    wf_result_t result;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char action[256];

        snprintf(action, sizeof(action), REST("%s"), rows[i].action);
        if (load(rest, rows[i].connector, action, &result) != WF_EINVALID) {
            fail_msg("%s and %s are taken", rows[i].connector, rows[i].action);
        }
        if (!strstr(result.detail, rows[i].error)) {
            fail_msg("%s instead of %s", result.detail, rows[i].error);
        }
        apr_pool_destroy(rest->trial.pool);
    }
}

static void a_request_is_made_of_its_templates(void **state)
{
    rest_t *rest = *state;

    execute(
        rest, HERE ", \"headers\": {\"X-Client\": \"erp\", \"X-Other\": \"a\"}",
        REST("\"method\": \"PUT\", \"path\": \"/echo\","
             " \"query\": {\"q\": \"{{name}}\", \"a b\": \"1\", \"none\": \"{{missing}}\","
             "   \"empty\": \"\", \"n\": \"{{n}}\"},"
             " \"headers\": {\"X-Street\": \"{{address/lineOne}}\", \"X-None\": \"{{missing}}\","
             "   \"x-other\": \"b\"},"
             " \"body\": {\"number\": \"{{n}}\", \"street\": \"in {{address/lineOne}}\","
             "   \"list\": [\"{{address}}\", true, null, 1.50]}"));
    assert_sent(rest,
                "PUT /echo?q=Jane%0A%27%24%28id%29%27%20%22Doe%22&a%20b=1&empty=&n=2 HTTP/1.1\r\n");
    assert_sent(rest, "\r\nX-Client: erp\r\n");
    assert_sent(rest, "\r\nX-Street: 123 Main Street\r\n");
    assert_sent(rest, "\r\nx-other: b\r\n");
    assert_not_sent(rest, "X-Other");
    assert_not_sent(rest, "X-None");
    assert_not_sent(rest, "Authorization");
    assert_sent(rest, "\r\nContent-Type: application/json\r\n");
    assert_sent(rest, "\r\nAccept: application/json, */*;q=0.5\r\n");
    assert_sent(rest, "\r\n\r\n{\"number\":2,\"street\":\"in 123 Main Street\",\"list\":"
                      "[{\"lineOne\": \"123 Main Street\"},true,null,1.5]}");
    done(rest);
}

static void a_body_may_be_any_text(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE,
            REST("\"method\": \"POST\", \"path\": \"/echo\","
                 " \"bodyText\": \"<name>{{address/lineOne}}</name>\","
                 " \"contentType\": \"application/xml\""));
    assert_sent(rest, "POST /echo HTTP/1.1\r\n");
    assert_sent(rest, "\r\nContent-Type: application/xml\r\n");
    assert_sent(rest, "\r\n\r\n<name>123 Main Street</name>");
    done(rest);
    execute(rest, HERE, REST("\"method\": \"POST\", \"path\": \"/echo\", \"body\": \"{{n}}\""));
    assert_sent(rest, "\r\n\r\n2");
    done(rest);
}

static void an_answer_becomes_the_result(void **state)
{
    rest_t *rest = *state;
    wf_slice_t body;

    execute(rest, HERE, REST("\"path\": \"/json\""));
    assert_well(rest);
    assert_int_equal(json_number_value(json_object_get(rest->result, "status")), 200);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(rest->result, "headers"), "etag")),
        "\"7\"");
    assert_int_equal(wf_json_member(&body, rest->trial.outcome.result, wf_slice("body")),
                     APR_SUCCESS);
    assert_true(wf_slice_is(body, "{\"id\": 12345678901234567890, \"a\": [null]}"));
    assert_int_equal(json_integer_value(member_of(&rest->trial, 0, "httpStatus")), 200);
    assert_null(member_of(&rest->trial, 0, "requests"));
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/status/200\""));
    assert_string_equal(body_of(rest), "busy\n");
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/x\", \"method\": \"HEAD\""));
    assert_well(rest);
    assert_true(json_is_null(json_object_get(rest->result, "body")));
    done(rest);
}

static void actions_of_a_run_share_a_connection(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE, REST("\"path\": \"/json\"") "," REST("\"path\": \"/echo\""));
    assert_sent(rest, "GET /echo HTTP/1.1\r\n");
    assert_int_equal(server_connections(&rest->service), 1);
    done(rest);
}

static void an_answer_is_at_hand_for_later_actions(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE,
            REST("\"path\": \"/json\", \"into\": \"got\"") "," REST(
                "\"path\": \"/echo/{{@got/body/id}}/{{CONCATENATE(n, '/}}')}}/x\","
                " \"headers\": {\"If-Match\": \"{{@got/headers/etag}}\"},"
                " \"query\": {\"id\": \"{{@got/body/a}}\"}"));
    assert_sent(rest, "GET /echo/12345678901234567890/2%2F%7D%7D/x?id=%5Bnull%5D HTTP/1.1\r\n");
    assert_sent(rest, "\r\nIf-Match: \"7\"\r\n");
    done(rest);
}

static void values_break_out_of_nothing(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE, REST("\"path\": \"/echo\", \"headers\": {\"X-Name\": \"{{name}}\"}"));
    assert_ill(rest, WF_PROBLEM_MAPPING,
               "header X-Name of action \"rest\" would hold a line break or another control "
               "character");
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/echo\", \"headers\": {\"X-Nul\": \"{{nul}}\"}"));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_MAPPING);
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/echo\", \"idempotencyKey\": \"{{missing}}\""));
    assert_ill(rest, WF_PROBLEM_MAPPING,
               "header Idempotency-Key of action \"rest\" would be empty");
    done(rest);
    execute(rest, HERE, REST("\"method\": \"DELETE\", \"path\": \"/customers/{{missing}}\""));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_MAPPING);
    done(rest);
    assert_int_equal(server_requests(&rest->service), 0);
    execute(rest, CRM, REST("\"path\": \"/customers/{{name}}/orders\", \"method\": \"POST\""));
    assert_sent(rest,
                "POST /v1/customers/Jane%0A%27%24%28id%29%27%20%22Doe%22/orders HTTP/1.1\r\n");
    done(rest);
}

static void a_status_that_is_not_expected_is_a_failure(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE, REST("\"path\": \"/status/404\", \"name\": \"look up\""));
    assert_ill(rest, WF_PROBLEM_REST,
               "action \"look up\": GET by connector \"crm\" was answered with status 404: busy?");
    assert_int_equal(json_integer_value(member_of(&rest->trial, 0, "httpStatus")), 404);
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/status/404\", \"expect\": [200, 404]"));
    assert_string_equal(body_of(rest), "busy\n");
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/status/201\", \"expect\": [200]"));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_REST);
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/status/304\""));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_REST);
    done(rest);
}

static void a_failure_gives_no_secret_away(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE BASIC, REST("\"path\": \"/refuse\""));
    assert_ill(rest, WF_PROBLEM_REST,
               "action \"rest\": GET by connector \"crm\" was answered with status 400");
    done(rest);
    execute(rest, HERE BEARER, REST("\"path\": \"/refuse\""));
    assert_null(strstr(rest->trial.outcome.detail, "sesame"));
    done(rest);
    execute(rest, HERE ", \"headers\": {\"X-Api-Key\": \"4711-0815\"}",
            REST("\"path\": \"/refuse\""));
    assert_null(strstr(rest->trial.outcome.detail, "4711"));
    done(rest);
    execute(rest, HERE, REST("\"path\": \"/refuse\""));
    assert_non_null(strstr(rest->trial.outcome.detail, "status 400: GET /refuse HTTP/1.1??Host"));
    assert_true(strlen(rest->trial.outcome.detail) < 400);
    done(rest);
}

static void an_answer_that_is_too_long_is_a_failure(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE ", \"maxResponse\": 1000", REST("\"path\": \"/long\""));
    assert_ill(
        rest, WF_PROBLEM_REST,
        "action \"rest\": GET by connector \"crm\" failed: the answer is longer than the 1000 "
        "bytes of \"maxResponse\"");
    done(rest);
}

static void an_answer_that_is_too_long_as_json_is_a_failure(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE ", \"maxResponse\": 67108864", REST("\"path\": \"/nul\""));
    assert_ill(rest, WF_PROBLEM_REST,
               "action \"rest\": the answer takes more than 67108864 bytes as JSON");
    done(rest);
}

static void no_answer_in_time_is_a_failure_and_not_tried_again(void **state)
{
    rest_t *rest = *state;

    execute(rest, HERE ", \"timeout\": 0.3", REST("\"path\": \"/drip\""));
    assert_int_equal(rest->trial.outcome.problem, WF_PROBLEM_CONNECTOR);
    assert_non_null(strstr(rest->trial.outcome.detail, "failed: Operation timed out after"));
    assert_int_equal(server_requests(&rest->service), 1);
    done(rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIAL(a_project_that_is_wrong_is_refused),
        TRIAL(a_request_is_made_of_its_templates),
        TRIAL(a_body_may_be_any_text),
        TRIAL(an_answer_becomes_the_result),
        TRIAL(actions_of_a_run_share_a_connection),
        TRIAL(an_answer_is_at_hand_for_later_actions),
        TRIAL(values_break_out_of_nothing),
        TRIAL(a_status_that_is_not_expected_is_a_failure),
        TRIAL(a_failure_gives_no_secret_away),
        TRIAL(an_answer_that_is_too_long_is_a_failure),
        TRIAL(an_answer_that_is_too_long_as_json_is_a_failure),
        TRIAL(no_answer_in_time_is_a_failure_and_not_tried_again),
    };

    return cmocka_run_group_tests(tests, set_up_rest, tear_down_processes);
}
