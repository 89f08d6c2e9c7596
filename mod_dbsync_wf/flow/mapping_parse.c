/* SPDX-License-Identifier: Apache-2.0 */
/* From a template's text to its nodes: recursive descent, with bounded nesting. */
#include "flow/mapping_ast.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include "base/utf8.h"
#include "flow/mapping_token.h"

#define NESTING_MOST 32 /* calls inside calls */
#define SHOWN_MOST   60 /* characters of an expression that an error repeats */

typedef struct parser_t {
    wf_slice_t text;  /* the whole template */
    const char *open; /* the "{{" of the expression at hand */
    wf_lexer_t lexer;
    int nesting;
    wf_result_t *result;
    apr_pool_t *pool;
} parser_t;

/* A function: a row of the table. build gets as many arguments as the row allows. */
typedef struct function_t {
    const char *name;
    const char *usage;
    int least;
    int most;
    wf_node_t *(*build)(parser_t *parser, const char *at, wf_node_t *const *arguments, int count);
} function_t;

static wf_node_t *build_value(parser_t *parser, const char *at, wf_node_t *const *arguments,
                              int count);

/* clang-format off */
static const function_t functions[] = {
    {"VALUE", "VALUE(\"path\")", 1, 1, build_value},
};
/* clang-format on */

#define FUNCTION_COUNT (sizeof(functions) / sizeof(functions[0]))

/* The expression at hand as an error shows it: up to its "}}", or as far as there is room. */
static const char *show_expression(const parser_t *parser)
{
    const char *end = parser->text.data + parser->text.len;
    const char *at = parser->open;
    wf_lexer_t lexer = {.at = at + 2, .end = end};
    apr_size_t characters = 0;

    do {
        wf_lexer_next(&lexer);
    } while (lexer.kind != WF_TOKEN_END && lexer.kind != WF_TOKEN_NOTHING);
    while (at < lexer.at && characters < SHOWN_MOST) {
        for (at++; at < lexer.at && ((unsigned char)*at & 0xC0) == 0x80; at++) {
        }
        characters++;
    }
    return apr_pstrcat(parser->pool,
                       apr_pstrmemdup(parser->pool, parser->open, (apr_size_t)(at - parser->open)),
                       at < lexer.at ? "…" : "", NULL);
}

