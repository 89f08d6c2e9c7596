/* SPDX-License-Identifier: Apache-2.0 */
/* A request for a part: the header Range (RFC 9110, 14.2). Knows nothing of httpd. */
#ifndef WF_HTTP_RANGE_H
#define WF_HTTP_RANGE_H

#include <apr.h>
#include <apr_errno.h>

/* Bytes from `begin` up to before `end`; never none. */
typedef struct wf_range_t {
    apr_uint64_t begin;
    apr_uint64_t end;
} wf_range_t;

/*
 * Reads the header for something of `length` bytes. One range is understood, in all its forms
 * ("bytes=0-99", "bytes=100-", "bytes=-100"); several, other units and what is no range are passed
 * over, as a server may, and the answer is the whole then.
 * APR_SUCCESS; APR_NOTFOUND where there is none to heed; WF_EINVALID where nothing of it is within
 * the length (416).
 */
apr_status_t wf_range_read(wf_range_t *range, const char *header, apr_uint64_t length);

#endif
