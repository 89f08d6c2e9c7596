/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and times by patterns: a table says what each letter is. */
#include "flow/datetime.h"

#include <stddef.h>
#include <strings.h>
#include <apr_strings.h>
#include "base/result.h"
#include "flow/calendar.h"

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

typedef struct reader_t {
    const char *at;
    const char *end;
} reader_t;

/* ---- patterns ---- */

#define LETTERS_READ "YymdeHIMSLfpaAbBzsQFT%"

/* What follows a %: its letter, 'Z' for ":z", or '\0' where it is unknown. Moves *at behind it. */
static char take_letter(const char **at, const char *end, const char *known)
{
    char letter = *at + 1 < end ? (*at)[1] : '\0';

    if (letter == ':' && *at + 2 < end && (*at)[2] == 'z') {
        *at += 3;
        return 'Z';
    }
    *at += letter ? 2 : 1;
    return letter && strchr(known, letter) ? letter : '\0';
}

const char *wf_datetime_find_mistake(wf_slice_t pattern, int reading)
{
    const char *end = pattern.data + pattern.len;

    for (const char *at = pattern.data; at < end;) {
        const char *start = at;

        if (*at != '%') {
            at++;
        } else if (!take_letter(&at, end, reading ? LETTERS_READ : LETTERS_READ "uj")) {
            return start;
        }
    }
    return NULL;
}

/* The numbers among the letters: how many digits, and where they go. */
static const struct {
    char letter;
    int digits;
    apr_size_t member;
} numbers[] = {
    {'Y', 4, offsetof(wf_fields_t, year)},   {'m', 2, offsetof(wf_fields_t, month)},
    {'d', 2, offsetof(wf_fields_t, day)},    {'H', 2, offsetof(wf_fields_t, hour)},
    {'M', 2, offsetof(wf_fields_t, minute)}, {'S', 2, offsetof(wf_fields_t, second)},
};

/* The row of `numbers` for a letter, or -1. */
static int find_number(char letter)
{
    for (int i = 0; i < (int)(sizeof(numbers) / sizeof(numbers[0])); i++) {
        if (numbers[i].letter == letter) {
            return i;
        }
    }
    return -1;
}

/* ---- reading ---- */

/* Up to `most` digits, at least one. Gives how many there were. */
static int read_digits(apr_int64_t *number, reader_t *reader, int most)
{
    int count = 0;

    for (*number = 0; count < most && reader->at < reader->end; count++, reader->at++) {
        if (*reader->at < '0' || *reader->at > '9') {
            break;
        }
        *number = *number * 10 + (*reader->at - '0');
    }
    return count;
}

static int read_number(int *number, reader_t *reader, int most)
{
    apr_int64_t read;
    int count = read_digits(&read, reader, most);

    *number = (int)read;
    return count > 0;
}

/* The digits behind a point, as microseconds. */
static int read_fraction(int *micro, reader_t *reader, int most)
{
    apr_int64_t read;
    int count = read_digits(&read, reader, most);

    for (int i = count; i < 6; i++) {
        read *= 10;
    }
    *micro = (int)read;
    return count > 0;
}

static int read_text(reader_t *reader, const char *text, apr_size_t len)
{
    if ((apr_size_t)(reader->end - reader->at) < len || strncasecmp(reader->at, text, len) != 0) {
        return 0;
    }
    reader->at += len;
    return 1;
}

/* One of some names, long or with its first three letters; *index counts from 0. */
static int read_name(int *index, reader_t *reader, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (read_text(reader, names[i], strlen(names[i])) || read_text(reader, names[i], 3)) {
            *index = i;
            return 1;
        }
    }
    return 0;
}

