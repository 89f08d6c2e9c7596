/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2's own limits count backtracking within one start of a match, and not what a repeat scans:
 * a pattern as plain as "a*b" takes time quadratic in a long text within them. So it calls us
 * before each item of the pattern (PCRE2_AUTO_CALLOUT), and we count: the call, and how far it has
 * come since the last one. What an item may scan without getting anywhere is bounded by the
 * numbers in the pattern's braces, and by the text where there are back references; each call is
 * charged with that.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "flow/schema/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <apr_strings.h>
#include "base/result.h"
#include "flow/schema/ecma.h"

/* Steps of one match; about 10 ms. */
#define STEPS_MOST 200000

/* Bytes that are scanned at the cost of one step. */
#define SCANNED 16

/* Parentheses within each other. PCRE2's compiler takes some hundred bytes of stack for each. */
#define NESTED_MOST 50

/* What PCRE2 may take to remember ways not yet tried, in KB. */
#define HEAP_MOST 8192

struct wf_schema_pattern_t {
    wf_slice_t text;
    pcre2_code *code;
    apr_int64_t weight; /* steps that each item is charged with */
    int looks_back;     /* has back references */
};

/* ---- compiling ---- */

static apr_status_t free_code(void *data)
{
    pcre2_code_free(data);
    return APR_SUCCESS;
}

static pcre2_compile_context *make_context(void)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);

    if (!context) {
        abort();
    }
    pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_parens_nest_limit(context, NESTED_MOST);
    return context;
}

/* Compiles what is PCRE2's spelling already. NULL with *reason. */
static pcre2_code *compile(wf_slice_t text, const char **reason, apr_pool_t *pool)
{
    const uint32_t options = PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_AUTO_CALLOUT;
    pcre2_compile_context *context = make_context();
    PCRE2_UCHAR message[256] = "";
    PCRE2_SIZE offset;
    int error;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text.data, text.len, options, &error, &offset, context);

    pcre2_compile_context_free(context);
    if (!code) {
        pcre2_get_error_message(error, message, sizeof(message));
        *reason = apr_pstrcat(pool, "cannot be used as a regular expression: ", message, NULL);
    }
    return code;
}

apr_status_t wf_schema_pattern_compile(const wf_schema_pattern_t **pattern, wf_slice_t text,
                                       const char **reason, apr_pool_t *pool)
{
    wf_schema_pattern_t *made = apr_pcalloc(pool, sizeof(*made));
    wf_buf_t spelled = {0};
    apr_uint32_t repeat = 0, back = 0;
    apr_status_t status = wf_ecma_rewrite(&spelled, &repeat, text, reason, pool);

    if (status == APR_SUCCESS) {
        wf_buf_add_char(&spelled, '\0'); /* so that there are bytes to point to */
        made->code = compile(wf_slice_of(spelled.data, spelled.len - 1), reason, pool);
        status = made->code ? APR_SUCCESS : WF_EINVALID;
    }
    wf_buf_free(&spelled);
    if (status == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, made->code, free_code, apr_pool_cleanup_null);
        pcre2_pattern_info(made->code, PCRE2_INFO_BACKREFMAX, &back);
        made->text = wf_slice_dup(text, pool);
        made->weight = 1 + repeat / SCANNED;
        made->looks_back = back > 0;
        *pattern = made;
    }
    return status;
}

wf_slice_t wf_schema_pattern_text(const wf_schema_pattern_t *pattern)
{
    return pattern->text;
}

/* ---- matching ---- */

typedef struct count_t {
    apr_int64_t left;
    apr_int64_t weight;
    apr_size_t position; /* in the text, at the last call */
} count_t;

static int count_item(pcre2_callout_block *block, void *data)
{
    count_t *count = data;
    apr_size_t position = block->current_position;
    apr_size_t moved =
        position > count->position ? position - count->position : count->position - position;

    count->position = position;
    count->left -= count->weight + (apr_int64_t)(moved / SCANNED);
    return count->left < 0 ? PCRE2_ERROR_MATCHLIMIT : 0;
}

static void prepare(wf_schema_matcher_t *matcher)
{
    if (!matcher->data) {
        matcher->data = pcre2_match_data_create(1, NULL);
        matcher->context = pcre2_match_context_create(NULL);
        if (!matcher->data || !matcher->context) {
            abort();
        }
        pcre2_set_heap_limit(matcher->context, HEAP_MOST);
    }
}

wf_schema_match_e wf_schema_pattern_match(wf_schema_matcher_t *matcher,
                                          const wf_schema_pattern_t *pattern, wf_slice_t text,
                                          apr_int64_t *steps)
{
    apr_int64_t scan = (apr_int64_t)(text.len / SCANNED);
    apr_int64_t most = *steps < STEPS_MOST ? *steps : STEPS_MOST;
    count_t count = {most, pattern->weight, 0};
    int status;

    prepare(matcher);
    *steps -= scan; /* for where a match may begin */
    count.weight += pattern->looks_back ? scan : 0;
    pcre2_set_callout(matcher->context, count_item, &count);
    status = pcre2_match(pattern->code, (PCRE2_SPTR)(text.len ? text.data : ""), text.len, 0,
                         PCRE2_NO_UTF_CHECK, matcher->data, matcher->context);
    *steps -= most - count.left;
    if (status >= 0) {
        return WF_SCHEMA_MATCHES;
    }
    return status == PCRE2_ERROR_NOMATCH ? WF_SCHEMA_DIFFERS : WF_SCHEMA_GIVEN_UP;
}

void wf_schema_matcher_free(wf_schema_matcher_t *matcher)
{
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    *matcher = (wf_schema_matcher_t){0};
}
