/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's files and its lock. */
#include "store/embedded/keeper_home.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/log.h"

#define LOCK_TRY_MS 5

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

/* Whether SIGTERM, which the caller has blocked, has come. */
static int is_term_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM);
}

static apr_status_t take_lock(int *fd, const char *path)
{
    const struct timespec pause = {0, LOCK_TRY_MS * 1000000L};
    int told = 0;

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        return errno;
    }
    /* The one before holds it until it has closed the environment; its supervisor sees to that. */
    while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) {
            return errno;
        }
        if (is_term_pending()) {
            return APR_EINTR;
        }
        if (!told++) {
            wf_log_info(0, "WF0150", "another keeper holds the state directory: waiting for it");
        }
        nanosleep(&pause, NULL);
    }
    return APR_SUCCESS;
}

apr_status_t wf_home_open(wf_home_t *home, const char *state_dir, apr_uint64_t cache_size,
                          apr_pool_t *pool)
{
    apr_status_t rv = take_lock(&home->lock, apr_pstrcat(pool, state_dir, "/keeper.lock", NULL));

    home->bdb.data = apr_pstrcat(pool, state_dir, "/data", NULL);
    home->bdb.log = apr_pstrcat(pool, state_dir, "/log", NULL);
    home->bdb.cache_size = cache_size;
    if (rv == APR_SUCCESS && (rv = wf_home_make_dir(home->bdb.data)) == APR_SUCCESS &&
        (rv = wf_home_make_dir(home->bdb.log)) == APR_SUCCESS) {
        rv = wf_regions_prepare(&home->regions, state_dir, cache_size, pool);
        home->bdb.home = home->regions.making;
    }
    if (rv != APR_SUCCESS && rv != APR_EINTR) {
        wf_log_error(rv, "WF0152", "the state directory's folders cannot be used");
    }
    return rv;
}

void wf_home_close(const wf_home_t *home)
{
    wf_regions_close(&home->regions);
}
