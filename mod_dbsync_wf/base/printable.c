/* SPDX-License-Identifier: Apache-2.0 */
/* Text that may be quoted. */
#include "base/printable.h"

#include <apr_strings.h>
#include "base/utf8.h"

#define BYTES_MOST 4u   /* of a character */
#define C1_LEAD    0xC2 /* the lead byte of U+0080 to U+00BF; to U+009F they are controls */
#define C1_END     0xA0

static int is_control(const unsigned char *at, apr_size_t span)
{
    return at[0] < 0x20 || at[0] == 0x7F || (span == 2 && at[0] == C1_LEAD && at[1] < C1_END);
}

const char *wf_printable(wf_slice_t text, int most, apr_pool_t *pool)
{
    const unsigned char *at = (const unsigned char *)text.data;
    const unsigned char *end = at + text.len;
    char *line = apr_palloc(pool, (apr_size_t)most * BYTES_MOST + sizeof("..."));
    char *to = line;
    int valid;

    for (int chars = 0; at < end && chars < most; chars++) {
        apr_size_t span = wf_utf8_span(&valid, at, end);
        if (valid && !is_control(at, span)) {
            memcpy(to, at, span);
            to += span;
        } else {
            *to++ = '?';
        }
        at += span;
    }
    apr_cpystrn(to, at < end ? "..." : "", sizeof("..."));
    return line;
}
