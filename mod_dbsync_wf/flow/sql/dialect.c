/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes, comments and places of values, as each database spells them. */
#include "flow/sql/dialect.h"

#include <apr_lib.h>
#include <apr_strings.h>

void wf_sql_quote_name(wf_buf_t *out, const wf_sql_dialect_t *dialect, wf_slice_t name)
{
    wf_buf_add_char(out, dialect->quote);
    for (apr_size_t i = 0; i < name.len; i++) {
        if (name.data[i] == dialect->quote ||
            (name.data[i] == '%' && dialect->place == WF_PLACE_FORMAT)) {
            wf_buf_add_char(out, name.data[i]);
        }
        wf_buf_add_char(out, name.data[i]);
    }
    wf_buf_add_char(out, dialect->quote);
}

void wf_sql_place(wf_buf_t *out, const wf_sql_dialect_t *dialect, int number)
{
    char text[16];

    switch (dialect->place) {
    case WF_PLACE_NUMBERED:
        apr_snprintf(text, sizeof(text), "?%d", number);
        break;
    case WF_PLACE_DOLLAR:
        apr_snprintf(text, sizeof(text), "$%d", number);
        break;
    case WF_PLACE_QUESTION:
        apr_cpystrn(text, "?", sizeof(text));
        break;
    default:
        apr_cpystrn(text, "%s", sizeof(text));
    }
    wf_buf_add_text(out, text);
}

static char char_at(wf_slice_t text, apr_size_t at)
{
    return at < text.len ? text.data[at] : '\0';
}

/* The length of what `quote` closes; a quote that is written twice is part of it. */
static apr_size_t quoted(wf_slice_t text, apr_size_t at, char quote, int backslash)
{
    apr_size_t i = at + 1;

    while (i < text.len) {
        if (backslash && text.data[i] == '\\') {
            i += 2;
        } else if (text.data[i] != quote) {
            i++;
        } else if (char_at(text, i + 1) == quote) {
            i += 2;
        } else {
            return i + 1 - at;
        }
    }
    return text.len - at;
}

static apr_size_t line_comment(wf_slice_t text, apr_size_t at)
{
    const char *end = memchr(text.data + at, '\n', text.len - at);

    return end ? (apr_size_t)(end - text.data) + 1 - at : text.len - at;
}

static apr_size_t block_comment(wf_slice_t text, apr_size_t at, int nested)
{
    apr_size_t i = at + 2;
    int depth = 1;

    while (i < text.len && depth > 0) {
        if (text.data[i] == '*' && char_at(text, i + 1) == '/') {
            depth--;
            i += 2;
        } else if (nested && text.data[i] == '/' && char_at(text, i + 1) == '*') {
            depth++;
            i += 2;
        } else {
            i++;
        }
    }
    return (i < text.len ? i : text.len) - at;
}

/* $tag$ … $tag$; 0 where no tag begins there. */
static apr_size_t dollar_quoted(wf_slice_t text, apr_size_t at)
{
    apr_size_t end = at + 1;
    const char *close;

    if (apr_isdigit(char_at(text, end))) {
        return 0;
    }
    while (apr_isalnum(char_at(text, end)) || char_at(text, end) == '_' ||
           (unsigned char)char_at(text, end) >= 0x80) {
        end++;
    }
    if (char_at(text, end) != '$') {
        return 0;
    }
    end++;
    close = memmem(text.data + end, text.len - end, text.data + at, end - at);
    return close ? (apr_size_t)(close - text.data) + (end - at) - at : text.len - at;
}

/* Whether the quote at `at` belongs to E'…', in which a backslash escapes. */
static int is_escape_text(wf_slice_t text, apr_size_t at)
{
    return at > 0 && (text.data[at - 1] == 'E' || text.data[at - 1] == 'e') &&
           (at == 1 || !(apr_isalnum(text.data[at - 2]) || text.data[at - 2] == '_'));
}

apr_size_t wf_sql_opaque(const wf_sql_dialect_t *dialect, wf_slice_t text, apr_size_t at)
{
    switch (text.data[at]) {
    case '\'':
        return quoted(text, at, '\'',
                      dialect->backslash || (dialect->postgres && is_escape_text(text, at)));
    case '"':
        return quoted(text, at, '"', dialect->backslash);
    case '`':
        return dialect->postgres ? 0 : quoted(text, at, '`', 0);
    case '[':
        return dialect->brackets ? quoted(text, at, ']', 0) : 0;
    case '#':
        return dialect->hash ? line_comment(text, at) : 0;
    case '$':
        return dialect->postgres ? dollar_quoted(text, at) : 0;
    case '-':
        return char_at(text, at + 1) == '-' ? line_comment(text, at) : 0;
    case '/':
        return char_at(text, at + 1) == '*' ? block_comment(text, at, dialect->postgres) : 0;
    default:
        return 0;
    }
}
