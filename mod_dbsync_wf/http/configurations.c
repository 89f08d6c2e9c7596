/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of API configurations. */
#include "http/configurations.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include "base/hold.h"

APLOG_USE_MODULE(dbsync_wf);

/* Entries; beyond that all of them are forgotten, and asked for anew: files may come and go. */
#define ENTRIES_MOST 10000

/* One configuration as it was stored, read. */
typedef struct version_t {
    wf_hold_t *hold; /* whose pool has the version itself */
    const char *key;
    wf_stored_configuration_t stored; /* its document is not kept, but for what is read of it */
    const wf_configuration_t *configuration; /* NULL: it is as the project's file says */
} version_t;

/* The mutex guards the table, not the versions, and is never held while the store is asked. */
struct wf_configurations_t {
    apr_thread_mutex_t *mutex;
    apr_pool_t *pool; /* of the table */
    apr_hash_t *versions;
};

static void forget_all(wf_configurations_t *configurations)
{
    apr_pool_t *pool = configurations->pool;

    for (apr_hash_index_t *i = apr_hash_first(NULL, configurations->versions); i;
         i = apr_hash_next(i)) {
        version_t *version = apr_hash_this_val(i);

        wf_hold_drop(version->hold);
    }
    apr_pool_clear(pool);
    configurations->versions = apr_hash_make(pool);
}

static apr_status_t destroy(void *data)
{
    wf_configurations_t *configurations = data;

    forget_all(configurations);
    apr_pool_destroy(configurations->pool);
    return APR_SUCCESS;
}

apr_status_t wf_configurations_create(wf_configurations_t **configurations, apr_pool_t *pool)
{
    wf_configurations_t *made = apr_pcalloc(pool, sizeof(*made));
    apr_status_t status = apr_thread_mutex_create(&made->mutex, APR_THREAD_MUTEX_DEFAULT, pool);

    if (status == APR_SUCCESS) {
        status = wf_hold_own_pool(&made->pool, "wf_configurations");
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    made->versions = apr_hash_make(made->pool);
    apr_pool_cleanup_register(pool, made, destroy, apr_pool_cleanup_null);
    *configurations = made;
    return APR_SUCCESS;
}

/* No id and no vhost has a slash in it. */
static const char *make_key(const char *vhost, const char *project, const char *task,
                            apr_pool_t *pool)
{
    return apr_pstrcat(pool, vhost, "/", project, "/", task, NULL);
}

/* The version that is remembered, held; NULL where there is none. */
static version_t *recall(wf_configurations_t *configurations, const char *key)
{
    version_t *version;

    apr_thread_mutex_lock(configurations->mutex);
    version = apr_hash_get(configurations->versions, key, APR_HASH_KEY_STRING);
    if (version) {
        wf_hold_take(version->hold);
    }
    apr_thread_mutex_unlock(configurations->mutex);
    return version;
}

/* Remembers a version, with a hold of the memory's own, unless a later one is there. */
static void remember(wf_configurations_t *configurations, version_t *version)
{
    version_t *old;

    apr_thread_mutex_lock(configurations->mutex);
    old = apr_hash_get(configurations->versions, version->key, APR_HASH_KEY_STRING);
    if (!old || old->stored.revision < version->stored.revision) {
        if (!old && apr_hash_count(configurations->versions) >= ENTRIES_MOST) {
            forget_all(configurations);
        }
        /* The key is the version's: an old one's entry goes with its key. */
        apr_hash_set(configurations->versions, version->key, APR_HASH_KEY_STRING, NULL);
        apr_hash_set(configurations->versions, version->key, APR_HASH_KEY_STRING, version);
        wf_hold_take(version->hold);
        if (old) {
            wf_hold_drop(old->hold);
        }
    }
    apr_thread_mutex_unlock(configurations->mutex);
}

/* Reads what is stored into a version, held by the caller. */
static apr_status_t read_version(version_t **version, const wf_stored_configuration_t *stored,
                                 wf_result_t *cause)
{
    wf_hold_t *hold;
    apr_status_t status = wf_hold_create(&hold, "wf_configuration");

    if (status != APR_SUCCESS) {
        return status;
    }
    *version = apr_pcalloc(hold->pool, sizeof(**version));
    (*version)->hold = hold;
    (*version)->key = make_key(stored->vhost, stored->project, stored->task, hold->pool);
    (*version)->stored = *stored;
    (*version)->stored.changed_by = apr_pstrdup(hold->pool, stored->changed_by);
    if (stored->document.len) {
        status =
            wf_configuration_parse(&(*version)->configuration,
                                   wf_slice_dup(stored->document, hold->pool), cause, hold->pool);
    }
    if (status != APR_SUCCESS) {
        wf_hold_drop(hold);
    }
    return status;
}

/* Gives what a version says, for as long as the request lives. */
static void give(wf_in_force_t *found, version_t *version, const wf_task_t *task, apr_pool_t *pool)
{
    wf_hold_drop_with(version->hold, pool);
    found->revision = version->stored.revision;
    found->is_removed = version->stored.is_removed;
    found->is_broken = 0;
    found->is_stored = version->configuration != NULL;
    found->configuration = version->configuration ? version->configuration : task->api;
    found->changed_by = version->stored.changed_by;
    found->changed = version->stored.changed;
}

apr_status_t wf_configurations_take(wf_in_force_t *found, wf_request_t *req, const wf_task_t *task,
                                    const wf_stored_configuration_t *stored, wf_result_t *result)
{
    version_t *version;
    wf_result_t cause;
    apr_status_t status;

    memset(found, 0, sizeof(*found));
    wf_result_init(&cause, req->r->pool);
    status = read_version(&version, stored, &cause);
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, status == WF_EINVALID ? 0 : status, req->r,
                      "WF0405: what is stored as the API configuration of %s/%s cannot be used "
                      "(%s): set it anew, or remove it",
                      stored->project, stored->task, cause.detail ? cause.detail : "no memory");
        found->revision = stored->revision;
        found->is_broken = 1;
        found->configuration = task->api;
        found->changed_by = stored->changed_by;
        found->changed = stored->changed;
        return wf_result_set(result, WF_EDAMAGED, WF_PROBLEM_INTERNAL,
                             "The task's API configuration cannot be used. The server's error log "
                             "says why.");
    }
    remember(req->shared->configurations, version);
    give(found, version, task, req->r->pool);
    return APR_SUCCESS;
}

