/* SPDX-License-Identifier: Apache-2.0 */
/* base/json.h: finding, counting and visiting what is in objects and arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/result.h"

#define DEPTH 32

static wf_slice_t slice(const char *text)
{
    return wf_slice(text);
}

static void assert_slice(wf_slice_t got, const char *text)
{
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.data, text, got.len);
}

static void assert_member(const char *object, const char *name, const char *expected)
{
    wf_slice_t value;

    assert_int_equal(wf_json_check(slice(object), DEPTH, NULL), APR_SUCCESS);
    if (!expected) {
        assert_int_equal(wf_json_member(&value, slice(object), slice(name)), APR_NOTFOUND);
        return;
    }
    assert_int_equal(wf_json_member(&value, slice(object), slice(name)), APR_SUCCESS);
    assert_slice(value, expected);
}

static void finds_members(void **state)
{
    static const char object[] = " { \"a\" : 1 , \"b\":{\"a\":\"]}\\\"\",\"x\":[{}]}\n,\"c\":[ 1 ]"
                                 ",\"\":\"\",\"d\":-1.5e3}";
    wf_slice_t value;

    (void)state;
    assert_member(object, "a", "1");
    assert_member(object, "b", "{\"a\":\"]}\\\"\",\"x\":[{}]}");
    assert_member(object, "c", "[ 1 ]");
    assert_member(object, "", "\"\"");
    assert_member(object, "d", "-1.5e3");
    assert_member(object, "x", NULL);
    assert_member(object, "aa", NULL);
    assert_member("{}", "a", NULL);
    assert_member("[\"a\",1]", "a", NULL);
    assert_member("\"a\"", "a", NULL);
    assert_member("{\"a\":1,\"b\":2,\"a\":3}", "a", "3");
    assert_member("{\"\\u0061\\n\\/\":1}", "a\n/", "1");
    assert_member("{\"\\ud83d\\ude00\":1}", "\xF0\x9F\x98\x80", "1");
    assert_member("{\"\xF0\x9F\x98\x80\":1}", "\xF0\x9F\x98\x80", "1");
    assert_member("{\"\\\\\":1,\"\\\"\":2}", "\\", "1");
    assert_member("{\"\\\\\":1,\"\\\"\":2}", "\"", "2");
    assert_int_equal(
        wf_json_member(&value, slice("{\"a\\u0000b\":7,\"a\":8}"), wf_slice_of("a\0b", 3)),
        APR_SUCCESS);
    assert_slice(value, "7");
}

static void walks_members(void **state)
{
    static const char object[] =
        " { \"a\" : 1 ,\"b\\\"}\":{\"c\":[2,3]},\"a\":\"}\" , \"\":null } ";
    static const char *const members[][2] = {
        {"\"a\"", "1"}, {"\"b\\\"}\"", "{\"c\":[2,3]}"}, {"\"a\"", "\"}\""}, {"\"\"", "null"}};
    wf_slice_t name, value, rest = slice(object);

    (void)state;
    for (apr_size_t i = 0; i < 4; i++) {
        assert_int_equal(wf_json_next_member(&name, &value, &rest), APR_SUCCESS);
        assert_slice(name, members[i][0]);
        assert_slice(value, members[i][1]);
    }
    assert_int_equal(wf_json_next_member(&name, &value, &rest), APR_EOF);
    rest = slice(" { } ");
    assert_int_equal(wf_json_next_member(&name, &value, &rest), APR_EOF);
    rest = slice("[1]");
    assert_int_equal(wf_json_next_member(&name, &value, &rest), APR_EOF);
    rest = slice("\"a\"");
    assert_int_equal(wf_json_next_member(&name, &value, &rest), APR_EOF);
}

static void finds_elements(void **state)
{
    static const char array[] = " [ 1 ,\"a,b]\", [2,3] ,{\"x\":[4]},null]";
    static const char *const elements[] = {"1", "\"a,b]\"", "[2,3]", "{\"x\":[4]}", "null"};
    wf_slice_t value, rest;

    (void)state;
    for (apr_size_t i = 0; i < 5; i++) {
        assert_int_equal(wf_json_element(&value, slice(array), i), APR_SUCCESS);
        assert_slice(value, elements[i]);
    }
    rest = slice(array);
    for (apr_size_t i = 0; i < 5; i++) {
        wf_slice_t same;

        assert_int_equal(wf_json_next(&value, &rest), APR_SUCCESS);
        assert_int_equal(wf_json_element(&same, slice(array), i), APR_SUCCESS);
        assert_true(wf_slice_equal(value, same));
    }
    assert_int_equal(wf_json_next(&value, &rest), APR_EOF);
    rest = slice(" [ ] ");
    assert_int_equal(wf_json_next(&value, &rest), APR_EOF);
    rest = slice("{\"a\":1}");
    assert_int_equal(wf_json_next(&value, &rest), APR_EOF);
    assert_int_equal(wf_json_element(&value, slice(array), 5), APR_NOTFOUND);
    assert_int_equal(wf_json_element(&value, slice(array), APR_SIZE_MAX), APR_NOTFOUND);
    assert_int_equal(wf_json_element(&value, slice("[]"), 0), APR_NOTFOUND);
    assert_int_equal(wf_json_element(&value, slice("{\"0\":1}"), 0), APR_NOTFOUND);
    assert_int_equal(wf_json_element(&value, slice("0"), 0), APR_NOTFOUND);
}

static void assert_found(const char *json, const char *name, const char *expected)
{
    wf_slice_t value;

    assert_int_equal(wf_json_check(slice(json), DEPTH, NULL), APR_SUCCESS);
    assert_int_equal(wf_json_search(&value, slice(json), slice(name)),
                     expected ? APR_SUCCESS : APR_NOTFOUND);
    if (expected) {
        assert_slice(value, expected);
    }
}

/* The first one in the order of the text; what only looks like a name is none. */
static void searches_members(void **state)
{
    static const char nested[] = " [\"c\", {\"a\": {\"b\" : [ 1 ] }, \"b\": 2, \"c:\": \"d\"}, "
                                 "{\"\\u0064\\\"\":\n\"\", \"\": null}]";

    (void)state;
    assert_found(nested, "a", "{\"b\" : [ 1 ] }");
    assert_found(nested, "b", "[ 1 ]");
    assert_found(nested, "c:", "\"d\"");
    assert_found(nested, "d\"", "\"\"");
    assert_found(nested, "", "null");
    assert_found(nested, "c", NULL);
    assert_found(nested, "d", NULL);
    assert_found("{\"a\": 1, \"a\": 2}", "a", "1");
    assert_found("{\"x\": \"\\\"a\\\": 1\", \"a\": 2}", "a", "2");
    assert_found("\"a\"", "a", NULL);
    assert_found("5", "a", NULL);
}

static void counts_elements(void **state)
{
    (void)state;
    assert_int_equal(wf_json_count(slice(" [ 1 ,\"a,b]\", [2,3] ,{\"x\":[4]},null] ")), 5);
    assert_int_equal(wf_json_count(slice("[[]]")), 1);
    assert_int_equal(wf_json_count(slice("[ ]")), 0);
    assert_int_equal(wf_json_count(slice("{\"a\": 1}")), 0);
    assert_int_equal(wf_json_count(slice("7")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_members),   cmocka_unit_test(walks_members),
        cmocka_unit_test(finds_elements),  cmocka_unit_test(searches_members),
        cmocka_unit_test(counts_elements),
    };

    return cmocka_run_group_tests_name("json walk", tests, NULL, NULL);
}
