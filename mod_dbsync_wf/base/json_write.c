/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text written: strings in quotes, and the writer that puts the commas. */
#include "base/json.h"

#include <apr_strings.h>
#include "base/utf8.h"

/* Bytes that a string may hold as they are, apart from UTF-8's characters of several bytes. */
static int is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void encode_ascii(wf_buf_t *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *name = memchr(named, c, sizeof(named) - 1);

    if (name) {
        wf_buf_add_char(out, '\\');
        wf_buf_add_char(out, letters[name - named]);
    } else {
        wf_buf_add(out, "\\u00", 4);
        wf_buf_add_char(out, hex[c >> 4]);
        wf_buf_add_char(out, hex[c & 0xF]);
    }
}

void wf_json_string_encode(wf_buf_t *out, wf_slice_t bytes)
{
    const unsigned char *at = (const unsigned char *)(bytes.len ? bytes.data : "");
    const unsigned char *end = at + bytes.len;

    wf_buf_reserve(out, bytes.len + 2); /* mostly all of it is plain */
    wf_buf_add_char(out, '"');
    while (at < end) {
        const unsigned char *start = at;
        apr_size_t span = 1;
        int valid = 1;

        while (at < end && is_plain(*at)) {
            at++;
        }
        wf_buf_add(out, start, (apr_size_t)(at - start));
        if (at == end) {
            break;
        }
        if (*at < 0x80) {
            encode_ascii(out, *at);
        } else {
            span = wf_utf8_span(&valid, at, end);
            wf_buf_add(out, valid ? (const char *)at : "\xEF\xBF\xBD", valid ? span : 3);
        }
        at += span;
    }
    wf_buf_add_char(out, '"');
}

/* What comes before any value: the comma where one is due, and the member's name. */
static void begin_value(wf_json_writer_t *writer, const char *name)
{
    if (writer->comma) {
        wf_buf_add_char(writer->out, ',');
    }
    writer->comma = 1;
    if (name) {
        wf_json_string_encode(writer->out, wf_slice(name));
        wf_buf_add_char(writer->out, ':');
    }
}

void wf_json_writer_init(wf_json_writer_t *writer, wf_buf_t *out)
{
    writer->out = out;
    writer->comma = 0;
}

void wf_json_open(wf_json_writer_t *writer, const char *name, char bracket)
{
    begin_value(writer, name);
    wf_buf_add_char(writer->out, bracket);
    writer->comma = 0;
}

void wf_json_close(wf_json_writer_t *writer, char bracket)
{
    wf_buf_add_char(writer->out, bracket);
    writer->comma = 1;
}

void wf_json_put_raw(wf_json_writer_t *writer, const char *name, wf_slice_t json)
{
    begin_value(writer, name);
    wf_buf_add_slice(writer->out, json.len ? json : wf_slice("null"));
}

void wf_json_put_bytes(wf_json_writer_t *writer, const char *name, wf_slice_t bytes)
{
    begin_value(writer, name);
    wf_json_string_encode(writer->out, bytes);
}

void wf_json_put_text(wf_json_writer_t *writer, const char *name, const char *text)
{
    if (text) {
        wf_json_put_bytes(writer, name, wf_slice(text));
    }
}

void wf_json_put_int(wf_json_writer_t *writer, const char *name, apr_int64_t number)
{
    char digits[24];

    apr_snprintf(digits, sizeof(digits), "%" APR_INT64_T_FMT, number);
    begin_value(writer, name);
    wf_buf_add_text(writer->out, digits);
}

void wf_json_put_bool(wf_json_writer_t *writer, const char *name, int truth)
{
    begin_value(writer, name);
    wf_buf_add_text(writer->out, truth ? "true" : "false");
}