apr_status_t wf_configurations_find(wf_in_force_t *found, wf_request_t *req, const char *project,
                                    const wf_task_t *task, wf_freshness_e freshness,
                                    wf_result_t *result)
{
    apr_pool_t *pool = req->r->pool;
    const char *vhost = wf_server_config(req->r->server)->vhost;
    wf_store_t *store = req->shared->store;
    wf_stored_configuration_t *stored;
    version_t *version = NULL;
    apr_status_t status;

    if (freshness == WF_REMEMBERED) {
        version = recall(req->shared->configurations, make_key(vhost, project, task->id, pool));
    }
    if (version) {
        give(found, version, task, pool);
        return APR_SUCCESS;
    }
    status = store->get_configuration(&stored, store, vhost, project, task->id, result, pool);
    return status == APR_SUCCESS ? wf_configurations_take(found, req, task, stored, result)
                                 : wf_request_store_failed(req, status, result);
}

apr_status_t wf_configurations_admit(const wf_in_force_t *found, wf_result_t *result)
{
    if (found->is_removed) {
        return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_REMOVED,
                             "The task cannot be run through the API until its configuration is "
                             "set again.");
    }
    if (!found->configuration->enabled) {
        return wf_result_set(result, APR_EACCES, WF_PROBLEM_DISABLED,
                             "The task's API configuration says that it may not be run.");
    }
    return APR_SUCCESS;
}

apr_status_t wf_configurations_accept(const wf_in_force_t *found, wf_slice_t body,
                                      wf_result_t *result, apr_pool_t *pool)
{
    const wf_schema_t *schema = found->configuration->schema;
    wf_schema_error_t error;

    if (!schema || wf_schema_check(schema, body, &error, pool) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_INVALID_BODY, "%s: %s",
                         *error.place ? error.place : "The body", error.reason);
}
