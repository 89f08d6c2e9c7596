/* SPDX-License-Identifier: Apache-2.0 */
/* flow/datetime.h and flow/calendar.h: tables, and every day of ten thousand years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/result.h"
#include "flow/calendar.h"
#include "flow/datetime.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static apr_pool_t *pool;

static const char *print(apr_time_t when, const char *pattern, int zone)
{
    wf_buf_t out = {0};
    const char *text;

    assert_int_equal(wf_datetime_print(&out, when, wf_slice(pattern), zone), APR_SUCCESS);
    text = apr_pstrmemdup(pool, wf_buf_slice(&out).data, out.len);
    wf_buf_free(&out);
    return text;
}

/* clang-format off */
static const char *const parsed[][2] = {
    {"2026-11-24", "2026-11-24T00:00:00.000Z"}, {"2026-11-24T03:44:25Z", "2026-11-24T03:44:25.000Z"},
    {"2026-11-24t03:44:25z", "2026-11-24T03:44:25.000Z"}, {"2026-11-24 03:44", "2026-11-24T03:44:00.000Z"},
    {"2026-11-24T03:44:25.1", "2026-11-24T03:44:25.100Z"}, {"2026-11-24T03:44:25.123456789Z", "2026-11-24T03:44:25.123Z"},
    {"2026-11-24T03:44:25+02:00", "2026-11-24T01:44:25.000Z"}, {"2026-11-24T03:44:25-0530", "2026-11-24T09:14:25.000Z"},
    {"2026-11-24 03:44:25.5+02", "2026-11-24T01:44:25.500Z"}, {"2026-01-01T00:30+01:00", "2025-12-31T23:30:00.000Z"},
    {"1960-02-29", "1960-02-29T00:00:00.000Z"}, {"0001-01-01", "0001-01-01T00:00:00.000Z"},
    {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"}, {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"},
};
static const char *const no_dates[] = {
    "", "2026", "2026-11", "26-11-24", "2026-13-01", "2026-00-01", "2026-02-29", "2026-11-31", "0000-01-01",
    "2026-11-24T", "2026-11-24T3", "2026-11-24T24:00", "2026-11-24T03:60", "2026-11-24T03:44:60",
    "2026-11-24T03:44:25.", "2026-11-24T03:44:", "2026-11-24T03:44:25Zx", "2026-11-24T03:44:25+24:00",
    "2026-11-24T03:44:25+02:", "2026-11-24T03:44:25+02:60", "2026-11-24T03:44:25 +02:00", "2026-11-24Z",
    "2026/11/24", "2026-11-24X03:44", " 2026-11-24", "2026-11-24 ", "-026-11-24", "+2026-11-24",
};
static const struct {
    const char *pattern;
    const char *text; /* of 2026-11-24T03:04:25.123456Z, a Tuesday */
} printed[] = {
    {"%Y %y %m %d %e", "2026 26 11 24 24"}, {"%H %I %M %S %p", "03 03 04 25 AM"}, {"%L %f", "123 123456"},
    {"%a %A %b %B", "Tue Tuesday Nov November"}, {"%j %u", "328 2"}, {"%z %:z", "+0000 +00:00"},
    {"%s %Q", "1795489465 1795489465123"}, {"%F|%T|%%", "2026-11-24|03:04:25|%"}, {"", ""},
    {"plain \xC3\xA9", "plain \xC3\xA9"},
};
static const struct {
    const char *pattern;
    const char *text;
    const char *date; /* NULL: does not fit */
} scanned[] = {
    {"%d/%m/%Y", "24/11/2026", "2026-11-24T00:00:00.000Z"}, {"%d/%m/%Y", "4/1/2026", "2026-01-04T00:00:00.000Z"},
    {"%Y%m%d%H%M%S", "20261124030425", "2026-11-24T03:04:25.000Z"}, {"%d-%b-%y", "24-NOV-26", "2026-11-24T00:00:00.000Z"},
    {"%d %B %Y", "24 november 2026", "2026-11-24T00:00:00.000Z"}, {"%d %B %Y", "24 nov 2026", "2026-11-24T00:00:00.000Z"},
    {"%b %e, %Y", "May  4, 2026", "2026-05-04T00:00:00.000Z"}, {"%a, %d %b %Y %T %z", "Tue, 24 Nov 2026 03:04:25 +0100",
     "2026-11-24T02:04:25.000Z"}, {"%A %F", "tuesday 2026-11-24", "2026-11-24T00:00:00.000Z"},
    {"%I:%M %p", "12:00 am", "1970-01-01T00:00:00.000Z"}, {"%I:%M %p", "12:30 PM", "1970-01-01T12:30:00.000Z"},
    {"%I:%M %p", "1:30 PM", "1970-01-01T13:30:00.000Z"}, {"%y", "68", "2068-01-01T00:00:00.000Z"},
    {"%y", "69", "1969-01-01T00:00:00.000Z"}, {"%y", "00", "2000-01-01T00:00:00.000Z"},
    {"%T.%L", "01:02:03.5", "1970-01-01T01:02:03.500Z"}, {"%T.%f", "01:02:03.000999", "1970-01-01T01:02:03.000Z"},
    {"%s", "-1", "1969-12-31T23:59:59.000Z"}, {"%Q", "1795489465123", "2026-11-24T03:04:25.123Z"},
    {"100%% %Y", "100% 2026", "2026-01-01T00:00:00.000Z"}, {"%F%:z", "2026-11-24-01:30", "2026-11-24T01:30:00.000Z"},
    {"%d/%m/%Y", "24/11/2026x", NULL}, {"%d/%m/%Y", "24/11/", NULL}, {"%d/%m/%Y", "24-11-2026", NULL},
    {"%d/%m/%Y", "32/01/2026", NULL}, {"%d/%m/%Y", "0/01/2026", NULL}, {"%d/%m/%Y", " 1/01/2026", NULL},
    {"%b", "Nox", NULL}, {"%p", "xm", NULL}, {"%I", "13", NULL}, {"%I", "0", NULL}, {"%H %p", "15 PM", NULL},
    {"%T", "01:02", NULL}, {"%z", "1", NULL}, {"%s", "", NULL}, {"%s", "999999999999999", NULL}, {"%Y", "", NULL},
    {"%%", "x", NULL}, {"", "x", NULL}, {"%e", "  ", NULL}, {"%H", "24", NULL}, {"%a", "Xyz", NULL},
};
/* clang-format on */

