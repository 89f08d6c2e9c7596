/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow/schema/schema.h against those who mean harm: bodies as deep and as wide as can be, schemas
 * and patterns that multiply, on a thread with a small stack; and one schema in the hands of many
 * threads. What must be refused is told from what must not; no time is measured, for the steps are
 * counted, but a program that hangs is ended (see Makefile.am).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "base/json.h"
#include "base/result.h"
#include "flow/schema/schema.h"
#include "pool_util.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define DEEPEST      512

/* The least that httpd's threads may have; sanitizers' frames are several times as large. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK 4194304
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STACK 4194304
#endif
#endif
#ifndef STACK
#define STACK 262144
#endif

static const char too_much[] = "cannot be checked, for the schema takes too many steps with it";

/* `times` times a text, in the pool. */
static const char *repeat(const char *text, size_t times)
{
    size_t len = strlen(text);
    char *all = apr_palloc(pool, len * times + 1);

    for (size_t i = 0; i < times; i++) {
        memcpy(all + i * len, text, len);
    }
    all[len * times] = '\0';
    return all;
}

static const char *nest(const char *open, const char *inside, const char *close, size_t depth)
{
    return apr_pstrcat(pool, repeat(open, depth), inside, repeat(close, depth), NULL);
}

/* A buffer that is freed with the pool. */
static wf_buf_t *make_buf(void)
{
    wf_buf_t *buf = apr_pcalloc(pool, sizeof(*buf));

    wf_buf_bind(buf, pool);
    return buf;
}

static const wf_schema_t *compile(const char *text)
{
    const wf_schema_t *schema = NULL;
    wf_schema_error_t error;

    if (wf_schema_compile(&schema, wf_slice(text), &error, pool) != APR_SUCCESS) {
        fail_msg("%.200s is refused: \"%s\" %s", text, error.place, error.reason);
    }
    return schema;
}

/* What is wrong with a body; NULL for nothing. */
static const char *check(const char *schema, const char *body)
{
    const wf_schema_t *compiled = compile(schema);
    wf_schema_error_t error;

    assert_int_equal(wf_json_check(wf_slice(body), DEEPEST, NULL), APR_SUCCESS);
    if (wf_schema_check(compiled, wf_slice(body), &error, pool) == APR_SUCCESS) {
        return NULL;
    }
    return error.reason;
}

static void assert_valid(const char *schema, const char *body)
{
    const char *reason = check(schema, body);

    if (reason) {
        fail_msg("%.200s: %s", schema, reason);
    }
}

static void assert_invalid(const char *schema, const char *body, const char *expected)
{
    const char *reason = check(schema, body);

    if (!reason || strcmp(reason, expected) != 0) {
        fail_msg("%.200s: %s", schema, reason ? reason : "is satisfied");
    }
}

/* ---- depth ---- */

static const char *const tree =
    "{\"$defs\":{\"v\":{\"allOf\":[{\"anyOf\":[{\"$ref\":\"#/$defs/o\"},{\"$ref\":\"#/$defs/a\"},"
    "{\"type\":\"integer\"}]}]},\"o\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":"
    "\"#/$defs/v\"}}},\"a\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/v\"}}},"
    "\"$ref\":\"#/$defs/v\"}";

static void check_deep(void)
{
    static const char *const ends[] = {"1", "[]"};
    const char *inner = nest("[", "1", "]", DEEPEST - 1);

    for (size_t i = 0; i < COUNT(ends); i++) {
        assert_valid(tree, nest("[", ends[i], "]", DEEPEST - 1));
        assert_valid(tree, nest("{\"a\":", ends[i], "}", DEEPEST - 1));
    }
    assert_non_null(check(tree, nest("[", "\"x\"", "]", DEEPEST)));
    assert_non_null(check(tree, nest("{\"a\":", "\"x\"", "}", DEEPEST)));
    /* Equality goes to the bottom of both. */
    assert_non_null(
        check("{\"uniqueItems\":true}", apr_pstrcat(pool, "[", inner, ",", inner, "]", NULL)));
    assert_valid("{\"uniqueItems\":true}",
                 apr_pstrcat(pool, "[", inner, ",", nest("[", "2", "]", DEEPEST - 1), "]", NULL));
    inner = nest("{\"a\":", "1", "}", DEEPEST - 1);
    assert_non_null(
        check("{\"uniqueItems\":true}", apr_pstrcat(pool, "[", inner, ",", inner, "]", NULL)));
    /* A schema as deep as can be; and one more. */
    assert_valid(nest("{\"not\":", "{}", "}", WF_SCHEMA_DEPTH - 2), "1");
    assert_valid(nest("{\"allOf\":[", "{}", "]}", WF_SCHEMA_DEPTH / 2 - 1), "1");
}

