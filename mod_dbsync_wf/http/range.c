/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the header Range. */
#include "http/range.h"

#include <strings.h>
#include <apr_lib.h>
#include "base/result.h"

#define UNIT "bytes="

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

/* Takes digits off the front; a number that is too large is as large as can be. Whether any were
 * there. */
static int take_number(apr_uint64_t *number, const char **at)
{
    const char *start = *at;

    *number = 0;
    for (; apr_isdigit(**at); (*at)++) {
        apr_uint64_t digit = (apr_uint64_t)(**at - '0');

        *number = *number > (APR_UINT64_MAX - digit) / 10 ? APR_UINT64_MAX : *number * 10 + digit;
    }
    return *at > start;
}

/* The last `count` bytes. */
static apr_status_t take_suffix(wf_range_t *range, apr_uint64_t count, apr_uint64_t length)
{
    if (count == 0 || length == 0) {
        return WF_EINVALID;
    }
    range->begin = count < length ? length - count : 0;
    range->end = length;
    return APR_SUCCESS;
}

apr_status_t wf_range_read(wf_range_t *range, const char *header, apr_uint64_t length)
{
    apr_uint64_t first = 0, last = APR_UINT64_MAX;
    int has_first, has_last;

    if (!header || strncasecmp(header, UNIT, sizeof(UNIT) - 1) != 0) {
        return APR_NOTFOUND;
    }
    header = skip_space(header + sizeof(UNIT) - 1);
    has_first = take_number(&first, &header);
    if (*header++ != '-') {
        return APR_NOTFOUND;
    }
    has_last = take_number(&last, &header);
    if (*skip_space(header) != '\0' || (!has_first && !has_last) ||
        (has_first && has_last && last < first)) {
        return APR_NOTFOUND;
    }
    if (!has_first) {
        return take_suffix(range, last, length);
    }
    if (first >= length) {
        return WF_EINVALID;
    }
    range->begin = first;
    range->end = has_last && last < length ? last + 1 : length;
    return APR_SUCCESS;
}