static int read_zone(int *zone, reader_t *reader)
{
    apr_int64_t hours, minutes;
    int sign, colon, digits;

    if (read_text(reader, "Z", 1)) {
        *zone = 0;
        return 1;
    }
    if (reader->at == reader->end || (*reader->at != '+' && *reader->at != '-')) {
        return 0;
    }
    sign = *reader->at++ == '-' ? -1 : 1;
    if (read_digits(&hours, reader, 2) == 0) {
        return 0;
    }
    colon = read_text(reader, ":", 1);
    digits = read_digits(&minutes, reader, 2);
    if (digits == 1 || (colon && digits == 0)) {
        return 0;
    }
    *zone = sign * (int)(hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
}

/* Units (1,000,000 or 1,000 µs) since 1970. */
static int read_since(wf_fields_t *fields, reader_t *reader, apr_int64_t unit)
{
    int negative = read_text(reader, "-", 1);
    apr_int64_t number;
    wf_fields_t same;

    if (read_digits(&number, reader, 15) == 0 || number > APR_INT64_MAX / unit) {
        return 0;
    }
    fields->has_since = 1;
    fields->since = (negative ? -number : number) * unit;
    return wf_fields_of_time(&same, fields->since, 0) == APR_SUCCESS;
}

static int scan(wf_fields_t *fields, reader_t *reader, wf_slice_t pattern);

static int read_letter(wf_fields_t *fields, reader_t *reader, char letter)
{
    int number = find_number(letter);
    int ignored;

    if (number >= 0) {
        return read_number((int *)(void *)((char *)fields + numbers[number].member), reader,
                           numbers[number].digits);
    }
    switch (letter) {
    case 'y':
        if (!read_number(&fields->year, reader, 2)) {
            return 0;
        }
        fields->year += fields->year < 69 ? 2000 : 1900;
        return 1;
    case 'e':
        while (read_text(reader, " ", 1)) {
        }
        return read_number(&fields->day, reader, 2);
    case 'I':
        return read_number(&fields->hour, reader, 2) && fields->hour >= 1 && fields->hour <= 12;
    case 'p':
        fields->half = read_text(reader, "AM", 2) ? 0 : 1;
        return fields->half == 0 || read_text(reader, "PM", 2);
    case 'L':
        return read_fraction(&fields->micro, reader, 3);
    case 'f':
        return read_fraction(&fields->micro, reader, 6);
    case 'a':
    case 'A':
        return read_name(&ignored, reader, day_names, 7);
    case 'b':
    case 'B':
        if (!read_name(&fields->month, reader, month_names, 12)) {
            return 0;
        }
        fields->month++;
        return 1;
    case 'z':
    case 'Z':
        return read_zone(&fields->zone, reader);
    case 's':
        return read_since(fields, reader, APR_USEC_PER_SEC);
    case 'Q':
        return read_since(fields, reader, 1000);
    case 'F':
        return scan(fields, reader, wf_slice("%Y-%m-%d"));
    case 'T':
        return scan(fields, reader, wf_slice("%H:%M:%S"));
    default:
        return letter == '%' && read_text(reader, "%", 1);
    }
}

/* Takes what a pattern describes off the front. Whether it was there. */
static int scan(wf_fields_t *fields, reader_t *reader, wf_slice_t pattern)
{
    const char *end = pattern.data + pattern.len;

    for (const char *at = pattern.data; at < end;) {
        if (*at == '%') {
            if (!read_letter(fields, reader, take_letter(&at, end, LETTERS_READ))) {
                return 0;
            }
        } else if (reader->at == reader->end || *reader->at++ != *at++) {
            return 0;
        }
    }
    return 1;
}

static void begin(wf_fields_t *fields, reader_t *reader, wf_slice_t text)
{
    memset(fields, 0, sizeof(*fields));
    fields->year = 1970;
    fields->month = fields->day = 1;
    fields->half = -1;
    reader->at = text.len ? text.data : "";
    reader->end = reader->at + text.len;
}

apr_status_t wf_datetime_scan(apr_time_t *when, wf_slice_t text, wf_slice_t pattern)
{
    wf_fields_t fields;
    reader_t reader;

    begin(&fields, &reader, text);
    if (!scan(&fields, &reader, pattern) || reader.at < reader.end) {
        return WF_EINVALID;
    }
    if (fields.half >= 0) {
        if (fields.hour < 1 || fields.hour > 12) {
            return WF_EINVALID;
        }
        fields.hour = fields.hour % 12 + 12 * fields.half;
    }
    return wf_fields_to_time(when, &fields);
}

/* The time of day of RFC 3339, and the zone, where they are there. */
static int read_time(wf_fields_t *fields, reader_t *reader)
{
    if (reader->at == reader->end) {
        return 1;
    }
    if (!read_text(reader, "T", 1) && !read_text(reader, " ", 1)) {
        return 0;
    }
    if (!scan(fields, reader, wf_slice("%H:%M"))) {
        return 0;
    }
    if (read_text(reader, ":", 1) && !read_number(&fields->second, reader, 2)) {
        return 0;
    }
    if (read_text(reader, ".", 1) && !read_fraction(&fields->micro, reader, 6)) {
        return 0;
    }
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
    }
    return reader->at == reader->end || read_zone(&fields->zone, reader);
}

