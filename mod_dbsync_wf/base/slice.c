/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: slices and the growing buffer. */
#include "base/slice.h"

#include <stdlib.h>
#include <apr_strings.h>

#define FIRST_ROOM 512 /* most texts of a request fit: no second allocation */

int wf_slice_is(wf_slice_t slice, const char *text)
{
    return wf_slice_equal(slice, wf_slice(text));
}

int wf_slice_equal(wf_slice_t a, wf_slice_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

wf_slice_t wf_slice_dup(wf_slice_t slice, apr_pool_t *pool)
{
    return wf_slice_of(slice.len ? apr_pstrmemdup(pool, slice.data, slice.len) : "", slice.len);
}

wf_slice_t wf_buf_slice(const wf_buf_t *buf)
{
    return wf_slice_of(buf->data ? buf->data : "", buf->len);
}

char *wf_buf_grow(wf_buf_t *buf, apr_size_t more)
{
    apr_size_t room = buf->room ? buf->room : FIRST_ROOM;
    char *data;

    while (room - buf->len < more) {
        if (room > APR_SIZE_MAX / 2) {
            abort();
        }
        room *= 2;
    }
    data = realloc(buf->data, room);
    if (!data) {
        abort();
    }
    buf->data = data;
    buf->room = room;
    return data + buf->len;
}

void wf_buf_add_slice(wf_buf_t *buf, wf_slice_t slice)
{
    wf_buf_add(buf, slice.data, slice.len);
}

void wf_buf_add_text(wf_buf_t *buf, const char *text)
{
    wf_buf_add(buf, text, strlen(text));
}

void wf_buf_consume(wf_buf_t *buf, apr_size_t count)
{
    if (count < buf->len) {
        memmove(buf->data, buf->data + count, buf->len - count);
    }
    buf->len -= count;
}

void wf_buf_reset(wf_buf_t *buf)
{
    buf->len = 0;
}

void wf_buf_free(wf_buf_t *buf)
{
    free(buf->data);
    buf->data = NULL;
    buf->len = buf->room = 0;
}

static apr_status_t free_buf(void *data)
{
    wf_buf_free(data);
    return APR_SUCCESS;
}

void wf_buf_bind(wf_buf_t *buf, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, buf, free_buf, apr_pool_cleanup_null);
}
