/* SPDX-License-Identifier: Apache-2.0 */
/* From a template's text to its parts: text, and expressions in braces. And what errors say. */
#include "flow/mapping_parser.h"

#include <stdarg.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "base/utf8.h"

/* The expression at hand: up to its "}}", or to the end where it is not closed. */
static wf_slice_t source_of(const wf_parser_t *parser)
{
    wf_lexer_t lexer = {.at = parser->open + 2, .end = parser->text.data + parser->text.len};

    do {
        wf_lexer_next(&lexer);
    } while (lexer.kind != WF_TOKEN_END && lexer.kind != WF_TOKEN_NOTHING);
    return wf_slice_of(parser->open, (apr_size_t)(lexer.at - parser->open));
}

void *wf_parser_fail(wf_parser_t *parser, const char *at, const char *format, ...)
{
    wf_slice_t before = wf_slice_of(parser->text.data, (apr_size_t)(at - parser->text.data));
    const char *shown = "";
    const char *reason;
    va_list list;

    va_start(list, format);
    reason = apr_pvsprintf(parser->pool, format, list);
    va_end(list);
    if (parser->open) {
        shown = apr_pstrcat(parser->pool, ", in ",
                            wf_show_expression(source_of(parser), parser->pool), NULL);
    }
    wf_result_set(parser->result, WF_EINVALID, WF_PROBLEM_INVALID_PROJECT, "column %lu%s: %s",
                  (unsigned long)wf_utf8_count(before) + 1, shown, reason);
    return NULL;
}

void *wf_parser_fail_at_token(wf_parser_t *parser, const char *expected)
{
    const wf_lexer_t *lexer = &parser->lexer;
    const char *at = lexer->token.data;

    switch (lexer->kind) {
    case WF_TOKEN_NOTHING:
        return wf_parser_fail(parser, parser->open, "this {{ is not closed by }}");
    case WF_TOKEN_UNCLOSED:
        return wf_parser_fail(parser, at, "this quote is not closed");
    case WF_TOKEN_END:
        return wf_parser_fail(parser, at, "%s is expected before }}", expected);
    default:
        return wf_parser_fail(parser, at, "%s is expected, not %s", expected,
                              apr_pstrmemdup(parser->pool, at, lexer->token.len));
    }
}

/* The expression that parser->open begins; *at moves behind its "}}". Whether all is well. */
static int parse_braces(wf_part_t *part, wf_parser_t *parser, const char **at)
{
    parser->lexer.at = parser->open + 2;
    parser->lexer.end = parser->text.data + parser->text.len;
    wf_lexer_next(&parser->lexer);
    parser->nesting = 0;
    part->node = wf_parser_expression(parser);
    *at = parser->lexer.at;
    part->source = wf_slice_of(parser->open, (apr_size_t)(*at - parser->open));
    return part->node != NULL;
}

/* Where the next pair of equal braces stands; end where none does. */
static const char *find_braces(const char *at, const char *end)
{
    while (end - at > 1 && !(at[0] == at[1] && (at[0] == '{' || at[0] == '}'))) {
        at++;
    }
    return end - at > 1 ? at : end;
}

/* The text or the expression at *at; *at moves behind it. Whether all is well. */
static int parse_part(wf_part_t *part, wf_parser_t *parser, const char **at)
{
    const char *end = parser->text.data + parser->text.len;
    const char *start = *at;
    const char *braces = find_braces(start, end);

    parser->open = NULL;
    if (braces < end && *braces == '}') {
        wf_parser_fail(parser, braces, "this }} closes nothing; as text it is written {{\"}}\"}}");
        return 0;
    }
    if (braces == start) {
        parser->open = braces;
        return parse_braces(part, parser, at);
    }
    *at = braces;
    part->source = wf_slice(NULL);
    part->node =
        wf_parser_constant(parser, WF_VALUE_TEXT, wf_slice_of(start, (apr_size_t)(braces - start)));
    return 1;
}

apr_status_t wf_template_parse(wf_template_t **tmpl, wf_slice_t text, wf_result_t *result,
                               apr_pool_t *pool)
{
    wf_parser_t parser = {.text = wf_slice_dup(text, pool), .result = result, .pool = pool};
    apr_array_header_t *parts = apr_array_make(pool, 2, sizeof(wf_part_t));
    const char *at = parser.text.data;

    while (at < parser.text.data + parser.text.len) {
        if (!parse_part(apr_array_push(parts), &parser, &at)) {
            return WF_EINVALID;
        }
    }
    *tmpl = apr_pcalloc(pool, sizeof(**tmpl));
    (*tmpl)->source = parser.text;
    (*tmpl)->part_count = parts->nelts;
    (*tmpl)->parts = (const wf_part_t *)parts->elts;
    return APR_SUCCESS;
}
