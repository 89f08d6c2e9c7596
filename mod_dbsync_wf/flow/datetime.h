/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and times of the years 1 to 9999 in the Gregorian calendar, read and written by patterns.
 * A moment is an apr_time_t: microseconds since 1970-01-01T00:00:00Z, negative before it. (APR's
 * own functions know no year before 1970.) Names are English whatever the server's locale is.
 *
 * A pattern is text with letters of strftime(3):
 *   %Y year, 4 digits      %H hour 00-23           %a %A  day of the week: Mon, Monday
 *   %y year 00-99 (69-99   %I hour 01-12           %b %B  month: Jan, January
 *      are 1969-1999)      %p AM or PM             %u     day of the week, 1 (Monday) to 7
 *   %m month 01-12         %M minute               %j     day of the year, 001-366
 *   %d day 01-31           %S second               %z %:z zone: +0200, +02:00
 *   %e day, with a space   %L milliseconds, 000-999 %s %Q seconds, milliseconds since 1970
 *      before one digit    %f microseconds         %F %T %%  %Y-%m-%d, %H:%M:%S, a % sign
 * Reading takes all of them but %u and %j; numbers may lack their leading zeros, names may be short
 * or long and in any case, and %L and %f take a fraction of up to 3 and 6 digits.
 */
#ifndef WF_FLOW_DATETIME_H
#define WF_FLOW_DATETIME_H

#include <apr_errno.h>
#include <apr_time.h>
#include "base/slice.h"

/* A zone is an offset from UTC in minutes, -23:59 to 23:59. */

/*
 * Reads a date as RFC 3339 has it: 2026-11-24, or 2026-11-24T03:44:25Z. The T may be a space, the
 * seconds, their fraction and the zone may be missing; without a zone it is UTC; digits of the
 * fraction past the sixth are dropped. APR_SUCCESS, or WF_EINVALID.
 */
apr_status_t wf_datetime_parse(apr_time_t *when, wf_slice_t text);

/* Reads a zone: Z, +02:00, -0530 or +02. APR_SUCCESS, or WF_EINVALID. */
apr_status_t wf_datetime_parse_zone(int *minutes, wf_slice_t text);

/*
 * Reads a text by a pattern, which it must fit from end to end. What the pattern does not name is
 * that of 1970-01-01T00:00:00Z. APR_SUCCESS, or WF_EINVALID.
 */
apr_status_t wf_datetime_scan(apr_time_t *when, wf_slice_t text, wf_slice_t pattern);

/* Appends a moment by a pattern, as it is in a zone. APR_SUCCESS, or WF_EINVALID: out of range. */
apr_status_t wf_datetime_print(wf_buf_t *out, apr_time_t when, wf_slice_t pattern, int zone);

/* The first % of a pattern that is of no use, for printing or for reading; or NULL. */
const char *wf_datetime_find_mistake(wf_slice_t pattern, int reading);

#define WF_DATETIME_ISO "%Y-%m-%dT%H:%M:%S.%LZ"

#endif
