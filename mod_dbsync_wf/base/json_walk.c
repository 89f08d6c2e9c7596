/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding one's way through JSON text that wf_json_check has passed. Nothing here reports a
 * syntax error; on text that was never checked the answers mean nothing, but no byte outside the
 * text is ever read.
 */
#include "base/json.h"
#include "base/json_scan.h"
#include "base/utf8.h"

/* From an opening bracket or brace to behind the one that closes it. */
static const char *skip_container(const char *at, const char *end)
{
    apr_size_t depth = 0;

    while (at < end) {
        switch (*at) {
        case '"':
            at = wf_json_skip_string(at, end);
            continue;
        case '[':
        case '{':
            depth++;
            break;
        case ']':
        case '}':
            if (--depth == 0) {
                return at + 1;
            }
            break;
        default:
            break;
        }
        at++;
    }
    return end;
}

static const char *skip_value(const char *at, const char *end)
{
    if (at < end && *at == '"') {
        return wf_json_skip_string(at, end);
    }
    if (at < end && (*at == '[' || *at == '{')) {
        return skip_container(at, end);
    }
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !wf_json_is_white(*at)) {
        at++;
    }
    return at;
}

/*
 * The two walks below stand on a member or an element; this goes on to the next one. NULL where
 * there is none.
 */
static const char *skip_comma(const char *at, const char *end)
{
    at = wf_json_skip_white(at, end);
    return at < end && *at == ',' ? wf_json_skip_white(at + 1, end) : NULL;
}

/* Where the first member or element begins; NULL where value is not of that kind, or empty. */
static const char *enter(wf_slice_t value, char open, char close)
{
    const char *at;

    if (value.len == 0 || *value.data != open) {
        return NULL;
    }
    at = wf_json_skip_white(value.data + 1, value.data + value.len);
    return at < value.data + value.len && *at != close ? at : NULL;
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10) & 0xF;
}

/* The code unit of \uXXXX at `at`; 0xFFFF, which no surrogate is, where there is no such escape. */
static unsigned code_unit(const char *at, const char *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') {
        return 0xFFFF;
    }
    return hex_digit(at[2]) << 12 | hex_digit(at[3]) << 8 | hex_digit(at[4]) << 4 |
           hex_digit(at[5]);
}

