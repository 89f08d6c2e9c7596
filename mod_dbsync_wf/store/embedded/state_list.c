/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of runs, the newest first: a part of a walk backwards through pids, which sort by time.
 * Through as few as may be: what is under way is looked for among that, however many have ended
 * since it began.
 */
#include "store/embedded/state.h"

#define BYTES_MOST  (1024 * 1024) /* of records that are looked at, the last one apart */
#define BYTES_LEAST 500           /* what a record counts for, its outcome apart */

typedef struct walk_t {
    wf_run_list_t *list;
    wf_state_t *state;
    const wf_run_query_t *query;
    apr_pool_t *pool;
    apr_uint32_t seen;
    apr_size_t bytes;
} walk_t;

/* Whether a member is what the query asks for; NULL asks for nothing. */
static int is_same(const char *member, const char *asked)
{
    return !asked || (member && strcmp(member, asked) == 0);
}

static int is_match(const wf_run_t *run, const wf_run_query_t *query)
{
    return is_same(run->vhost, query->vhost) && is_same(run->project, query->project) &&
           is_same(run->task, query->task) && is_same(run->user, query->user) &&
           (!query->status || run->status == query->status) && run->submitted >= query->from &&
           (!query->to || run->submitted < query->to);
}

/* APR_EOF ends the walk. */
static apr_status_t look_at(void *baton, const wf_uuid_t *pid)
{
    walk_t *walk = baton;
    const wf_run_query_t *query = walk->query;
    wf_run_t run;
    apr_status_t rv;

    if (query->from && wf_uuid_time(pid) < query->from - WF_PID_SLACK) {
        return APR_EOF;
    }
    if ((apr_uint32_t)walk->list->runs->nelts == query->limit || walk->seen == WF_LIST_STEP ||
        walk->bytes > BYTES_MOST) {
        walk->list->more = 1;
        return APR_EOF;
    }
    walk->seen++;
    walk->list->next = *pid;
    rv = wf_state_read(&run, walk->state, pid, walk->pool);
    if (rv != APR_SUCCESS) {
        return rv == APR_NOTFOUND ? APR_SUCCESS : rv; /* lost with a damaged table */
    }
    walk->bytes += BYTES_LEAST + run.result.len + run.actions.len;
    if (is_match(&run, query)) {
        run.result = run.actions = wf_slice("");
        APR_ARRAY_PUSH(walk->list->runs, wf_run_t) = run;
    }
    return APR_SUCCESS;
}

/* The pid that is greater than all of those that may be of runs from before `to`. */
static wf_uuid_t end_of(apr_time_t to)
{
    apr_uint64_t ms = (apr_uint64_t)apr_time_as_msec(to + WF_PID_SLACK);
    wf_uuid_t end = {{0}};

    for (int i = 5; i >= 0; i--, ms >>= 8) {
        end.bytes[i] = (unsigned char)ms;
    }
    return end;
}

static apr_status_t walk_back(walk_t *walk, const wf_uuid_t *before)
{
    const wf_run_query_t *query = walk->query;
    wf_tables_t *tables = &walk->state->tables;

    if (query->status && !wf_run_status_is_final(query->status)) {
        return wf_active_walk_back(tables, before, look_at, walk);
    }
    return query->project ? wf_by_project_walk_back(tables, query->vhost, query->project, before,
                                                    look_at, walk)
                          : wf_runs_walk_back(tables, before, look_at, walk);
}

apr_status_t wf_state_list(wf_run_list_t *list, wf_state_t *state, const wf_run_query_t *query,
                           apr_pool_t *pool)
{
    static const wf_uuid_t newest = {{0}};
    walk_t walk = {list, state, query, pool, 0, 0};
    wf_uuid_t before = query->before;
    apr_status_t rv;

    memset(list, 0, sizeof(*list));
    list->version = state->board.age;
    list->runs = apr_array_make(pool, 64, sizeof(wf_run_t));
    if (!query->vhost || !query->limit) {
        return WF_EINVALID;
    }
    if (memcmp(&before, &newest, sizeof(before)) == 0) {
        memset(&before, 0xff, sizeof(before));
    }
    if (query->to) {
        wf_uuid_t end = end_of(query->to);

        before = memcmp(&end, &before, sizeof(end)) < 0 ? end : before;
    }
    rv = walk_back(&walk, &before);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
