/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts an expression of the mapping language into its words. */
#include "flow/mapping_token.h"

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

static wf_token_e kind_of_sign(char c)
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

void wf_lexer_next(wf_lexer_t *lexer)
{
    while (lexer->at < lexer->end && is_white(*lexer->at)) {
        lexer->at++;
    }
    if (lexer->at == lexer->end) {
        take(lexer, WF_TOKEN_NOTHING, lexer->end);
    } else if (is_name(*lexer->at)) {
        take(lexer, WF_TOKEN_NAME, skip_name(lexer->at, lexer->end));
    } else if (*lexer->at == '"' || *lexer->at == '\'') {
        take_quoted(lexer);
    } else if (lexer->end - lexer->at > 1 && memcmp(lexer->at, "}}", 2) == 0) {
        take(lexer, WF_TOKEN_END, lexer->at + 2);
    } else {
        take(lexer, kind_of_sign(*lexer->at), lexer->at + 1);
    }
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
