/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of projects.
 *
 * Each loaded version of a file has a pool, and with it an allocator, of its own: one thread makes
 * it, from then on it is only read, and whoever lets go of it last destroys it. The cache holds
 * each current version once, every caller once more; so a hold may even outlive the cache. The
 * mutex guards the table and its entries, not the versions, and is never held while a file is read.
 * Entries are on the heap, since files may come and go for as long as the process lives.
 */
#include "flow/project.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "base/hold.h"
#include "base/log.h"

/*
 * File times move in ticks of the kernel's clock (at most 10 ms). A file that changed less than
 * this before it was read may change again without a new time, so it is read again.
 */
#define SETTLE_NS (100 * APR_INT64_C(1000000))

typedef struct stamp_t {
    apr_int64_t modified; /* nanoseconds since the epoch, as is changed */
    apr_int64_t changed;
    apr_int64_t size;
    apr_uint64_t inode;
    apr_uint64_t device;
} stamp_t;

typedef struct version_t {
    wf_hold_t *hold; /* whose pool has the version itself */
    wf_project_t *project;
} version_t;

typedef struct entry_t {
    version_t *good;              /* the version in force; NULL where none ever was good */
    stamp_t seen;                 /* of the file that was last found to be good or broken */
    int settled;                  /* whether an equal stamp means an equal file */
    stamp_t reported;             /* of the file whose failure was logged */
    apr_status_t reported_status; /* APR_SUCCESS: none was since the last good one */
    char *reason;                 /* of WF_EINVALID, on the heap */
    char key[];
} entry_t;

struct wf_projects_t {
    apr_pool_t *pool; /* its own; allocated from under the mutex only */
    apr_thread_mutex_t *mutex;
    apr_hash_t *entries;
};

/* One call's look at a file. */
typedef struct look_t {
    const char *dir;
    const char *id;
    const char *key; /* the file's path */
    stamp_t stamp;   /* all 0 where stat failed */
    int settled;
    apr_status_t status; /* of loading it */
    wf_result_t cause;
} look_t;

static void let_go(version_t *version)
{
    wf_hold_drop(version ? version->hold : NULL);
}

static void free_entry(entry_t *entry)
{
    let_go(entry->good);
    free(entry->reason);
    free(entry);
}

static apr_status_t destroy(void *data)
{
    wf_projects_t *projects = data;

    for (apr_hash_index_t *i = apr_hash_first(NULL, projects->entries); i; i = apr_hash_next(i)) {
        free_entry(apr_hash_this_val(i));
    }
    apr_pool_destroy(projects->pool);
    return APR_SUCCESS;
}

apr_status_t wf_projects_create(wf_projects_t **projects, apr_pool_t *pool)
{
    wf_projects_t *made;
    apr_pool_t *own;
    apr_status_t status = wf_hold_own_pool(&own, "wf_projects");

    if (status != APR_SUCCESS) {
        return status;
    }
    made = apr_pcalloc(own, sizeof(*made));
    made->pool = own;
    made->entries = apr_hash_make(own);
    status = apr_thread_mutex_create(&made->mutex, APR_THREAD_MUTEX_DEFAULT, own);
    if (status != APR_SUCCESS) {
        apr_pool_destroy(own);
        return status;
    }
    apr_pool_cleanup_register(pool, made, destroy, apr_pool_cleanup_null);
    *projects = made;
    return APR_SUCCESS;
}

static apr_int64_t nanoseconds(struct timespec when)
{
    return (apr_int64_t)when.tv_sec * APR_INT64_C(1000000000) + when.tv_nsec;
}

static int is_same(const stamp_t *a, const stamp_t *b)
{
    return a->modified == b->modified && a->changed == b->changed && a->size == b->size &&
           a->inode == b->inode && a->device == b->device;
}

static void take_stamp(look_t *look)
{
    struct timespec now;
    struct stat info;

    if (stat(look->key, &info) != 0) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    look->stamp.modified = nanoseconds(info.st_mtim);
    look->stamp.changed = nanoseconds(info.st_ctim);
    look->stamp.size = info.st_size;
    look->stamp.inode = info.st_ino;
    look->stamp.device = info.st_dev;
    look->settled = llabs(nanoseconds(now) - look->stamp.changed) > SETTLE_NS;
}

