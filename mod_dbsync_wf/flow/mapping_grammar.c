/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions (the grammar is in mapping.h): recursive descent, a function for each rule, with
 * bounded nesting; the tree's height is bounded too, which a long chain of operators adds to.
 */
#include "flow/mapping_parser.h"

#include <apr_strings.h>
#include <apr_tables.h>
#include "flow/mapping_function.h"
#include "flow/mapping_path.h"

#define NESTING_MOST   32  /* parentheses inside parentheses */
#define HEIGHT_MOST    250 /* of a tree */

#define VALUE_EXPECTED "a path, a function or a value"

static const wf_node_t *parse_or(wf_parser_t *parser);

/* ---- nodes ---- */

static wf_node_t *make(wf_parser_t *parser, wf_node_kind_e kind)
{
    wf_node_t *node = apr_pcalloc(parser->pool, sizeof(*node));

    node->kind = kind;
    node->height = 1;
    return node;
}

wf_node_t *wf_parser_constant(wf_parser_t *parser, wf_value_kind_e kind, wf_slice_t text)
{
    wf_node_t *node = make(parser, WF_NODE_CONSTANT);

    node->value = (wf_value_t){kind, text};
    return node;
}

/* A call; the array is the node's own from now on. */
static const wf_node_t *make_call(wf_parser_t *parser, const char *at,
                                  const wf_function_t *function, const wf_node_t *const *arguments,
                                  int count)
{
    wf_node_t *node = make(parser, WF_NODE_CALL);

    node->function = function;
    node->arguments = arguments;
    node->count = count;
    for (int i = 0; i < count; i++) {
        if (arguments[i]->height >= node->height) {
            node->height = arguments[i]->height + 1;
        }
    }
    if (node->height > HEIGHT_MOST) {
        return wf_parser_fail(parser, at, "this expression has more than %d operators in a row",
                              HEIGHT_MOST);
    }
    return node;
}

/* A call of one or two nodes, b being NULL for one. Passes an error (a node that is NULL) on. */
static const wf_node_t *make_operation(wf_parser_t *parser, const char *at,
                                       const wf_function_t *function, const wf_node_t *a,
                                       const wf_node_t *b)
{
    const wf_node_t **arguments = apr_palloc(parser->pool, 2 * sizeof(wf_node_t *));

    arguments[0] = a;
    arguments[1] = b;
    if (!a || (!b && function->most == 2)) {
        return NULL;
    }
    return make_call(parser, at, function, arguments, function->most);
}

static wf_node_t *make_path(wf_parser_t *parser, wf_node_kind_e kind, const char *at,
                            wf_slice_t spelled)
{
    wf_node_t *node = make(parser, kind);
    const char *mistake = wf_path_parse(&node->path, spelled, parser->pool);

    return mistake ? wf_parser_fail(parser, at, "%s", mistake) : node;
}

/* ---- calls ---- */

/* VALUE: its path, and the default as COALESCE has it. */
static const wf_node_t *make_value(wf_parser_t *parser, const char *at,
                                   const wf_node_t *const *arguments, int count)
{
    const wf_node_t **both;

    if (arguments[0]->kind != WF_NODE_CONSTANT || arguments[0]->value.kind != WF_VALUE_TEXT) {
        return wf_parser_fail(parser, at, "VALUE needs its path in quotes: VALUE(\"path\")");
    }
    both = apr_pmemdup(parser->pool, arguments, (apr_size_t)count * sizeof(*both));
    both[0] = make_path(parser, WF_NODE_PATH, at, arguments[0]->value.text);
    if (!both[0] || count == 1) {
        return both[0];
    }
    return make_call(parser, at, wf_function_find(wf_slice("COALESCE")), both, count);
}

