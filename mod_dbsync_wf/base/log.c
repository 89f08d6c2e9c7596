/* SPDX-License-Identifier: Apache-2.0 */
/* The log's sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/result.h"

#define MESSAGE_MAX 1024

static wf_log_sink_t bound_sink;
static void *bound_baton;
static wf_log_level_e bound_most = WF_LOG_INFO;

void wf_log_bind(wf_log_sink_t sink, void *baton, wf_log_level_e most)
{
    bound_sink = sink;
    bound_baton = baton;
    bound_most = most;
}

int wf_log_is(wf_log_level_e level)
{
    return level <= bound_most;
}

int wf_log_may(wf_log_limit_t *limit, unsigned most, apr_interval_time_t period, apr_uint64_t *left)
{
    apr_time_t now = wf_clock();

    if (now >= limit->end) {
        limit->end = now + period;
        limit->count = 0;
    }
    if (limit->count == most) {
        limit->left++;
        return 0;
    }
    limit->count++;
    *left = limit->left;
    limit->left = 0;
    return 1;
}

static void write_stderr(const char *file, int line, const char *message)
{
    char text[MESSAGE_MAX + 200];

    int len = apr_snprintf(text, sizeof(text), "%s:%d: %s\n", file, line, message);
    /* One write, so that lines of several threads do not mix; nobody to tell where it fails. */
    if (write(STDERR_FILENO, text, (size_t)len) < 0) {
        return;
    }
}

void wf_log_write(const char *file, int line, wf_log_level_e level, apr_status_t status,
                  const char *id, const char *format, ...)
{
    char message[MESSAGE_MAX];
    char reason[200];
    apr_size_t len;
    va_list args;

    len = (apr_size_t)apr_snprintf(message, sizeof(message), "%s: ", id);
    va_start(args, format);
    len += (apr_size_t)apr_vsnprintf(message + len, sizeof(message) - len, format, args);
    va_end(args);
    if (status != APR_SUCCESS) {
        apr_snprintf(message + len, sizeof(message) - len, ": %s (%d)",
                     wf_strerror(status, reason, sizeof(reason)), status);
    }
    if (bound_sink) {
        bound_sink(bound_baton, file, line, level, status, message);
    } else {
        write_stderr(file, line, message);
    }
}
