/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 by RFC 3629: the shortest form only, no surrogates, nothing above U+10FFFF.
 */
#ifndef WF_BASE_UTF8_H
#define WF_BASE_UTF8_H

#include "base/slice.h"

/* Continuation bytes that may follow a lead byte, and which of them the first one may be. */
typedef struct wf_utf8_form_t {
    unsigned char more; /* 0: the byte begins no character of several bytes */
    unsigned char low;
    unsigned char high;
} wf_utf8_form_t;

static inline wf_utf8_form_t wf_utf8_form(unsigned char lead)
{
    if (lead < 0xC2 || lead > 0xF4) {
        return (wf_utf8_form_t){0, 0, 0};
    }
    if (lead < 0xE0) {
        return (wf_utf8_form_t){1, 0x80, 0xBF};
    }
    if (lead < 0xF0) {
        return (wf_utf8_form_t){2, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF};
    }
    return (wf_utf8_form_t){3, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF};
}

/*
 * The bytes that the character at the front takes, and whether it is one; where it is not, how
 * many bytes U+FFFD stands for (Unicode 15, 3.9: the longest beginning of a character, or one
 * byte). At least 1; at < end.
 */
static inline apr_size_t wf_utf8_span(int *valid, const unsigned char *at, const unsigned char *end)
{
    wf_utf8_form_t form = wf_utf8_form(*at);
    apr_size_t room = (apr_size_t)(end - at);
    apr_size_t span = 1;

    *valid = *at < 0x80;
    if (form.more == 0 || room < 2 || at[1] < form.low || at[1] > form.high) {
        return 1;
    }
    for (span = 2; span <= form.more && span < room && (at[span] & 0xC0) == 0x80; span++) {
    }
    *valid = span == (apr_size_t)form.more + 1;
    return span;
}

/* How many characters begin in a text that is valid UTF-8. */
static inline apr_size_t wf_utf8_count(wf_slice_t text)
{
    apr_size_t count = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
    }
    return count;
}

/* Writes a code point as UTF-8; gives its length, 1 to 4. */
static inline apr_size_t wf_utf8_put(char out[4], unsigned code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/*
 * Takes the character at the front of a text that is not empty: its code point, or -1 where there
 * is none, for which *span counts the bytes that stand in its place.
 */
static inline long wf_utf8_get(apr_size_t *span, wf_slice_t text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    int valid;
    long code;

    *span = wf_utf8_span(&valid, at, at + text.len);
    if (!valid || *span == 1) {
        return valid ? *at : -1;
    }
    code = *at & (0x7F >> *span);
    for (apr_size_t i = 1; i < *span; i++) {
        code = code << 6 | (at[i] & 0x3F);
    }
    return code;
}

#endif
