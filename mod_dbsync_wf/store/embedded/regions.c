/* SPDX-License-Identifier: Apache-2.0 */
/* The region files. */
#include "store/embedded/regions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <apr_strings.h>
#include "base/log.h"
#include "store/embedded/keeper_home.h"

#define SHARED_MEMORY  "/dev/shm"
#define REMOVE_TRIES   100

#define FIRST_OF_CACHE 3                    /* __db.003: behind the environment's and the log's */
#define PART_OVERHEAD  (256u * 1024)        /* of a part of the cache */
#define CLAIM_FIRST    (128u * 1024 * 1024) /* of all parts of the cache together, as is the next */
#define CLAIM_STEP     (4u * 1024 * 1024)
#define MARGIN         (64u * 1024 * 1024) /* what they need besides the cache, and room for others */

/*
 * The first two words of the environment's file, of which Berkeley DB says in its source that they
 * stay where they are: whoever finds the second one set in an environment does nothing more to it.
 */
#define REGION_MAGIC 0x120897u

typedef struct region_head_t {
    apr_uint32_t magic;
    apr_uint32_t panic;
} region_head_t;

typedef apr_status_t (*visit_t)(const char *path, const wf_regions_t *regions, apr_uint64_t upto);

/* Calls visit with the path of each file in a folder, and the rest, until one fails. */
static apr_status_t visit_files(const char *home, visit_t visit, const wf_regions_t *regions,
                                apr_uint64_t upto)
{
    apr_status_t rv = APR_SUCCESS;
    struct dirent *entry;
    char path[PATH_MAX];
    DIR *dir = opendir(home);

    if (!dir) {
        return errno;
    }
    while (rv == APR_SUCCESS && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            apr_snprintf(path, sizeof(path), "%s/%s", home, entry->d_name);
            rv = visit(path, regions, upto);
        }
    }
    closedir(dir);
    return rv;
}

/* Removes a file. A tool that has it in its memory still must not write pages from there on top of
 * newer ones: it is told that the environment is dead. */
static apr_status_t discard_file(const char *path, const wf_regions_t *regions, apr_uint64_t upto)
{
    region_head_t head;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    (void)regions;
    (void)upto;
    if (fd >= 0) {
        if (pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
            head.magic == REGION_MAGIC) {
            head.panic = 1;
            if (pwrite(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head)) {
                wf_log_warning(errno, "WF0153", "%s could not be marked as dead", path);
            }
        }
        close(fd);
    }
    return unlink(path) == 0 || errno == ENOENT ? APR_SUCCESS : errno;
}

/* The third file and those behind it are the cache's. */
static int is_of_cache(const char *path)
{
    const char *number = strrchr(path, '.');

    return number && atoi(number + 1) >= FIRST_OF_CACHE;
}

/*
 * Claims room for a region file: for its holes, and, of the cache's, which begins small and grows
 * as pages come, behind its end for what it may grow to, which is left as it is. Of these from what
 * is claimed already up to there; of the others all, the first time.
 */
static apr_status_t claim_room(const char *path, const wf_regions_t *regions, apr_uint64_t upto)
{
    struct stat st;
    apr_uint64_t size;
    apr_status_t rv = APR_SUCCESS;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return errno;
    }
    if (fstat(fd, &st) != 0) {
        rv = errno;
    } else {
        size = is_of_cache(path)  ? (upto < regions->part ? upto : regions->part)
               : regions->claimed ? 0
                                  : (apr_uint64_t)st.st_size;
        if (size > regions->claimed && fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)regions->claimed,
                                                 (off_t)(size - regions->claimed)) != 0) {
            rv = errno;
        }
    }
    close(fd);
    return rv;
}

/*
 * Removes a folder of ours with its files; also with what a tool that came too late has made there
 * (it takes a home without an environment for a new one).
 */
static apr_status_t remove_folder(const char *path)
{
    struct stat st;

    for (int i = 0; i < REMOVE_TRIES; i++) {
        apr_status_t rv;

        if (lstat(path, &st) != 0) {
            return errno == ENOENT ? APR_SUCCESS : errno;
        }
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) {
            return APR_EACCES;
        }
        rv = visit_files(path, discard_file, NULL, 0);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (rmdir(path) == 0) {
            return APR_SUCCESS;
        }
        if (errno != ENOTEMPTY && errno != EEXIST) {
            return errno;
        }
    }
    return ENOTEMPTY;
}