static void parses_dates(void **state)
{
    apr_time_t when;

    (void)state;
    for (size_t i = 0; i < COUNT(parsed); i++) {
        if (wf_datetime_parse(&when, wf_slice(parsed[i][0])) != APR_SUCCESS) {
            fail_msg("%s", parsed[i][0]);
        }
        assert_string_equal(print(when, WF_DATETIME_ISO, 0), parsed[i][1]);
    }
    for (size_t i = 0; i < COUNT(no_dates); i++) {
        if (wf_datetime_parse(&when, wf_slice(no_dates[i])) != WF_EINVALID) {
            fail_msg("%s", no_dates[i]);
        }
    }
}

static void prints(void **state)
{
    apr_time_t when = APR_INT64_C(1795489465123456);
    wf_buf_t out = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(printed); i++) {
        assert_string_equal(print(when, printed[i].pattern, 0), printed[i].text);
    }
    assert_string_equal(print(when, "%F %T %I %p %z %:z %s", 13 * 60 + 45),
                        "2026-11-24 16:49:25 04 PM +1345 +13:45 1795489465");
    assert_string_equal(print(when, "%F %T %:z", -210), "2026-11-23 23:34:25 -03:30");
    assert_string_equal(print(-1, "%F %T.%f %s %Q %e", 0), "1969-12-31 23:59:59.999999 -1 -1 31");
    assert_int_equal(wf_datetime_print(&out, APR_INT64_MAX, wf_slice("%Y"), 0), WF_EINVALID);
    assert_int_equal(wf_datetime_print(&out, APR_INT64_MIN, wf_slice("%Y"), 0), WF_EINVALID);
}

