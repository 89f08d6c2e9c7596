/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's files and its lock. */
#include "store/embedded/keeper_home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include <linux/magic.h>
#include <apr_strings.h>
#include "base/log.h"

#define SHARED_MEMORY "/dev/shm"
#define REGION_PREFIX "__db."
#define LOCK_TRY_MS   5
#define REGION_MARGIN (64u * 1024 * 1024) /* regions besides the cache, and room for others */

/* A folder that exists, is ours and nobody else's. */
static apr_status_t make_own_dir(const char *path)
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

/* Calls visit with the path of each region file in a folder, until one fails. */
static apr_status_t visit_regions(const char *home,
                                  apr_status_t (*visit)(const char *path, apr_uint64_t *sum),
                                  apr_uint64_t *sum)
{
    apr_status_t rv = APR_SUCCESS;
    struct dirent *entry;
    char path[PATH_MAX];
    DIR *dir = opendir(home);

    if (!dir) {
        return errno;
    }
    while (rv == APR_SUCCESS && (entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, REGION_PREFIX, strlen(REGION_PREFIX)) == 0) {
            apr_snprintf(path, sizeof(path), "%s/%s", home, entry->d_name);
            rv = visit(path, sum);
        }
    }
    closedir(dir);
    return rv;
}

static apr_status_t add_room(const char *path, apr_uint64_t *sum)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return errno;
    }
    *sum += (apr_uint64_t)st.st_blocks * 512;
    return APR_SUCCESS;
}

/*
 * Whether a folder's file system has room for the regions, those that are there and will be made
 * anew included, and some for others: a full one would kill with SIGBUS.
 */
static int has_room(const char *home, apr_uint64_t cache_size)
{
    struct statfs fs;
    apr_uint64_t room = 0;

    if (statfs(home, &fs) != 0 || visit_regions(home, add_room, &room) != APR_SUCCESS) {
        return 0;
    }
    room += (apr_uint64_t)fs.f_bavail * (apr_uint64_t)fs.f_bsize;
    return room >= cache_size + cache_size / 4 + REGION_MARGIN;
}

static int is_memory(const char *path)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

/* FNV-1a: tells state directories apart in a name. */
static apr_uint64_t hash_text(const char *text)
{
    apr_uint64_t hash = APR_UINT64_C(14695981039346656037);

    for (; *text; text++) {
        hash = (hash ^ (unsigned char)*text) * APR_UINT64_C(1099511628211);
    }
    return hash;
}

/* Points STATE/env at a folder elsewhere. */
static apr_status_t link_env(const char *env, const char *target)
{
    struct stat st;

    if (lstat(env, &st) == 0 && S_ISDIR(st.st_mode)) {
        return APR_EEXIST; /* regions lay here before: they stay, and are recovered away */
    }
    if (unlink(env) != 0 && errno != ENOENT) {
        return errno;
    }
    return symlink(target, env) == 0 ? APR_SUCCESS : errno;
}

static apr_status_t no_room(const char *home)
{
    wf_log_error(0, "WF0154",
                 "%s has no room for the region files: free some, or lower DbsyncWfCacheSize",
                 home);
    return APR_ENOSPC;
}

/* Decides where the regions lie. */
static apr_status_t open_env(const char **home, const char *state_dir, apr_uint64_t cache_size,
                             apr_pool_t *pool)
{
    const char *env = apr_pstrcat(pool, state_dir, "/env", NULL);
    const char *fast = apr_psprintf(pool, SHARED_MEMORY "/dbsync_wf-%lu-%016" APR_UINT64_T_HEX_FMT,
                                    (unsigned long)geteuid(), hash_text(state_dir));
    struct stat st;
    apr_status_t rv;

    if (is_memory(SHARED_MEMORY) && make_own_dir(fast) == APR_SUCCESS) {
        if (has_room(fast, cache_size) && link_env(env, fast) == APR_SUCCESS) {
            *home = fast;
            return APR_SUCCESS;
        }
        rmdir(fast);
    }
    wf_log_warning(0, "WF0151",
                   "the region files lie in the state directory: " SHARED_MEMORY
                   " has no room for them");
    if (lstat(env, &st) == 0 && S_ISLNK(st.st_mode) && unlink(env) != 0) {
        return errno;
    }
    *home = env;
    rv = make_own_dir(env);
    if (rv == APR_SUCCESS && !has_room(env, cache_size)) {
        rv = no_room(env);
    }
    return rv;
}

apr_status_t wf_home_open(wf_home_t *home, const char *state_dir, apr_uint64_t cache_size,
                          apr_pool_t *pool)
{
    apr_status_t rv = take_lock(&home->lock, apr_pstrcat(pool, state_dir, "/keeper.lock", NULL));

    home->bdb.data = apr_pstrcat(pool, state_dir, "/data", NULL);
    home->bdb.log = apr_pstrcat(pool, state_dir, "/log", NULL);
    home->bdb.cache_size = cache_size;
    if (rv == APR_SUCCESS && (rv = make_own_dir(home->bdb.data)) == APR_SUCCESS &&
        (rv = make_own_dir(home->bdb.log)) == APR_SUCCESS) {
        rv = open_env(&home->bdb.home, state_dir, cache_size, pool);
    }
    if (rv != APR_SUCCESS && rv != APR_EINTR) {
        wf_log_error(rv, "WF0152", "the state directory's folders cannot be used");
    }
    return rv;
}

/* Gives every hole of a file its room. */
static apr_status_t fill_file(const char *path, apr_uint64_t *sum)
{
    struct stat st;
    apr_status_t rv;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno;
    }
    rv = fstat(fd, &st) != 0 ? errno : 0;
    if (rv == APR_SUCCESS && st.st_size > 0) {
        rv = posix_fallocate(fd, 0, st.st_size);
        *sum += (apr_uint64_t)st.st_size;
    }
    close(fd);
    return rv;
}

apr_status_t wf_home_reserve(const wf_home_t *home)
{
    apr_uint64_t sum = 0;
    apr_status_t rv = visit_regions(home->bdb.home, fill_file, &sum);

    return APR_STATUS_IS_ENOSPC(rv) ? no_room(home->bdb.home) : rv;
}

void wf_home_close(const wf_home_t *home)
{
    if (rmdir(home->bdb.home) != 0 && errno != ENOTEMPTY) {
        wf_log_info(errno, "WF0153", "the folder of the region files stays");
    }
}
