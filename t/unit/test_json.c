/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/json.h: the fixtures in json/valid and json/invalid, and what no file can say: depth,
 * escapes byte for byte, the writer. What is found by walking is in test_json_walk.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/json.h"
#include "base/result.h"

#define DEPTH 32

static wf_slice_t slice(const char *text)
{
    return wf_slice(text);
}

/* Whether a buffer holds a text; empties it. */
static void assert_holds(wf_buf_t *buf, const char *text, size_t len)
{
    assert_int_equal(buf->len, len);
    if (len) {
        assert_memory_equal(buf->data, text, len);
    }
    wf_buf_reset(buf);
}

static void assert_slice(wf_slice_t got, const char *text)
{
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.data, text, got.len);
}

/*
 * Reads a file into memory of exactly its size, so that a sanitizer sees a read past it. The
 * caller frees.
 */
static wf_slice_t read_fixture(const char *dir, const char *name)
{
    char path[4096];
    char *data;
    long size;
    FILE *file;

    snprintf(path, sizeof(path), "%s/json/%s/%s", WF_TEST_SRCDIR, dir, name);
    file = fopen(path, "rb");
    if (!file) {
        fail_msg("cannot open %s", path);
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    data = malloc((size_t)size + (size == 0));
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    fclose(file);
    return wf_slice_of(data, (apr_size_t)size);
}

/* How many fixtures a folder holds. Each is given to check, where that is not NULL. */
static int visit_fixtures(const char *folder, void (*check)(const char *name))
{
    char path[4096];
    struct dirent *entry;
    int count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/json/%s", WF_TEST_SRCDIR, folder);
    dir = opendir(path);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".json")) {
            count++;
            if (check) {
                check(entry->d_name);
            }
        }
    }
    closedir(dir);
    return count;
}

static void check_valid(const char *name)
{
    wf_slice_t whole = read_fixture("valid", name);
    wf_slice_t text = wf_json_trim(whole);
    wf_json_error_t error = {0, 0, "none"};

    if (wf_json_check(whole, DEPTH, &error) != APR_SUCCESS) {
        fail_msg("%s: line %lu, column %lu: %s", name, (unsigned long)error.line,
                 (unsigned long)error.column, error.reason);
    }
    /* Every valid text but a number is invalid as soon as its last character is missing. */
    if (wf_json_type(text) != WF_JSON_NUMBER) {
        text.len--;
        assert_int_equal(wf_json_check(text, DEPTH, NULL), WF_EINVALID);
    }
    free((char *)(uintptr_t)whole.data);
}

static void accepts_valid(void **state)
{
    (void)state;
    assert_true(visit_fixtures("valid", check_valid) >= 30);
}

static void rejects_invalid(void **state)
{
    char path[4096];
    char line[512];
    int count = 0;
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/json/invalid/expected.txt", WF_TEST_SRCDIR);
    file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char name[128], expected[256], got[256];
        wf_json_error_t error = {0, 0, "none"};
        wf_slice_t text;

        if (line[0] == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%127s %255[^\n]", name, expected), 2);
        text = read_fixture("invalid", name);
        if (wf_json_check(text, DEPTH, &error) != WF_EINVALID) {
            fail_msg("%s passes", name);
        }
        snprintf(got, sizeof(got), "%lu %lu %s", (unsigned long)error.line,
                 (unsigned long)error.column, error.reason);
        if (strcmp(got, expected) != 0) {
            fail_msg("%s: %s, not %s", name, got, expected);
        }
        assert_int_equal(wf_json_check(text, DEPTH, NULL), WF_EINVALID);
        free((char *)(uintptr_t)text.data);
        count++;
    }
    fclose(file);
    assert_int_equal(visit_fixtures("invalid", NULL), count);
}

/* depth opening brackets (or, in turn, braces) and their closing ones, around a number. */
static void nest(wf_buf_t *out, unsigned depth, int mixed)
{
    for (unsigned i = 0; i < depth; i++) {
        wf_buf_add_text(out, mixed && i % 2 ? "{\"a\":" : "[");
    }
    wf_buf_add_char(out, '0');
    while (depth-- > 0) {
        wf_buf_add_char(out, mixed && depth % 2 ? '}' : ']');
    }
}

static void bounds_depth(void **state)
{
    static const unsigned depths[] = {0, 1, 2, 63, 64, 65, 128, WF_JSON_DEPTH_LIMIT};
    wf_buf_t text = {0};
    wf_json_error_t error;

    (void)state;
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
        for (int mixed = 0; mixed < 2; mixed++) {
            wf_buf_reset(&text);
            nest(&text, depths[i], mixed);
            assert_int_equal(wf_json_check(wf_buf_slice(&text), depths[i], NULL), APR_SUCCESS);
            if (depths[i] > 0) {
                assert_int_equal(wf_json_check(wf_buf_slice(&text), depths[i] - 1, &error),
                                 WF_EINVALID);
                assert_string_equal(error.reason, "arrays and objects are nested too deeply");
            }
        }
    }
    wf_buf_reset(&text);
    nest(&text, WF_JSON_DEPTH_LIMIT + 1, 0);
    assert_int_equal(wf_json_check(wf_buf_slice(&text), 100000, &error), WF_EINVALID);
    assert_int_equal(error.column, WF_JSON_DEPTH_LIMIT + 1);
    assert_int_equal(wf_json_check(slice("[[],{},[[]]]"), 2, NULL), WF_EINVALID);
    assert_int_equal(wf_json_check(slice("[[],{},[{}]]"), 3, NULL), APR_SUCCESS);
    wf_buf_free(&text);
}

/* An empty slice need not point anywhere. */
static void takes_empty_slices(void **state)
{
    wf_slice_t none = {NULL, 0};
    wf_slice_t value;

    (void)state;
    assert_int_equal(wf_json_check(none, DEPTH, NULL), WF_EINVALID);
    assert_int_equal(wf_json_trim(none).len, 0);
    assert_int_equal(wf_json_type(none), WF_JSON_NULL);
    assert_int_equal(wf_json_member(&value, none, slice("a")), APR_NOTFOUND);
    assert_int_equal(wf_json_element(&value, none, 0), APR_NOTFOUND);
    assert_int_equal(wf_json_search(&value, none, slice("a")), APR_NOTFOUND);
    assert_int_equal(wf_json_count(none), 0);
}

static void tells_types(void **state)
{
    (void)state;
    assert_int_equal(wf_json_type(slice("null")), WF_JSON_NULL);
    assert_int_equal(wf_json_type(slice("false")), WF_JSON_FALSE);
    assert_int_equal(wf_json_type(slice("true")), WF_JSON_TRUE);
    assert_int_equal(wf_json_type(slice("-1")), WF_JSON_NUMBER);
    assert_int_equal(wf_json_type(slice("0")), WF_JSON_NUMBER);
    assert_int_equal(wf_json_type(slice("\"\"")), WF_JSON_STRING);
    assert_int_equal(wf_json_type(slice("[]")), WF_JSON_ARRAY);
    assert_int_equal(wf_json_type(slice(" \r\n\t{}")), WF_JSON_OBJECT);
    assert_slice(wf_json_trim(slice(" \r\n\t{} \t\r\n")), "{}");
    assert_slice(wf_json_trim(slice("1")), "1");
}

#define DECODES(json, text)                                                                        \
    do {                                                                                           \
        assert_int_equal(wf_json_check(slice(json), DEPTH, NULL), APR_SUCCESS);                    \
        wf_json_string_decode(&out, slice(json));                                                  \
        assert_holds(&out, text, sizeof(text) - 1);                                                \
    } while (0)

static void decodes_strings(void **state)
{
    wf_buf_t out = {0};

    (void)state;
    DECODES("\"\"", "");
    DECODES(" \"plain\" ", "plain");
    DECODES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    DECODES("\"a\\u0041\\u00e9\\u20AC\\uffffz\"", "aA\xC3\xA9\xE2\x82\xAC\xEF\xBF\xBFz");
    DECODES("\"\\ud83d\\uDE00\"", "\xF0\x9F\x98\x80");
    DECODES("\"\\udbff\\udfff\"", "\xF4\x8F\xBF\xBF");
    DECODES("\"a\\u0000b\"", "a\0b");
    DECODES("\"\\ud800\"", "\xEF\xBF\xBD");
    DECODES("\"\\ud800x\"", "\xEF\xBF\xBDx");
    DECODES("\"\\ud800\\n\"", "\xEF\xBF\xBD\n");
    DECODES("\"\\ud800\\ud83d\\ude00\"", "\xEF\xBF\xBD\xF0\x9F\x98\x80");
    DECODES("\"\\ude00\\ud83d\"", "\xEF\xBF\xBD\xEF\xBF\xBD");
    DECODES("\"\xC3\xA9\x7F\"", "\xC3\xA9\x7F");
    wf_buf_free(&out);
}

#define ENCODES(bytes, json)                                                                       \
    do {                                                                                           \
        wf_json_string_encode(&out, wf_slice_of(bytes, sizeof(bytes) - 1));                        \
        assert_int_equal(wf_json_check(wf_buf_slice(&out), 0, NULL), APR_SUCCESS);                 \
        assert_holds(&out, json, sizeof(json) - 1);                                                \
    } while (0)

