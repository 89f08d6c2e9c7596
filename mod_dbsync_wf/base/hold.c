/* SPDX-License-Identifier: Apache-2.0 */
/* Holds, counted by reference. */
#include "base/hold.h"

#include <stdlib.h>
#include <apr_atomic.h>

static int give_up(int status)
{
    (void)status;
    abort();
}

apr_status_t wf_hold_own_pool(apr_pool_t **pool, const char *tag)
{
    apr_status_t status = apr_pool_create_unmanaged_ex(pool, give_up, NULL);

    if (status == APR_SUCCESS) {
        apr_pool_tag(*pool, tag);
    }
    return status;
}

apr_status_t wf_hold_create(wf_hold_t **hold, const char *tag)
{
    apr_pool_t *pool;
    apr_status_t status = wf_hold_own_pool(&pool, tag);

    if (status == APR_SUCCESS) {
        *hold = apr_pcalloc(pool, sizeof(**hold));
        (*hold)->pool = pool;
        (*hold)->count = 1;
    }
    return status;
}

void wf_hold_take(wf_hold_t *hold)
{
    apr_atomic_inc32(&hold->count);
}

void wf_hold_drop(wf_hold_t *hold)
{
    if (hold && apr_atomic_dec32(&hold->count) == 0) {
        apr_pool_destroy(hold->pool);
    }
}

static apr_status_t drop(void *hold)
{
    wf_hold_drop(hold);
    return APR_SUCCESS;
}

void wf_hold_drop_with(wf_hold_t *hold, apr_pool_t *pool)
{
    apr_pool_cleanup_register(pool, hold, drop, apr_pool_cleanup_null);
}