static void scans(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scanned); i++) {
        apr_time_t when;
        apr_status_t rv =
            wf_datetime_scan(&when, wf_slice(scanned[i].text), wf_slice(scanned[i].pattern));

        if ((rv == APR_SUCCESS) != (scanned[i].date != NULL)) {
            fail_msg("%s by %s", scanned[i].text, scanned[i].pattern);
        }
        if (scanned[i].date) {
            assert_string_equal(print(when, WF_DATETIME_ISO, 0), scanned[i].date);
        }
    }
}

static void parses_zones(void **state)
{
    static const struct {
        const char *text;
        int minutes;
    } zones[] = {{"Z", 0},        {"z", 0},     {"+00:00", 0}, {"+02:00", 120},
                 {"-0530", -330}, {"+02", 120}, {"+2", 120},   {"-23:59", -1439}};
    static const char *const none[] = {"",     "+",  "2",    "+24:00", "+02:60",
                                       "+02:", "Zx", "+020", "UTC"};
    int minutes;

    (void)state;
    for (size_t i = 0; i < COUNT(zones); i++) {
        assert_int_equal(wf_datetime_parse_zone(&minutes, wf_slice(zones[i].text)), APR_SUCCESS);
        assert_int_equal(minutes, zones[i].minutes);
    }
    for (size_t i = 0; i < COUNT(none); i++) {
        if (wf_datetime_parse_zone(&minutes, wf_slice(none[i])) != WF_EINVALID) {
            fail_msg("%s", none[i]);
        }
    }
}

static void finds_mistakes(void **state)
{
    static const char *const bad[] = {"%", "%q", "a%", "%Y-%", "%%%", "%:", "%:q", "%\xC3\xA9"};
    static const char good[] = "%Y%y%m%d%e%H%I%M%S%L%f%p%a%A%b%B%z%:z%s%Q%F%T%%";

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_non_null(wf_datetime_find_mistake(wf_slice(bad[i]), 0));
        assert_non_null(wf_datetime_find_mistake(wf_slice(bad[i]), 1));
    }
    assert_null(wf_datetime_find_mistake(wf_slice(good), 0));
    assert_null(wf_datetime_find_mistake(wf_slice(good), 1));
    assert_null(wf_datetime_find_mistake(wf_slice("%j%u"), 0));
    assert_non_null(wf_datetime_find_mistake(wf_slice("%j"), 1));
    assert_null(wf_datetime_find_mistake(wf_slice(""), 1));
}

/* Each day there and back, and its names as the C library has them. */
static void knows_every_day(void **state)
{
    time_t day = -62135596800; /* 0001-01-01 */
    int count = 0;

    (void)state;
    for (; day < 253402300800; day += 86400, count++) {
        wf_fields_t fields;
        struct tm expected;
        apr_time_t back;

        gmtime_r(&day, &expected);
        assert_int_equal(wf_fields_of_time(&fields, (apr_time_t)day * APR_USEC_PER_SEC, 0),
                         APR_SUCCESS);
        assert_int_equal(fields.year, expected.tm_year + 1900);
        assert_int_equal(fields.month, expected.tm_mon + 1);
        assert_int_equal(fields.day, expected.tm_mday);
        assert_int_equal(wf_fields_day_of_week(&fields), (expected.tm_wday + 6) % 7);
        assert_int_equal(wf_fields_day_of_year(&fields), expected.tm_yday + 1);
        assert_int_equal(wf_fields_to_time(&back, &fields), APR_SUCCESS);
        assert_int_equal(back, (apr_time_t)day * APR_USEC_PER_SEC);
    }
    assert_int_equal(count, 3652059);
}

static int set_up(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_dates),   cmocka_unit_test(prints),
        cmocka_unit_test(scans),          cmocka_unit_test(parses_zones),
        cmocka_unit_test(finds_mistakes), cmocka_unit_test(knows_every_day),
    };

    return cmocka_run_group_tests_name("datetime", tests, set_up, tear_down);
}
