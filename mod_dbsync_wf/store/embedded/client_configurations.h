/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of the store contract (store/store.h) that are about API configurations. */
#ifndef WF_STORE_EMBEDDED_CLIENT_CONFIGURATIONS_H
#define WF_STORE_EMBEDDED_CLIENT_CONFIGURATIONS_H

#include "store/store.h"

apr_status_t wf_client_get_configuration(wf_stored_configuration_t **configuration,
                                         wf_store_t *store, const char *vhost, const char *project,
                                         const char *task, wf_result_t *result, apr_pool_t *pool);
apr_status_t wf_client_set_configuration(wf_stored_configuration_t **configuration,
                                         wf_store_t *store, const wf_stored_configuration_t *next,
                                         apr_uint64_t expected, wf_result_t *result,
                                         apr_pool_t *pool);
apr_status_t wf_client_list_configurations(apr_array_header_t **configurations, wf_store_t *store,
                                           const char *vhost, const char *project,
                                           wf_result_t *result, apr_pool_t *pool);

#endif