apr_status_t wf_datetime_parse(apr_time_t *when, wf_slice_t text)
{
    wf_fields_t fields;
    reader_t reader;

    begin(&fields, &reader, text);
    /* A year of four digits, so that 26-11-24 is not taken for one of the first century. */
    if (text.len < 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !scan(&fields, &reader, wf_slice("%F")) || !read_time(&fields, &reader) ||
        reader.at < reader.end) {
        return WF_EINVALID;
    }
    return wf_fields_to_time(when, &fields);
}

apr_status_t wf_datetime_parse_zone(int *minutes, wf_slice_t text)
{
    wf_fields_t fields;
    reader_t reader;

    begin(&fields, &reader, text);
    return read_zone(minutes, &reader) && reader.at == reader.end ? APR_SUCCESS : WF_EINVALID;
}

/* ---- writing ---- */

static void put(wf_buf_t *out, const char *format, int number)
{
    char text[32];

    apr_snprintf(text, sizeof(text), format, number);
    wf_buf_add_text(out, text);
}

static void put_since(wf_buf_t *out, apr_time_t when, apr_int64_t unit)
{
    apr_int64_t left;
    char text[32];

    apr_snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, wf_divide_floor(&left, when, unit));
    wf_buf_add_text(out, text);
}

static void put_zone(wf_buf_t *out, int zone, const char *between)
{
    wf_buf_add_char(out, zone < 0 ? '-' : '+');
    zone = zone < 0 ? -zone : zone;
    put(out, "%02d", zone / 60);
    wf_buf_add_text(out, between);
    put(out, "%02d", zone % 60);
}

static void print(wf_buf_t *out, const wf_fields_t *fields, wf_slice_t pattern);

static void put_letter(wf_buf_t *out, const wf_fields_t *fields, char letter)
{
    int number = find_number(letter);

    if (number >= 0) {
        put(out, numbers[number].digits == 4 ? "%04d" : "%02d",
            *(const int *)(const void *)((const char *)fields + numbers[number].member));
        return;
    }
    switch (letter) {
    case 'y':
        put(out, "%02d", fields->year % 100);
        break;
    case 'e':
        put(out, "%2d", fields->day);
        break;
    case 'I':
        put(out, "%02d", (fields->hour + 11) % 12 + 1);
        break;
    case 'p':
        wf_buf_add_text(out, fields->hour < 12 ? "AM" : "PM");
        break;
    case 'L':
        put(out, "%03d", fields->micro / 1000);
        break;
    case 'f':
        put(out, "%06d", fields->micro);
        break;
    case 'j':
        put(out, "%03d", wf_fields_day_of_year(fields));
        break;
    case 'u':
        put(out, "%d", wf_fields_day_of_week(fields) + 1);
        break;
    case 'a':
        wf_buf_add(out, day_names[wf_fields_day_of_week(fields)], 3);
        break;
    case 'A':
        wf_buf_add_text(out, day_names[wf_fields_day_of_week(fields)]);
        break;
    case 'b':
        wf_buf_add(out, month_names[fields->month - 1], 3);
        break;
    case 'B':
        wf_buf_add_text(out, month_names[fields->month - 1]);
        break;
    case 'z':
    case 'Z':
        put_zone(out, fields->zone, letter == 'Z' ? ":" : "");
        break;
    case 's':
        put_since(out, fields->since, APR_USEC_PER_SEC);
        break;
    case 'Q':
        put_since(out, fields->since, 1000);
        break;
    case 'F':
        print(out, fields, wf_slice("%Y-%m-%d"));
        break;
    case 'T':
        print(out, fields, wf_slice("%H:%M:%S"));
        break;
    default:
        wf_buf_add_char(out, '%');
    }
}

static void print(wf_buf_t *out, const wf_fields_t *fields, wf_slice_t pattern)
{
    const char *end = pattern.data + pattern.len;

    for (const char *at = pattern.data; at < end;) {
        if (*at == '%') {
            put_letter(out, fields, take_letter(&at, end, LETTERS_READ "uj"));
        } else {
            wf_buf_add_char(out, *at++);
        }
    }
}

apr_status_t wf_datetime_print(wf_buf_t *out, apr_time_t when, wf_slice_t pattern, int zone)
{
    wf_fields_t fields;
    apr_status_t rv = wf_fields_of_time(&fields, when, zone);

    if (rv == APR_SUCCESS) {
        print(out, &fields, pattern);
    }
    return rv;
}
