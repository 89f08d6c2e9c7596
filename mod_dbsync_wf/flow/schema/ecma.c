/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the two differ in what the same text means: a dot, white space, \v and surrogate pairs are
 * rewritten, and so are brackets that would begin a class of POSIX's inside a class, and the long
 * names of Unicode's general categories. Escapes and groups that are PCRE2's alone, and errors in
 * ECMA-262, are refused.
 */
#include "flow/schema/ecma.h"

#include <stdio.h>
#include <apr_strings.h>
#include "base/result.h"

/* White space beside PCRE2's \s: the Zs of Unicode, its line separators, and the byte order mark.
 */
#define MORE_WHITE   "\\p{Z}\\uFEFF"

#define NOT_LINE_END "[^\\n\\r\\u2028\\u2029]"

typedef struct rewriting_t {
    wf_buf_t *out;
    const char *at;
    const char *end;
    int in_class;
    apr_uint32_t repeat;
    const char *reason;
    apr_pool_t *pool;
} rewriting_t;

static void refuse(rewriting_t *r, const char *format, char what)
{
    r->reason = apr_pstrcat(r->pool, "is not a regular expression of ECMA-262: ",
                            apr_psprintf(r->pool, format, what), NULL);
}

/* The next byte but `ahead`; 0 where there is none. */
static char peek(const rewriting_t *r, apr_size_t ahead)
{
    return (apr_size_t)(r->end - r->at) > ahead ? r->at[ahead] : '\0';
}

/* Hands on so many bytes as they are; there are as many. */
static void copy(rewriting_t *r, apr_size_t count)
{
    wf_buf_add(r->out, r->at, count);
    r->at += count;
}