/*
 * Whether the file is known to be as it was; *version is then the one in force, held for the
 * caller, or NULL where none is. look->status and its cause tell of a file that is broken.
 */
static int recall(version_t **version, wf_projects_t *projects, look_t *look)
{
    entry_t *entry;
    int known;

    apr_thread_mutex_lock(projects->mutex);
    entry = apr_hash_get(projects->entries, look->key, APR_HASH_KEY_STRING);
    known = entry && entry->settled && is_same(&entry->seen, &look->stamp) &&
            (entry->reported_status == APR_SUCCESS || entry->reported_status == WF_EINVALID);
    *version = known ? entry->good : NULL;
    if (*version) {
        wf_hold_take((*version)->hold);
    }
    if (known && entry->reported_status == WF_EINVALID) {
        look->status = wf_result_set(&look->cause, WF_EINVALID, WF_PROBLEM_INVALID_PROJECT, "%s",
                                     entry->reason);
    }
    apr_thread_mutex_unlock(projects->mutex);
    return known;
}

/* Loads the file into a new version with one hold; NULL where that fails, which look then tells. */
static version_t *load(look_t *look)
{
    version_t *version;
    wf_hold_t *hold;

    look->status = wf_hold_create(&hold, "wf_project");
    if (look->status != APR_SUCCESS) {
        wf_result_set(&look->cause, look->status, WF_PROBLEM_INTERNAL, "%s.json: cannot be read",
                      look->id);
        return NULL;
    }
    version = apr_pcalloc(hold->pool, sizeof(*version));
    version->hold = hold;
    look->status =
        wf_project_load(&version->project, look->dir, look->id, &look->cause, hold->pool);
    if (look->status != APR_SUCCESS) {
        let_go(version);
        return NULL;
    }
    return version;
}

/* Under the mutex. */
static entry_t *find_or_make_entry(wf_projects_t *projects, const char *key)
{
    entry_t *entry = apr_hash_get(projects->entries, key, APR_HASH_KEY_STRING);
    apr_size_t size = strlen(key) + 1;

    if (!entry) {
        entry = calloc(1, sizeof(*entry) + size);
        if (!entry) {
            abort();
        }
        memcpy(entry->key, key, size);
        apr_hash_set(projects->entries, entry->key, APR_HASH_KEY_STRING, entry);
    }
    return entry;
}

/* What a look at the file has found: good, or broken. */
static void note_seen(entry_t *entry, const look_t *look)
{
    entry->seen = look->stamp;
    entry->settled = look->settled;
    free(entry->reason);
    entry->reason = look->status == WF_EINVALID ? strdup(look->cause.detail) : NULL;
    entry->settled &= look->status != WF_EINVALID || entry->reason;
}

/* Puts a new version in force, with a hold of the cache's own. */
static void install(wf_projects_t *projects, const look_t *look, version_t *version)
{
    version_t *old;
    entry_t *entry;
    int news;

    apr_thread_mutex_lock(projects->mutex);
    entry = find_or_make_entry(projects, look->key);
    news = !entry->good || !is_same(&entry->seen, &look->stamp);
    old = entry->good;
    entry->good = version;
    wf_hold_take(version->hold);
    entry->reported_status = APR_SUCCESS;
    note_seen(entry, look);
    apr_thread_mutex_unlock(projects->mutex);

    let_go(old);
    if (news) {
        wf_log_info(0, "WF0200", "project file %s is loaded", look->key);
    }
}

/* Forgets a project whose file is gone. */
static void forget(wf_projects_t *projects, const look_t *look)
{
    entry_t *entry;

    apr_thread_mutex_lock(projects->mutex);
    entry = apr_hash_get(projects->entries, look->key, APR_HASH_KEY_STRING);
    if (entry) {
        apr_hash_set(projects->entries, entry->key, APR_HASH_KEY_STRING, NULL);
    }
    apr_thread_mutex_unlock(projects->mutex);

    if (entry) {
        free_entry(entry);
        wf_log_info(0, "WF0201", "project file %s is gone, and the project with it", look->key);
    }
}

