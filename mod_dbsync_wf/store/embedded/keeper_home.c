/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's files. */
#include "store/embedded/keeper_home.h"

#include <errno.h>
#include <sys/stat.h>
#include <apr_strings.h>
#include "base/log.h"

apr_status_t wf_home_make_dir(const char *path)
{
    struct stat st;

    if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST) {
        return errno;
    }
    if (lstat(path, &st) != 0) {
        return errno;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO))) {
        return APR_EACCES;
    }
    return APR_SUCCESS;
}

apr_status_t wf_home_open(wf_home_t *home, const char *state_dir, apr_uint64_t cache_size,
                          apr_pool_t *pool)
{
    apr_status_t rv;

    home->bdb.data = apr_pstrcat(pool, state_dir, "/data", NULL);
    home->bdb.log = apr_pstrcat(pool, state_dir, "/log", NULL);
    home->bdb.cache_size = cache_size;
    if ((rv = wf_home_make_dir(home->bdb.data)) == APR_SUCCESS &&
        (rv = wf_home_make_dir(home->bdb.log)) == APR_SUCCESS) {
        rv = wf_regions_prepare(&home->regions, state_dir, cache_size, pool);
        home->bdb.home = home->regions.making;
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0152", "the state directory's folders cannot be used");
    }
    return rv;
}

void wf_home_close(const wf_home_t *home)
{
    wf_regions_close(&home->regions);
}
