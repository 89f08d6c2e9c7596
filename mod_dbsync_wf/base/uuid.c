/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDv7. */
#include "base/uuid.h"

#include <stdatomic.h>
#include <apr_general.h>

/*
 * The latest stamp that was given out: 48 bits of milliseconds, then the 12 bits of rand_a, as one
 * number, so that the next stamp is the greater of the clock's and this one plus 1. A full counter
 * so carries into the milliseconds, and a clock that steps back does not bring old stamps again.
 */
static _Atomic apr_uint64_t latest;

/* A time as a stamp: rand_a holds the fraction of the millisecond, in units of 1/4096. */
static apr_uint64_t stamp_of(apr_time_t when)
{
    apr_uint64_t micros = (apr_uint64_t)when;

    return micros / 1000 << 12 | micros % 1000 * 4096 / 1000;
}

static apr_uint64_t next_stamp(apr_uint64_t now)
{
    apr_uint64_t seen = atomic_load(&latest);
    apr_uint64_t next;

    do {
        next = now > seen ? now : seen + 1;
    } while (!atomic_compare_exchange_weak(&latest, &seen, next));
    return next;
}

apr_status_t wf_uuid_make(wf_uuid_t *uuid)
{
    unsigned char *b = uuid->bytes;
    apr_uint64_t stamp;
    apr_status_t rv = apr_generate_random_bytes(b + 8, 8);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    stamp = next_stamp(stamp_of(apr_time_now()));
    for (int i = 0; i < 6; i++) {
        b[i] = (unsigned char)(stamp >> (52 - 8 * i));
    }
    b[6] = (unsigned char)(0x70 | (stamp >> 8 & 0x0f));
    b[7] = (unsigned char)stamp;
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    return APR_SUCCESS;
}

apr_time_t wf_uuid_time(const wf_uuid_t *uuid)
{
    apr_uint64_t millis = 0;

    for (int i = 0; i < 6; i++) {
        millis = millis << 8 | uuid->bytes[i];
    }
    return apr_time_from_msec((apr_time_t)millis);
}

/* Whether a hyphen stands before the byte of that index. */
static int is_group_start(int index)
{
    return index == 4 || index == 6 || index == 8 || index == 10;
}

void wf_uuid_format(char text[WF_UUID_TEXT_LEN + 1], const wf_uuid_t *uuid)
{
    static const char hex[] = "0123456789abcdef";
    char *to = text;

    for (int i = 0; i < 16; i++) {
        if (is_group_start(i)) {
            *to++ = '-';
        }
        *to++ = hex[uuid->bytes[i] >> 4];
        *to++ = hex[uuid->bytes[i] & 15];
    }
    *to = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

apr_status_t wf_uuid_parse(wf_uuid_t *uuid, wf_slice_t text)
{
    const char *from = text.data;

    if (text.len != WF_UUID_TEXT_LEN) {
        return APR_EINVAL;
    }
    for (int i = 0; i < 16; i++) {
        int high, low;

        if (is_group_start(i) && *from++ != '-') {
            return APR_EINVAL;
        }
        high = hex_value(from[0]);
        low = hex_value(from[1]);
        if (high < 0 || low < 0) {
            return APR_EINVAL;
        }
        uuid->bytes[i] = (unsigned char)(high << 4 | low);
        from += 2;
    }
    return APR_SUCCESS;
}