/* Sets the error at a place of the text, and returns NULL. */
static void *fail(parser_t *parser, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void *fail(parser_t *parser, const char *at, const char *format, ...)
{
    wf_slice_t before = wf_slice_of(parser->text.data, (apr_size_t)(at - parser->text.data));
    const char *reason;
    va_list list;

    va_start(list, format);
    reason = apr_pvsprintf(parser->pool, format, list);
    va_end(list);
    wf_result_set(parser->result, WF_EINVALID, WF_PROBLEM_INVALID_PROJECT, "column %lu%s%s: %s",
                  (unsigned long)wf_utf8_count(before) + 1, parser->open ? ", in " : "",
                  parser->open ? show_expression(parser) : "", reason);
    return NULL;
}

/* Fails because of the token at hand, which is not what was expected. */
static void *fail_at_token(parser_t *parser, const char *expected)
{
    const wf_lexer_t *lexer = &parser->lexer;
    const char *at = lexer->token.data;

    switch (lexer->kind) {
    case WF_TOKEN_NOTHING:
        return fail(parser, parser->open, "this {{ is not closed by }}");
    case WF_TOKEN_UNCLOSED:
        return fail(parser, at, "this quote is not closed");
    case WF_TOKEN_END:
        return fail(parser, at, "%s is expected before }}", expected);
    default:
        return fail(parser, at, "%s is expected, not %s", expected,
                    apr_pstrmemdup(parser->pool, at, lexer->token.len));
    }
}

static wf_node_t *make_text(parser_t *parser, wf_slice_t text)
{
    wf_node_t *node = apr_pcalloc(parser->pool, sizeof(*node));

    node->kind = WF_NODE_TEXT;
    node->text = text;
    return node;
}

/* Whether a step is a number that can count elements, and which. */
static int parse_index(apr_size_t *index, wf_slice_t step)
{
    apr_size_t number = 0;

    if (step.len == 0 || step.len > 18 || (step.data[0] == '0' && step.len > 1)) {
        return 0;
    }
    for (apr_size_t i = 0; i < step.len; i++) {
        if (step.data[i] < '0' || step.data[i] > '9') {
            return 0;
        }
        number = number * 10 + (apr_size_t)(step.data[i] - '0');
    }
    *index = number;
    return 1;
}

/* Resolves ~0 and ~1. Whether there was no other ~. */
static int parse_step(parser_t *parser, wf_step_t *step, wf_slice_t spelled)
{
    char *name = apr_palloc(parser->pool, spelled.len + 1);
    apr_size_t len = 0;

    for (apr_size_t i = 0; i < spelled.len; i++) {
        char c = spelled.data[i];

        if (c == '~') {
            i++;
            if (i == spelled.len || (spelled.data[i] != '0' && spelled.data[i] != '1')) {
                return 0;
            }
            c = spelled.data[i] == '0' ? '~' : '/';
        }
        name[len++] = c;
    }
    step->name = wf_slice_of(name, len);
    step->is_index = parse_index(&step->index, step->name);
    return 1;
}

/* Takes the front of *rest up to its first "/", which goes too; *more tells whether there was one.
 */
static wf_slice_t cut_step(wf_slice_t *rest, int *more)
{
    const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
    apr_size_t len = slash ? (apr_size_t)(slash - rest->data) : rest->len;
    wf_slice_t step = wf_slice_of(rest->data, len);

    *more = slash != NULL;
    len += slash != NULL;
    *rest = wf_slice_of(rest->data + len, rest->len - len);
    return step;
}

/* Takes the root off the front of a path; *more tells whether steps follow. */
static int parse_root(parser_t *parser, const char *at, wf_slice_t *rest, int *more)
{
    wf_slice_t whole = *rest;
    wf_slice_t root;

    *more = rest->len > 0;
    if (rest->len == 0 || (rest->data[0] != '@' && rest->data[0] != '/')) {
        return 1;
    }
    root = cut_step(rest, more);
    if (root.len == 0 || wf_slice_is(root, "@payload")) {
        return 1;
    }
    fail(parser, at,
         "there is no %s; @payload is the request body, and a member whose name begins with @ is "
         "written /%s",
         apr_pstrmemdup(parser->pool, root.data, root.len),
         apr_pstrmemdup(parser->pool, whole.data, whole.len));
    return 0;
}

/* Makes the node of a path. `at` is where it stands in the text, for errors. */
static wf_node_t *parse_path(parser_t *parser, const char *at, wf_slice_t path)
{
    wf_node_t *node = apr_pcalloc(parser->pool, sizeof(*node));
    apr_array_header_t *steps = apr_array_make(parser->pool, 4, sizeof(wf_step_t));
    int more;

    if (!parse_root(parser, at, &path, &more)) {
        return NULL;
    }
    while (more) {
        wf_slice_t spelled = cut_step(&path, &more);

        if (!parse_step(parser, apr_array_push(steps), spelled)) {
            return fail(parser, at, "~ in a path is written ~0, and / in a name ~1");
        }
    }
    node->kind = WF_NODE_PATH;
    node->step_count = steps->nelts;
    node->steps = (const wf_step_t *)steps->elts;
    return node;
}

static wf_node_t *build_value(parser_t *parser, const char *at, wf_node_t *const *arguments,
                              int count)
{
    (void)count;
    if (arguments[0]->kind != WF_NODE_TEXT) {
        return fail(parser, at, "VALUE needs its path in quotes: VALUE(\"path\")");
    }
    return parse_path(parser, at, arguments[0]->text);
}

static const function_t *find_function(wf_slice_t name)
{
    for (apr_size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (strlen(functions[i].name) == name.len &&
            strncasecmp(functions[i].name, name.data, name.len) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}

static const char *list_functions(apr_pool_t *pool)
{
    const char *list = functions[0].name;

    for (apr_size_t i = 1; i < FUNCTION_COUNT; i++) {
        list = apr_pstrcat(pool, list, ", ", functions[i].name, NULL);
    }
    return list;
}

static wf_node_t *parse_expression(parser_t *parser);

/* The arguments, from the token behind "(" to the one behind ")". Whether all is well. */
static int parse_arguments(parser_t *parser, apr_array_header_t *arguments)
{
    wf_lexer_t *lexer = &parser->lexer;

    while (lexer->kind != WF_TOKEN_CLOSE) {
        wf_node_t *argument = parse_expression(parser);

        if (!argument) {
            return 0;
        }
        APR_ARRAY_PUSH(arguments, wf_node_t *) = argument;
        if (lexer->kind == WF_TOKEN_COMMA) {
            wf_lexer_next(lexer);
            if (lexer->kind == WF_TOKEN_CLOSE) {
                fail_at_token(parser, "an argument");
                return 0;
            }
        } else if (lexer->kind != WF_TOKEN_CLOSE) {
            fail_at_token(parser, "a comma or )");
            return 0;
        }
    }
    wf_lexer_next(lexer);
    return 1;
}

/* A call, from its "(", which is the token at hand. */
static wf_node_t *parse_call(parser_t *parser, wf_slice_t name)
{
    const function_t *function = find_function(name);
    apr_array_header_t *arguments = apr_array_make(parser->pool, 2, sizeof(wf_node_t *));
    int parsed;

    if (!function) {
        return fail(parser, name.data, "there is no function %s; known are: %s",
                    apr_pstrmemdup(parser->pool, name.data, name.len),
                    list_functions(parser->pool));
    }
    if (parser->nesting == NESTING_MOST) {
        return fail(parser, name.data, "more than %d calls inside each other", NESTING_MOST);
    }
    wf_lexer_next(&parser->lexer);
    parser->nesting++;
    parsed = parse_arguments(parser, arguments);
    parser->nesting--;
    if (!parsed) {
        return NULL;
    }
    if (arguments->nelts < function->least || arguments->nelts > function->most) {
        return fail(parser, name.data, "%s is written %s", function->name, function->usage);
    }
    return function->build(parser, name.data, (wf_node_t *const *)arguments->elts,
                           arguments->nelts);
}

/* One expression, from the token at hand to the first one behind it. */
static wf_node_t *parse_expression(parser_t *parser)
{
    wf_lexer_t *lexer = &parser->lexer;
    wf_slice_t token = lexer->token;

    switch (lexer->kind) {
    case WF_TOKEN_QUOTED:
        wf_lexer_next(lexer);
        return make_text(parser, wf_token_unquote(token, parser->pool));
    case WF_TOKEN_NAME:
        wf_lexer_next(lexer);
        return lexer->kind == WF_TOKEN_OPEN ? parse_call(parser, token)
                                            : parse_path(parser, token.data, token);
    default:
        return fail_at_token(parser, "a path, a function or a text in quotes");
    }
}

/* The expression that parser->open begins; *at moves behind its "}}". */
static wf_node_t *parse_braces(parser_t *parser, const char **at)
{
    wf_node_t *node;

    parser->lexer.at = parser->open + 2;
    parser->lexer.end = parser->text.data + parser->text.len;
    wf_lexer_next(&parser->lexer);
    node = parse_expression(parser);
    if (!node) {
        return NULL;
    }
    if (parser->lexer.kind == WF_TOKEN_NAME) {
        return fail(parser, parser->lexer.token.data,
                    "}} is expected; a path with white space in it is written VALUE(\"path\")");
    }
    if (parser->lexer.kind != WF_TOKEN_END) {
        return fail_at_token(parser, "}}");
    }
    *at = parser->lexer.at;
    return node;
}

/* Where the next pair of equal braces stands; end where none does. */
static const char *find_braces(const char *at, const char *end)
{
    while (end - at > 1 && !(at[0] == at[1] && (at[0] == '{' || at[0] == '}'))) {
        at++;
    }
    return end - at > 1 ? at : end;
}

/* The text or the expression at *at; *at moves behind it. NULL after an error. */
static wf_node_t *parse_part(parser_t *parser, const char **at)
{
    const char *end = parser->text.data + parser->text.len;
    const char *start = *at;
    const char *braces = find_braces(start, end);

    parser->open = NULL;
    if (braces < end && *braces == '}') {
        return fail(parser, braces, "this }} closes nothing; as text it is written {{\"}}\"}}");
    }
    if (braces == start) {
        parser->open = braces;
        return parse_braces(parser, at);
    }
    *at = braces;
    return make_text(parser, wf_slice_of(start, (apr_size_t)(braces - start)));
}

apr_status_t wf_template_parse(wf_template_t **tmpl, wf_slice_t text, wf_result_t *result,
                               apr_pool_t *pool)
{
    parser_t parser = {.text = wf_slice_dup(text, pool), .result = result, .pool = pool};
    apr_array_header_t *parts = apr_array_make(pool, 2, sizeof(wf_node_t *));
    const char *at = parser.text.data;

    while (at < parser.text.data + parser.text.len) {
        wf_node_t *part = parse_part(&parser, &at);

        if (!part) {
            return WF_EINVALID;
        }
        APR_ARRAY_PUSH(parts, wf_node_t *) = part;
    }
    *tmpl = apr_pcalloc(pool, sizeof(**tmpl));
    (*tmpl)->source = parser.text;
    (*tmpl)->part_count = parts->nelts;
    (*tmpl)->parts = (const wf_node_t *const *)parts->elts;
    return APR_SUCCESS;
}