/*
 * Logs a failure unless that was done, and gives the last good version, held, or NULL. A broken
 * file is remembered and not read again; one that could not be read is tried anew at each call.
 */
static version_t *fall_back(wf_projects_t *projects, const look_t *look)
{
    /* What breaks a rule has said all there is to say. */
    apr_status_t reason = look->status == WF_EINVALID ? APR_SUCCESS : look->status;
    version_t *version;
    entry_t *entry;
    int news;

    apr_thread_mutex_lock(projects->mutex);
    entry = find_or_make_entry(projects, look->key);
    news = entry->reported_status != look->status || !is_same(&entry->reported, &look->stamp);
    entry->reported = look->stamp;
    entry->reported_status = look->status;
    if (look->status == WF_EINVALID) {
        note_seen(entry, look);
    }
    version = entry->good;
    if (version) {
        wf_hold_take(version->hold);
    }
    apr_thread_mutex_unlock(projects->mutex);

    if (news && version) {
        wf_log_warning(reason, "WF0202",
                       "project file in %s: %s; its last good version stays in force", look->dir,
                       look->cause.detail);
    } else if (news) {
        wf_log_error(reason, "WF0203", "project file in %s: %s", look->dir, look->cause.detail);
    }
    return version;
}

static version_t *refresh(wf_projects_t *projects, look_t *look)
{
    version_t *version = load(look);

    if (version) {
        install(projects, look, version);
        return version;
    }
    if (look->status == APR_NOTFOUND) {
        forget(projects, look);
        return NULL;
    }
    return fall_back(projects, look);
}

apr_status_t wf_projects_look(const wf_project_t **project, int *broken, wf_projects_t *projects,
                              const char *dir, const char *id, wf_result_t *result,
                              apr_pool_t *pool)
{
    look_t look = {.dir = dir, .id = id};
    version_t *version;

    wf_result_init(&look.cause, pool);
    if (!wf_id_is_valid(id)) {
        wf_project_t *none;

        return wf_project_load(&none, dir, id, result, pool);
    }
    look.key = apr_pstrcat(pool, dir, "/", id, ".json", NULL);
    take_stamp(&look);
    if (!recall(&version, projects, &look)) {
        version = refresh(projects, &look);
    }
    if (!version) {
        return wf_result_set(result, look.status, look.cause.problem, "%s", look.cause.detail);
    }
    wf_hold_drop_with(version->hold, pool);
    *project = version->project;
    *broken = look.status != APR_SUCCESS;
    return APR_SUCCESS;
}

apr_status_t wf_projects_find(const wf_project_t **project, wf_projects_t *projects,
                              const char *dir, const char *id, wf_result_t *result,
                              apr_pool_t *pool)
{
    int broken;

    return wf_projects_look(project, &broken, projects, dir, id, result, pool);
}

/* ---- the folder ---- */

#define SUFFIX ".json"

/* The id in a file's name, in pool; NULL where there is none, or not behind `after`. */
static const char *id_of(const char *name, const char *after, apr_pool_t *pool)
{
    apr_size_t len = strlen(name);
    const char *id;

    if (len <= strlen(SUFFIX) || strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0) {
        return NULL;
    }
    id = apr_pstrmemdup(pool, name, len - strlen(SUFFIX));
    return wf_id_is_valid(id) && (!after || strcmp(id, after) > 0) ? id : NULL;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

apr_status_t wf_projects_list(apr_array_header_t **ids, const char *dir, const char *after,
                              apr_pool_t *pool)
{
    DIR *folder = opendir(dir);
    struct dirent *file;
    apr_status_t status;

    *ids = apr_array_make(pool, 64, sizeof(const char *));
    if (!folder) {
        return APR_FROM_OS_ERROR(errno);
    }
    for (errno = 0; (file = readdir(folder)) != NULL; errno = 0) {
        const char *id = id_of(file->d_name, after, pool);

        if (id) {
            APR_ARRAY_PUSH(*ids, const char *) = id;
        }
    }
    status = errno ? APR_FROM_OS_ERROR(errno) : APR_SUCCESS;
    closedir(folder);
    qsort((*ids)->elts, (size_t)(*ids)->nelts, sizeof(const char *), compare_ids);
    return status;
}