static void *APR_THREAD_FUNC run_deep(apr_thread_t *thread, void *data)
{
    (void)data;
    check_deep();
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void needs_little_stack(void **state)
{
    apr_threadattr_t *attributes;
    apr_thread_t *thread;
    apr_status_t status, ended;

    (void)state;
    assert_int_equal(apr_threadattr_create(&attributes, pool), APR_SUCCESS);
    assert_int_equal(apr_threadattr_stacksize_set(attributes, STACK), APR_SUCCESS);
    status = apr_thread_create(&thread, attributes, run_deep, NULL, pool);
    assert_int_equal(status, APR_SUCCESS);
    assert_int_equal(apr_thread_join(&ended, thread), APR_SUCCESS);
}

static void refuses_deeper_schemas(void **state)
{
    const wf_schema_t *schema = NULL;
    wf_schema_error_t error;
    const char *text = nest("{\"not\":", "{}", "}", WF_SCHEMA_DEPTH);

    (void)state;
    assert_int_equal(wf_schema_compile(&schema, wf_slice(text), &error, pool), WF_EINVALID);
    assert_string_equal(error.place, "");
    assert_string_equal(error.reason, "is nested deeper than 64 arrays and objects");
    assert_int_equal(wf_schema_compile(&schema, wf_slice(text), NULL, pool), WF_EINVALID);
}

/* A chain of thousands of $ref, each of which leads to the next one. */
static void follows_long_chains(void **state)
{
    wf_buf_t *text = make_buf();

    (void)state;
    wf_buf_add_text(text, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 5000; i++) {
        wf_buf_add_text(text, apr_psprintf(pool, "\"%d\":{\"$ref\":\"#/$defs/%d\"},", i, i + 1));
    }
    wf_buf_add_text(text, "\"5000\":{\"type\":\"null\"}}}");
    wf_buf_add_char(text, '\0');
    assert_valid(text->data, "null");
    assert_invalid(text->data, "1", "must be null, and is a number");
}

/* ---- what multiplies ---- */

static void bounds_steps(void **state)
{
    const char *deep = nest("[", "1", "]", DEEPEST);
    const char *wide = apr_pstrcat(pool, "[", repeat("[],", 20000), "[]]", NULL);
    wf_buf_t *text = make_buf();
    const char *reason;

    (void)state;
    assert_invalid("{\"oneOf\":[{\"items\":{\"$ref\":\"#\"}},{\"items\":{\"$ref\":\"#\"},"
                   "\"minItems\":2},{\"not\":{\"items\":{\"$ref\":\"#\"}}}]}",
                   deep, too_much);
    /* Twice as many at each step, on the same value. */
    wf_buf_add_text(text, "{\"$ref\":\"#/$defs/0\",\"$defs\":{");
    for (int i = 0; i < 40; i++) {
        wf_buf_add_text(text, apr_psprintf(pool,
                                           "\"%d\":{\"allOf\":[{\"$ref\":\"#/$defs/%d\"},"
                                           "{\"$ref\":\"#/$defs/%d\"}]},",
                                           i, i + 1, i + 1));
    }
    wf_buf_add_text(text, "\"40\":{}}}");
    wf_buf_add_char(text, '\0');
    assert_invalid(text->data, "1", too_much);
    /* Elements that are compared again at each depth. */
    assert_valid("{\"uniqueItems\":true,\"items\":{\"$ref\":\"#\"}}",
                 nest("[", "[1,2],[1,3]", "]", DEEPEST - 2));
    assert_invalid("{\"uniqueItems\":true}", wide,
                   "must not have equal elements, and those at 0 and 1 are equal");
    /* Long strings and numbers that are looked at again and again. */
    assert_invalid(
        apr_pstrcat(pool, "{\"allOf\":[", repeat("{\"maxLength\":9999999},", 500), "{}]}", NULL),
        apr_pstrcat(pool, "\"", repeat("x", 1000000), "\"", NULL), too_much);
    assert_invalid(
        apr_pstrcat(pool, "{\"allOf\":[", repeat("{\"minimum\":0.5},", 500), "{}]}", NULL),
        repeat("7", 1000000), too_much);
    reason = check(apr_pstrcat(pool, "{\"enum\":[", repeat("[1],", 5000), "[2]]}", NULL), "[3]");
    assert_non_null(reason);
    assert_true(strlen(reason) < 200);
}

/* Large bodies that nothing is wrong with are not refused for their size. */
static void takes_large_bodies(void **state)
{
    wf_buf_t *body = make_buf();

    (void)state;
    for (int i = 0; i < 100000; i++) {
        wf_buf_add_text(body, i ? "," : "[");
        wf_buf_add_text(body, apr_psprintf(pool, "%d", (i * 7919) % 100003));
    }
    wf_buf_add(body, "]", 2);
    assert_valid("{\"uniqueItems\":true,\"items\":{\"type\":\"integer\"}}", body->data);
    assert_valid("{\"items\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}}",
                 apr_pstrcat(pool, "[", repeat("1,", 500000), "1]", NULL));
    wf_buf_reset(body);
    for (int i = 0; i < 20000; i++) {
        wf_buf_add_text(body, apr_psprintf(pool, "%c\"sku\":\"ABC-%d\",\"price\":19.99,\"qty\":%d}",
                                           '{', i, i + 1));
        wf_buf_add_text(body, i < 19999 ? "," : "]}");
    }
    wf_buf_add_char(body, '\0');
    assert_valid("{\"type\":\"object\",\"required\":[\"orders\"],\"properties\":{\"orders\":{"
                 "\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"sku\"],"
                 "\"properties\":{\"sku\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}-[0-9]+$\"},"
                 "\"price\":{\"multipleOf\":0.01},\"qty\":{\"type\":\"integer\",\"minimum\":1}},"
                 "\"additionalProperties\":false}}}}",
                 apr_pstrcat(pool, "{\"orders\":[", body->data, NULL));
}

/* ---- patterns ---- */

static const char *const words = "takes too many steps to match the pattern ";

static void bounds_patterns(void **state)
{
    const char *many = repeat("a", 100000);
    const struct {
        const char *pattern, *text;
    } table[] = {
        {"^(a+)+$", apr_pstrcat(pool, repeat("a", 40), "!", NULL)},
        {"^(a|a)*$", apr_pstrcat(pool, repeat("a", 1000), "!", NULL)},
        {"a*bc", apr_pstrcat(pool, many, "bdc", NULL)},
        {"(a*)\\1bc", apr_pstrcat(pool, many, "bdc", NULL)},
        {"a{60000}c", apr_pstrcat(pool, repeat("a", 59999), "b", repeat("a", 59999), "c", NULL)},
        {"[^]{0,60000}qz", apr_pstrcat(pool, many, "qyz", NULL)},
        {"(?:a|b)*c", apr_pstrcat(pool, many, "dc", NULL)},
        {"(?!x)a*?bc", apr_pstrcat(pool, many, "bdc", NULL)},
        {"(?:(?:(?:a*)*)*)*b!", apr_pstrcat(pool, many, "bx!", NULL)},
        {"^(([a-z])+.)+[A-Z]([a-z])+$", many},
        {"^(?:.*,){20}x$", apr_pstrcat(pool, repeat("a,", 2000), "xy", NULL)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        wf_buf_t pattern = {0};
        const char *spelled, *body, *expected;

        wf_json_string_encode(&pattern, wf_slice(table[i].pattern));
        spelled = apr_pstrmemdup(pool, pattern.data, pattern.len);
        wf_buf_free(&pattern);
        body = apr_pstrcat(pool, "\"", table[i].text, "\"", NULL);
        expected = apr_pstrcat(pool, words, table[i].pattern, NULL);
        assert_invalid(apr_pstrcat(pool, "{\"pattern\":", spelled, "}", NULL), body, expected);
        /* Whatever the outcome would have been, it is not known. */
        assert_invalid(apr_pstrcat(pool, "{\"not\":{\"pattern\":", spelled, "}}", NULL), body,
                       expected);
        assert_invalid(apr_pstrcat(pool, "{\"anyOf\":[{\"pattern\":", spelled, "},{}]}", NULL),
                       body, expected);
    }
    assert_invalid("{\"patternProperties\":{\"^(a+)+$\":true}}",
                   apr_pstrcat(pool, "{\"", repeat("a", 40), "!\":1}", NULL),
                   "has a name that takes too many steps to match a pattern of it");
}

/* The sum of many matches is bounded too, and what is plain is not refused for its length. */
static void counts_patterns(void **state)
{
    const char *slow = apr_pstrcat(pool, "[", repeat("\"aaaaaaaaaaaaaa!\",", 1000), "\"\"]", NULL);
    const char *reason = check("{\"items\":{\"not\":{\"pattern\":\"^(a+)+$\"}}}", slow);

    (void)state;
    assert_non_null(reason);
    assert_true(strcmp(reason, too_much) == 0 || strncmp(reason, words, strlen(words)) == 0);
    assert_valid("{\"pattern\":\"^[A-Za-z0-9+/]*={0,2}$\"}",
                 apr_pstrcat(pool, "\"", repeat("QUJD", 250000), "\"", NULL));
    assert_valid("{\"pattern\":\"^(?:[A-Za-z0-9+/]{4})*$\"}",
                 apr_pstrcat(pool, "\"", repeat("QUJD", 10000), "\"", NULL));
    assert_valid("{\"pattern\":\"^.{1,65535}$\"}",
                 apr_pstrcat(pool, "\"", repeat("x", 65535), "\"", NULL));
    assert_valid("{\"items\":{\"pattern\":\"^[0-9]+$\"}}",
                 apr_pstrcat(pool, "[", repeat("\"12345\",", 100000), "\"1\"]", NULL));
}

/* Parentheses within each other are bounded where they would take the compiler's stack. */
static void bounds_parentheses(void **state)
{
    const wf_schema_t *schema = NULL;
    wf_schema_error_t error;
    const char *text = apr_pstrcat(pool, "{\"pattern\":\"", nest("(", "a", ")", 200), "\"}", NULL);

    (void)state;
    assert_valid(apr_pstrcat(pool, "{\"pattern\":\"^", nest("(", "a", ")", 40), "$\"}", NULL),
                 "\"a\"");
    assert_int_equal(wf_schema_compile(&schema, wf_slice(text), &error, pool), WF_EINVALID);
    assert_string_equal(error.place, "/pattern");
}

/* ---- threads ---- */

typedef struct worker_t {
    const wf_schema_t *schema;
    int failures;
} worker_t;

static void *APR_THREAD_FUNC check_often(apr_thread_t *thread, void *data)
{
    static const struct {
        const char *body, *place;
    } table[] = {{"{\"a\":\"xyz\",\"n\":[1,2.50,3]}", NULL},
                 {"{\"a\":\"XYZ\"}", "/a"},
                 {"{\"n\":[1,2,1.0]}", "/n"},
                 {"{\"b\":{\"a\":\"\"}}", "/b/a"},
                 {"{\"n\":[0.001]}", "/n/0"}};
    worker_t *worker = data;
    apr_pool_t *own;

    apr_pool_create(&own, NULL);
    for (int i = 0; i < 2000; i++) {
        wf_schema_error_t error = {"", "", ""};
        size_t row = (size_t)i % COUNT(table);
        apr_status_t status =
            wf_schema_check(worker->schema, wf_slice(table[row].body), &error, own);

        if (table[row].place) {
            worker->failures += status != WF_EINVALID || strcmp(error.place, table[row].place) != 0;
        } else {
            worker->failures += status != APR_SUCCESS;
        }
        apr_pool_clear(own);
    }
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void serves_many_threads(void **state)
{
    const wf_schema_t *schema =
        compile("{\"properties\":{\"a\":{\"pattern\":\"^[a-z]+$\"},\"b\":{\"$ref\":\"#\"},"
                "\"n\":{\"uniqueItems\":true,\"items\":{\"multipleOf\":0.01}}},"
                "\"patternProperties\":{\"^[a-z]$\":true},\"additionalProperties\":false}");
    apr_thread_t *threads[4];
    worker_t workers[4];
    apr_status_t ended;

    (void)state;
    for (size_t i = 0; i < COUNT(threads); i++) {
        workers[i] = (worker_t){schema, 0};
        assert_int_equal(apr_thread_create(&threads[i], NULL, check_often, &workers[i], pool),
                         APR_SUCCESS);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(apr_thread_join(&ended, threads[i]), APR_SUCCESS);
        assert_int_equal(workers[i].failures, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(needs_little_stack, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(refuses_deeper_schemas, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(follows_long_chains, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(bounds_steps, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(takes_large_bodies, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(bounds_patterns, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(counts_patterns, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(bounds_parentheses, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(serves_many_threads, make_pool, drop_pool),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("schema_limits", tests, NULL, NULL);
}
