/* SPDX-License-Identifier: Apache-2.0 */
/* http/openapi.h: the document is whole, and has the base that is asked for in one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "http/openapi.h"

static void has_the_base_that_is_asked_for(void **state)
{
    static const struct {
        const char *base;
        const char *url;
    } rows[] = {
        {"/cw/api/v2", "\"/cw/api/v2\""},
        {"", "\"/\""},
        {"/a,b", "\"/a,b\""},
        {"/a\"b\\", "\"/a\\\"b\\\\\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_buf_t text = {NULL, 0, 0};
        wf_slice_t servers, server, url, paths;

        wf_openapi_json(&text, rows[i].base);
        assert_int_equal(wf_json_check(wf_buf_slice(&text), 32, NULL), APR_SUCCESS);
        assert_int_equal(wf_json_member(&servers, wf_buf_slice(&text), wf_slice("servers")),
                         APR_SUCCESS);
        assert_int_equal(wf_json_count(servers), 1);
        assert_int_equal(wf_json_element(&server, servers, 0), APR_SUCCESS);
        assert_int_equal(wf_json_member(&url, server, wf_slice("url")), APR_SUCCESS);
        assert_true(wf_slice_is(url, rows[i].url));
        assert_int_equal(wf_json_member(&paths, wf_buf_slice(&text), wf_slice("paths")),
                         APR_SUCCESS);
        wf_buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_base_that_is_asked_for),
    };

    return cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
}
