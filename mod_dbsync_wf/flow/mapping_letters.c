/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts character by character: upper and lower case, white space, control characters, URLs. Which
 * letters have which case is the C library's knowledge of Unicode (locale C.UTF-8), whatever the
 * server's own locale is. Bytes that are not UTF-8 stay as they are.
 */
#include "flow/mapping_function.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>
#include "base/utf8.h"

/* ---- case ---- */

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t unicode; /* made once, by whoever needs it first; 0 where the system has none */

static void make_locale(void)
{
    static const char *const names[] = {"C.UTF-8", "C.utf8", "en_US.UTF-8"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !unicode; i++) {
        unicode = newlocale(LC_CTYPE_MASK, names[i], (locale_t)0);
    }
}

typedef wint_t convert_f(wint_t c, locale_t locale);

/* Converts a text, or, where to is NULL, only counts the bytes: case may change a length. */
static apr_size_t convert(char *to, wf_slice_t text, convert_f *function)
{
    apr_size_t len = 0;
    apr_size_t span;

    for (apr_size_t at = 0; at < text.len; at += span) {
        long c = wf_utf8_get(&span, wf_slice_of(text.data + at, text.len - at));
        char bytes[4];
        apr_size_t count = span;

        if (c >= 0) {
            count = wf_utf8_put(bytes, (unsigned)function((wint_t)c, unicode));
        }
        if (to) {
            memcpy(to + len, c >= 0 ? bytes : text.data + at, count);
        }
        len += count;
    }
    return len;
}

static apr_status_t change_case(wf_value_t *value, wf_eval_t *eval, wf_value_t argument,
                                convert_f *function)
{
    wf_slice_t text;
    apr_size_t len;
    char *to;
    apr_status_t rv = wf_eval_text(&text, eval, argument);

    if (rv != APR_SUCCESS || argument.kind == WF_VALUE_NULL) {
        *value = wf_value_null();
        return rv;
    }
    pthread_once(&locale_once, make_locale);
    if (!unicode) {
        return wf_eval_fail(eval, "%s needs the system's locale C.UTF-8, which is missing",
                            eval->function->name);
    }
    len = convert(NULL, text, function);
    rv = wf_eval_allocate(&to, eval, len);
    if (rv == APR_SUCCESS) {
        convert(to, text, function);
        *value = wf_value_of_text(wf_slice_of(to, len));
    }
    return rv;
}

static apr_status_t call_upper(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    (void)count;
    return change_case(value, eval, arguments[0], towupper_l);
}

static apr_status_t call_lower(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    (void)count;
    return change_case(value, eval, arguments[0], towlower_l);
}

/* ---- white space and control characters ---- */

/* Unicode's White_Space, and the zero-width no-break space that begins some files. */
static int is_space(long c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

static int is_control(long c)
{
    return (c >= 0 && c < 0x20) || (c >= 0x7F && c < 0xA0);
}

/* The text without the white space around it. */
static wf_slice_t trim(wf_slice_t text)
{
    apr_size_t start = text.len, end = 0, span;

    for (apr_size_t at = 0; at < text.len; at += span) {
        if (!is_space(wf_utf8_get(&span, wf_slice_of(text.data + at, text.len - at)))) {
            start = at < start ? at : start;
            end = at + span;
        }
    }
    return end ? wf_slice_of(text.data + start, end - start) : wf_slice("");
}

static apr_status_t call_trim(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_slice_t text;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    *value = wf_value_null();
    if (rv == APR_SUCCESS && arguments[0].kind != WF_VALUE_NULL) {
        *value = wf_value_of_text(trim(text));
    }
    return rv;
}

static apr_status_t call_clean(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    wf_slice_t text;
    apr_size_t len = 0, span;
    char *to;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    *value = wf_value_null();
    if (rv != APR_SUCCESS || arguments[0].kind == WF_VALUE_NULL) {
        return rv;
    }
    rv = wf_eval_allocate(&to, eval, text.len);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (apr_size_t at = 0; at < text.len; at += span) {
        if (!is_control(wf_utf8_get(&span, wf_slice_of(text.data + at, text.len - at)))) {
            memcpy(to + len, text.data + at, span);
            len += span;
        }
    }
    *value = wf_value_of_text(trim(wf_slice_of(to, len)));
    return APR_SUCCESS;
}

/* ---- URLs ---- */

/* What needs no escape anywhere in a URL (RFC 3986, 2.3). */
static int is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static apr_status_t call_urlencode(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                   int count)
{
    static const char hex[] = "0123456789ABCDEF";
    wf_slice_t text;
    apr_size_t len = 0;
    char *to;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    *value = wf_value_null();
    if (rv != APR_SUCCESS || arguments[0].kind == WF_VALUE_NULL) {
        return rv;
    }
    for (apr_size_t i = 0; i < text.len; i++) {
        len += is_unreserved(text.data[i]) ? 1 : 3;
    }
    rv = wf_eval_allocate(&to, eval, len);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *value = wf_value_of_text(wf_slice_of(to, len));
    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (is_unreserved(text.data[i])) {
            *to++ = text.data[i];
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 0xF];
        }
    }
    return APR_SUCCESS;
}

/* clang-format off */
const wf_function_t wf_letter_functions[] = {
    {"UPPER", "UPPER(text)", 1, 1, call_upper, NULL, NULL},
    {"LOWER", "LOWER(text)", 1, 1, call_lower, NULL, NULL},
    {"TRIM", "TRIM(text)", 1, 1, call_trim, NULL, NULL},
    {"CLEAN", "CLEAN(text)", 1, 1, call_clean, NULL, NULL},
    {"URLENCODE", "URLENCODE(text)", 1, 1, call_urlencode, NULL, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */
