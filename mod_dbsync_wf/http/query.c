/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of a URL's query. */
#include "http/query.h"

#include <apr_lib.h>
#include "base/result.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)apr_tolower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes into pool; whether every escape was well-formed. */
static int decode(wf_slice_t *out, wf_slice_t text, apr_pool_t *pool)
{
    char *to = apr_palloc(pool, text.len + 1);
    apr_size_t len = 0;

    for (apr_size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (c == '%') {
            int high = text.len - i > 2 ? hex_digit(text.data[i + 1]) : -1;
            int low = text.len - i > 2 ? hex_digit(text.data[i + 2]) : -1;

            if (high < 0 || low < 0) {
                return 0;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        to[len++] = c;
    }
    to[len] = '\0';
    *out = wf_slice_of(to, len);
    return 1;
}

/* Takes the text before the next `separator`, or all of it, off the front of *rest. */
static wf_slice_t take_until(wf_slice_t *rest, char separator)
{
    const char *end = memchr(rest->data, separator, rest->len);
    wf_slice_t part = wf_slice_of(rest->data, end ? (apr_size_t)(end - rest->data) : rest->len);
    apr_size_t used = part.len + (end ? 1 : 0);

    *rest = wf_slice_of(rest->data + used, rest->len - used);
    return part;
}

apr_status_t wf_query_find(wf_slice_t *value, const char *args, const char *name, apr_pool_t *pool)
{
    wf_slice_t rest = wf_slice(args);
    int found = 0;

    while (rest.len > 0) {
        wf_slice_t given = take_until(&rest, '&');
        wf_slice_t key = take_until(&given, '=');
        wf_slice_t decoded;

        if (!decode(&key, key, pool) || !decode(&decoded, given, pool)) {
            return WF_EINVALID;
        }
        if (!wf_slice_is(key, name)) {
            continue;
        }
        if (found && !wf_slice_equal(*value, decoded)) {
            return WF_EINVALID;
        }
        *value = decoded;
        found = 1;
    }
    return found ? APR_SUCCESS : APR_NOTFOUND;
}