/* The arguments, from the token behind "(" to the one behind ")". Whether all is well. */
static int parse_arguments(wf_parser_t *parser, apr_array_header_t *arguments)
{
    wf_lexer_t *lexer = &parser->lexer;

    while (lexer->kind != WF_TOKEN_CLOSE) {
        const wf_node_t *argument = parse_or(parser);

        if (!argument) {
            return 0;
        }
        APR_ARRAY_PUSH(arguments, const wf_node_t *) = argument;
        if (lexer->kind == WF_TOKEN_COMMA) {
            wf_lexer_next(lexer);
            if (lexer->kind == WF_TOKEN_CLOSE) {
                wf_parser_fail_at_token(parser, "an argument");
                return 0;
            }
        } else if (lexer->kind != WF_TOKEN_CLOSE) {
            wf_parser_fail_at_token(parser, "a comma or )");
            return 0;
        }
    }
    wf_lexer_next(lexer);
    return 1;
}

static int go_deeper(wf_parser_t *parser, const char *at)
{
    if (parser->nesting == NESTING_MOST) {
        wf_parser_fail(parser, at, "more than %d parentheses inside each other", NESTING_MOST);
        return 0;
    }
    parser->nesting++;
    return 1;
}

static const wf_node_t *finish_call(wf_parser_t *parser, const char *at,
                                    const wf_function_t *function, apr_array_header_t *arguments)
{
    const wf_node_t *const *nodes = (const wf_node_t *const *)arguments->elts;
    const char *mistake;

    if (arguments->nelts < function->least || arguments->nelts > function->most) {
        return wf_parser_fail(parser, at, "%s is written %s", function->name, function->usage);
    }
    if (!function->call && !function->lazy) {
        return make_value(parser, at, nodes, arguments->nelts);
    }
    mistake = function->check ? function->check(nodes, arguments->nelts, parser->pool) : NULL;
    if (mistake) {
        return wf_parser_fail(parser, at, "%s; %s is written %s", mistake, function->name,
                              function->usage);
    }
    return make_call(parser, at, function, nodes, arguments->nelts);
}

/* A call, from its "(", which is the token at hand. */
static const wf_node_t *parse_call(wf_parser_t *parser, wf_slice_t name)
{
    const wf_function_t *function = wf_function_find(name);
    apr_array_header_t *arguments = apr_array_make(parser->pool, 4, sizeof(wf_node_t *));
    int parsed;

    if (!function) {
        return wf_parser_fail(parser, name.data, "there is no function %s; known are: %s",
                              apr_pstrmemdup(parser->pool, name.data, name.len),
                              wf_function_names(parser->pool));
    }
    if (!go_deeper(parser, name.data)) {
        return NULL;
    }
    wf_lexer_next(&parser->lexer);
    parsed = parse_arguments(parser, arguments);
    parser->nesting--;
    return parsed ? finish_call(parser, name.data, function, arguments) : NULL;
}

/* ---- what operators stand between ---- */

/* From "(", which is the token at hand, to behind ")". */
static const wf_node_t *parse_parentheses(wf_parser_t *parser)
{
    const wf_node_t *node;

    if (!go_deeper(parser, parser->lexer.token.data)) {
        return NULL;
    }
    wf_lexer_next(&parser->lexer);
    node = parse_or(parser);
    parser->nesting--;
    if (!node) {
        return NULL;
    }
    if (parser->lexer.kind != WF_TOKEN_CLOSE) {
        return wf_parser_fail_at_token(parser, "an operator or )");
    }
    wf_lexer_next(&parser->lexer);
    return node;
}

/* The name behind "value of", whose "of" is the token at hand. */
static const wf_node_t *parse_search(wf_parser_t *parser)
{
    wf_lexer_t *lexer = &parser->lexer;
    wf_slice_t name;
    wf_node_t *node;
    const char *at;

    wf_lexer_next(lexer);
    name = lexer->token;
    at = name.data;
    if (lexer->kind == WF_TOKEN_QUOTED) {
        name = wf_token_unquote(name, parser->pool);
    } else if (lexer->kind != WF_TOKEN_NAME && lexer->kind != WF_TOKEN_NUMBER) {
        return wf_parser_fail_at_token(parser, "a member's name");
    }
    wf_lexer_next(lexer);
    node = make_path(parser, WF_NODE_SEARCH, at, name);
    if (node && node->path.step_count == 0) {
        return wf_parser_fail(parser, at, "\"value of\" needs a member's name");
    }
    return node;
}

