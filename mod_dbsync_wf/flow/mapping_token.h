/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an expression, from behind its "{{" to its "}}". */
#ifndef WF_FLOW_MAPPING_TOKEN_H
#define WF_FLOW_MAPPING_TOKEN_H

#include "base/slice.h"

typedef enum {
    WF_TOKEN_NAME,     /* also "-" and "/" by themselves, and words such as AND */
    WF_TOKEN_NUMBER,   /* as JSON spells one, with no character of a name behind it */
    WF_TOKEN_QUOTED,   /* a text in quotes */
    WF_TOKEN_UNCLOSED, /* a quote that nothing closes */
    WF_TOKEN_SIGN,     /* an operator that no name could be: = != <> < <= > >= + * */
    WF_TOKEN_OPEN,     /* "(" */
    WF_TOKEN_CLOSE,    /* ")" */
    WF_TOKEN_COMMA,
    WF_TOKEN_END,     /* "}}" */
    WF_TOKEN_NOTHING, /* the template ends here */
    WF_TOKEN_STRANGE  /* a character that begins nothing */
} wf_token_e;

typedef struct wf_lexer_t {
    const char *at; /* behind the token */
    const char *end;
    wf_token_e kind;
    wf_slice_t token; /* as it is spelled, quotes included */
} wf_lexer_t;

/* Takes the next token, passing over the white space before it. */
void wf_lexer_next(wf_lexer_t *lexer);

/* Whether the token is a name that spells a word, in any case. */
int wf_lexer_is_word(const wf_lexer_t *lexer, const char *word);

/* The text of a quoted token, without its quotes and with doubled ones joined, in pool. */
wf_slice_t wf_token_unquote(wf_slice_t token, apr_pool_t *pool);

#endif
