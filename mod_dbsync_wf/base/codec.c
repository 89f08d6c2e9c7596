/* SPDX-License-Identifier: Apache-2.0 */
/* Tagged fields, big-endian. */
#include "base/codec.h"

#include <stdlib.h>
#include "base/result.h"

#define FIELD_HEAD 5u /* tag and length */

void wf_put_u32(unsigned char at[4], apr_uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (unsigned char)(value >> (24 - 8 * i));
    }
}

apr_uint32_t wf_get_u32(const unsigned char at[4])
{
    return (apr_uint32_t)at[0] << 24 | (apr_uint32_t)at[1] << 16 | (apr_uint32_t)at[2] << 8 | at[3];
}

void wf_put_u64(unsigned char at[8], apr_uint64_t value)
{
    wf_put_u32(at, (apr_uint32_t)(value >> 32));
    wf_put_u32(at + 4, (apr_uint32_t)value);
}

apr_uint64_t wf_get_u64(const unsigned char at[8])
{
    return (apr_uint64_t)wf_get_u32(at) << 32 | wf_get_u32(at + 4);
}

static apr_uint32_t length_of(apr_size_t len)
{
    if (len > APR_UINT32_MAX) {
        abort(); /* bounded far below by whoever lets bytes in */
    }
    return (apr_uint32_t)len;
}

void wf_field_add(wf_buf_t *buf, unsigned char tag, wf_slice_t value)
{
    char *at = wf_buf_reserve(buf, FIELD_HEAD + value.len);

    at[0] = (char)tag;
    wf_put_u32((unsigned char *)at + 1, length_of(value.len));
    if (value.len) {
        memcpy(at + FIELD_HEAD, value.data, value.len);
    }
    buf->len += FIELD_HEAD + value.len;
}

void wf_field_add_u64(wf_buf_t *buf, unsigned char tag, apr_uint64_t value)
{
    unsigned char bytes[8];

    if (value) {
        wf_put_u64(bytes, value);
        wf_field_add(buf, tag, wf_slice_of(bytes, sizeof(bytes)));
    }
}

void wf_field_add_text(wf_buf_t *buf, unsigned char tag, const char *text)
{
    if (text) {
        wf_field_add(buf, tag, wf_slice(text));
    }
}

apr_size_t wf_field_open(wf_buf_t *buf, unsigned char tag)
{
    unsigned char head[FIELD_HEAD] = {tag, 0, 0, 0, 0};

    wf_buf_add(buf, head, sizeof(head));
    return buf->len;
}

void wf_field_close(wf_buf_t *buf, apr_size_t mark)
{
    wf_put_u32((unsigned char *)buf->data + mark - 4, length_of(buf->len - mark));
}

apr_status_t wf_field_next(unsigned char *tag, wf_slice_t *value, wf_slice_t *rest)
{
    apr_uint32_t len;

    if (rest->len == 0) {
        return APR_EOF;
    }
    if (rest->len < FIELD_HEAD) {
        return WF_EPROTOCOL;
    }
    *tag = (unsigned char)rest->data[0];
    len = wf_get_u32((const unsigned char *)rest->data + 1);
    if (len > rest->len - FIELD_HEAD) {
        return WF_EPROTOCOL;
    }
    *value = wf_slice_of(rest->data + FIELD_HEAD, len);
    *rest = wf_slice_of(rest->data + FIELD_HEAD + len, rest->len - FIELD_HEAD - len);
    return APR_SUCCESS;
}

apr_status_t wf_field_u64(apr_uint64_t *number, wf_slice_t value)
{
    if (value.len != 8) {
        return WF_EPROTOCOL;
    }
    *number = wf_get_u64((const unsigned char *)value.data);
    return APR_SUCCESS;
}
