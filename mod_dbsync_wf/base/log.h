/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging without httpd: one sink a process, which the glue binds to httpd's error log and unit
 * programs leave on stderr.
 *
 * Levels: ERROR an operator must act; WARNING it works, but worse; INFO life cycle and clients'
 * faults; DEBUG and TRACE are for us. Every message carries an id of ours ("WF0123"), unique in
 * the tree. No payload, password or connection string is ever logged.
 */
#ifndef WF_BASE_LOG_H
#define WF_BASE_LOG_H

#include <apr_errno.h>
#include <apr_time.h>

typedef enum {
    WF_LOG_ERROR,
    WF_LOG_WARNING,
    WF_LOG_INFO,
    WF_LOG_DEBUG,
    WF_LOG_TRACE
} wf_log_level_e;

/* Receives one message, complete and without a newline. May be called from any thread. */
typedef void (*wf_log_sink_t)(void *baton, const char *file, int line, wf_log_level_e level,
                              apr_status_t status, const char *message);

/*
 * Sets the process's sink and the most talkative level that it wants. Called before threads start.
 * A NULL sink means stderr.
 */
void wf_log_bind(wf_log_sink_t sink, void *baton, wf_log_level_e most);

/* Whether a message of that level would go anywhere. */
int wf_log_is(wf_log_level_e level);

/* Use the macros below. */
void wf_log_write(const char *file, int line, wf_log_level_e level, apr_status_t status,
                  const char *id, const char *format, ...) __attribute__((format(printf, 6, 7)));

/*
 * Keeps messages that come again and again from filling the log: so many at once, then so many in
 * each period. Zeroed to begin with; one thread at a time uses it.
 */
typedef struct wf_log_limit_t {
    apr_time_t end;    /* a wf_clock time: of the period */
    unsigned count;    /* messages in it */
    apr_uint64_t left; /* messages left out since the last one */
} wf_log_limit_t;

/*
 * Whether one more message may be written, `most` of them in each `period` (microseconds); where
 * not, it is counted. *left is how many were left out since the last one that was not.
 */
int wf_log_may(wf_log_limit_t *limit, unsigned most, apr_interval_time_t period,
               apr_uint64_t *left);

/*
 * wf_log_error(status, "WF0001", "what failed: %s", …): status is the apr_status_t at hand, 0 for
 * none; its text is appended to the message.
 */
#define wf_log_at(level, status, ...)                                                              \
    do {                                                                                           \
        if (wf_log_is(level)) {                                                                    \
            wf_log_write(__FILE__, __LINE__, (level), (status), __VA_ARGS__);                      \
        }                                                                                          \
    } while (0)
#define wf_log_error(status, ...)   wf_log_at(WF_LOG_ERROR, status, __VA_ARGS__)
#define wf_log_warning(status, ...) wf_log_at(WF_LOG_WARNING, status, __VA_ARGS__)
#define wf_log_info(status, ...)    wf_log_at(WF_LOG_INFO, status, __VA_ARGS__)
#define wf_log_debug(status, ...)   wf_log_at(WF_LOG_DEBUG, status, __VA_ARGS__)
#define wf_log_trace(status, ...)   wf_log_at(WF_LOG_TRACE, status, __VA_ARGS__)

#endif