static void encodes_strings(void **state)
{
    wf_buf_t out = {0};

    (void)state;
    ENCODES("", "\"\"");
    ENCODES("plain /", "\"plain /\"");
    ENCODES("\"\\\b\f\n\r\t", "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    ENCODES("\0\x01\x1F\x7F", "\"\\u0000\\u0001\\u001f\x7F\"");
    ENCODES("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    /* One U+FFFD for each longest beginning of a character, or else each byte. */
    ENCODES("a\xFFz", "\"a\xEF\xBF\xBDz\"");
    ENCODES("\xE2\x82", "\"\xEF\xBF\xBD\"");
    ENCODES("\xE2\x82z", "\"\xEF\xBF\xBDz\"");
    ENCODES("\xF0\x9F\x98", "\"\xEF\xBF\xBD\"");
    ENCODES("\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    ENCODES("\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    wf_buf_free(&out);
}

static void encodes_and_decodes_every_byte(void **state)
{
    wf_buf_t json = {0};
    wf_buf_t text = {0};

    (void)state;
    for (int byte = 0; byte < 0x80; byte++) {
        char c = (char)byte;

        wf_json_string_encode(&json, wf_slice_of(&c, 1));
        assert_int_equal(wf_json_check(wf_buf_slice(&json), 0, NULL), APR_SUCCESS);
        wf_json_string_decode(&text, wf_buf_slice(&json));
        wf_buf_reset(&json);
        assert_holds(&text, &c, 1);
    }
    wf_buf_free(&json);
    wf_buf_free(&text);
}

static void writes(void **state)
{
    static const char expected[] =
        "{\"a\\\"b\":\"x\",\"raw\":[1, 2],\"none\":null,\"list\":[1,-2,{},[],true],"
        "\"low\":-9223372036854775808,\"no\":false,\"bytes\":\"a\\u0000\"}";
    wf_buf_t out = {0};
    wf_json_writer_t writer;

    (void)state;
    wf_json_writer_init(&writer, &out);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_text(&writer, "a\"b", "x");
    wf_json_put_text(&writer, "absent", NULL);
    wf_json_put_raw(&writer, "raw", slice("[1, 2]"));
    wf_json_put_raw(&writer, "none", slice(""));
    wf_json_open(&writer, "list", '[');
    wf_json_put_int(&writer, NULL, 1);
    wf_json_put_int(&writer, NULL, -2);
    wf_json_open(&writer, NULL, '{');
    wf_json_close(&writer, '}');
    wf_json_open(&writer, NULL, '[');
    wf_json_close(&writer, ']');
    wf_json_put_bool(&writer, NULL, 7);
    wf_json_close(&writer, ']');
    wf_json_put_int(&writer, "low", INT64_MIN);
    wf_json_put_bool(&writer, "no", 0);
    wf_json_put_bytes(&writer, "bytes", wf_slice_of("a\0", 2));
    wf_json_close(&writer, '}');
    assert_int_equal(wf_json_check(wf_buf_slice(&out), DEPTH, NULL), APR_SUCCESS);
    assert_holds(&out, expected, sizeof(expected) - 1);
    wf_buf_free(&out);
}

/* Text that was never checked gives no meaningful answer, but must not be read past. */
static void walks_broken_text_within_bounds(void **state)
{
    static const char text[] = "{\"a\\u12\":[1,{\"b\":\"\\ud83d\\u\"}],\"c\" : \"\\\"\"}";
    wf_buf_t out = {0};

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = malloc(len + (len == 0));
        wf_slice_t cut = wf_slice_of(copy, len);
        wf_slice_t value = {NULL, 0};

        assert_non_null(copy);
        memcpy(copy, text, len);
        if (wf_json_member(&value, cut, slice("c")) == APR_SUCCESS) {
            assert_true(value.data >= copy && value.data + value.len <= copy + len);
        }
        wf_json_string_decode(&out, cut);
        wf_json_element(&value, cut, 3);
        free(copy);
    }
    wf_buf_free(&out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_valid),   cmocka_unit_test(rejects_invalid),
        cmocka_unit_test(bounds_depth),    cmocka_unit_test(takes_empty_slices),
        cmocka_unit_test(tells_types),     cmocka_unit_test(decodes_strings),
        cmocka_unit_test(encodes_strings), cmocka_unit_test(encodes_and_decodes_every_byte),
        cmocka_unit_test(writes),          cmocka_unit_test(walks_broken_text_within_bounds),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
