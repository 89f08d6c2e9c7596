/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps over JSON text that wf_json_check has passed: private to those who find their way through
 * it. On text that was never checked the answers mean nothing, but no byte outside it is read.
 */
#ifndef WF_BASE_JSON_SCAN_H
#define WF_BASE_JSON_SCAN_H

#include "base/slice.h"

static inline int wf_json_is_white(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *wf_json_skip_white(const char *at, const char *end)
{
    while (at < end && wf_json_is_white(*at)) {
        at++;
    }
    return at;
}

/* From the byte behind the opening quote to the closing one, or to the end. */
static inline const char *wf_json_find_quote(const char *start, const char *end)
{
    const char *at = start;
    const char *quote;

    while (at < end && (quote = memchr(at, '"', (apr_size_t)(end - at))) != NULL) {
        const char *escape = quote;

        while (escape > at && escape[-1] == '\\') {
            escape--;
        }
        if ((quote - escape) % 2 == 0) {
            return quote;
        }
        at = quote + 1;
    }
    return end;
}

/* From an opening quote to behind the closing one. */
static inline const char *wf_json_skip_string(const char *at, const char *end)
{
    const char *quote = wf_json_find_quote(at + 1, end);

    return quote < end ? quote + 1 : end;
}

#endif
