/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of two values is the later one, for the marker of an incremental copy. Databases spell
 * points in time so that they sort as texts, but for their offset from UTC, which may change within
 * a column: those with an offset are compared as points in time.
 */
#include "flow/sql/write.h"

#include <stdlib.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_time.h>

/* Digits at a place of a fixed form; false where there are others. */
static int read_digits(int *out, const char *text, int count)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        if (!apr_isdigit(text[i])) {
            return 0;
        }
        *out = *out * 10 + (text[i] - '0');
    }
    return 1;
}

/* "+02", "-05:30", "Z" at the end of a text: seconds east of UTC. */
static int read_offset(int *seconds, const char *text)
{
    int hours, minutes = 0;

    *seconds = 0;
    if (strcmp(text, "Z") == 0) {
        return 1;
    }
    if ((*text != '+' && *text != '-') || !read_digits(&hours, text + 1, 2)) {
        return 0;
    }
    if (text[3] == ':' ? !read_digits(&minutes, text + 4, 2) || text[6] : text[3] != '\0') {
        return 0;
    }
    *seconds = (hours * 60 + minutes) * 60 * (*text == '-' ? -1 : 1);
    return 1;
}

/* "2026-01-31 12:30:00.5+02" or with a T, in microseconds; false for anything else. */
static int read_time(apr_time_t *out, wf_slice_t slice)
{
    char text[48];
    apr_time_exp_t parts = {0};
    const char *rest;
    int scale = 100000;

    if (slice.len < 20 || slice.len >= sizeof(text)) {
        return 0;
    }
    memcpy(text, slice.data, slice.len);
    text[slice.len] = '\0';
    if (!read_digits(&parts.tm_year, text, 4) || text[4] != '-' ||
        !read_digits(&parts.tm_mon, text + 5, 2) || text[7] != '-' ||
        !read_digits(&parts.tm_mday, text + 8, 2) || (text[10] != ' ' && text[10] != 'T') ||
        !read_digits(&parts.tm_hour, text + 11, 2) || text[13] != ':' ||
        !read_digits(&parts.tm_min, text + 14, 2) || text[16] != ':' ||
        !read_digits(&parts.tm_sec, text + 17, 2)) {
        return 0;
    }
    rest = text + 19;
    if (*rest == '.') {
        for (rest++; apr_isdigit(*rest); rest++) {
            parts.tm_usec += (*rest - '0') * scale;
            scale /= 10;
        }
    }
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    return read_offset(&parts.tm_gmtoff, rest) && apr_time_exp_gmt_get(out, &parts) == APR_SUCCESS;
}

/* A long double holds every 64-bit integer; of longer numbers it may take two for equal. */
static int compare_numbers(wf_slice_t a, wf_slice_t b)
{
    char text[2][64];
    long double x, y;

    apr_cpystrn(text[0], a.data, a.len < 63 ? a.len + 1 : 64);
    apr_cpystrn(text[1], b.data, b.len < 63 ? b.len + 1 : 64);
    x = strtold(text[0], NULL);
    y = strtold(text[1], NULL);
    return x < y ? -1 : x > y;
}

static int compare_bytes(wf_slice_t a, wf_slice_t b)
{
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

int wf_marker_is_greater(const wf_value_t *a, const wf_value_t *b)
{
    apr_time_t x, y;

    if (a->kind == WF_VALUE_NULL || b->kind == WF_VALUE_NULL) {
        return a->kind != WF_VALUE_NULL;
    }
    if (a->kind == WF_VALUE_NUMBER && b->kind == WF_VALUE_NUMBER) {
        return compare_numbers(a->text, b->text) > 0;
    }
    if (read_time(&x, a->text) && read_time(&y, b->text)) {
        return x > y;
    }
    return compare_bytes(a->text, b->text) > 0;
}
