/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields on the wire and on disk: a tag (1 byte), a length (4 bytes, big-endian), the bytes.
 * Numbers are 8 bytes, big-endian. A reader passes over tags that it does not know and takes an
 * absent one as 0 or empty: that is what lets a record of one version be read by another, in both
 * directions. Never a struct's memory.
 */
#ifndef WF_BASE_CODEC_H
#define WF_BASE_CODEC_H

#include <apr_errno.h>
#include "base/slice.h"

void wf_put_u32(unsigned char at[4], apr_uint32_t value);
apr_uint32_t wf_get_u32(const unsigned char at[4]);
void wf_put_u64(unsigned char at[8], apr_uint64_t value);
apr_uint64_t wf_get_u64(const unsigned char at[8]);

/* Appends one field. */
void wf_field_add(wf_buf_t *buf, unsigned char tag, wf_slice_t value);

/* Appends a number; 0 is left out. */
void wf_field_add_u64(wf_buf_t *buf, unsigned char tag, apr_uint64_t value);

/* Appends a text; NULL is left out, "" is not. */
void wf_field_add_text(wf_buf_t *buf, unsigned char tag, const char *text);

/*
 * Opens a field whose value is appended next (nested fields), and closes it again. The mark is
 * what wf_field_open returned.
 */
apr_size_t wf_field_open(wf_buf_t *buf, unsigned char tag);
void wf_field_close(wf_buf_t *buf, apr_size_t mark);

/*
 * Takes the next field off the front of *rest.
 * APR_SUCCESS; APR_EOF where *rest is empty; WF_EPROTOCOL where what is left is no field.
 */
apr_status_t wf_field_next(unsigned char *tag, wf_slice_t *value, wf_slice_t *rest);

/* A number field's value; WF_EPROTOCOL where it is not 8 bytes. */
apr_status_t wf_field_u64(apr_uint64_t *number, wf_slice_t value);

#endif
