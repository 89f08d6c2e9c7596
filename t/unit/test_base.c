/* SPDX-License-Identifier: Apache-2.0 */
/* The base layer: buffers, fields, pids, times, results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_thread_proc.h>
#include "base/clock.h"
#include "base/codec.h"
#include "base/monitor.h"
#include "base/printable.h"
#include "base/result.h"
#include "base/uuid.h"

static void a_buffer_grows_and_gives_up_its_front(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};

    (void)state;
    for (int i = 0; i < 1000; i++) {
        wf_buf_add_text(&buf, "0123456789");
    }
    assert_int_equal(buf.len, 10000);
    wf_buf_consume(&buf, 9995);
    assert_true(wf_slice_is(wf_buf_slice(&buf), "56789"));
    wf_buf_consume(&buf, 5);
    assert_int_equal(wf_buf_slice(&buf).len, 0);
    wf_buf_add_char(&buf, 'x');
    assert_true(wf_slice_is(wf_buf_slice(&buf), "x"));
    wf_buf_free(&buf);
    assert_int_equal(buf.room, 0);
}

static void fields_come_back_and_unknown_ones_can_be_passed_over(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_slice_t rest, value;
    apr_size_t mark;
    apr_uint64_t number;
    unsigned char tag;

    (void)state;
    wf_field_add_text(&buf, 1, "text");
    wf_field_add_text(&buf, 2, NULL);
    wf_field_add_u64(&buf, 3, 0);
    wf_field_add_u64(&buf, 4, APR_UINT64_C(0x0102030405060708));
    mark = wf_field_open(&buf, 200);
    wf_field_add(&buf, 1, wf_slice_of("a\0b", 3));
    wf_field_close(&buf, mark);
    rest = wf_buf_slice(&buf);
    assert_int_equal(wf_field_next(&tag, &value, &rest), APR_SUCCESS);
    assert_int_equal(tag, 1);
    assert_true(wf_slice_is(value, "text"));
    assert_int_equal(wf_field_next(&tag, &value, &rest), APR_SUCCESS);
    assert_int_equal(tag, 4);
    assert_int_equal(wf_field_u64(&number, value), APR_SUCCESS);
    assert_true(number == APR_UINT64_C(0x0102030405060708));
    assert_memory_equal(value.data, "\1\2\3\4\5\6\7\10", 8);
    assert_int_equal(wf_field_next(&tag, &value, &rest), APR_SUCCESS);
    assert_int_equal(tag, 200);
    assert_int_equal(wf_field_u64(&number, value), APR_SUCCESS); /* 8 bytes: a field of 3 */
    assert_int_equal(wf_field_next(&tag, &value, &rest), APR_EOF);
    wf_buf_free(&buf);
}

static void cut_fields_are_refused_at_every_length(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_slice_t rest, value;
    unsigned char tag;

    (void)state;
    wf_field_add_text(&buf, 1, "text");
    for (apr_size_t len = 1; len < buf.len; len++) {
        rest = wf_slice_of(buf.data, len);
        assert_int_equal(wf_field_next(&tag, &value, &rest), WF_EPROTOCOL);
    }
    wf_put_u32((unsigned char *)buf.data + 1, 0xffffffffu);
    rest = wf_buf_slice(&buf);
    assert_int_equal(wf_field_next(&tag, &value, &rest), WF_EPROTOCOL);
    wf_buf_free(&buf);
}

static void pids_are_version_7_sorted_and_read_back(void **state)
{
    wf_uuid_t last, next, read;
    char text[WF_UUID_TEXT_LEN + 1];

    (void)state;
    memset(&last, 0, sizeof(last));
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(wf_uuid_make(&next), APR_SUCCESS);
        assert_true(memcmp(&last, &next, sizeof(next)) < 0);
        last = next;
    }
    wf_uuid_format(text, &last);
    assert_int_equal(text[14], '7');
    assert_non_null(strchr("89ab", text[19]));
    assert_int_equal(wf_uuid_parse(&read, wf_slice(text)), APR_SUCCESS);
    assert_memory_equal(&read, &last, sizeof(read));
    for (char *c = text; *c; c++) {
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 32 : *c);
    }
    assert_int_equal(wf_uuid_parse(&read, wf_slice(text)), APR_SUCCESS);
    assert_memory_equal(&read, &last, sizeof(read));
}