/* TRUE, FALSE and NULL; NULL for any other name. */
static const wf_node_t *make_word(wf_parser_t *parser)
{
    if (wf_lexer_is_word(&parser->lexer, "TRUE")) {
        return wf_parser_constant(parser, WF_VALUE_BOOL, wf_slice("true"));
    }
    if (wf_lexer_is_word(&parser->lexer, "FALSE")) {
        return wf_parser_constant(parser, WF_VALUE_BOOL, wf_slice("false"));
    }
    if (wf_lexer_is_word(&parser->lexer, "NULL")) {
        return wf_parser_constant(parser, WF_VALUE_NULL, wf_slice(NULL));
    }
    return NULL;
}

static const wf_node_t *parse_name(wf_parser_t *parser)
{
    wf_slice_t name = parser->lexer.token;
    int is_value = wf_lexer_is_word(&parser->lexer, "VALUE");
    const wf_node_t *word = make_word(parser);

    wf_lexer_next(&parser->lexer);
    if (parser->lexer.kind == WF_TOKEN_OPEN) {
        if (wf_slice_is(name, "-")) {
            return make_operation(parser, name.data, &wf_operator_minus, parse_parentheses(parser),
                                  NULL);
        }
        return parse_call(parser, name);
    }
    if (is_value && wf_lexer_is_word(&parser->lexer, "OF")) {
        return parse_search(parser);
    }
    return word ? word : make_path(parser, WF_NODE_PATH, name.data, name);
}

static const wf_node_t *parse_primary(wf_parser_t *parser)
{
    wf_lexer_t *lexer = &parser->lexer;
    wf_slice_t token = lexer->token;

    switch (lexer->kind) {
    case WF_TOKEN_QUOTED:
        wf_lexer_next(lexer);
        return wf_parser_constant(parser, WF_VALUE_TEXT, wf_token_unquote(token, parser->pool));
    case WF_TOKEN_NUMBER:
        wf_lexer_next(lexer);
        return wf_parser_constant(parser, WF_VALUE_NUMBER, token);
    case WF_TOKEN_NAME:
        return parse_name(parser);
    case WF_TOKEN_OPEN:
        return parse_parentheses(parser);
    default:
        return wf_parser_fail_at_token(parser, VALUE_EXPECTED);
    }
}

/* ---- operators, from those that bind most to those that bind least ---- */

typedef struct operator_t {
    const char *sign; /* or word */
    const wf_function_t *function;
} operator_t;

static const operator_t products[] = {
    {"*", &wf_operator_multiply}, {"/", &wf_operator_divide}, {NULL, NULL}};
static const operator_t sums[] = {
    {"+", &wf_operator_add}, {"-", &wf_operator_subtract}, {NULL, NULL}};
static const operator_t comparisons[] = {
    {"=", &wf_operator_equal},       {"!=", &wf_operator_unequal},    {"<>", &wf_operator_unequal},
    {"<", &wf_operator_less},        {"<=", &wf_operator_less_equal}, {">", &wf_operator_more},
    {">=", &wf_operator_more_equal}, {"LIKE", &wf_operator_like},     {NULL, NULL}};

/* The operator of a list that the token at hand spells; NULL where it spells none. */
static const wf_function_t *find_operator(const wf_lexer_t *lexer, const operator_t *list)
{
    for (; list->sign; list++) {
        if ((lexer->kind == WF_TOKEN_SIGN && wf_slice_is(lexer->token, list->sign)) ||
            wf_lexer_is_word(lexer, list->sign)) {
            return list->function;
        }
    }
    return NULL;
}

/* Operands with operators of one list between them, which bind from the left. */
static const wf_node_t *parse_chain(wf_parser_t *parser, const operator_t *list,
                                    const wf_node_t *(*operand)(wf_parser_t *))
{
    const wf_node_t *node = operand(parser);
    const wf_function_t *function;

    while (node && (function = find_operator(&parser->lexer, list)) != NULL) {
        const char *at = parser->lexer.token.data;

        wf_lexer_next(&parser->lexer);
        node = make_operation(parser, at, function, node, operand(parser));
    }
    return node;
}

static const wf_node_t *parse_product(wf_parser_t *parser)
{
    return parse_chain(parser, products, parse_primary);
}

