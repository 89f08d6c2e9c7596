/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of an API configuration: what is read of it, what is written, and that what is
 * written reads as the same. What is refused over HTTP is in t/api/configurations.t.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include "flow/configuration.h"
#include "flow/project.h"
#include "pool_util.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const wf_configuration_t *parse(const char *text)
{
    const wf_configuration_t *configuration = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_configuration_parse(&configuration, wf_slice(text), &result, pool) != APR_SUCCESS) {
        fail_msg("%s", result.detail);
    }
    return configuration;
}

static void assert_refused(const char *text, const char *detail)
{
    const wf_configuration_t *configuration;
    wf_result_t result;

    wf_result_init(&result, pool);
    assert_int_equal(wf_configuration_parse(&configuration, wf_slice(text), &result, pool),
                     WF_EINVALID);
    assert_int_equal(result.problem, WF_PROBLEM_INVALID_CONFIGURATION);
    assert_string_equal(result.detail, detail);
}

static const char *write_text(const wf_configuration_t *configuration, int shown)
{
    wf_buf_t *out = apr_pcalloc(pool, sizeof(*out));
    wf_json_writer_t writer;

    wf_buf_bind(out, pool);
    wf_json_writer_init(&writer, out);
    wf_json_open(&writer, NULL, '{');
    wf_configuration_put(&writer, configuration, shown);
    wf_json_close(&writer, '}');
    return apr_pstrmemdup(pool, out->data, out->len);
}

static void reads_nothing_as_what_may_be_run(void **state)
{
    const wf_configuration_t *configuration = parse(" { } ");

    (void)state;
    assert_true(configuration->enabled);
    assert_null(configuration->description);
    assert_int_equal(configuration->example.len, 0);
    assert_null(configuration->schema);
    assert_int_equal(configuration->rate, 0);
    assert_null(configuration->callback);
    assert_string_equal(write_text(configuration, 0), "{\"enabled\":true}");
}

static void keeps_what_it_reads(void **state)
{
    static const char text[] =
        "{\"enabled\":false,\"description\":\"a \\\"b\\\" "
        "\xc3\xa4\",\"example\":{\"n\":1e400,\"n\":"
        "123456789012345678901234567890,\"s\":\"\\u0000\"},\"schema\":{\"maximum\":1e30},"
        "\"rateLimit\":{\"runs\":1000000,\"seconds\":86400}}";
    const wf_configuration_t *configuration = parse(text);

    (void)state;
    assert_false(configuration->enabled);
    assert_string_equal(configuration->description, "a \"b\" \xc3\xa4");
    assert_non_null(configuration->schema);
    assert_int_equal(configuration->rate, 1000000);
    assert_int_equal(configuration->rate_period, apr_time_from_sec(86400));
    assert_string_equal(write_text(configuration, 0), text);
    assert_string_equal(write_text(parse(write_text(configuration, 0)), 0), text);
}

#ifdef WF_HAVE_CURL
static void shows_no_secret(void **state)
{
    static const char text[] =
        "{\"enabled\":true,"
        "\"callback\":{\"url\":\"https://example.org/x\",\"secret\":\"" SECRET "\"}}";
    const wf_configuration_t *configuration = parse(text);

    (void)state;
    assert_string_equal(configuration->callback->secret, SECRET);
    assert_string_equal(write_text(configuration, 0), text);
    assert_null(strstr(write_text(configuration, 1), "whsec"));
    assert_non_null(strstr(write_text(configuration, 1), "\"hasSecret\":true"));
    assert_non_null(parse(write_text(configuration, 1))); /* what is shown can be sent back */
    assert_refused("{\"callback\": {\"secret\": \"" SECRET "\"}}", "/callback: must have a url");
    assert_refused("{\"callback\": {\"url\": \"https://e.org/\", \"secretFile\": \"/x\"}}",
                   "/callback: there is no member \"secretFile\"; there are: url, secret");
}
#else
static void shows_no_secret(void **state)
{
    (void)state;
    assert_refused("{\"callback\": {\"url\": \"https://e.org/\"}}",
                   "/callback/url: must be left out: the server was built without libcurl");
}
#endif

static void knows_the_projects_own(void **state)
{
    (void)state;
    assert_null(parse("{\"useProjectFile\": true}"));
    assert_refused("{\"useProjectFile\": true, \"projectId\": \"1\"}",
                   "/useProjectFile: must stand alone");
}

static void says_what_and_where(void **state)
{
    (void)state;
    assert_refused("[]", "must be an object");
    assert_refused("{\"a\\u0000b\": 1}", "must not hold the character U+0000");
    assert_refused("{\"rateLimit\": {\"runs\": 1, \"seconds\": 86401}}",
                   "/rateLimit/seconds: must be an integer from 1 to 86400");
    assert_refused("{\"rateLimit\": {\"runs\": -1, \"seconds\": 1}}",
                   "/rateLimit/runs: must be an integer from 1 to 1000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_nothing_as_what_may_be_run, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_what_it_reads, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(shows_no_secret, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(knows_the_projects_own, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(says_what_and_where, make_pool, drop_pool),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("configuration", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
