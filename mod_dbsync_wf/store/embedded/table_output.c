/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output: pid, the offset at which a chunk ends (8 bytes, big-endian) -> a version byte, the bytes.
 *
 * By its end rather than its beginning: then a run's last key says how long its output is, and no
 * value needs to be read for that. A chunk is never written again; what comes is added behind, and
 * what goes is taken from the end, so that what is there is always a beginning without a hole.
 */
#include "store/embedded/tables.h"

#define OUTPUT_VERSION 1
#define CHUNK          (60u * 1024) /* fills its pages: 8 of them */

typedef struct output_key_t {
    unsigned char bytes[sizeof(wf_uuid_t) + 8];
} output_key_t;

static wf_slice_t make_key(output_key_t *key, const wf_uuid_t *pid, apr_uint64_t end)
{
    memcpy(key->bytes, pid, sizeof(*pid));
    wf_put_u64(key->bytes + sizeof(*pid), end);
    return wf_slice_of(key->bytes, sizeof(key->bytes));
}

/* Whether a key is one of that run's; *end is its offset then. */
static int is_of_run(apr_uint64_t *end, wf_slice_t key, const wf_uuid_t *pid)
{
    if (key.len != sizeof(output_key_t) || memcmp(key.data, pid, sizeof(*pid)) != 0) {
        return 0;
    }
    *end = wf_get_u64((const unsigned char *)key.data + sizeof(*pid));
    return 1;
}

/* The ends of a run's chunks, the last one first. */
typedef struct ends_t {
    const wf_uuid_t *pid;
    apr_uint64_t *at;
    apr_uint32_t count;
    apr_uint32_t most;
} ends_t;

static apr_status_t note_end(void *baton, wf_slice_t key, wf_slice_t value)
{
    ends_t *ends = baton;
    apr_uint64_t end;

    (void)value;
    if (ends->count == ends->most || !is_of_run(&end, key, ends->pid)) {
        return APR_EOF;
    }
    ends->at[ends->count++] = end;
    return APR_SUCCESS;
}

static apr_status_t find_ends(ends_t *ends, wf_tables_t *tables)
{
    output_key_t past;
    apr_status_t rv = wf_table_walk_keys_back(
        tables->output, make_key(&past, ends->pid, APR_UINT64_MAX), note_end, ends);

    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t wf_outputs_length(apr_uint64_t *length, wf_tables_t *tables, const wf_uuid_t *pid)
{
    ends_t ends = {pid, length, 0, 1};

    *length = 0;
    return find_ends(&ends, tables);
}

apr_status_t wf_outputs_add(wf_tables_t *tables, const wf_uuid_t *pid, apr_uint64_t length,
                            wf_slice_t bytes)
{
    wf_buf_t value = {NULL, 0, 0};
    apr_status_t rv = APR_SUCCESS;

    while (bytes.len && rv == APR_SUCCESS) {
        apr_size_t len = bytes.len < CHUNK ? bytes.len : CHUNK;
        output_key_t key;

        wf_buf_reset(&value);
        wf_buf_add_char(&value, OUTPUT_VERSION);
        wf_buf_add(&value, bytes.data, len);
        length += len;
        rv = wf_table_put(tables->output, make_key(&key, pid, length), wf_buf_slice(&value));
        bytes = wf_slice_of(bytes.data + len, bytes.len - len);
    }
    wf_buf_free(&value);
    return rv;
}

typedef struct reading_t {
    wf_tables_t *tables;
    const wf_uuid_t *pid;
    wf_buf_t *out;
    apr_uint64_t offset; /* of the next byte that is wanted */
    apr_size_t most;     /* bytes that are wanted still */
} reading_t;

static apr_status_t take_chunk(void *baton, wf_slice_t key, wf_slice_t value)
{
    reading_t *reading = baton;
    apr_uint64_t end, begin;
    apr_size_t skip, len;

    if (reading->most == 0 || !is_of_run(&end, key, reading->pid)) {
        return APR_EOF;
    }
    begin = end - (value.len - 1);
    if (value.len < 2 || value.data[0] != OUTPUT_VERSION || value.len - 1 > end ||
        begin > reading->offset || end <= reading->offset) {
        return wf_tables_nonsense(reading->tables, "output.db");
    }
    skip = (apr_size_t)(reading->offset - begin);
    len = value.len - 1 - skip;
    len = len < reading->most ? len : reading->most;
    wf_buf_add(reading->out, value.data + 1 + skip, len);
    reading->offset += len;
    reading->most -= len;
    return APR_SUCCESS;
}

apr_status_t wf_outputs_read(wf_buf_t *out, wf_tables_t *tables, const wf_uuid_t *pid,
                             apr_uint64_t offset, apr_size_t most)
{
    reading_t reading = {tables, pid, out, offset, most};
    output_key_t from;
    apr_status_t rv;

    if (most == 0 || offset == APR_UINT64_MAX) {
        return APR_SUCCESS;
    }
    rv = wf_table_walk_from(tables->output, make_key(&from, pid, offset + 1), take_chunk, &reading);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apr_status_t wf_outputs_cut(apr_uint32_t *room, int *more, wf_tables_t *tables,
                            const wf_uuid_t *pid)
{
    apr_uint64_t at[WF_OUTPUT_CUT + 1];
    apr_uint32_t most = *room < WF_OUTPUT_CUT ? *room : WF_OUTPUT_CUT;
    ends_t ends = {pid, at, 0, most + 1};
    apr_status_t rv = find_ends(&ends, tables);

    *more = ends.count > most;
    for (apr_uint32_t i = 0; i < ends.count && i < most && rv == APR_SUCCESS; i++) {
        output_key_t key;
        apr_uint64_t begin = i + 1 < ends.count ? at[i + 1] : 0;

        rv = wf_table_delete_long(tables->output, make_key(&key, pid, at[i]),
                                  (apr_size_t)(at[i] - begin));
        --*room;
    }
    return rv;
}
