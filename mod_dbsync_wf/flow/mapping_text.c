/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts: joined, cut, searched. Positions and lengths are in characters (code points) and
 * count from 1. Of null most of these give null.
 */
#include "flow/mapping_function.h"

#include <apr_strings.h>
#include "base/utf8.h"

#define LENGTH_MOST APR_INT64_C(1000000000)

static wf_slice_t slice_between(const char *start, const char *end)
{
    return wf_slice_of(start, (apr_size_t)(end - start));
}

/* The bytes of the first so many characters. */
static apr_size_t span_of(wf_slice_t text, apr_int64_t characters)
{
    const unsigned char *at = (const unsigned char *)text.data;
    const unsigned char *end = at + text.len;
    int valid;

    while (characters-- > 0 && at < end) {
        at += wf_utf8_span(&valid, at, end);
    }
    return (apr_size_t)((const char *)at - text.data);
}

static apr_int64_t characters_of(wf_slice_t text)
{
    apr_int64_t count = 0;

    for (apr_size_t at = 0; at < text.len; count++) {
        at += span_of(wf_slice_of(text.data + at, text.len - at), 1);
    }
    return count;
}

/* The text of an argument; *value is null and *text empty where it is null. */
static apr_status_t begin(wf_slice_t *text, wf_value_t *value, wf_eval_t *eval, wf_value_t argument)
{
    apr_status_t rv = wf_eval_text(text, eval, argument);

    if (rv == APR_SUCCESS) {
        text->data = text->len ? text->data : "";
        *value = argument.kind == WF_VALUE_NULL ? wf_value_null() : wf_value_of_text(*text);
    }
    return rv;
}

/* Sets a text, unless it comes of null. */
static void set_text(wf_value_t *value, const char *start, apr_size_t len)
{
    if (value->kind != WF_VALUE_NULL) {
        *value = wf_value_of_text(wf_slice_of(start, len));
    }
}

static apr_status_t take_length(apr_int64_t *length, wf_eval_t *eval, wf_value_t value)
{
    return wf_eval_integer(length, eval, value, 0, LENGTH_MOST, "a whole number from 0 on");
}

static apr_status_t take_position(apr_int64_t *position, wf_eval_t *eval, wf_value_t value)
{
    return wf_eval_integer(position, eval, value, 1, LENGTH_MOST, "a whole number from 1 on");
}

static apr_status_t set_number(wf_value_t *value, wf_eval_t *eval, apr_int64_t number)
{
    value->kind = WF_VALUE_NUMBER;
    value->text = wf_slice(apr_psprintf(eval->pool, "%" APR_INT64_T_FMT, number));
    return APR_SUCCESS;
}

/* ---- joining ---- */

static apr_status_t call_concatenate(wf_value_t *value, wf_eval_t *eval,
                                     const wf_value_t *arguments, int count)
{
    wf_slice_t *texts = apr_palloc(eval->pool, sizeof(*texts) * (apr_size_t)count);
    apr_size_t len = 0;
    char *joined;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < count && rv == APR_SUCCESS; i++) {
        rv = wf_eval_text(&texts[i], eval, arguments[i]);
        len += rv == APR_SUCCESS ? texts[i].len : 0;
    }
    if (rv == APR_SUCCESS) {
        rv = wf_eval_allocate(&joined, eval, len);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *value = wf_value_of_text(wf_slice_of(joined, len));
    for (int i = 0; i < count; i++) {
        memcpy(joined, texts[i].len ? texts[i].data : "", texts[i].len);
        joined += texts[i].len;
    }
    return APR_SUCCESS;
}

static apr_status_t call_text(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_slice_t text;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    *value = wf_value_of_text(text);
    return rv;
}

/* How many times a text stands in another, without overlaps. */
static apr_size_t count_of(wf_slice_t text, wf_slice_t what)
{
    const char *end = text.data + text.len;
    apr_size_t count = 0;

    for (const char *at = text.data;
         (at = memmem(at, (apr_size_t)(end - at), what.data, what.len)) != NULL; at += what.len) {
        count++;
    }
    return count;
}

