/* SPDX-License-Identifier: Apache-2.0 */
/* A template being parsed: what its text (mapping_parse.c) and its expressions
 * (mapping_grammar.c) share. */
#ifndef WF_FLOW_MAPPING_PARSER_H
#define WF_FLOW_MAPPING_PARSER_H

#include "flow/mapping_ast.h"
#include "flow/mapping_token.h"

typedef struct wf_parser_t {
    wf_slice_t text;  /* the whole template */
    const char *open; /* the "{{" of the expression at hand; NULL in text */
    wf_lexer_t lexer; /* stands on the first token that is not yet used */
    int nesting;
    wf_result_t *result;
    apr_pool_t *pool;
} wf_parser_t;

/* Sets the error at a place of the text. Always NULL. */
void *wf_parser_fail(wf_parser_t *parser, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fails because of the token at hand, which is not what was expected. Always NULL. */
void *wf_parser_fail_at_token(wf_parser_t *parser, const char *expected);

wf_node_t *wf_parser_constant(wf_parser_t *parser, wf_value_kind_e kind, wf_slice_t text);

/* One expression up to its "}}", which is the token at hand then. NULL after an error. */
const wf_node_t *wf_parser_expression(wf_parser_t *parser);

#endif
