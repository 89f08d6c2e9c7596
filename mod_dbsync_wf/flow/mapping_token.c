/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts an expression of the mapping language into its words. */
#include "flow/mapping_token.h"

#include <strings.h>

static int is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80 || (c != '\0' && strchr("_-.~/@$#:", c));
}

static int is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_name(const char *at, const char *end)
{
    while (at < end && is_name(*at)) {
        at++;
    }
    return at;
}

/* From an opening quote to behind the closing one; a doubled one stays inside. NULL: not closed. */
static const char *skip_quoted(const char *start, const char *end)
{
    char quote = *start;

    for (const char *at = start + 1; at < end; at++) {
        if (*at == quote) {
            if (at + 1 == end || at[1] != quote) {
                return at + 1;
            }
            at++;
        }
    }
    return NULL;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9') {
        at++;
    }
    return at;
}

/* From a digit or "-" to behind the number that begins there (RFC 8259, 6). NULL: none does. */
static const char *skip_number(const char *start, const char *end)
{
    const char *at = start + (*start == '-');
    const char *digits = at;

    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at > digits + 1)) {
        return NULL;
    }
    if (at < end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, end);
        if (at == digits) {
            return NULL;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        digits = at;
        at = skip_digits(at, end);
        if (at == digits) {
            return NULL;
        }
    }
    return at < end && is_name(*at) ? NULL : at;
}

/* The length of the operator that begins here; 0 where none does. */
static apr_size_t length_of_sign(const char *at, const char *end)
{
    static const char *const signs[] = {"!=", "<>", "<=", ">=", "=", "<", ">", "+", "*"};

    for (apr_size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        apr_size_t len = strlen(signs[i]);

        if ((apr_size_t)(end - at) >= len && memcmp(at, signs[i], len) == 0) {
            return len;
        }
    }
    return 0;
}

static wf_token_e kind_of_mark(char c)
{
    switch (c) {
    case '(':
        return WF_TOKEN_OPEN;
    case ')':
        return WF_TOKEN_CLOSE;
    case ',':
        return WF_TOKEN_COMMA;
    default:
        return WF_TOKEN_STRANGE;
    }
}

static void take(wf_lexer_t *lexer, wf_token_e kind, const char *until)
{
    lexer->kind = kind;
    lexer->token = wf_slice_of(lexer->at, (apr_size_t)(until - lexer->at));
    lexer->at = until;
}

static void take_quoted(wf_lexer_t *lexer)
{
    const char *until = skip_quoted(lexer->at, lexer->end);

    take(lexer, until ? WF_TOKEN_QUOTED : WF_TOKEN_UNCLOSED, until ? until : lexer->end);
}

static void take_name(wf_lexer_t *lexer)
{
    const char *until = skip_number(lexer->at, lexer->end);

    take(lexer, until ? WF_TOKEN_NUMBER : WF_TOKEN_NAME,
         until ? until : skip_name(lexer->at, lexer->end));
}

void wf_lexer_next(wf_lexer_t *lexer)
{
    apr_size_t sign;

    while (lexer->at < lexer->end && is_white(*lexer->at)) {
        lexer->at++;
    }
    if (lexer->at == lexer->end) {
        take(lexer, WF_TOKEN_NOTHING, lexer->end);
        return;
    }
    sign = length_of_sign(lexer->at, lexer->end);
    if (is_name(*lexer->at)) {
        take_name(lexer);
    } else if (*lexer->at == '"' || *lexer->at == '\'') {
        take_quoted(lexer);
    } else if (sign > 0) {
        take(lexer, WF_TOKEN_SIGN, lexer->at + sign);
    } else if (lexer->end - lexer->at > 1 && memcmp(lexer->at, "}}", 2) == 0) {
        take(lexer, WF_TOKEN_END, lexer->at + 2);
    } else {
        take(lexer, kind_of_mark(*lexer->at), lexer->at + 1);
    }
}

int wf_lexer_is_word(const wf_lexer_t *lexer, const char *word)
{
    return lexer->kind == WF_TOKEN_NAME && lexer->token.len == strlen(word) &&
           strncasecmp(lexer->token.data, word, lexer->token.len) == 0;
}

wf_slice_t wf_token_unquote(wf_slice_t token, apr_pool_t *pool)
{
    char *text = apr_palloc(pool, token.len);
    apr_size_t len = 0;

    for (apr_size_t i = 1; i + 1 < token.len; i++) {
        text[len++] = token.data[i];
        i += token.data[i] == token.data[0];
    }
    return wf_slice_of(text, len);
}
