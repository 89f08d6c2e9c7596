/* SPDX-License-Identifier: Apache-2.0 */
/* For unit programs whose tests work in a pool of their own each. */
#ifndef WF_POOL_UTIL_H
#define WF_POOL_UTIL_H

#include <apr_pools.h>

static apr_pool_t *pool;

static int make_pool(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL) == APR_SUCCESS ? 0 : -1;
}

static int drop_pool(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

#endif