/* Decodes \uXXXX and, where it begins a surrogate pair, the escape behind it. Moves *at past. */
static apr_size_t decode_unicode(char out[4], const char **at, const char *end)
{
    unsigned code = code_unit(*at, end);
    unsigned low;

    *at = end - *at < 6 ? end : *at + 6;
    if (code < 0xD800 || code > 0xDFFF) {
        return wf_utf8_put(out, code);
    }
    low = code_unit(*at, end);
    if (code > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        return wf_utf8_put(out, 0xFFFD);
    }
    *at += 6;
    return wf_utf8_put(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
}

/* Decodes the escape at *at and moves *at past it. Gives how many bytes it has put out. */
static apr_size_t decode_escape(char out[4], const char **at, const char *end)
{
    static const char letters[] = "bfnrt";
    static const char meant[] = "\b\f\n\r\t";
    const char *letter;

    if (end - *at < 2) {
        *at = end;
        return 0;
    }
    if ((*at)[1] == 'u') {
        return decode_unicode(out, at, end);
    }
    letter = memchr(letters, (*at)[1], sizeof(letters) - 1);
    out[0] = letter ? meant[letter - letters] : (*at)[1];
    *at += 2;
    return 1;
}

/* Whether what stands between quotes, from at to end, spells a name. */
static int spells(const char *at, const char *end, wf_slice_t name)
{
    const char *rest = name.len ? name.data : "";
    const char *name_end = rest + name.len;

    while (at < end) {
        char bytes[4] = {*at};
        apr_size_t len = 1;

        if (*at == '\\') {
            len = decode_escape(bytes, &at, end);
        } else {
            at++;
        }
        if ((apr_size_t)(name_end - rest) < len || memcmp(rest, bytes, len) != 0) {
            return 0;
        }
        rest += len;
    }
    return rest == name_end;
}

wf_slice_t wf_json_trim(wf_slice_t text)
{
    const char *at;
    const char *end;

    text = text.len ? text : wf_slice("");
    end = text.data + text.len;
    at = wf_json_skip_white(text.data, end);
    while (end > at && wf_json_is_white(end[-1])) {
        end--;
    }
    return wf_slice_of(at, (apr_size_t)(end - at));
}

wf_json_type_e wf_json_type(wf_slice_t value)
{
    wf_slice_t text = wf_json_trim(value);

    switch (text.len ? *text.data : 'n') {
    case '{':
        return WF_JSON_OBJECT;
    case '[':
        return WF_JSON_ARRAY;
    case '"':
        return WF_JSON_STRING;
    case 'f':
        return WF_JSON_FALSE;
    case 't':
        return WF_JSON_TRUE;
    case 'n':
        return WF_JSON_NULL;
    default:
        return WF_JSON_NUMBER;
    }
}

apr_status_t wf_json_member(wf_slice_t *member, wf_slice_t value, wf_slice_t name)
{
    wf_slice_t object = wf_json_trim(value);
    const char *end = object.data + object.len;
    apr_status_t status = APR_NOTFOUND;

    for (const char *at = enter(object, '{', '}'); at && at < end; at = skip_comma(at, end)) {
        const char *quote = wf_json_find_quote(at + 1, end);
        int found = spells(at + 1, quote, name);
        const char *start = wf_json_skip_white(quote < end ? quote + 1 : end, end);

        start = wf_json_skip_white(start < end ? start + 1 : end, end);
        at = skip_value(start, end);
        if (found) {
            *member = wf_slice_of(start, (apr_size_t)(at - start));
            status = APR_SUCCESS;
        }
    }
    return status;
}

apr_status_t wf_json_search(wf_slice_t *member, wf_slice_t value, wf_slice_t name)
{
    wf_slice_t text = wf_json_trim(value);
    const char *at = text.data;
    const char *end = text.data + text.len;

    /* A string that a colon follows is a name, and nothing else is. */
    while (at < end && (at = memchr(at, '"', (apr_size_t)(end - at))) != NULL) {
        const char *quote = wf_json_find_quote(at + 1, end);
        const char *colon = wf_json_skip_white(quote < end ? quote + 1 : end, end);

        if (colon < end && *colon == ':' && spells(at + 1, quote, name)) {
            const char *start = wf_json_skip_white(colon + 1, end);

            *member = wf_slice_of(start, (apr_size_t)(skip_value(start, end) - start));
            return APR_SUCCESS;
        }
        at = quote < end ? quote + 1 : end;
    }
    return APR_NOTFOUND;
}

apr_status_t wf_json_element(wf_slice_t *element, wf_slice_t value, apr_size_t index)
{
    wf_slice_t array = wf_json_trim(value);
    const char *end = array.data + array.len;

    for (const char *at = enter(array, '[', ']'); at && at < end; at = skip_comma(at, end)) {
        const char *start = at;

        at = skip_value(start, end);
        if (index-- == 0) {
            *element = wf_slice_of(start, (apr_size_t)(at - start));
            return APR_SUCCESS;
        }
    }
    return APR_NOTFOUND;
}

/*
 * Where the next element or member of a walk begins, NULL where there is none. What is left behind
 * one begins with its comma, or with the closing bracket.
 */
static const char *resume(wf_slice_t text, char open, char close)
{
    return text.len && *text.data == ',' ? skip_comma(text.data, text.data + text.len)
                                         : enter(text, open, close);
}

apr_status_t wf_json_next(wf_slice_t *element, wf_slice_t *rest)
{
    wf_slice_t text = wf_json_trim(*rest);
    const char *end = text.data + text.len;
    const char *start = resume(text, '[', ']');
    const char *at;

    if (!start) {
        return APR_EOF;
    }
    at = skip_value(start, end);
    *element = wf_slice_of(start, (apr_size_t)(at - start));
    *rest = wf_slice_of(at, (apr_size_t)(end - at));
    return APR_SUCCESS;
}

apr_status_t wf_json_next_member(wf_slice_t *name, wf_slice_t *value, wf_slice_t *rest)
{
    wf_slice_t text = wf_json_trim(*rest);
    const char *end = text.data + text.len;
    const char *start = resume(text, '{', '}');
    const char *at;

    if (!start) {
        return APR_EOF;
    }
    at = wf_json_find_quote(start + 1, end);
    at = at < end ? at + 1 : end;
    *name = wf_slice_of(start, (apr_size_t)(at - start));
    at = wf_json_skip_white(at, end);
    start = wf_json_skip_white(at < end ? at + 1 : end, end); /* behind the colon */
    at = skip_value(start, end);
    *value = wf_slice_of(start, (apr_size_t)(at - start));
    *rest = wf_slice_of(at, (apr_size_t)(end - at));
    return APR_SUCCESS;
}

apr_size_t wf_json_count(wf_slice_t value)
{
    wf_slice_t array = wf_json_trim(value);
    const char *end = array.data + array.len;
    apr_size_t count = 0;

    for (const char *at = enter(array, '[', ']'); at && at < end; at = skip_comma(at, end)) {
        at = skip_value(at, end);
        count++;
    }
    return count;
}

void wf_json_string_decode(wf_buf_t *out, wf_slice_t value)
{
    wf_slice_t text = wf_json_trim(value);
    const char *at = text.data + (text.len > 0);
    const char *end = text.len > 1 ? text.data + text.len - 1 : at;

    while (at < end) {
        const char *escape = memchr(at, '\\', (apr_size_t)(end - at));
        char bytes[4];

        wf_buf_add(out, at, (apr_size_t)((escape ? escape : end) - at));
        at = escape ? escape : end;
        if (escape) {
            wf_buf_add(out, bytes, decode_escape(bytes, &at, end));
        }
    }
}

/* ---- comparing strings ---- */

/* What is left of a string, character by character, and the bytes of one that was an escape. */
typedef struct letters_t {
    const char *at;
    const char *end;
    char bytes[4];
    apr_size_t len;  /* of bytes */
    apr_size_t used; /* of them */
} letters_t;

/* The next byte of the characters that the string spells; -1 behind the last. */
static int next_byte(letters_t *letters)
{
    if (letters->used < letters->len) {
        return (unsigned char)letters->bytes[letters->used++];
    }
    if (letters->at == letters->end) {
        return -1;
    }
    if (*letters->at != '\\') {
        return (unsigned char)*letters->at++;
    }
    letters->len = decode_escape(letters->bytes, &letters->at, letters->end);
    letters->used = 1;
    return letters->len ? (unsigned char)letters->bytes[0] : -1;
}

/* What a string's text spells from its byte i on. */
static letters_t letters_behind(wf_slice_t text, apr_size_t i)
{
    const char *end = text.data + (text.len ? text.len - 1 : 0);
    const char *at = i + 1 < text.len ? text.data + i : end;

    return (letters_t){at, end, {0}, 0, 0};
}

/* The byte of a string's text that is so far behind its quote; -1 where the string ends. */
static int byte_at(wf_slice_t text, apr_size_t i)
{
    return i + 1 < text.len ? (unsigned char)text.data[i] : -1;
}

int wf_json_string_compare(wf_slice_t a, wf_slice_t b)
{
    wf_slice_t x = wf_json_trim(a), y = wf_json_trim(b);
    letters_t left, right;
    apr_size_t i = 1;
    int one, other;

    /* What is in front of any escape is compared as it is. */
    while ((one = byte_at(x, i)) == (other = byte_at(y, i)) && one >= 0 && one != '\\') {
        i++;
    }
    if (one != '\\' && other != '\\') {
        return one - other;
    }
    left = letters_behind(x, i);
    right = letters_behind(y, i);
    do {
        one = next_byte(&left);
        other = next_byte(&right);
    } while (one == other && one >= 0);
    return one - other;
}
