/* SPDX-License-Identifier: Apache-2.0 */
/* Values and rows, from JSON and to JSON or text. */
#include "flow/value.h"

#include <apr_base64.h>

/* Bytes encoded at a time: apr_base64 counts with int. A multiple of 3, so that pieces join. */
#define BASE64_PIECE ((apr_size_t)3 << 20)

static wf_value_t make(wf_value_kind_e kind, wf_slice_t text)
{
    return (wf_value_t){kind, text};
}

/* What a JSON string spells. No escape is longer decoded than spelled, so that the room is known.
 */
static wf_slice_t decode_string(wf_slice_t json, apr_pool_t *pool)
{
    wf_buf_t text = {NULL, 0, json.len};

    if (!memchr(json.data, '\\', json.len)) {
        return wf_slice_of(json.data + 1, json.len - 2);
    }
    text.data = apr_palloc(pool, text.room);
    wf_json_string_decode(&text, json);
    return wf_buf_slice(&text);
}

wf_value_t wf_value_of_json(wf_slice_t json, apr_pool_t *pool)
{
    wf_slice_t text = wf_json_trim(json);

    switch (wf_json_type(text)) {
    case WF_JSON_NULL:
        return make(WF_VALUE_NULL, wf_slice(NULL));
    case WF_JSON_FALSE:
    case WF_JSON_TRUE:
        return make(WF_VALUE_BOOL, text);
    case WF_JSON_NUMBER:
        return make(WF_VALUE_NUMBER, text);
    case WF_JSON_STRING:
        return make(WF_VALUE_TEXT, decode_string(text, pool));
    default:
        return make(WF_VALUE_JSON, text);
    }
}

static void add_base64(wf_buf_t *out, wf_slice_t bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.data;

    while (bytes.len) {
        apr_size_t piece = bytes.len < BASE64_PIECE ? bytes.len : BASE64_PIECE;
        char *to = wf_buf_reserve(out, (piece + 2) / 3 * 4 + 1);

        /* The length that comes back counts the NUL. */
        out->len += (apr_size_t)apr_base64_encode_binary(to, at, (int)piece) - 1;
        at += piece;
        bytes.len -= piece;
    }
}

void wf_value_json(wf_buf_t *out, wf_value_t value)
{
    switch (value.kind) {
    case WF_VALUE_NULL:
        wf_buf_add_text(out, "null");
        break;
    case WF_VALUE_TEXT:
        wf_json_string_encode(out, value.text);
        break;
    case WF_VALUE_BYTES:
        wf_buf_add_char(out, '"');
        add_base64(out, value.text);
        wf_buf_add_char(out, '"');
        break;
    default:
        wf_buf_add_slice(out, value.text);
    }
}

void wf_value_text(wf_buf_t *out, wf_value_t value)
{
    switch (value.kind) {
    case WF_VALUE_NULL:
        break;
    case WF_VALUE_BYTES:
        add_base64(out, value.text);
        break;
    default:
        wf_buf_add_slice(out, value.text);
    }
}

void wf_row_json(wf_buf_t *out, const wf_row_t *row)
{
    if (row->count == 0) {
        wf_buf_add_slice(out, row->json.len ? row->json : wf_slice("null"));
        return;
    }
    for (int i = 0; i < row->count; i++) {
        wf_buf_add_char(out, i ? ',' : '{');
        wf_json_string_encode(out, row->names[i]);
        wf_buf_add_char(out, ':');
        wf_value_json(out, row->values[i]);
    }
    wf_buf_add_char(out, '}');
}