static apr_status_t call_replace(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                 int count)
{
    wf_slice_t text, what, by;
    apr_size_t times, size;
    const char *at, *found;
    char *to;
    apr_status_t rv = begin(&text, value, eval, arguments[0]);

    (void)count;
    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(&what, eval, arguments[1]);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(&by, eval, arguments[2]);
    }
    if (rv != APR_SUCCESS || what.len == 0) {
        return rv;
    }
    times = count_of(text, what);
    /* Refused before the size could overflow. */
    if (by.len && times > eval->room / by.len) {
        return wf_eval_allocate(&to, eval, eval->room + 1);
    }
    size = text.len - times * what.len + times * by.len;
    rv = wf_eval_allocate(&to, eval, size);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    set_text(value, to, size);
    for (at = text.data; times-- > 0; at = found + what.len) {
        found = memmem(at, (apr_size_t)(text.data + text.len - at), what.data, what.len);
        memcpy(to, at, (apr_size_t)(found - at));
        to += found - at;
        memcpy(to, by.len ? by.data : "", by.len);
        to += by.len;
    }
    memcpy(to, at, (apr_size_t)(text.data + text.len - at));
    return APR_SUCCESS;
}

static apr_status_t call_lpad(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_slice_t text, fill = wf_slice(" ");
    apr_int64_t length, missing;
    char *to;
    apr_status_t rv = begin(&text, value, eval, arguments[0]);

    if (rv == APR_SUCCESS) {
        rv = take_length(&length, eval, arguments[1]);
    }
    if (rv == APR_SUCCESS && count > 2) {
        rv = wf_eval_text(&fill, eval, arguments[2]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (characters_of(fill) != 1) {
        return wf_eval_fail(eval, "LPAD fills with exactly one character");
    }
    missing = length - characters_of(text);
    if (value->kind == WF_VALUE_NULL || missing <= 0) {
        return APR_SUCCESS;
    }
    rv = wf_eval_allocate(&to, eval, (apr_size_t)missing * fill.len + text.len);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    set_text(value, to, (apr_size_t)missing * fill.len + text.len);
    for (; missing-- > 0; to += fill.len) {
        memcpy(to, fill.data, fill.len);
    }
    memcpy(to, text.data, text.len);
    return APR_SUCCESS;
}

/* ---- cutting ---- */

static apr_status_t call_substring(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                   int count)
{
    wf_slice_t text;
    apr_int64_t start, length = LENGTH_MOST;
    apr_size_t skipped;
    apr_status_t rv = begin(&text, value, eval, arguments[0]);

    if (rv == APR_SUCCESS) {
        rv = take_position(&start, eval, arguments[1]);
    }
    if (rv == APR_SUCCESS && count > 2) {
        rv = take_length(&length, eval, arguments[2]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    skipped = span_of(text, start - 1);
    text = wf_slice_of(text.data + skipped, text.len - skipped);
    set_text(value, text.data, span_of(text, length));
    return APR_SUCCESS;
}

static apr_status_t call_left(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_slice_t text;
    apr_int64_t length;
    apr_status_t rv = begin(&text, value, eval, arguments[0]);

    (void)count;
    if (rv == APR_SUCCESS) {
        rv = take_length(&length, eval, arguments[1]);
    }
    if (rv == APR_SUCCESS) {
        set_text(value, text.data, span_of(text, length));
    }
    return rv;
}

static apr_status_t call_right(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    wf_slice_t text;
    apr_int64_t length;
    apr_size_t skipped;
    apr_status_t rv = begin(&text, value, eval, arguments[0]);

    (void)count;
    if (rv == APR_SUCCESS) {
        rv = take_length(&length, eval, arguments[1]);
    }
    if (rv == APR_SUCCESS) {
        skipped = span_of(text, characters_of(text) - length);
        set_text(value, text.data + skipped, text.len - skipped);
    }
    return rv;
}

static apr_status_t call_split(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    wf_slice_t text, separator;
    apr_int64_t piece;
    const char *at, *end, *found = NULL;
    apr_status_t rv = begin(&text, value, eval, arguments[0]);

    (void)count;
    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(&separator, eval, arguments[1]);
    }
    if (rv == APR_SUCCESS) {
        rv = take_position(&piece, eval, arguments[2]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (separator.len == 0) {
        return wf_eval_fail(eval, "SPLIT needs a separator that is not empty");
    }
    end = text.data + text.len;
    for (at = text.data; piece > 0; piece--) {
        at = found ? found + separator.len : at;
        found = memmem(at, (apr_size_t)(end - at), separator.data, separator.len);
        if (!found && piece > 1) {
            *value = wf_value_null();
            return APR_SUCCESS;
        }
    }
    set_text(value, at, (apr_size_t)((found ? found : end) - at));
    return APR_SUCCESS;
}

/* ---- searching ---- */

/* Both texts of a search; where in the first the second begins, or NULL. */
static apr_status_t search(const char **found, wf_slice_t *text, wf_slice_t *what, wf_eval_t *eval,
                           wf_value_t in, wf_value_t what_value)
{
    apr_status_t rv = wf_eval_text(text, eval, in);

    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(what, eval, what_value);
    }
    if (rv == APR_SUCCESS) {
        text->data = text->len ? text->data : "";
        *found = in.kind == WF_VALUE_NULL || what_value.kind == WF_VALUE_NULL
                     ? NULL
                     : memmem(text->data, text->len, what->data, what->len);
    }
    return rv;
}

static apr_status_t call_contains(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    wf_slice_t text, what;
    const char *found = NULL;
    apr_status_t rv = search(&found, &text, &what, eval, arguments[0], arguments[1]);

    (void)count;
    *value = wf_value_bool(found != NULL);
    return rv;
}

static apr_status_t call_startswith(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                    int count)
{
    wf_slice_t text, what;
    const char *found = NULL;
    apr_status_t rv = search(&found, &text, &what, eval, arguments[0], arguments[1]);

    (void)count;
    *value = wf_value_bool(found != NULL && found == text.data);
    return rv;
}

static apr_status_t call_endswith(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    wf_slice_t text, what;
    const char *found = NULL;
    apr_status_t rv = search(&found, &text, &what, eval, arguments[0], arguments[1]);

    (void)count;
    *value = wf_value_bool(found != NULL &&
                           memcmp(text.data + text.len - what.len, what.data, what.len) == 0);
    return rv;
}

static apr_status_t call_find(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_slice_t text, what;
    const char *found = NULL;
    apr_status_t rv = search(&found, &text, &what, eval, arguments[1], arguments[0]);

    (void)count;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return set_number(value, eval, found ? characters_of(slice_between(text.data, found)) + 1 : 0);
}

static apr_status_t call_length(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                int count)
{
    wf_slice_t text;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    return rv == APR_SUCCESS ? set_number(value, eval, characters_of(text)) : rv;
}

/* clang-format off */
const wf_function_t wf_text_functions[] = {
    {"CONCATENATE", "CONCATENATE(a, b, …)", 1, WF_ARGUMENTS_MOST, call_concatenate, NULL, NULL},
    {"CONCAT", "CONCAT(a, b, …)", 1, WF_ARGUMENTS_MOST, call_concatenate, NULL, NULL},
    {"TEXT", "TEXT(value)", 1, 1, call_text, NULL, NULL},
    {"LENGTH", "LENGTH(text)", 1, 1, call_length, NULL, NULL},
    {"LEN", "LEN(text)", 1, 1, call_length, NULL, NULL},
    {"SUBSTRING", "SUBSTRING(text, start[, length])", 2, 3, call_substring, NULL, NULL},
    {"MID", "MID(text, start[, length])", 2, 3, call_substring, NULL, NULL},
    {"LEFT", "LEFT(text, length)", 2, 2, call_left, NULL, NULL},
    {"RIGHT", "RIGHT(text, length)", 2, 2, call_right, NULL, NULL},
    {"SPLIT", "SPLIT(text, separator, piece)", 3, 3, call_split, NULL, NULL},
    {"LPAD", "LPAD(text, length[, fill])", 2, 3, call_lpad, NULL, NULL},
    {"REPLACE", "REPLACE(text, what, by)", 3, 3, call_replace, NULL, NULL},
    {"CONTAINS", "CONTAINS(text, what)", 2, 2, call_contains, NULL, NULL},
    {"STARTSWITH", "STARTSWITH(text, what)", 2, 2, call_startswith, NULL, NULL},
    {"ENDSWITH", "ENDSWITH(text, what)", 2, 2, call_endswith, NULL, NULL},
    {"FIND", "FIND(what, text)", 2, 2, call_find, NULL, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */
