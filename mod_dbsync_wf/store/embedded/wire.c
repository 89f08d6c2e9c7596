/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and messages of the store protocol. */
#include "store/embedded/wire.h"

#include <apr_strings.h>

apr_size_t wf_frame_begin(wf_buf_t *buf, unsigned char code, apr_uint32_t call)
{
    apr_size_t mark = buf->len;
    unsigned char *head = (unsigned char *)wf_buf_reserve(buf, WF_WIRE_HEAD);

    wf_put_u32(head, 0);
    head[4] = WF_WIRE_VERSION;
    head[5] = code;
    wf_put_u32(head + 6, call);
    buf->len += WF_WIRE_HEAD;
    return mark;
}

void wf_frame_end(wf_buf_t *buf, apr_size_t mark)
{
    wf_put_u32((unsigned char *)buf->data + mark, (apr_uint32_t)(buf->len - mark - 4));
}

apr_status_t wf_frame_next(wf_slice_t *frame, apr_size_t *need, wf_slice_t bytes)
{
    apr_size_t len;

    *need = 4;
    if (bytes.len < 4) {
        return APR_INCOMPLETE;
    }
    len = wf_get_u32((const unsigned char *)bytes.data);
    if (len > WF_WIRE_FRAME_MAX || len < WF_WIRE_HEAD - 4) {
        return WF_EPROTOCOL;
    }
    *need = 4 + len;
    if (bytes.len < *need) {
        return APR_INCOMPLETE;
    }
    *frame = wf_slice_of(bytes.data + 4, len);
    return APR_SUCCESS;
}

apr_status_t wf_message_read(wf_message_t *message, wf_slice_t frame)
{
    const apr_size_t head = WF_WIRE_HEAD - 4;
    apr_status_t rv;
    wf_slice_t rest, value;
    unsigned char tag;

    memset(message, 0, sizeof(*message));
    if (frame.len < head) {
        return WF_EPROTOCOL;
    }
    message->code = (unsigned char)frame.data[1];
    message->call = wf_get_u32((const unsigned char *)frame.data + 2);
    if (frame.data[0] != WF_WIRE_VERSION) {
        return WF_EPROTOCOL;
    }
    message->body = rest = wf_slice_of(frame.data + head, frame.len - head);
    while ((rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag <= WF_FIELD_LAST) {
            message->field[tag] = value;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_uint64_t wf_message_u64(const wf_message_t *message, unsigned char tag)
{
    apr_uint64_t number;

    return wf_field_u64(&number, message->field[tag]) == APR_SUCCESS ? number : 0;
}

const char *wf_message_text(const wf_message_t *message, unsigned char tag, apr_pool_t *pool)
{
    wf_slice_t value = message->field[tag];

    return value.data ? apr_pstrmemdup(pool, value.data, value.len) : NULL;
}

apr_status_t wf_message_pid(wf_uuid_t *pid, const wf_message_t *message)
{
    wf_slice_t value = message->field[WF_FIELD_PID];

    if (value.len != sizeof(*pid)) {
        return WF_EPROTOCOL;
    }
    memcpy(pid, value.data, sizeof(*pid));
    return APR_SUCCESS;
}

void wf_token_encode(wf_buf_t *buf, const wf_token_t *token)
{
    wf_field_add(buf, WF_FIELD_PID, wf_slice_of(&token->pid, sizeof(token->pid)));
    wf_field_add_u64(buf, WF_FIELD_FENCE, token->fence);
}

apr_status_t wf_token_decode(wf_token_t *token, const wf_message_t *message)
{
    token->fence = wf_message_u64(message, WF_FIELD_FENCE);
    return wf_message_pid(&token->pid, message);
}

void wf_marker_encode(wf_buf_t *buf, unsigned char tag, const wf_run_marker_t *marker)
{
    apr_size_t mark = wf_field_open(buf, tag);

    wf_buf_add(buf, marker->name, strlen(marker->name) + 1);
    wf_buf_add_slice(buf, marker->json);
    wf_field_close(buf, mark);
}

apr_status_t wf_marker_decode(wf_run_marker_t *marker, wf_slice_t value, apr_pool_t *pool)
{
    const char *end = value.len ? memchr(value.data, '\0', value.len) : NULL;

    if (!end) {
        return WF_EPROTOCOL;
    }
    marker->name = apr_pstrmemdup(pool, value.data, (apr_size_t)(end - value.data));
    marker->json =
        wf_slice_dup(wf_slice_of(end + 1, value.len - (apr_size_t)(end + 1 - value.data)), pool);
    return APR_SUCCESS;
}

static const apr_status_t answer_statuses[WF_ANSWER_COUNT] = {
    [WF_ANSWER_OK] = APR_SUCCESS,          [WF_ANSWER_NOT_FOUND] = APR_NOTFOUND,
    [WF_ANSWER_STALE] = WF_ESTALE,         [WF_ANSWER_CONFLICT] = WF_ECONFLICT,
    [WF_ANSWER_FULL] = WF_EFULL,           [WF_ANSWER_ENDED] = WF_EENDED,
    [WF_ANSWER_STORAGE] = WF_EUNAVAILABLE, [WF_ANSWER_INVALID] = WF_EINVALID,
    [WF_ANSWER_PROTOCOL] = WF_EPROTOCOL,   [WF_ANSWER_DAMAGED] = WF_EDAMAGED,
    [WF_ANSWER_OVERLAP] = WF_EOVERLAP,     [WF_ANSWER_CHANGED] = WF_ECHANGED,
    [WF_ANSWER_RATE] = WF_ERATE,
};

apr_status_t wf_answer_status(unsigned char code)
{
    return code < WF_ANSWER_COUNT ? answer_statuses[code] : WF_EPROTOCOL;
}

wf_answer_e wf_answer_code(apr_status_t status)
{
    for (int i = 0; i < WF_ANSWER_COUNT; i++) {
        if (answer_statuses[i] == status) {
            return (wf_answer_e)i;
        }
    }
    return WF_ANSWER_STORAGE;
}
