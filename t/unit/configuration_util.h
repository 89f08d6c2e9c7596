/* SPDX-License-Identifier: Apache-2.0 */
/* For the programs that store API configurations, and create runs against them. */
#ifndef WF_TEST_CONFIGURATION_UTIL_H
#define WF_TEST_CONFIGURATION_UTIL_H

#include "store_util.h"

static inline wf_stored_configuration_t change_of(const char *task, const char *document)
{
    wf_stored_configuration_t next;

    memset(&next, 0, sizeof(next));
    assert_int_equal(wf_uuid_make(&next.change), APR_SUCCESS);
    next.vhost = VHOST;
    next.project = "569";
    next.task = task;
    next.document = wf_slice(document);
    next.changed_by = "alice";
    return next;
}

static inline wf_stored_configuration_t *read_ok(fixture_t *f, const char *task)
{
    wf_stored_configuration_t *configuration = NULL;

    assert_int_equal(
        f->store->get_configuration(&configuration, f->store, VHOST, "569", task, NULL, f->pool),
        APR_SUCCESS);
    return configuration;
}

static inline apr_status_t write_status(fixture_t *f, const wf_stored_configuration_t *next,
                                        apr_uint64_t expected, wf_stored_configuration_t **now)
{
    return f->store->set_configuration(now, f->store, next, expected, NULL, f->pool);
}

static inline wf_stored_configuration_t *
write_ok(fixture_t *f, const wf_stored_configuration_t *next, apr_uint64_t expected)
{
    wf_stored_configuration_t *now = NULL;

    assert_int_equal(write_status(f, next, expected, &now), APR_SUCCESS);
    return now;
}

/* Stores a document for a task, whatever it has now. *revision is the new one. */
static inline apr_uint64_t store_ok(fixture_t *f, const char *task, const char *document)
{
    wf_stored_configuration_t next = change_of(task, document);

    return write_ok(f, &next, read_ok(f, task)->revision)->revision;
}

static inline apr_status_t create_status(fixture_t *f, const wf_new_run_t *spec)
{
    wf_run_t *run;

    return f->store->create(&run, f->store, spec, NULL, f->pool);
}

static inline wf_new_run_t run_of(const char *task, apr_uint64_t revision)
{
    wf_new_run_t spec = new_run(task);

    spec.revision = revision;
    return spec;
}

/* A document of so many bytes, NULs among them. */
static inline wf_slice_t long_document(fixture_t *f, apr_size_t len)
{
    char *bytes = apr_palloc(f->pool, len);

    for (apr_size_t i = 0; i < len; i++) {
        bytes[i] = (char)(i * 2654435761u >> 13);
    }
    return wf_slice_of(bytes, len);
}

static inline wf_store_t *open_store(const fixture_t *f, apr_pool_t *pool)
{
    wf_store_t *store;

    return wf_embedded_open(&store, f->socket, PATIENCE, pool) == APR_SUCCESS ? store : NULL;
}

typedef struct editor_t {
    fixture_t *f;
    apr_thread_t *thread;
    int failed;
    int won;
} editor_t;

static inline void start_threads(editor_t *editors, int count, fixture_t *f,
                                 apr_thread_start_t body)
{
    for (int i = 0; i < count; i++) {
        editors[i] = (editor_t){.f = f};
        assert_int_equal(apr_thread_create(&editors[i].thread, NULL, body, &editors[i], f->pool),
                         APR_SUCCESS);
    }
}

static inline void join_threads(editor_t *editors, int count)
{
    for (int i = 0; i < count; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, editors[i].thread);
        assert_int_equal(editors[i].failed, 0);
    }
}

#endif
