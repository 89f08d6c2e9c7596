/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>
#include <apr_strings.h>

apr_time_t wf_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (apr_time_t)now.tv_sec * APR_USEC_PER_SEC + now.tv_nsec / 1000;
}

int wf_clock_poll_ms(apr_time_t deadline)
{
    apr_time_t left = deadline - wf_clock();

    if (left <= 0) {
        return 0;
    }
    left = (left + 999) / 1000;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* Writes a number with that many digits, and what follows it; returns what is behind that. */
static char *put_digits(char *at, int number, int count, char behind)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    at[count] = behind;
    return at + count + 1;
}

void wf_time_format(char text[WF_TIME_TEXT_LEN + 1], apr_time_t when)
{
    apr_time_exp_t t;
    char *at = text;

    /* Several to an answer: the formatter of apr_snprintf took most of the time of each. */
    apr_time_exp_gmt(&t, when);
    at = put_digits(at, t.tm_year + 1900, 4, '-');
    at = put_digits(at, t.tm_mon + 1, 2, '-');
    at = put_digits(at, t.tm_mday, 2, 'T');
    at = put_digits(at, t.tm_hour, 2, ':');
    at = put_digits(at, t.tm_min, 2, ':');
    at = put_digits(at, t.tm_sec, 2, '.');
    at = put_digits(at, t.tm_usec / 1000, 3, 'Z');
    *at = '\0';
}

void wf_seconds_format(char text[WF_SECONDS_TEXT_LEN + 1], apr_uint64_t time)
{
    apr_size_t len =
        (apr_size_t)apr_snprintf(text, WF_SECONDS_TEXT_LEN + 1, "%" APR_UINT64_T_FMT ".%06u",
                                 time / APR_USEC_PER_SEC, (unsigned)(time % APR_USEC_PER_SEC));

    while (text[len - 1] == '0') {
        len--;
    }
    text[text[len - 1] == '.' ? len - 1 : len] = '\0';
}
