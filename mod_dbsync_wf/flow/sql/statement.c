/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a statement, found and replaced by what its database binds values to. */
#include "flow/sql/statement.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_tables.h>

typedef struct parser_t {
    const wf_sql_dialect_t *dialect;
    const wf_check_t *at;
    const char *member;
    wf_slice_t text;
    wf_buf_t out;
    apr_array_header_t *names;  /* const char * */
    apr_array_header_t *places; /* int */
} parser_t;

static int is_first(char c)
{
    return apr_isalpha(c) || c == '_';
}

static int is_name(char c)
{
    return is_first(c) || apr_isdigit(c);
}

static char peek(const parser_t *parser, apr_size_t at)
{
    return at < parser->text.len ? parser->text.data[at] : '\0';
}

/* Appends what is in the file; a percent sign twice where the driver reads a format. */
static void add_text(parser_t *parser, apr_size_t from, apr_size_t len)
{
    for (apr_size_t i = from; i < from + len; i++) {
        if (parser->text.data[i] == '%' && parser->dialect->place == WF_PLACE_FORMAT) {
            wf_buf_add_char(&parser->out, '%');
        }
        wf_buf_add_char(&parser->out, parser->text.data[i]);
    }
}

static int find_name(const apr_array_header_t *names, const char *name)
{
    for (int i = 0; i < names->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(names, i, const char *), name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Takes the parameter at the colon; gives its length. */
static apr_size_t take_param(parser_t *parser, apr_size_t at)
{
    apr_size_t end = at + 1;
    const char *name;
    int number;

    while (is_name(peek(parser, end))) {
        end++;
    }
    name = apr_pstrmemdup(parser->at->pool, parser->text.data + at + 1, end - at - 1);
    number = find_name(parser->names, name);
    if (number < 0) {
        number = parser->names->nelts;
        APR_ARRAY_PUSH(parser->names, const char *) = name;
    }
    switch (parser->dialect->place) {
    case WF_PLACE_NUMBERED:
    case WF_PLACE_DOLLAR:
        if (number == parser->places->nelts) {
            APR_ARRAY_PUSH(parser->places, int) = number;
        }
        break;
    default:
        APR_ARRAY_PUSH(parser->places, int) = number;
    }
    wf_sql_place(&parser->out, parser->dialect, number + 1);
    return end - at;
}

/* Whether the database would take what is at `at` for a value's place; nothing would be bound. */
static int is_own_place(const parser_t *parser, apr_size_t at)
{
    char c = parser->text.data[at];
    char next = peek(parser, at + 1);

    if (at > 0 && is_name(parser->text.data[at - 1])) {
        return 0;
    }
    if (parser->dialect->postgres) {
        return c == '$' && apr_isdigit(next);
    }
    if (c == '?') {
        return 1;
    }
    return parser->dialect->own_places && (c == '@' || c == '$') && is_name(next);
}

static apr_status_t parse_text(parser_t *parser)
{
    apr_size_t at = 0;

    while (at < parser->text.len) {
        apr_size_t len = wf_sql_opaque(parser->dialect, parser->text, at);

        if (len == 0 && parser->text.data[at] == ':' && peek(parser, at + 1) == ':') {
            len = 2;
        }
        if (len > 0) {
            add_text(parser, at, len);
            at += len;
        } else if (parser->text.data[at] == ':' && is_first(peek(parser, at + 1))) {
            at += take_param(parser, at);
        } else if (is_own_place(parser, at)) {
            return wf_check_error(parser->at, parser->member,
                                  "\"%c\" stands for no value here; write :name, and give it in "
                                  "\"params\"",
                                  parser->text.data[at]);
        } else {
            add_text(parser, at, 1);
            at++;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t check_text(const parser_t *parser)
{
    wf_slice_t text = parser->text;
    apr_size_t at = 0;

    while (at < text.len && apr_isspace(text.data[at])) {
        at++;
    }
    if (at == text.len) {
        return wf_check_error(parser->at, parser->member, "must not be empty");
    }
    if (memchr(text.data, '\0', text.len)) {
        return wf_check_error(parser->at, parser->member, "must not hold a NUL character");
    }
    if (memmem(text.data, text.len, "{{", 2)) {
        return wf_check_error(parser->at, parser->member,
                              "must not hold {{: write :name in the statement, and in \"params\" "
                              "what its value is");
    }
    return APR_SUCCESS;
}

apr_status_t wf_statement_parse(wf_statement_t *statement, const wf_check_t *at, const char *member,
                                const json_t *text, const wf_sql_dialect_t *dialect)
{
    parser_t parser = {.dialect = dialect, .at = at, .member = member};
    apr_status_t rv;

    if (!json_is_string(text)) {
        return wf_check_error(at, member, "must be a string");
    }
    parser.text = wf_slice_of(json_string_value(text), json_string_length(text));
    parser.names = apr_array_make(at->pool, 8, sizeof(const char *));
    parser.places = apr_array_make(at->pool, 8, sizeof(int));
    rv = check_text(&parser);
    if (rv == APR_SUCCESS) {
        rv = parse_text(&parser);
    }
    if (rv == APR_SUCCESS) {
        statement->text = wf_slice_dup(wf_buf_slice(&parser.out), at->pool).data;
        statement->param_count = parser.names->nelts;
        statement->params = (const char *const *)(const void *)parser.names->elts;
        statement->place_count = parser.places->nelts;
        statement->places = (const int *)(const void *)parser.places->elts;
    }
    wf_buf_free(&parser.out);
    return rv;
}

int wf_statement_param(const wf_statement_t *statement, const char *name)
{
    for (int i = 0; i < statement->param_count; i++) {
        if (strcmp(statement->params[i], name) == 0) {
            return i;
        }
    }
    return -1;
}
