/* SPDX-License-Identifier: Apache-2.0 */
/* http/audit_line.h: whatever a request says of itself, its line is JSON, one line, and bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "http/audit_line.h"

static wf_audit_entry_t whole_entry(void)
{
    wf_audit_entry_t entry = {
        .time = APR_INT64_C(1764000000123456),
        .vhost = "example.org:443",
        .address = "2001:db8::1",
        .user = "alice",
        .method = "POST",
        .action = "run",
        .project = "569",
        .task = "12",
        .pid = "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a",
        .outcome = "started",
        .status = 202,
        .request_id = "abc",
    };

    return entry;
}

/* The line of an entry, which is checked for what holds of every one. */
static wf_buf_t line_of(const wf_audit_entry_t *entry)
{
    wf_buf_t line = {NULL, 0, 0};

    wf_audit_line(&line, entry);
    assert_true(line.len <= WF_AUDIT_LINE_MOST);
    assert_int_equal(line.data[line.len - 1], '\n');
    assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
    assert_int_equal(wf_json_check(wf_slice_of(line.data, line.len - 1), 2, NULL), APR_SUCCESS);
    return line;
}

static void assert_line(const wf_audit_entry_t *entry, const char *expected)
{
    wf_buf_t line = line_of(entry);

    wf_buf_add_char(&line, '\0');
    assert_string_equal(line.data, expected);
    wf_buf_free(&line);
}

static void members_are_in_order(void **state)
{
    wf_audit_entry_t entry = whole_entry();

    (void)state;
    assert_line(&entry, "{\"time\":\"2025-11-24T16:00:00.123Z\",\"vhost\":\"example.org:443\","
                        "\"address\":\"2001:db8::1\",\"user\":\"alice\",\"method\":\"POST\","
                        "\"action\":\"run\",\"project\":\"569\",\"task\":\"12\","
                        "\"pid\":\"0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a\",\"outcome\":\"started\","
                        "\"status\":202,\"requestId\":\"abc\"}\n");
}

static void what_is_not_known_is_left_out(void **state)
{
    wf_audit_entry_t entry = {.action = "read", .outcome = "unauthorized", .status = 401};

    (void)state;
    assert_line(&entry, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"action\":\"read\","
                        "\"outcome\":\"unauthorized\",\"status\":401}\n");
}

static void bytes_are_escaped(void **state)
{
    wf_audit_entry_t entry = {.user = "a\"b\\c\nd\x01\xff\xc3\xa9\xc3", .status = 401};

    (void)state;
    assert_line(&entry, "{\"time\":\"1970-01-01T00:00:00.000Z\",\"user\":\"a\\\"b\\\\c\\nd\\u0001"
                        "\xEF\xBF\xBD\xc3\xa9\xEF\xBF\xBD\",\"status\":401}\n");
}

/* The longest of texts, of bytes that need the most room; also behind what is there already. */
static void lines_are_bounded(void **state)
{
    static char text[100000];
    wf_audit_entry_t entry = whole_entry();
    static const unsigned char bytes[] = {'x', 0x01, '"', 0xff, 0xc3};
    wf_buf_t two = {NULL, 0, 0};

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        wf_buf_t line;

        memset(text, bytes[i], sizeof(text) - 1);
        entry.vhost = entry.user = entry.method = entry.request_id = entry.address = text;
        line = line_of(&entry);
        assert_true(line.len > WF_AUDIT_LINE_MOST / 4);
        wf_buf_free(&line);
    }
    wf_audit_line(&two, &entry);
    wf_audit_line(&two, &entry);
    assert_memory_equal(two.data, two.data + two.len / 2, two.len / 2);
    wf_buf_free(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_in_order),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(bytes_are_escaped),
        cmocka_unit_test(lines_are_bounded),
    };

    return cmocka_run_group_tests_name("audit_line", tests, NULL, NULL);
}