static int is_memory(const char *path)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

static int has_room(const char *path, apr_uint64_t cache_size)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && (apr_uint64_t)fs.f_bavail * (apr_uint64_t)fs.f_bsize >=
                                         cache_size + cache_size / 4 + MARGIN;
}

static apr_status_t no_room(const char *home)
{
    wf_log_error(0, "WF0154",
                 "%s has no room for the region files: free some, or lower DbsyncWfCacheSize",
                 home);
    return APR_ENOSPC;
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

static int is_dir(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Removes the old ones, so that STATE/env leads nowhere, and makes the folder for new ones. */
static apr_status_t make_folders(wf_regions_t *regions, const char *home, apr_pool_t *pool)
{
    apr_status_t rv = remove_folder(home);

    regions->home = home;
    regions->making = apr_pstrcat(pool, home, ".new", NULL);
    if (rv == APR_SUCCESS) {
        rv = remove_folder(regions->making);
    }
    return rv == APR_SUCCESS ? wf_home_make_dir(regions->making) : rv;
}

/* STATE/env is a folder, a link or nothing; makes it nothing. */
static apr_status_t clear_env(const char *env)
{
    if (is_dir(env)) {
        return remove_folder(env);
    }
    return unlink(env) != 0 && errno != ENOENT ? errno : APR_SUCCESS;
}

apr_status_t wf_regions_prepare(wf_regions_t *regions, const char *state_dir,
                                apr_uint64_t cache_size, apr_pool_t *pool)
{
    const char *memory =
        apr_psprintf(pool, SHARED_MEMORY "/dbsync_wf-%lu-%016" APR_UINT64_T_HEX_FMT,
                     (unsigned long)geteuid(), hash_text(state_dir));
    apr_status_t rv;

    regions->env = apr_pstrcat(pool, state_dir, "/env", NULL);
    if (is_memory(SHARED_MEMORY) && make_folders(regions, memory, pool) == APR_SUCCESS) {
        if (has_room(regions->making, cache_size)) {
            return clear_env(regions->env);
        }
        rmdir(regions->making);
    }
    wf_log_warning(0, "WF0151",
                   "the region files lie in the state directory: " SHARED_MEMORY
                   " has no room for them");
    rv = clear_env(regions->env);
    if (rv == APR_SUCCESS) {
        rv = make_folders(regions, regions->env, pool);
    }
    if (rv == APR_SUCCESS && !has_room(regions->making, cache_size)) {
        rv = no_room(regions->making);
    }
    return rv;
}

/* Claims more of each file of the folder in which they are at the moment. */
static apr_status_t claim(wf_regions_t *regions, const char *home, apr_uint64_t upto)
{
    apr_status_t rv = visit_files(home, claim_room, regions, upto);

    if (APR_STATUS_IS_ENOSPC(rv)) {
        return no_room(home);
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0168", "no room can be claimed for the region files in %s", home);
    }
    regions->claimed = upto;
    return rv;
}

int wf_regions_lacks(const wf_regions_t *regions)
{
    return regions->claimed < regions->part;
}

apr_status_t wf_regions_claim(wf_regions_t *regions)
{
    return claim(regions, regions->home, regions->claimed + CLAIM_STEP / (unsigned)regions->parts);
}

apr_status_t wf_regions_publish(wf_regions_t *regions, apr_uint64_t cache_size, int parts)
{
    apr_status_t rv;

    regions->parts = parts;
    regions->part = (cache_size + cache_size / 4) / (apr_uint64_t)parts + PART_OVERHEAD;
    regions->claimed = 0;
    rv = claim(regions, regions->making, CLAIM_FIRST / (unsigned)parts);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (rename(regions->making, regions->home) != 0 ||
        (regions->home != regions->env && symlink(regions->home, regions->env) != 0)) {
        rv = errno;
        wf_log_error(rv, "WF0158", "the region files cannot be put into %s", regions->home);
    }
    return rv;
}

void wf_regions_close(const wf_regions_t *regions)
{
    const char *folders[] = {regions->making, regions->home};

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        apr_status_t rv = folders[i] ? remove_folder(folders[i]) : APR_SUCCESS;

        if (rv != APR_SUCCESS) {
            wf_log_info(rv, "WF0159", "the folder %s stays", folders[i]);
        }
    }
}