static void a_pid_carries_the_time(void **state)
{
    apr_time_t before = apr_time_as_msec(apr_time_now()), stamp = 0;
    wf_uuid_t uuid;

    (void)state;
    assert_int_equal(wf_uuid_make(&uuid), APR_SUCCESS);
    for (int i = 0; i < 6; i++) {
        stamp = stamp << 8 | uuid.bytes[i];
    }
    /* The 20,000 before may have run ahead of the clock by some milliseconds. */
    assert_in_range(stamp, before, before + 60000);
}

/* Two processes that take turns: only the clock can put their pids in order. */
static void pids_of_different_processes_sort_by_time(void **state)
{
    int to[2], from[2];
    wf_uuid_t last, next;
    pid_t child;
    char turn = 0;

    (void)state;
    assert_int_equal(pipe(to) | pipe(from), 0);
    /* The pids that this process has made may be ahead of the clock. */
    assert_int_equal(wf_uuid_make(&last), APR_SUCCESS);
    while (apr_time_now() <= wf_uuid_time(&last) + 1000) {
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(to[1]);
        while (read(to[0], &turn, 1) == 1 && wf_uuid_make(&next) == APR_SUCCESS &&
               write(from[1], &next, sizeof(next)) == (ssize_t)sizeof(next)) {
        }
        _exit(0);
    }
    close(to[0]);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(write(to[1], &turn, 1), 1);
        assert_int_equal(read(from[0], &next, sizeof(next)), sizeof(next));
        assert_true(memcmp(&last, &next, sizeof(next)) < 0);
        assert_int_equal(wf_uuid_make(&last), APR_SUCCESS);
        assert_true(memcmp(&next, &last, sizeof(next)) < 0);
    }
    close(to[1]);
    close(from[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void what_is_no_pid_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3",
                                      "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3aa",
                                      "0197b2f04e0c-7c3a-9a51-0f8e5d1c2b3a-",
                                      "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3g",
                                      "{197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3}",
                                      "0197b2f0/4e0c/7c3a/9a51/0f8e5d1c2b3a"};
    wf_uuid_t uuid;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(wf_uuid_parse(&uuid, wf_slice(bad[i])), APR_EINVAL);
    }
}

static void times_are_rfc_3339(void **state)
{
    char text[WF_TIME_TEXT_LEN + 1];

    (void)state;
    wf_time_format(text, apr_time_from_sec(1709210096) + 7999);
    assert_string_equal(text, "2024-02-29T12:34:56.007Z");
    wf_time_format(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
}

static void seconds_have_no_zeros_at_the_end(void **state)
{
    static const struct {
        apr_uint64_t time;
        const char *text;
    } cases[] = {
        {0, "0"},         {1, "0.000001"},
        {25000, "0.025"}, {1000000, "1"},
        {60000000, "60"}, {100000000, "100"},
        {1500000, "1.5"}, {APR_UINT64_MAX, "18446744073709.551615"},
    };
    char text[WF_SECONDS_TEXT_LEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wf_seconds_format(text, cases[i].time);
        assert_string_equal(text, cases[i].text);
    }
}

static void poll_times_round_up_and_never_wait_for_ever(void **state)
{
    (void)state;
    assert_int_equal(wf_clock_poll_ms(wf_clock() - 1), 0);
    assert_in_range(wf_clock_poll_ms(wf_clock() + 1500), 1, 2);
    assert_int_equal(wf_clock_poll_ms(APR_INT64_MAX), INT_MAX);
}

static void the_first_cause_stays(void **state)
{
    wf_result_t result;
    char text[100];

    wf_result_init(&result, *state);
    assert_int_equal(wf_result_set(&result, WF_EINVALID, WF_PROBLEM_INVALID_JSON, "line %d", 3),
                     WF_EINVALID);
    assert_int_equal(wf_result_set(&result, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_RUN, "later"),
                     APR_NOTFOUND);
    assert_int_equal(result.status, WF_EINVALID);
    assert_int_equal(result.problem, WF_PROBLEM_INVALID_JSON);
    assert_string_equal(result.detail, "line 3");
    assert_int_equal(wf_result_set(NULL, WF_EFULL, WF_PROBLEM_QUEUE_FULL, "-"), WF_EFULL);
    assert_non_null(strstr(wf_strerror(WF_ESTALE, text, sizeof(text)), "not in force"));
}

static void slugs_are_unique(void **state)
{
    (void)state;
    for (int i = 0; i < WF_PROBLEM_COUNT; i++) {
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(wf_problem_info((wf_problem_e)i)->slug,
                                    wf_problem_info((wf_problem_e)k)->slug);
        }
    }
    assert_ptr_equal(wf_problem_info((wf_problem_e)1000), wf_problem_info(WF_PROBLEM_INTERNAL));
}

