/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the store contract (store/store.h) that runners make, as client.c's store has them.
 */
#ifndef WF_STORE_EMBEDDED_CLIENT_RUNNER_H
#define WF_STORE_EMBEDDED_CLIENT_RUNNER_H

#include "store/store.h"

apr_status_t wf_client_join(apr_uint64_t *incarnation, wf_store_t *store, const char *host,
                            apr_uint32_t slots, apr_interval_time_t ttl, apr_pool_t *pool);
apr_status_t wf_client_drain(wf_store_t *store, apr_uint64_t incarnation, apr_pool_t *pool);
apr_status_t wf_client_claim(apr_array_header_t **claims, wf_store_t *store,
                             apr_uint64_t incarnation, apr_uint32_t max,
                             apr_interval_time_t timeout, apr_pool_t *pool);
apr_status_t wf_client_heartbeat(apr_array_header_t **interrupted, wf_store_t *store,
                                 apr_uint64_t incarnation, apr_interval_time_t ttl,
                                 apr_pool_t *pool);
apr_status_t wf_client_progress(wf_store_t *store, const wf_token_t *token,
                                const wf_run_progress_t *progress, const wf_run_records_t *records,
                                apr_pool_t *pool);
apr_status_t wf_client_append_output(wf_store_t *store, const wf_token_t *token,
                                     apr_uint64_t offset, wf_slice_t bytes, apr_pool_t *pool);
apr_status_t wf_client_finish(wf_claim_t **next, wf_store_t *store, const wf_finish_t *finish,
                              apr_pool_t *pool);
apr_status_t wf_client_release(wf_store_t *store, const wf_token_t *token, apr_pool_t *pool);
apr_status_t wf_client_wait(unsigned *events, wf_store_t *store, apr_uint64_t incarnation,
                            apr_interval_time_t timeout, apr_pool_t *pool);

/* client_callbacks.c */
apr_status_t wf_client_claim_callbacks(apr_array_header_t **claims, wf_store_t *store,
                                       apr_uint64_t incarnation, apr_uint32_t max,
                                       apr_pool_t *pool);
apr_status_t wf_client_tell_callback(wf_store_t *store, const wf_callback_outcome_t *outcome,
                                     apr_pool_t *pool);

#endif
