/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/json_outline.h: beside tables, every value of texts by chance against what the walk of
 * base/json.h finds; names in order and names that come twice; places; large texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include "base/json_outline.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void assert_same(wf_slice_t got, wf_slice_t expected)
{
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.data, expected.data, expected.len);
}

static void assert_is(wf_slice_t got, const char *expected)
{
    assert_same(got, wf_slice(expected));
}

/* Everything that a value holds, by the outline and by the walk. */
static void check_value(const wf_outline_t *outline, const wf_spot_t *spot, wf_slice_t text)
{
    const wf_spot_t *child = NULL;
    wf_slice_t other, rest = text;
    apr_uint32_t count = 0;

    assert_same(wf_outline_text(outline, spot), text);
    assert_int_equal(spot->type, wf_json_type(text));
    while ((child = wf_outline_next(outline, spot, child)) != NULL) {
        assert_ptr_equal(wf_outline_spot(outline, child->parent), spot);
        if (spot->type == WF_JSON_OBJECT) {
            wf_slice_t name = wf_outline_name(outline, child);
            wf_buf_t decoded = {0};

            wf_json_string_decode(&decoded, name);
            assert_int_equal(wf_json_member(&other, text, wf_buf_slice(&decoded)), APR_SUCCESS);
            assert_ptr_equal(wf_outline_member(outline, spot, name), child);
            wf_buf_free(&decoded);
        } else {
            assert_int_equal(wf_json_next(&other, &rest), APR_SUCCESS);
            assert_ptr_equal(wf_outline_element(outline, spot, count), child);
        }
        assert_ptr_equal(wf_outline_text(outline, child).data, other.data);
        check_value(outline, child, other);
        count++;
    }
    assert_int_equal(count, spot->count);
    assert_null(wf_outline_element(outline, spot, count));
}

static void check_text(wf_slice_t text)
{
    wf_outline_t outline;

    assert_int_equal(wf_outline_make(&outline, text), APR_SUCCESS);
    check_value(&outline, wf_outline_spot(&outline, 0), wf_json_trim(text));
    wf_outline_free(&outline);
}

static void agrees_with_the_walk(void **state)
{
    static const char *const texts[] = {
        "null",
        " [ ] ",
        "{}",
        "-1.5e3",
        "\"a\\\"b\"",
        "[1,[2,[3,{\"a\":[]}],{}],\"]\"]",
        "{\"b\":1,\"a\":{\"x\":[true,false]},\"c\":null}",
        "{\"a\":1,\"b\":2,\"a\":{\"c\":1,\"c\":[2]},\"\\u0061\":[3],\"\":0}",
        "\n{ \"a\" : [ 1 , 2 ] , \"b\\u0000\" : { \"c\" : \"}\" } }\t",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(wf_json_check(wf_slice(texts[i]), 32, NULL), APR_SUCCESS);
        check_text(wf_slice(texts[i]));
    }
}

/* Texts by chance, of all that JSON has, with names that come twice. */
static void add_by_chance(wf_buf_t *out, unsigned *seed, int depth)
{
    static const char *const scalars[] = {"null", "true",   "-0.5e7",       "\"\"",
                                          "12",   "\"{,\"", "\"\\\\\\\"\"", "\"\\ud83d\\ude00\""};
    static const char *const names[] = {
        "\"a\":", "\"b\" : ", "\"\\u0061\":", "\"\":", "\"a\\\"\":"};
    int kind = rand_r(seed) % (depth > 0 ? 4 : 1);
    int count = rand_r(seed) % 5;

    if (kind < 2) {
        wf_buf_add_text(out, scalars[(size_t)rand_r(seed) % COUNT(scalars)]);
        return;
    }
    wf_buf_add_char(out, kind == 2 ? '[' : '{');
    for (int i = 0; i < count; i++) {
        wf_buf_add_text(out, i ? " , " : "\n");
        wf_buf_add_text(out, kind == 2 ? "" : names[(size_t)rand_r(seed) % COUNT(names)]);
        add_by_chance(out, seed, depth - 1);
    }
    wf_buf_add_char(out, kind == 2 ? ']' : '}');
}

static void agrees_by_chance(void **state)
{
    unsigned seed = 1;
    wf_buf_t text = {0};

    (void)state;
    for (int i = 0; i < 5000; i++) {
        wf_buf_reset(&text);
        add_by_chance(&text, &seed, 6);
        assert_int_equal(wf_json_check(wf_buf_slice(&text), 32, NULL), APR_SUCCESS);
        check_text(wf_buf_slice(&text));
    }
    wf_buf_free(&text);
}

static void drops_the_former(void **state)
{
    wf_outline_t outline;
    const wf_spot_t *object, *first;

    (void)state;
    wf_outline_make(&outline, wf_slice("{\"b\":1,\"a\":2,\"\\u0062\":3,\"b\":4,\"a\\u0000\":5}"));
    object = wf_outline_spot(&outline, 0);
    assert_int_equal(object->count, 3);
    first = wf_outline_next(&outline, object, NULL);
    assert_is(wf_outline_text(&outline, first), "2");
    assert_is(wf_outline_text(&outline, wf_outline_nth(&outline, object, 0)), "2");
    assert_is(wf_outline_text(&outline, wf_outline_nth(&outline, object, 1)), "5");
    assert_is(wf_outline_text(&outline, wf_outline_nth(&outline, object, 2)), "4");
    assert_int_equal(wf_outline_find(&outline, object, wf_slice("\"c\"")), WF_SPOT_NONE);
    assert_null(wf_outline_member(&outline, first, wf_slice("\"b\"")));
    wf_outline_free(&outline);
}

