/* SPDX-License-Identifier: Apache-2.0 */
/* http/range.h: which part is asked for, and when none is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/result.h"
#include "http/range.h"

static void parts_are_found(void **state)
{
    static const struct {
        const char *header;
        apr_uint64_t length, begin, end;
    } rows[] = {
        {"bytes=0-0", 10, 0, 1},
        {"bytes=0-9", 10, 0, 10},
        {"bytes=0-10", 10, 0, 10},
        {"bytes=3-5", 10, 3, 6},
        {"bytes=9-", 10, 9, 10},
        {"bytes=0-", 10, 0, 10},
        {"bytes=-1", 10, 9, 10},
        {"bytes=-10", 10, 0, 10},
        {"bytes=-11", 10, 0, 10},
        {"BYTES=1-2", 10, 1, 3},
        {"bytes= 1-2\t", 10, 1, 3},
        {"bytes=007-0008", 10, 7, 9},
        {"bytes=0-99999999999999999999999", 10, 0, 10},
        {"bytes=-99999999999999999999999", 10, 0, 10},
        {"bytes=0-18446744073709551615", 10, 0, 10},
        {"bytes=18446744073709551614-18446744073709551615", APR_UINT64_MAX, APR_UINT64_MAX - 1,
         APR_UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_range_t range;

        if (wf_range_read(&range, rows[i].header, rows[i].length) != APR_SUCCESS) {
            fail_msg("%s", rows[i].header);
        }
        assert_true(range.begin == rows[i].begin);
        assert_true(range.end == rows[i].end);
    }
}

static void nothing_of_others_is_there(void **state)
{
    static const struct {
        const char *header;
        apr_uint64_t length;
    } rows[] = {
        {"bytes=10-", 10}, {"bytes=10-20", 10}, {"bytes=-0", 10},
        {"bytes=0-", 0},   {"bytes=-5", 0},     {"bytes=99999999999999999999999-", 10},
    };
    wf_range_t range;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (wf_range_read(&range, rows[i].header, rows[i].length) != WF_EINVALID) {
            fail_msg("%s", rows[i].header);
        }
    }
}

static void what_is_no_range_is_passed_over(void **state)
{
    static const char *const rows[] = {
        NULL,         "",           "bytes",       "bytes=",        "bytes=-",
        "bytes=a-b",  "bytes=1",    "bytes=5-4",   "bytes=1-2,4-5", "bytes=1-2-3",
        "bytes=1 -2", "bytes=+1-2", "bytes=0x1-2", "items=1-2",     "bytes =1-2",
        "bytes:1-2",  "bytes=--1",  "bytes=1-2 x", "bytes=,1-2",
    };
    wf_range_t range;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (wf_range_read(&range, rows[i], 10) != APR_NOTFOUND) {
            fail_msg("%s", rows[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(nothing_of_others_is_there),
        cmocka_unit_test(what_is_no_range_is_passed_over),
    };

    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
