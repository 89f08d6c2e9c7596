/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of a URL's query (application/x-www-form-urlencoded). Knows nothing of httpd. */
#ifndef WF_HTTP_QUERY_H
#define WF_HTTP_QUERY_H

#include <apr_errno.h>
#include <apr_pools.h>
#include "base/slice.h"

/*
 * Finds an argument by its name; names and values are decoded ("%41" and "+"), and names are
 * matched exactly. `args` is the query without its "?", or NULL. *value lives in pool.
 * APR_SUCCESS; APR_NOTFOUND where it is not there; WF_EINVALID where it is there twice with
 * different values, or anything in the query has a broken percent-escape.
 */
apr_status_t wf_query_find(wf_slice_t *value, const char *args, const char *name, apr_pool_t *pool);

#endif
