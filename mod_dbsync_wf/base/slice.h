/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes: a borrowed view (wf_slice_t) and a growing buffer (wf_buf_t).
 *
 * A slice owns nothing and need not end in NUL; its bytes live as long as what it was taken from.
 * A buffer is on the heap rather than in a pool, so that a connection that lives for days can be
 * reused without growing: wf_buf_reset keeps the memory, wf_buf_free gives it back. Where memory
 * runs out the process ends, as it does for httpd's own pools.
 */
#ifndef WF_BASE_SLICE_H
#define WF_BASE_SLICE_H

#include <string.h>
#include <apr_pools.h>

typedef struct wf_slice_t {
    const char *data;
    apr_size_t len;
} wf_slice_t;

typedef struct wf_buf_t {
    char *data;
    apr_size_t len;
    apr_size_t room; /* bytes allocated at data */
} wf_buf_t;

/* The slice of a NUL-terminated string; NULL gives the empty slice. */
static inline wf_slice_t wf_slice(const char *text)
{
    wf_slice_t s = {text ? text : "", text ? strlen(text) : 0};
    return s;
}

static inline wf_slice_t wf_slice_of(const void *data, apr_size_t len)
{
    wf_slice_t s = {(const char *)data, len};
    return s;
}

/* Whether a slice holds exactly the bytes of a NUL-terminated string. */
int wf_slice_is(wf_slice_t slice, const char *text);

/* Whether two slices hold the same bytes. */
int wf_slice_equal(wf_slice_t a, wf_slice_t b);

/* A copy in pool; its data is NUL-terminated one byte past len. */
wf_slice_t wf_slice_dup(wf_slice_t slice, apr_pool_t *pool);

/* The bytes of a buffer, valid until the buffer changes. */
wf_slice_t wf_buf_slice(const wf_buf_t *buf);

/* What wf_buf_reserve does where there is not that much room yet. */
char *wf_buf_grow(wf_buf_t *buf, apr_size_t more);

/* Makes room for `more` bytes behind len and returns where they go; len is unchanged. */
static inline char *wf_buf_reserve(wf_buf_t *buf, apr_size_t more)
{
    return buf->room - buf->len >= more ? buf->data + buf->len : wf_buf_grow(buf, more);
}

static inline void wf_buf_add(wf_buf_t *buf, const void *data, apr_size_t len)
{
    if (len) {
        memcpy(wf_buf_reserve(buf, len), data, len);
        buf->len += len;
    }
}

static inline void wf_buf_add_char(wf_buf_t *buf, char c)
{
    *wf_buf_reserve(buf, 1) = c;
    buf->len++;
}

void wf_buf_add_slice(wf_buf_t *buf, wf_slice_t slice);
void wf_buf_add_text(wf_buf_t *buf, const char *text);

/* Drops the first `count` bytes (count <= len), moving the rest to the front. */
void wf_buf_consume(wf_buf_t *buf, apr_size_t count);

/* Empties the buffer and keeps its memory. */
void wf_buf_reset(wf_buf_t *buf);

/* Gives the memory back; the buffer is then empty and usable again. */
void wf_buf_free(wf_buf_t *buf);

/* Registers wf_buf_free of this buffer with a pool; the wf_buf_t itself must live as long. */
void wf_buf_bind(wf_buf_t *buf, apr_pool_t *pool);

#endif
