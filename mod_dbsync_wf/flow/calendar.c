/* SPDX-License-Identifier: Apache-2.0 */
/* The Gregorian calendar. Days are counted from 1970-01-01. */
#include "flow/calendar.h"

#include <string.h>
#include "base/result.h"

#define DAY_SECONDS 86400

static int is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int wf_days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

int wf_fields_day_of_year(const wf_fields_t *fields)
{
    int day = fields->day;

    for (int i = 1; i < fields->month; i++) {
        day += wf_days_of_month(fields->year, i);
    }
    return day;
}

/* The days before a year's first. */
static apr_int64_t days_before(int year)
{
    int y = year - 1;

    return (apr_int64_t)y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int is_date(const wf_fields_t *fields)
{
    return fields->year >= 1 && fields->year <= 9999 && fields->month >= 1 && fields->month <= 12 &&
           fields->day >= 1 && fields->day <= wf_days_of_month(fields->year, fields->month) &&
           fields->hour <= 23 && fields->minute <= 59 && fields->second <= 59;
}

apr_status_t wf_fields_to_time(apr_time_t *when, const wf_fields_t *fields)
{
    apr_int64_t seconds;

    if (fields->has_since) {
        *when = fields->since;
        return APR_SUCCESS;
    }
    if (!is_date(fields)) {
        return WF_EINVALID;
    }
    seconds = (days_before(fields->year) + wf_fields_day_of_year(fields) - 1) * DAY_SECONDS +
              fields->hour * 3600 + (fields->minute - fields->zone) * 60 + fields->second;
    *when = seconds * APR_USEC_PER_SEC + fields->micro;
    return APR_SUCCESS;
}

apr_int64_t wf_divide_floor(apr_int64_t *left, apr_int64_t number, apr_int64_t unit)
{
    *left = number % unit;
    if (*left < 0) {
        *left += unit;
    }
    return (number - *left) / unit;
}

apr_status_t wf_fields_of_time(wf_fields_t *fields, apr_time_t when, int zone)
{
    apr_int64_t left, second, days;

    if (when < days_before(1) * DAY_SECONDS * APR_USEC_PER_SEC ||
        when >= days_before(10000) * DAY_SECONDS * APR_USEC_PER_SEC) {
        return WF_EINVALID;
    }
    memset(fields, 0, sizeof(*fields));
    fields->since = when;
    fields->zone = zone;
    days = wf_divide_floor(&second, wf_divide_floor(&left, when, APR_USEC_PER_SEC) + zone * 60,
                           DAY_SECONDS);
    fields->micro = (int)left;
    fields->hour = (int)(second / 3600);
    fields->minute = (int)(second / 60 % 60);
    fields->second = (int)(second % 60);
    /* A guess that is never too late, and a few years too early at most. */
    fields->year = 1970 + (int)(days / (days < 0 ? 365 : 366)) - (days < 0);
    while (days >= days_before(fields->year + 1)) {
        fields->year++;
    }
    days -= days_before(fields->year);
    for (fields->month = 1; days >= wf_days_of_month(fields->year, fields->month);
         fields->month++) {
        days -= wf_days_of_month(fields->year, fields->month);
    }
    fields->day = (int)days + 1;
    return fields->year >= 1 && fields->year <= 9999 ? APR_SUCCESS : WF_EINVALID;
}

int wf_fields_day_of_week(const wf_fields_t *fields)
{
    apr_int64_t left;

    /* 1970-01-01 was a Thursday. */
    wf_divide_floor(&left, days_before(fields->year) + wf_fields_day_of_year(fields) + 2, 7);
    return (int)left;
}
