/* SPDX-License-Identifier: Apache-2.0 */
/* A run as bytes: one table of members, which encoder and decoder both walk. */
#include "store/embedded/record.h"

#include <stddef.h>
#include <apr_strings.h>

#define RECORD_VERSION 1

typedef enum { KIND_TEXT, KIND_TIME, KIND_U64, KIND_U32, KIND_INT, KIND_SLICE, KIND_UUID } kind_e;

typedef struct member_t {
    unsigned char tag;
    kind_e kind;
    size_t offset;
} member_t;

#define MEMBER(tag, kind, name)                                                                    \
    {                                                                                              \
        tag, KIND_##kind, offsetof(wf_run_t, name)                                                 \
    }

static const member_t members[] = {
    MEMBER(1, UUID, pid),
    MEMBER(2, TEXT, vhost),
    MEMBER(3, TEXT, project),
    MEMBER(4, TEXT, task),
    MEMBER(5, TEXT, source),
    MEMBER(6, TEXT, trigger),
    MEMBER(7, TEXT, user),
    MEMBER(8, TEXT, idempotency_key),
    MEMBER(9, INT, status),
    MEMBER(10, TIME, submitted),
    MEMBER(11, TIME, started),
    MEMBER(12, TIME, completed),
    MEMBER(13, TIME, interrupt_requested),
    MEMBER(14, TEXT, interrupted_by),
    MEMBER(15, U64, fence),
    MEMBER(16, U64, incarnation),
    MEMBER(17, U32, concurrency),
    MEMBER(18, INT, rerun_when_lost),
    MEMBER(19, TEXT, progress.action),
    MEMBER(20, U64, progress.done),
    MEMBER(21, U64, progress.total),
    MEMBER(22, U64, records.read),
    MEMBER(23, U64, records.written),
    MEMBER(24, U64, records.failed),
    MEMBER(25, SLICE, result),
    MEMBER(26, INT, result_cut),
    MEMBER(27, SLICE, actions),
    MEMBER(28, TEXT, error.type),
    MEMBER(29, TEXT, error.detail),
    MEMBER(30, INT, callback.status),
    MEMBER(31, U32, callback.attempts),
    MEMBER(32, TIME, callback.last),
    MEMBER(33, TIME, callback.next),
    MEMBER(34, U32, callback.http_status),
    MEMBER(35, TEXT, callback.reason),
};

#define MEMBER_COUNT (sizeof(members) / sizeof(members[0]))

_Static_assert(sizeof(wf_run_status_e) == sizeof(int) &&
                   sizeof(wf_callback_status_e) == sizeof(int),
               "statuses are encoded as ints");

static void encode_member(wf_buf_t *buf, const member_t *member, const void *at)
{
    switch (member->kind) {
    case KIND_TEXT:
        wf_field_add_text(buf, member->tag, *(const char *const *)at);
        break;
    case KIND_TIME:
        wf_field_add_u64(buf, member->tag, (apr_uint64_t) * (const apr_time_t *)at);
        break;
    case KIND_U64:
        wf_field_add_u64(buf, member->tag, *(const apr_uint64_t *)at);
        break;
    case KIND_U32:
        wf_field_add_u64(buf, member->tag, *(const apr_uint32_t *)at);
        break;
    case KIND_INT:
        wf_field_add_u64(buf, member->tag, (apr_uint64_t) * (const int *)at);
        break;
    case KIND_SLICE:
        if (((const wf_slice_t *)at)->len) {
            wf_field_add(buf, member->tag, *(const wf_slice_t *)at);
        }
        break;
    case KIND_UUID:
        wf_field_add(buf, member->tag, wf_slice_of(at, sizeof(wf_uuid_t)));
        break;
    }
}

void wf_record_encode(wf_buf_t *buf, const wf_run_t *run)
{
    wf_buf_add_char(buf, RECORD_VERSION);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        encode_member(buf, &members[i], (const char *)run + members[i].offset);
    }
}

static apr_status_t decode_number(const member_t *member, void *at, wf_slice_t value)
{
    apr_uint64_t number = 0;
    apr_status_t rv = wf_field_u64(&number, value);

    switch (member->kind) {
    case KIND_TIME:
        *(apr_time_t *)at = (apr_time_t)number;
        break;
    case KIND_U32:
        *(apr_uint32_t *)at = (apr_uint32_t)number;
        break;
    case KIND_INT:
        *(int *)at = (int)number;
        break;
    default:
        *(apr_uint64_t *)at = number;
        break;
    }
    return rv;
}

static apr_status_t decode_member(const member_t *member, void *at, wf_slice_t value,
                                  apr_pool_t *pool)
{
    switch (member->kind) {
    case KIND_TEXT:
        *(const char **)at = apr_pstrmemdup(pool, value.data, value.len);
        return APR_SUCCESS;
    case KIND_SLICE:
        *(wf_slice_t *)at = wf_slice_dup(value, pool);
        return APR_SUCCESS;
    case KIND_UUID:
        if (value.len != sizeof(wf_uuid_t)) {
            return WF_EPROTOCOL;
        }
        memcpy(at, value.data, value.len);
        return APR_SUCCESS;
    default:
        return decode_number(member, at, value);
    }
}

static const member_t *find_member(unsigned char tag)
{
    /* Tags count from 1 in the table's order; a new member goes to its end. */
    return tag >= 1 && tag <= MEMBER_COUNT ? &members[tag - 1] : NULL;
}

wf_slice_t wf_record_fields(wf_slice_t bytes)
{
    return wf_slice_of(bytes.data + 1, bytes.len - 1);
}

apr_status_t wf_record_decode(wf_run_t *run, wf_slice_t bytes, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    unsigned char tag;
    wf_slice_t value;

    memset(run, 0, sizeof(*run));
    if (bytes.len < 1 || bytes.data[0] != RECORD_VERSION) {
        return WF_EPROTOCOL;
    }
    bytes = wf_record_fields(bytes);
    while (rv == APR_SUCCESS && (rv = wf_field_next(&tag, &value, &bytes)) == APR_SUCCESS) {
        const member_t *member = find_member(tag);

        if (member) {
            rv = decode_member(member, (char *)run + member->offset, value, pool);
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

int wf_record_is_run(const wf_run_t *run, const wf_uuid_t *pid)
{
    return memcmp(&run->pid, pid, sizeof(*pid)) == 0 && run->vhost && run->project && run->task &&
           run->status >= WF_RUN_SUBMITTED && run->status <= WF_RUN_INTERRUPTED;
}
