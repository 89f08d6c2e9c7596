/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configurations: vhost NUL project NUL task -> record (record_configuration.h), which is never
 * deleted: a removed one keeps its revision.
 */
#include "store/embedded/tables.h"

#define TABLE "configurations.db"

/* Whether a record that was read is the one of that key, and has what every record has. */
static int is_of(const wf_stored_configuration_t *configuration, wf_slice_t key)
{
    static const wf_uuid_t none = {{0}};
    wf_buf_t own = {NULL, 0, 0};
    int is_same;

    if (!configuration->vhost || !configuration->project || !configuration->task ||
        !configuration->revision || memcmp(&configuration->change, &none, sizeof(none)) == 0) {
        return 0;
    }
    wf_task_key(&own, configuration->vhost, configuration->project, configuration->task);
    is_same = wf_slice_equal(wf_buf_slice(&own), key);
    wf_buf_free(&own);
    return is_same;
}

static apr_status_t decode(wf_stored_configuration_t *configuration, wf_tables_t *tables,
                           wf_slice_t key, wf_slice_t value, apr_pool_t *pool)
{
    if (wf_stored_configuration_decode(configuration, value, pool) != APR_SUCCESS ||
        !is_of(configuration, key)) {
        return wf_tables_nonsense(tables, TABLE);
    }
    return APR_SUCCESS;
}

apr_status_t wf_configurations_put(wf_tables_t *tables,
                                   const wf_stored_configuration_t *configuration)
{
    wf_buf_t key = {NULL, 0, 0}, value = {NULL, 0, 0};
    apr_status_t rv;

    wf_task_key(&key, configuration->vhost, configuration->project, configuration->task);
    wf_stored_configuration_encode(&value, configuration);
    rv = wf_table_put(tables->configurations, wf_buf_slice(&key), wf_buf_slice(&value));
    wf_buf_free(&key);
    wf_buf_free(&value);
    return rv;
}

apr_status_t wf_configurations_get(wf_stored_configuration_t *configuration, wf_tables_t *tables,
                                   const char *vhost, const char *project, const char *task,
                                   apr_pool_t *pool)
{
    wf_buf_t key = {NULL, 0, 0};
    wf_slice_t value;
    apr_status_t rv;

    wf_task_key(&key, vhost, project, task);
    rv = wf_table_get(&value, tables->configurations, wf_buf_slice(&key), pool);
    if (rv == APR_SUCCESS) {
        rv = decode(configuration, tables, wf_buf_slice(&key), value, pool);
    }
    wf_buf_free(&key);
    return rv;
}

typedef struct walk_t {
    wf_tables_t *tables;
    wf_slice_t front; /* of the keys that are visited */
    wf_slice_t after; /* the key that is passed over */
    wf_configurations_visit_t visit;
    void *baton;
    apr_pool_t *pool;
    int is_passing; /* what is visited is needed no longer than that: pool is cleared */
} walk_t;

static apr_status_t visit_pair(void *baton, wf_slice_t key, wf_slice_t value)
{
    const walk_t *walk = baton;
    wf_stored_configuration_t configuration;
    apr_status_t rv;

    if (key.len < walk->front.len || memcmp(key.data, walk->front.data, walk->front.len) != 0) {
        return APR_EOF; /* another project's */
    }
    if (wf_slice_equal(key, walk->after)) {
        return APR_SUCCESS;
    }
    if (walk->is_passing) {
        apr_pool_clear(walk->pool);
    }
    rv = decode(&configuration, walk->tables, key, value, walk->pool);
    return walk->visit(walk->baton, rv, key, &configuration);
}

apr_status_t wf_configurations_walk(wf_tables_t *tables, wf_configurations_visit_t visit,
                                    void *baton, apr_pool_t *pool)
{
    walk_t walk = {tables, wf_slice(""), wf_slice(""), visit, baton, NULL, 1};
    apr_status_t rv = apr_pool_create(&walk.pool, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_table_walk(tables->configurations, visit_pair, &walk);
        apr_pool_destroy(walk.pool);
    }
    return rv;
}

apr_status_t wf_configurations_walk_project(wf_tables_t *tables, const char *vhost,
                                            const char *project, const char *after,
                                            wf_configurations_visit_t visit, void *baton,
                                            apr_pool_t *pool)
{
    wf_buf_t from = {NULL, 0, 0};
    walk_t walk = {tables, wf_slice(""), wf_slice(""), visit, baton, pool, 0};
    apr_status_t rv;

    wf_task_key(&from, vhost, project, after ? after : "");
    walk.front = wf_slice_of(from.data, strlen(vhost) + 1 + strlen(project) + 1);
    walk.after = after ? wf_buf_slice(&from) : wf_slice("");
    rv = wf_table_walk_from(tables->configurations, wf_buf_slice(&from), visit_pair, &walk);
    wf_buf_free(&from);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
