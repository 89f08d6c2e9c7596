/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of a task's API configuration as bytes: one encoding for the disk and for the wire,
 * made as record.h's is.
 */
#ifndef WF_STORE_EMBEDDED_RECORD_CONFIGURATION_H
#define WF_STORE_EMBEDDED_RECORD_CONFIGURATION_H

#include "base/codec.h"
#include "store/store.h"

/* Appends a configuration's encoding. */
void wf_stored_configuration_encode(wf_buf_t *buf, const wf_stored_configuration_t *configuration);

/*
 * Reads a configuration; what it holds is copied into pool.
 * APR_SUCCESS, or WF_EPROTOCOL where the bytes are no record of a version that is known.
 */
apr_status_t wf_stored_configuration_decode(wf_stored_configuration_t *configuration,
                                            wf_slice_t bytes, apr_pool_t *pool);

#endif
