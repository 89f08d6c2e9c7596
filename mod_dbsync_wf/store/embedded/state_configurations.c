/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API configurations of tasks. Their revisions are in memory beside the table, since each create
 * asks for one: where none was ever stored, a run of no revision is let in without a look at
 * anything.
 */
#include "store/embedded/state.h"

#define BYTES_MOST (1024 * 1024) /* of documents in one part of a list, the last one apart */
#define PART_MOST  1000          /* of them */

/* The revision of one whose record cannot be read; none is ever given out that is so great. */
#define UNREADABLE APR_UINT64_MAX

static void note_revision(wf_state_t *state, wf_slice_t key, apr_uint64_t revision)
{
    apr_uint64_t *known = apr_hash_get(state->revisions, key.data, (apr_ssize_t)key.len);

    if (!known) {
        key = wf_slice_dup(key, state->revisions_pool);
        known = apr_palloc(state->revisions_pool, sizeof(*known));
        apr_hash_set(state->revisions, key.data, (apr_ssize_t)key.len, known);
    }
    *known = revision;
}

static apr_status_t load_revision(void *baton, apr_status_t rv, wf_slice_t key,
                                  const wf_stored_configuration_t *configuration)
{
    wf_state_t *state = baton;

    note_revision(state, key, rv == APR_SUCCESS ? configuration->revision : UNREADABLE);
    if (rv == APR_SUCCESS && configuration->revision > state->revision) {
        state->revision = configuration->revision; /* the counter was lost with a damaged table */
    }
    return APR_SUCCESS;
}

apr_status_t wf_state_load_revisions(wf_state_t *state, apr_pool_t *pool)
{
    apr_status_t rv;

    if (state->revisions_pool) {
        apr_pool_clear(state->revisions_pool);
    } else if ((rv = apr_pool_create(&state->revisions_pool, state->pool)) != APR_SUCCESS) {
        return rv;
    }
    state->revisions = apr_hash_make(state->revisions_pool);
    rv = wf_counters_get(&state->revision, &state->tables, WF_COUNTER_REVISION, pool);
    if (rv == APR_SUCCESS) {
        rv = wf_configurations_walk(&state->tables, load_revision, state, pool);
        /* The others are read when they are asked for. */
        state->revisions_partial = rv == WF_EDAMAGED;
        rv = state->revisions_partial ? APR_SUCCESS : rv;
    }
    return rv;
}

/* The table's record, or with revision 0 what stands for none. */
static apr_status_t read_present(wf_stored_configuration_t *configuration, wf_state_t *state,
                                 const char *vhost, const char *project, const char *task,
                                 apr_pool_t *pool)
{
    apr_status_t rv =
        wf_configurations_get(configuration, &state->tables, vhost, project, task, pool);

    if (rv == APR_NOTFOUND) {
        memset(configuration, 0, sizeof(*configuration));
        configuration->vhost = vhost;
        configuration->project = project;
        configuration->task = task;
        configuration->document = wf_slice("");
        rv = APR_SUCCESS;
    }
    return rv;
}

/* From memory, or from the table where that does not know. WF_EDAMAGED. */
static apr_status_t find_revision(apr_uint64_t *revision, wf_state_t *state, const wf_run_t *run,
                                  apr_pool_t *pool)
{
    wf_stored_configuration_t configuration;
    wf_buf_t key = {NULL, 0, 0};
    const apr_uint64_t *known;
    apr_status_t rv = APR_SUCCESS;

    wf_task_key(&key, run->vhost, run->project, run->task);
    known = apr_hash_get(state->revisions, key.data, (apr_ssize_t)key.len);
    wf_buf_free(&key);
    *revision = known ? *known : 0;
    if (!known && state->revisions_partial) {
        rv = read_present(&configuration, state, run->vhost, run->project, run->task, pool);
        *revision = rv == APR_SUCCESS ? configuration.revision : 0;
    }
    return *revision == UNREADABLE ? WF_EDAMAGED : rv;
}