/* Hands on something else for so many bytes. */
static void replace(rewriting_t *r, apr_size_t count, const char *text)
{
    wf_buf_add_text(r->out, text);
    r->at += count;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    return is_digit(c)                              ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* The number of `count` hexadecimal digits, `ahead` of where it stands; -1 where they are not. */
static long peek_hex(const rewriting_t *r, apr_size_t ahead, apr_size_t count)
{
    long number = 0;

    for (apr_size_t i = 0; i < count; i++) {
        int digit = hex_value(peek(r, ahead + i));

        if (digit < 0) {
            return -1;
        }
        number = number * 16 + digit;
    }
    return number;
}

/* \uXXXX, of which two may be one character; a surrogate alone is what it is in a body, U+FFFD. */
static void rewrite_unicode(rewriting_t *r)
{
    long code = peek_hex(r, 2, 4), low;
    char spelled[32];

    if (peek(r, 2) == '{') {
        copy(r, 2);
        return;
    }
    if (code < 0) {
        refuse(r, "\\%c stands without its hexadecimal digits", 'u');
        return;
    }
    if (code < 0xD800 || code > 0xDFFF) {
        copy(r, 6);
        return;
    }
    low = peek(r, 6) == '\\' && peek(r, 7) == 'u' ? peek_hex(r, 8, 4) : -1;
    if (code > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        replace(r, 6, "\\uFFFD");
        return;
    }
    snprintf(spelled, sizeof(spelled), "\\u{%lX}",
             0x10000 + ((code - 0xD800) << 10) + low - 0xDC00);
    replace(r, 12, spelled);
}

/* \0, or a back reference; what PCRE2 would take for an octal number is none. */
static void rewrite_number(rewriting_t *r)
{
    int zero = r->at[1] == '0';

    if (zero ? is_digit(peek(r, 2)) : r->in_class) {
        refuse(r, "\\%c stands for no character", r->at[1]);
    } else if (zero) {
        replace(r, 2, "\\x00");
    } else {
        replace(r, 1, "\\g{");
        while (is_digit(peek(r, 0))) {
            copy(r, 1);
        }
        wf_buf_add_char(r->out, '}');
    }
}

/* Of general categories the names that PCRE2 has not, with those that it has. */
static const char *const categories[][2] = {
    {"Cased_Letter", "L&"},
    {"Close_Punctuation", "Pe"},
    {"Connector_Punctuation", "Pc"},
    {"Control", "Cc"},
    {"Currency_Symbol", "Sc"},
    {"Dash_Punctuation", "Pd"},
    {"Decimal_Number", "Nd"},
    {"Enclosing_Mark", "Me"},
    {"Final_Punctuation", "Pf"},
    {"Format", "Cf"},
    {"Initial_Punctuation", "Pi"},
    {"LC", "L&"},
    {"Letter", "L"},
    {"Letter_Number", "Nl"},
    {"Line_Separator", "Zl"},
    {"Lowercase_Letter", "Ll"},
    {"Mark", "M"},
    {"Math_Symbol", "Sm"},
    {"Modifier_Letter", "Lm"},
    {"Modifier_Symbol", "Sk"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Open_Punctuation", "Ps"},
    {"Other", "C"},
    {"Other_Letter", "Lo"},
    {"Other_Number", "No"},
    {"Other_Punctuation", "Po"},
    {"Other_Symbol", "So"},
    {"Paragraph_Separator", "Zp"},
    {"Private_Use", "Co"},
    {"Punctuation", "P"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Spacing_Mark", "Mc"},
    {"Surrogate", "Cs"},
    {"Symbol", "S"},
    {"Titlecase_Letter", "Lt"},
    {"Unassigned", "Cn"},
    {"Uppercase_Letter", "Lu"},
    {"cntrl", "Cc"},
    {"digit", "Nd"},
    {"punct", "P"},
};

/* What PCRE2 calls a property. */
static wf_slice_t property_of(wf_slice_t name)
{
    static const char *const prefixes[] = {"gc=", "General_Category="};

    for (apr_size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        apr_size_t len = strlen(prefixes[i]);

        if (name.len > len && memcmp(name.data, prefixes[i], len) == 0) {
            name = wf_slice_of(name.data + len, name.len - len);
        }
    }
    for (apr_size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        if (wf_slice_is(name, categories[i][0])) {
            return wf_slice(categories[i][1]);
        }
    }
    return name;
}

/* \p{…} and \P{…}. */
static void rewrite_property(rewriting_t *r)
{
    const char *name = r->at + 3;
    const char *close = peek(r, 2) == '{' ? memchr(name, '}', (apr_size_t)(r->end - name)) : NULL;

    if (!close) {
        refuse(r, "\\%c stands without a property in braces", r->at[1]);
        return;
    }
    copy(r, 3);
    wf_buf_add_slice(r->out, property_of(wf_slice_of(name, (apr_size_t)(close - name))));
    r->at = close;
    copy(r, 1);
}

/* A backslash and a letter or digit. */
static void rewrite_letter(rewriting_t *r)
{
    switch (r->at[1]) {
    case 's':
        replace(r, 2, r->in_class ? "\\s" MORE_WHITE : "[\\s" MORE_WHITE "]");
        break;
    case 'S':
        /* Inside a class it cannot be spelled; what is beyond ASCII counts as no white space. */
        replace(r, 2, r->in_class ? "\\S" : "[^\\s" MORE_WHITE "]");
        break;
    case 'v':
        replace(r, 2, "\\x0B");
        break;
    case 'u':
        rewrite_unicode(r);
        break;
    case 'p':
    case 'P':
        rewrite_property(r);
        break;
    case 'x':
        if (peek_hex(r, 2, 2) < 0) {
            refuse(r, "\\%c stands without its hexadecimal digits", 'x');
        } else {
            copy(r, 4);
        }
        break;
    default:
        if (is_digit(r->at[1])) {
            rewrite_number(r);
        } else if (strchr("bBcdDfknrtwW", r->at[1])) {
            copy(r, 2);
        } else {
            refuse(r, "it has no \\%c", r->at[1]);
        }
    }
}

static void rewrite_escape(rewriting_t *r)
{
    char c = peek(r, 1);

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c)) {
        rewrite_letter(r);
    } else if (r->end - r->at < 2) {
        refuse(r, "it ends in a %c", '\\');
    } else {
        copy(r, 2);
    }
}

static void rewrite_group(rewriting_t *r)
{
    char kind = peek(r, 2);

    if (peek(r, 1) == '*') {
        refuse(r, "nothing is before the %c to be repeated", '*');
    } else if (peek(r, 1) == '?' && (kind == '\0' || !strchr(":=!<", kind))) {
        refuse(r, kind > ' ' && kind < 0x7F ? "it has no group (?%c" : "a group (? has no kind",
               kind);
    } else {
        copy(r, 1);
    }
}

/* {2,5}: the greater of them counts. */
static void note_repeat(rewriting_t *r)
{
    apr_uint32_t number = 0;

    for (const char *at = r->at + 1; at < r->end && (is_digit(*at) || *at == ','); at++) {
        number = *at == ',' ? 0 : number * 10 + (apr_uint32_t)(*at - '0');
        number = number < 100000 ? number : 100000;
        r->repeat = number > r->repeat ? number : r->repeat;
    }
    copy(r, 1);
}

static void rewrite_in_class(rewriting_t *r)
{
    if (*r->at == '[') {
        replace(r, 1, "\\[");
        return;
    }
    r->in_class = *r->at != ']';
    copy(r, 1);
}

/* A class; that of nothing and that of all are none in PCRE2, or cannot be repeated there. */
static void open_class(rewriting_t *r)
{
    int negated = peek(r, 1) == '^';

    if (peek(r, negated ? 2 : 1) == ']') {
        replace(r, negated ? 3 : 2, negated ? "[\\s\\S]" : "(?:(?!))");
        return;
    }
    r->in_class = 1;
    copy(r, negated ? 2 : 1);
}

static void rewrite_item(rewriting_t *r)
{
    switch (*r->at) {
    case '.':
        replace(r, 1, NOT_LINE_END);
        break;
    case '(':
        rewrite_group(r);
        break;
    case '{':
        note_repeat(r);
        break;
    case '[':
        open_class(r);
        break;
    default:
        copy(r, 1);
    }
}

apr_status_t wf_ecma_rewrite(wf_buf_t *out, apr_uint32_t *repeat, wf_slice_t text,
                             const char **reason, apr_pool_t *pool)
{
    rewriting_t r = {out, text.data, text.data + text.len, 0, 0, NULL, pool};

    while (r.at < r.end && !r.reason) {
        if (*r.at == '\\') {
            rewrite_escape(&r);
        } else if (r.in_class) {
            rewrite_in_class(&r);
        } else {
            rewrite_item(&r);
        }
    }
    *repeat = r.repeat;
    *reason = r.reason ? r.reason : *reason;
    return r.reason ? WF_EINVALID : APR_SUCCESS;
}