static const wf_node_t *parse_sum(wf_parser_t *parser)
{
    return parse_chain(parser, sums, parse_product);
}

/* Whether the two tokens at hand are NOT LIKE; takes the NOT. */
static int take_not_like(wf_parser_t *parser)
{
    wf_lexer_t ahead = parser->lexer;

    if (!wf_lexer_is_word(&ahead, "NOT")) {
        return 0;
    }
    wf_lexer_next(&ahead);
    if (!wf_lexer_is_word(&ahead, "LIKE")) {
        return 0;
    }
    parser->lexer = ahead;
    return 1;
}

static const wf_node_t *parse_comparison(wf_parser_t *parser)
{
    const wf_node_t *node = parse_sum(parser);
    const char *at = parser->lexer.token.data;
    const wf_function_t *function;
    int negated;

    if (!node) {
        return NULL;
    }
    negated = take_not_like(parser);
    function = find_operator(&parser->lexer, comparisons);
    if (!function) {
        return node;
    }
    wf_lexer_next(&parser->lexer);
    node = make_operation(parser, at, function, node, parse_sum(parser));
    if (node && find_operator(&parser->lexer, comparisons)) {
        return wf_parser_fail(parser, parser->lexer.token.data,
                              "two comparisons in a row need AND between them, or parentheses");
    }
    return negated ? make_operation(parser, at, &wf_operator_not, node, NULL) : node;
}

/* Whether the token at hand is a NOT with an operand behind it; NOT(…) is a call like any other. */
static int is_not(const wf_parser_t *parser)
{
    wf_lexer_t ahead = parser->lexer;

    if (!wf_lexer_is_word(&ahead, "NOT")) {
        return 0;
    }
    wf_lexer_next(&ahead);
    return ahead.kind == WF_TOKEN_NAME || ahead.kind == WF_TOKEN_NUMBER ||
           ahead.kind == WF_TOKEN_QUOTED;
}

static const wf_node_t *parse_not(wf_parser_t *parser)
{
    const char *at = parser->lexer.token.data;
    const wf_node_t *node;

    if (!is_not(parser)) {
        return parse_comparison(parser);
    }
    if (!go_deeper(parser, at)) {
        return NULL;
    }
    wf_lexer_next(&parser->lexer);
    node = make_operation(parser, at, &wf_operator_not, parse_not(parser), NULL);
    parser->nesting--;
    return node;
}

static const wf_node_t *parse_and(wf_parser_t *parser)
{
    static const operator_t list[] = {{"AND", &wf_operator_and}, {NULL, NULL}};

    return parse_chain(parser, list, parse_not);
}

static const wf_node_t *parse_or(wf_parser_t *parser)
{
    static const operator_t list[] = {{"OR", &wf_operator_or}, {NULL, NULL}};

    return parse_chain(parser, list, parse_and);
}

/* A number alone, which is a path: {{0}} is an array's first element. NULL where it is none. */
static const wf_node_t *parse_lone_number(wf_parser_t *parser)
{
    wf_slice_t token = parser->lexer.token;
    wf_lexer_t ahead = parser->lexer;

    if (ahead.kind != WF_TOKEN_NUMBER || memchr(token.data, '+', token.len)) {
        return NULL;
    }
    wf_lexer_next(&ahead);
    if (ahead.kind != WF_TOKEN_END) {
        return NULL;
    }
    parser->lexer = ahead;
    return make_path(parser, WF_NODE_PATH, token.data, token);
}

const wf_node_t *wf_parser_expression(wf_parser_t *parser)
{
    const wf_node_t *node = parse_lone_number(parser);

    if (!node) {
        node = parse_or(parser);
    }
    if (!node || parser->lexer.kind == WF_TOKEN_END) {
        return node;
    }
    if (parser->lexer.kind == WF_TOKEN_NAME || parser->lexer.kind == WF_TOKEN_NUMBER) {
        return wf_parser_fail(parser, parser->lexer.token.data,
                              "an operator or }} is expected; a path with white space in it is "
                              "written VALUE(\"path\"), and - and / as operators have white space "
                              "on both sides");
    }
    return wf_parser_fail_at_token(parser, "}}");
}