apr_status_t wf_state_check_revision(wf_state_t *state, const wf_run_t *run, apr_uint64_t revision,
                                     apr_pool_t *pool)
{
    apr_uint64_t present;
    apr_status_t rv;

    if (!revision && !apr_hash_count(state->revisions) && !state->revisions_partial) {
        return APR_SUCCESS;
    }
    rv = find_revision(&present, state, run, pool);
    return rv == APR_SUCCESS && present != revision ? WF_ECHANGED : rv;
}

apr_status_t wf_state_get_configuration(wf_stored_configuration_t *configuration, wf_state_t *state,
                                        const char *vhost, const char *project, const char *task,
                                        apr_pool_t *pool)
{
    if (!vhost || !project || !task) {
        return WF_EINVALID;
    }
    return read_present(configuration, state, vhost, project, task, pool);
}

static int is_valid(const wf_stored_configuration_t *next)
{
    static const wf_uuid_t none = {{0}};

    return next->vhost && next->project && next->task &&
           next->document.len <= WF_CONFIGURATION_MOST &&
           memcmp(&next->change, &none, sizeof(none)) != 0;
}

/* Stores it as the next revision there is. */
static apr_status_t write_next(wf_stored_configuration_t *configuration, wf_state_t *state,
                               const wf_stored_configuration_t *next)
{
    wf_buf_t key = {NULL, 0, 0};
    apr_status_t rv;

    *configuration = *next;
    configuration->revision = state->revision + 1;
    configuration->changed = apr_time_now();
    rv = wf_counters_put(&state->tables, WF_COUNTER_REVISION, configuration->revision);
    if (rv == APR_SUCCESS) {
        rv = wf_configurations_put(&state->tables, configuration);
    }
    if (rv == APR_SUCCESS) {
        /* Where the batch fails both are read again from the tables. */
        state->revision = configuration->revision;
        wf_task_key(&key, next->vhost, next->project, next->task);
        note_revision(state, wf_buf_slice(&key), configuration->revision);
        wf_buf_free(&key);
    }
    return rv;
}

apr_status_t wf_state_set_configuration(wf_stored_configuration_t *configuration, wf_state_t *state,
                                        const wf_stored_configuration_t *next,
                                        apr_uint64_t expected, apr_pool_t *pool)
{
    apr_status_t rv;

    if (!is_valid(next)) {
        return WF_EINVALID;
    }
    rv = read_present(configuration, state, next->vhost, next->project, next->task, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (configuration->revision == expected) {
        return write_next(configuration, state, next);
    }
    return memcmp(&configuration->change, &next->change, sizeof(next->change)) == 0 ? APR_SUCCESS
                                                                                    : WF_ECHANGED;
}

typedef struct list_t {
    apr_array_header_t *configurations;
    apr_size_t bytes;
    int more;
} list_t;

static apr_status_t add_to_list(void *baton, apr_status_t rv, wf_slice_t key,
                                const wf_stored_configuration_t *configuration)
{
    list_t *list = baton;

    (void)key;
    if (list->bytes >= BYTES_MOST || list->configurations->nelts == PART_MOST) {
        list->more = 1;
        return APR_EOF;
    }
    if (rv == APR_SUCCESS) {
        list->bytes += configuration->document.len;
        APR_ARRAY_PUSH(list->configurations, wf_stored_configuration_t) = *configuration;
    }
    return rv;
}

apr_status_t wf_state_list_configurations(apr_array_header_t **configurations, int *more,
                                          wf_state_t *state, const char *vhost, const char *project,
                                          const char *after, apr_pool_t *pool)
{
    list_t list = {apr_array_make(pool, 16, sizeof(wf_stored_configuration_t)), 0, 0};
    apr_status_t rv;

    if (!vhost || !project) {
        return WF_EINVALID;
    }
    rv = wf_configurations_walk_project(&state->tables, vhost, project, after, add_to_list, &list,
                                        pool);
    *configurations = list.configurations;
    *more = list.more;
    return rv;
}