static void tells_places(void **state)
{
    static const char text[] = "{\"a/b\":[0,{\"m~n\":[[],7]}],\"\":{\"\\u0022\":8}}";
    static const char *const table[][2] = {
        {"7", "/a~1b/1/m~0n/1"}, {"8", "//\""}, {"[]", "/a~1b/1/m~0n/0"}};
    wf_outline_t outline;
    wf_buf_t place = {0};

    (void)state;
    wf_outline_make(&outline, wf_slice(text));
    wf_outline_pointer(&place, &outline, wf_outline_spot(&outline, 0));
    assert_int_equal(place.len, 0);
    for (size_t i = 0; i < COUNT(table); i++) {
        int found = 0;

        for (apr_uint32_t at = 0; at < wf_outline_count(&outline); at++) {
            const wf_spot_t *spot = wf_outline_spot(&outline, at);

            if (wf_slice_is(wf_outline_text(&outline, spot), table[i][0])) {
                wf_outline_pointer(&place, &outline, spot);
                assert_is(wf_buf_slice(&place), table[i][1]);
                wf_buf_reset(&place);
                found++;
            }
        }
        assert_int_equal(found, 1);
    }
    wf_buf_free(&place);
    wf_outline_free(&outline);
}

static void compares_strings(void **state)
{
    /* In their order; each comes before the next. */
    static const char *const table[] = {
        "\"\"",        "\"\\u0000\"", "\"\\u0000a\"",      "\"\\n\"",
        "\"A\"",       "\"a\"",       "\"a\\u0000\"",      "\"aa\"",
        "\"\\u00e4\"", "\"\\ud800\"", "\"\\ud83d\\ude00\""};
    static const char *const same[][2] = {{"\"\\u0061\"", "\"a\""},
                                          {"\"\\/\"", "\"/\""},
                                          {"\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""},
                                          {"\"\\udc00\"", "\"\\ufffd\""},
                                          {"\"\\u00E4\"", "\"\xC3\xA4\""}};

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        for (size_t j = 0; j < COUNT(table); j++) {
            int order = wf_json_string_compare(wf_slice(table[i]), wf_slice(table[j]));

            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    for (size_t i = 0; i < COUNT(same); i++) {
        assert_int_equal(wf_json_string_compare(wf_slice(same[i][0]), wf_slice(same[i][1])), 0);
    }
}

/* Members by the ten thousand, in the worst of orders, and arrays as deep as can be. */
static void takes_large_texts(void **state)
{
    wf_buf_t text = {0};
    wf_outline_t outline;
    char name[32];

    (void)state;
    for (int i = 50000; i > 0; i--) {
        snprintf(name, sizeof(name), "%c\"n%05d\":%d", i == 50000 ? '{' : ',', i % 40000, i);
        wf_buf_add_text(&text, name);
    }
    wf_buf_add_char(&text, '}');
    assert_int_equal(wf_outline_make(&outline, wf_buf_slice(&text)), APR_SUCCESS);
    assert_int_equal(wf_outline_spot(&outline, 0)->count, 40000);
    for (apr_uint32_t i = 0; i < 40000; i++) {
        const wf_spot_t *member = wf_outline_nth(&outline, wf_outline_spot(&outline, 0), i);

        snprintf(name, sizeof(name), "%u", i ? i : 40000);
        assert_is(wf_outline_text(&outline, member), name);
    }
    wf_outline_free(&outline);
    wf_buf_reset(&text);
    for (int i = 0; i < 2 * WF_JSON_DEPTH_LIMIT; i++) {
        wf_buf_add_char(&text, i < WF_JSON_DEPTH_LIMIT ? '[' : ']');
    }
    assert_int_equal(wf_outline_make(&outline, wf_buf_slice(&text)), APR_SUCCESS);
    assert_int_equal(wf_outline_count(&outline), WF_JSON_DEPTH_LIMIT);
    assert_int_equal(wf_outline_spot(&outline, 0)->end, 2 * WF_JSON_DEPTH_LIMIT);
    wf_outline_free(&outline);
    wf_buf_free(&text);
}

/* What has never been checked is gone through without a byte outside it; a sanitizer sees that. */
static void stays_inside(void **state)
{
    static const char whole[] = "{\"a\":[1,\"\\u12\",{\"b\":tr}],,]}\"c\\";

    (void)state;
    for (size_t len = 0; len < sizeof(whole); len++) {
        char *part = malloc(len + (len == 0));
        wf_outline_t outline;

        assert_non_null(part);
        memcpy(part, whole, len);
        assert_int_equal(wf_outline_make(&outline, wf_slice_of(part, len)), APR_SUCCESS);
        for (apr_uint32_t i = 0; i < wf_outline_count(&outline); i++) {
            assert_true(wf_outline_spot(&outline, i)->end <= len);
        }
        wf_outline_free(&outline);
        free(part);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_walk), cmocka_unit_test(agrees_by_chance),
        cmocka_unit_test(drops_the_former),     cmocka_unit_test(tells_places),
        cmocka_unit_test(compares_strings),     cmocka_unit_test(takes_large_texts),
        cmocka_unit_test(stays_inside),
    };

    return cmocka_run_group_tests_name("json_outline", tests, NULL, NULL);
}