static int announced; /* inside the monitor */

static void *APR_THREAD_FUNC announce(apr_thread_t *thread, void *monitor)
{
    (void)thread;
    wf_monitor_enter(monitor);
    announced = 1;
    wf_monitor_announce(monitor);
    wf_monitor_leave(monitor);
    return NULL;
}

/* The wall's clock has no part in it: t/fault/clock.t steps that. */
static void a_monitor_waits_until_the_time_or_an_announcement(void **state)
{
    wf_monitor_t *monitor;
    apr_time_t deadline;
    apr_thread_t *thread;
    apr_status_t rv;

    assert_int_equal(wf_monitor_create(&monitor, *state), APR_SUCCESS);
    wf_monitor_enter(monitor);
    deadline = wf_clock() + apr_time_from_msec(20);
    while (wf_clock() < deadline) {
        wf_monitor_wait(monitor, deadline);
    }
    wf_monitor_wait(monitor, deadline); /* over already: returns at once */
    announced = 0;
    assert_int_equal(apr_thread_create(&thread, NULL, announce, monitor, *state), APR_SUCCESS);
    while (!announced) {
        wf_monitor_wait(monitor, 0);
    }
    wf_monitor_leave(monitor);
    assert_int_equal(apr_thread_join(&rv, thread), APR_SUCCESS);
}

static int open_pool(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) == APR_SUCCESS ? 0 : -1;
}

static void text_of_strangers_becomes_one_printable_line(void **state)
{
    apr_pool_t *pool;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_string_equal(wf_printable(wf_slice(""), 3, pool), "");
    assert_string_equal(wf_printable(wf_slice("abc"), 3, pool), "abc");
    assert_string_equal(wf_printable(wf_slice("abcd"), 3, pool), "abc...");
    assert_string_equal(wf_printable(wf_slice("a\r\nb\x1b[0m\x7f"), 20, pool), "a??b?[0m?");
    assert_string_equal(wf_printable(wf_slice_of("a\0b", 3), 20, pool), "a?b");
    assert_string_equal(wf_printable(wf_slice("\xe2\x82\xac\xc2\x85\xff\xe2\x82"), 20, pool),
                        "\xe2\x82\xac???");
    assert_string_equal(wf_printable(wf_slice("\xe2\x82\xac\xe2\x82\xac"), 1, pool),
                        "\xe2\x82\xac...");
    apr_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_and_gives_up_its_front),
        cmocka_unit_test(fields_come_back_and_unknown_ones_can_be_passed_over),
        cmocka_unit_test(cut_fields_are_refused_at_every_length),
        cmocka_unit_test(pids_are_version_7_sorted_and_read_back),
        cmocka_unit_test(a_pid_carries_the_time),
        cmocka_unit_test(pids_of_different_processes_sort_by_time),
        cmocka_unit_test(what_is_no_pid_is_refused),
        cmocka_unit_test(times_are_rfc_3339),
        cmocka_unit_test(seconds_have_no_zeros_at_the_end),
        cmocka_unit_test(poll_times_round_up_and_never_wait_for_ever),
        cmocka_unit_test(the_first_cause_stays),
        cmocka_unit_test(slugs_are_unique),
        cmocka_unit_test(text_of_strangers_becomes_one_printable_line),
        cmocka_unit_test(a_monitor_waits_until_the_time_or_an_announcement),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("base", tests, open_pool, NULL);
}
