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

void wf_time_format(char text[WF_TIME_TEXT_LEN + 1], apr_time_t when)
{
    apr_time_exp_t t;

    apr_time_exp_gmt(&t, when);
    apr_snprintf(text, WF_TIME_TEXT_LEN + 1, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                 t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                 t.tm_usec / 1000);
}
