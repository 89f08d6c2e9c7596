/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that test the mapping language share: tables of expressions in one scope. */
#ifndef WF_UNIT_MAPPING_UTIL_H
#define WF_UNIT_MAPPING_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include "flow/mapping.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* An expression, without its braces, and its value as JSON. */
typedef struct case_t {
    const char *expression;
    const char *json;
} case_t;

/* An expression without its braces, and the reason of its failure. */
typedef struct failure_t {
    const char *expression;
    const char *reason;
} failure_t;

static apr_pool_t *pool;

static wf_template_t *parse(const char *text)
{
    wf_template_t *tmpl = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_template_parse(&tmpl, wf_slice(text), &result, pool) != APR_SUCCESS) {
        fail_msg("%s: %s", text, result.detail);
    }
    return tmpl;
}

static inline wf_template_t *parse_expression(const char *expression)
{
    return parse(apr_pstrcat(pool, "{{", expression, "}}", NULL));
}

/* What a buffer holds, which is freed. */
static inline const char *take(wf_buf_t *buf)
{
    const char *text = apr_pstrmemdup(pool, wf_buf_slice(buf).data, buf->len);

    wf_buf_free(buf);
    return text;
}

/* The value as JSON, by all ways that lead to one: alone, appended, and, as text, among text. */
static inline void check_case(const case_t *row, const wf_scope_t *scope)
{
    wf_template_t *tmpl = parse_expression(row->expression);
    wf_template_t *longer = parse(apr_pstrcat(pool, "<{{", row->expression, "}}>", NULL));
    wf_buf_t json = {0}, text = {0}, among = {0}, appended = {0};
    wf_value_t value;
    wf_result_t result;
    const char *got;

    wf_result_init(&result, pool);
    if (wf_template_value(&value, tmpl, scope, &result, pool) != APR_SUCCESS) {
        fail_msg("%s: %s", row->expression, result.detail);
    }
    wf_value_json(&json, value);
    got = take(&json);
    if (strcmp(got, row->json) != 0) {
        fail_msg("%s gives %s, not %s", row->expression, got, row->json);
    }
    assert_int_equal(wf_template_json(&appended, tmpl, scope, &result), APR_SUCCESS);
    assert_int_equal(wf_json_check(wf_buf_slice(&appended), 512, NULL), APR_SUCCESS);
    wf_buf_free(&appended);
    wf_buf_add_char(&text, '<');
    assert_int_equal(wf_template_text(&text, tmpl, scope, &result), APR_SUCCESS);
    wf_buf_add_char(&text, '>');
    assert_int_equal(wf_template_text(&among, longer, scope, &result), APR_SUCCESS);
    assert_string_equal(take(&text), take(&among));
    assert_int_equal(result.problem, WF_PROBLEM_NONE);
}

#define check_cases(table, scope)                                                                  \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < COUNT(table); i_++) {                                             \
            check_case(&(table)[i_], scope);                                                       \
        }                                                                                          \
    } while (0)

/* A failure at run time: it says why, and appends nothing. */
static inline void check_failure(const failure_t *row, const wf_scope_t *scope)
{
    wf_template_t *tmpl = parse_expression(row->expression);
    wf_buf_t out = {0};
    wf_value_t value;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_template_value(&value, tmpl, scope, &result, pool) != WF_EINVALID) {
        fail_msg("%s has a value", row->expression);
    }
    assert_int_equal(result.problem, WF_PROBLEM_MAPPING);
    assert_string_equal(result.detail,
                        apr_pstrcat(pool, "in {{", row->expression, "}}: ", row->reason, NULL));
    assert_int_equal(wf_template_value(&value, tmpl, scope, NULL, pool), WF_EINVALID);
    assert_int_equal(wf_template_json(&out, tmpl, scope, NULL), WF_EINVALID);
    assert_int_equal(wf_template_text(&out, tmpl, scope, NULL), WF_EINVALID);
    assert_int_equal(out.len, 0);
}

#define check_failures(table, scope)                                                               \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < COUNT(table); i_++) {                                             \
            check_failure(&(table)[i_], scope);                                                    \
        }                                                                                          \
    } while (0)

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

#endif
