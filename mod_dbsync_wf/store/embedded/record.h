/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as bytes: one encoding for the disk and for the wire. A version byte, then tagged fields
 * (base/codec.h); members that say nothing are left out. Tags are never used again for
 * something else.
 */
#ifndef WF_STORE_EMBEDDED_RECORD_H
#define WF_STORE_EMBEDDED_RECORD_H

#include "base/codec.h"
#include "store/store.h"

/* Appends a run's encoding. */
void wf_record_encode(wf_buf_t *buf, const wf_run_t *run);

/*
 * Reads a run. Its texts are copied into pool, its slices too.
 * APR_SUCCESS, or WF_EPROTOCOL where the bytes are no record of a version that is known.
 */
apr_status_t wf_record_decode(wf_run_t *run, wf_slice_t bytes, apr_pool_t *pool);

/* The fields of an encoding that wf_record_decode can read; those that are not a run's it passes
 * over.
 */
wf_slice_t wf_record_fields(wf_slice_t bytes);

/* Whether a record that was read is of that run, and has what every run has. */
int wf_record_is_run(const wf_run_t *run, const wf_uuid_t *pid);

#endif
