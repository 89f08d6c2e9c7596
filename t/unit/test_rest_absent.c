/* SPDX-License-Identifier: Apache-2.0 */
/* What a build without libcurl says of a project that has a REST connector, and of a callback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include "flow/connector.h"
#include "flow/rest/callback.h"

static void a_project_with_a_rest_connector_is_refused(void **state)
{
    json_t *root = json_pack("{s:{s:{s:s,s:s}}}", "connectors", "crm", "type", "rest", "url",
                             "https://api.example.org");
    apr_hash_t *connectors;
    wf_result_t result;
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    wf_result_init(&result, pool);
    assert_int_equal(
        wf_connectors_load(
            &connectors,
            &(wf_check_t){.object = root, .path = "", .result = &result, .pool = pool}),
        WF_EINVALID);
    assert_int_equal(result.problem, WF_PROBLEM_INVALID_PROJECT);
    assert_string_equal(result.detail, "/connectors/crm/type: this build has no REST: install "
                                       "libcurl4-openssl-dev and build again");
    json_decref(root);
    apr_pool_destroy(pool);
}

static void no_callback_may_be_given(void **state)
{
    const char *reason = NULL;

    (void)state;
    assert_int_equal(wf_callback_url_check(&reason, "https://example.org/", NULL), WF_EINVALID);
    assert_string_equal(reason, "be left out: the server was built without libcurl");
    reason = NULL;
    assert_int_equal(wf_callback_secret_check(&reason, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                     WF_EINVALID);
    assert_string_equal(reason, "be left out: the server was built without libcurl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_with_a_rest_connector_is_refused),
        cmocka_unit_test(no_callback_may_be_given),
    };

    return apr_initialize() == APR_SUCCESS ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
