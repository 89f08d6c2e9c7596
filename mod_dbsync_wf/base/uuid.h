/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, 12 bits of the millisecond's fraction
 * (6.2, method 3), 62 random bits. So those of different processes sort by time to the microsecond;
 * those of one process always in the order in which they were made (method 1: the fraction counts
 * on where the clock has not).
 */
#ifndef WF_BASE_UUID_H
#define WF_BASE_UUID_H

#include <apr_errno.h>
#include <apr_time.h>
#include "base/slice.h"

#define WF_UUID_TEXT_LEN 36

typedef struct wf_uuid_t {
    unsigned char bytes[16]; /* network order, so that memcmp sorts by time */
} wf_uuid_t;

/*
 * Makes a new UUIDv7. Safe from any thread and after fork.
 * APR_SUCCESS, or the system's error where no random bytes are to be had.
 */
apr_status_t wf_uuid_make(wf_uuid_t *uuid);

/* When it was made, in microseconds, whole milliseconds: as told by the clock of whoever made it.
 */
apr_time_t wf_uuid_time(const wf_uuid_t *uuid);

/* Writes the 36 characters of the text form in lower case, and a NUL. */
void wf_uuid_format(char text[WF_UUID_TEXT_LEN + 1], const wf_uuid_t *uuid);

/*
 * Reads the text form, in either case (RFC 9562, 4). APR_SUCCESS, or APR_EINVAL for anything but
 * exactly that form; any version is taken, since a pid is opaque.
 */
apr_status_t wf_uuid_parse(wf_uuid_t *uuid, wf_slice_t text);

#endif
