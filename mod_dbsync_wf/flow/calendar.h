/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Gregorian calendar, for the years 1 to 9999: between a moment (an apr_time_t: microseconds
 * since 1970-01-01T00:00:00Z, negative before it) and what people write of it. APR's own functions
 * refuse the years before 1970.
 */
#ifndef WF_FLOW_CALENDAR_H
#define WF_FLOW_CALENDAR_H

#include <apr_errno.h>
#include <apr_time.h>

typedef struct wf_fields_t {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second, micro;
    int half;         /* of a twelve-hour clock, while reading: -1 none, 0 AM, 1 PM */
    int zone;         /* minutes to add to UTC */
    apr_time_t since; /* the moment itself; while reading where has_since */
    int has_since;
} wf_fields_t;

/* The moment. APR_SUCCESS, or WF_EINVALID where there is no such date or time. */
apr_status_t wf_fields_to_time(apr_time_t *when, const wf_fields_t *fields);

/* What a moment is called in a zone. APR_SUCCESS, or WF_EINVALID outside the years 1 to 9999. */
apr_status_t wf_fields_of_time(wf_fields_t *fields, apr_time_t when, int zone);

/* From 0, a Monday. */
int wf_fields_day_of_week(const wf_fields_t *fields);

/* From 1. */
int wf_fields_day_of_year(const wf_fields_t *fields);

/* The days of a month, 28 to 31. */
int wf_days_of_month(int year, int month);

/* How many whole units a number has, rounded down; *left is the rest, never negative. */
apr_int64_t wf_divide_floor(apr_int64_t *left, apr_int64_t number, apr_int64_t unit);

#endif
