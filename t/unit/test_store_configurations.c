/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API configurations in the store: a change is made against the revision that was read, once,
 * whatever becomes of the keeper; and a run is created against the one in force, or not at all.
 */
#include "store_util.h"

static wf_stored_configuration_t change_of(const char *task, const char *document)
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

static wf_stored_configuration_t *read_ok(fixture_t *f, const char *task)
{
    wf_stored_configuration_t *configuration = NULL;

    assert_int_equal(
        f->store->get_configuration(&configuration, f->store, VHOST, "569", task, NULL, f->pool),
        APR_SUCCESS);
    return configuration;
}

static apr_status_t write_status(fixture_t *f, const wf_stored_configuration_t *next,
                                 apr_uint64_t expected, wf_stored_configuration_t **now)
{
    return f->store->set_configuration(now, f->store, next, expected, NULL, f->pool);
}

static wf_stored_configuration_t *write_ok(fixture_t *f, const wf_stored_configuration_t *next,
                                           apr_uint64_t expected)
{
    wf_stored_configuration_t *now = NULL;

    assert_int_equal(write_status(f, next, expected, &now), APR_SUCCESS);
    return now;
}

/* Stores a document for a task, whatever it has now. *revision is the new one. */
static apr_uint64_t store_ok(fixture_t *f, const char *task, const char *document)
{
    wf_stored_configuration_t next = change_of(task, document);

    return write_ok(f, &next, read_ok(f, task)->revision)->revision;
}

static void assert_same(const wf_stored_configuration_t *a, const wf_stored_configuration_t *b)
{
    assert_string_equal(a->vhost, b->vhost);
    assert_string_equal(a->project, b->project);
    assert_string_equal(a->task, b->task);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->is_removed, b->is_removed);
    assert_true(wf_slice_equal(a->document, b->document));
    assert_memory_equal(&a->change, &b->change, sizeof(a->change));
    assert_true((!a->changed_by && !b->changed_by) || strcmp(a->changed_by, b->changed_by) == 0);
    assert_int_equal(a->changed, b->changed);
}

static apr_array_header_t *list_ok(fixture_t *f, const char *vhost, const char *project)
{
    apr_array_header_t *list = NULL;

    assert_int_equal(f->store->list_configurations(&list, f->store, vhost, project, NULL, f->pool),
                     APR_SUCCESS);
    return list;
}

static apr_status_t create_status(fixture_t *f, const wf_new_run_t *spec)
{
    wf_run_t *run;

    return f->store->create(&run, f->store, spec, NULL, f->pool);
}

static wf_new_run_t run_of(const char *task, apr_uint64_t revision)
{
    wf_new_run_t spec = new_run(task);

    spec.revision = revision;
    return spec;
}

static void none_was_ever_stored(void **state)
{
    fixture_t *f = *state;
    wf_stored_configuration_t *none = read_ok(f, "12");

    assert_int_equal(none->revision, 0);
    assert_int_equal(none->is_removed, 0);
    assert_int_equal(none->document.len, 0);
    assert_string_equal(none->vhost, VHOST);
    assert_string_equal(none->project, "569");
    assert_string_equal(none->task, "12");
    assert_null(none->changed_by);
    assert_int_equal(list_ok(f, VHOST, "569")->nelts, 0);
}

static void what_was_stored_is_there_after_a_kill(void **state)
{
    fixture_t *f = *state;
    wf_stored_configuration_t next = change_of("12", "{\"enabled\": true}"), *now;
    apr_time_t before = apr_time_now();

    now = write_ok(f, &next, 0);
    assert_true(now->revision > 0);
    assert_true(now->changed >= before && now->changed <= apr_time_now());
    next.revision = now->revision;
    next.changed = now->changed;
    assert_same(now, &next);
    restart_keeper(f, SIGKILL);
    assert_same(read_ok(f, "12"), now);
    /* An empty document, and nobody who made it. */
    next = change_of("12", "");
    next.changed_by = NULL;
    now = write_ok(f, &next, now->revision);
    restart_keeper(f, SIGKILL);
    assert_same(read_ok(f, "12"), now);
    assert_null(now->changed_by);
}

static void a_change_is_made_against_what_was_read(void **state)
{
    fixture_t *f = *state;
    wf_stored_configuration_t first = change_of("12", "1"), other = change_of("12", "2"), *now;
    apr_uint64_t revision;

    assert_int_equal(write_status(f, &first, 7, &now), WF_ECHANGED);
    assert_int_equal(now->revision, 0);
    revision = write_ok(f, &first, 0)->revision;
    assert_int_equal(write_status(f, &other, 0, &now), WF_ECHANGED);
    assert_same(now, read_ok(f, "12"));
    assert_true(wf_slice_is(now->document, "1"));
    assert_int_equal(write_status(f, &other, revision + 1, &now), WF_ECHANGED);
    assert_true(write_ok(f, &other, revision)->revision > revision);
    assert_true(wf_slice_is(read_ok(f, "12")->document, "2"));
}

static void a_repeated_change_is_made_once(void **state)
{
    fixture_t *f = *state;
    wf_stored_configuration_t first = change_of("12", "1"), other = change_of("12", "2"), *now,
                              *again;

    now = write_ok(f, &first, 0);
    assert_same(write_ok(f, &first, 0), now);
    restart_keeper(f, SIGKILL);
    assert_same(write_ok(f, &first, 0), now);
    again = write_ok(f, &other, now->revision);
    assert_same(write_ok(f, &other, now->revision), again);
    assert_int_equal(write_status(f, &first, 0, &now), WF_ECHANGED);
    assert_same(now, again);
}

static void no_revision_comes_twice(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t last = 0;

    for (int i = 0; i < 6; i++) {
        const char *task = i % 2 ? "12" : "13";
        wf_stored_configuration_t next = change_of(task, "x");
        apr_uint64_t revision;

        next.is_removed = i % 3 == 2;
        revision = write_ok(f, &next, read_ok(f, task)->revision)->revision;
        assert_true(revision > last);
        last = revision;
        restart_keeper(f, i % 2 ? SIGKILL : SIGTERM);
        assert_int_equal(read_ok(f, task)->is_removed, i % 3 == 2);
    }
}

static void a_list_is_of_one_project_in_the_order_of_ids(void **state)
{
    static const char *const tasks[] = {"a", "12", "B", "2", "\xc3\xa4", "120"};
    static const char *const order[] = {"12", "120", "2", "B", "a", "\xc3\xa4"};
    fixture_t *f = *state;
    wf_stored_configuration_t vhost = change_of("3", "v"), project = change_of("3", "p"),
                              front = change_of("3", "f"), removed = change_of("2", "r");
    apr_array_header_t *list;

    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
        store_ok(f, tasks[i], tasks[i]);
    }
    vhost.vhost = "other:80";
    project.project = "570";
    front.project = "56";
    write_ok(f, &vhost, 0);
    write_ok(f, &project, 0);
    write_ok(f, &front, 0);
    removed.is_removed = 1;
    write_ok(f, &removed, read_ok(f, "2")->revision);
    list = list_ok(f, VHOST, "569");
    assert_int_equal(list->nelts, 6);
    for (int i = 0; i < list->nelts; i++) {
        wf_stored_configuration_t *one = &APR_ARRAY_IDX(list, i, wf_stored_configuration_t);

        assert_string_equal(one->task, order[i]);
        assert_same(one, read_ok(f, order[i]));
    }
    assert_int_equal(list_ok(f, "other:80", "569")->nelts, 1);
    assert_int_equal(list_ok(f, VHOST, "570")->nelts, 1);
    assert_int_equal(list_ok(f, VHOST, "56")->nelts, 1);
    assert_int_equal(list_ok(f, VHOST, "5")->nelts, 0);
    assert_int_equal(list_ok(f, "other", "569")->nelts, 0);
}

/* A document of so many bytes, NULs among them. */
static wf_slice_t long_document(fixture_t *f, apr_size_t len)
{
    char *bytes = apr_palloc(f->pool, len);

    for (apr_size_t i = 0; i < len; i++) {
        bytes[i] = (char)(i * 2654435761u >> 13);
    }
    return wf_slice_of(bytes, len);
}

/* More of them than one answer carries. */
static void long_documents_come_back_byte_for_byte(void **state)
{
    fixture_t *f = *state;
    apr_array_header_t *list;

    for (int i = 0; i < 50; i++) {
        wf_stored_configuration_t next = change_of(apr_psprintf(f->pool, "%02d", i), "");

        next.document = long_document(f, WF_CONFIGURATION_MOST);
        write_ok(f, &next, 0);
    }
    restart_keeper(f, SIGKILL);
    list = list_ok(f, VHOST, "569");
    assert_int_equal(list->nelts, 50);
    for (int i = 0; i < 50; i++) {
        wf_stored_configuration_t *one = &APR_ARRAY_IDX(list, i, wf_stored_configuration_t);

        assert_int_equal(atoi(one->task), i);
        assert_true(wf_slice_equal(one->document, long_document(f, WF_CONFIGURATION_MOST)));
    }
}

/* More of them than one answer carries, however short. */
static void a_list_is_whole_however_many_there_are(void **state)
{
    fixture_t *f = *state;
    apr_array_header_t *list;

    for (int i = 0; i < 1001; i++) {
        wf_stored_configuration_t next = change_of(apr_psprintf(f->pool, "%04d", i), "");

        write_ok(f, &next, 0);
    }
    list = list_ok(f, VHOST, "569");
    assert_int_equal(list->nelts, 1001);
    for (int i = 0; i < 1001; i++) {
        assert_int_equal(atoi(APR_ARRAY_IDX(list, i, wf_stored_configuration_t).task), i);
    }
}

static void what_cannot_be_is_invalid(void **state)
{
    fixture_t *f = *state;
    wf_stored_configuration_t broken[5], *now;
    apr_array_header_t *list;

    for (int i = 0; i < 5; i++) {
        broken[i] = change_of("12", "x");
    }
    broken[0].vhost = NULL;
    broken[1].project = NULL;
    broken[2].task = NULL;
    broken[3].document = long_document(f, WF_CONFIGURATION_MOST + 1);
    memset(&broken[4].change, 0, sizeof(broken[4].change));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write_status(f, &broken[i], 0, &now), WF_EINVALID);
    }
    assert_int_equal(f->store->get_configuration(&now, f->store, VHOST, "569", NULL, NULL, f->pool),
                     WF_EINVALID);
    assert_int_equal(f->store->list_configurations(&list, f->store, VHOST, NULL, NULL, f->pool),
                     WF_EINVALID);
    assert_int_equal(read_ok(f, "12")->revision, 0);
}

static void a_run_is_made_against_the_revision_in_force(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t old = run_of("12", 0), early = run_of("12", 1), other = run_of("13", 0), spec;
    wf_stored_configuration_t removal = change_of("12", "");
    apr_uint64_t revision;
    wf_run_t *run;

    assert_int_equal(create_status(f, &early), WF_ECHANGED);
    revision = store_ok(f, "12", "1");
    assert_int_equal(create_status(f, &old), WF_ECHANGED);
    assert_int_equal(f->store->get(&run, f->store, VHOST, &old.pid, NULL, f->pool), APR_NOTFOUND);
    assert_int_equal(create_status(f, &other), APR_SUCCESS);
    spec = run_of("12", revision);
    assert_int_equal(create_status(f, &spec), APR_SUCCESS);
    restart_keeper(f, SIGKILL);
    assert_int_equal(create_status(f, &old), WF_ECHANGED);
    spec = run_of("12", revision);
    assert_int_equal(create_status(f, &spec), APR_SUCCESS);
    /* One that is removed has a revision as well. */
    removal.is_removed = 1;
    removal = *write_ok(f, &removal, revision);
    spec = run_of("12", revision);
    assert_int_equal(create_status(f, &spec), WF_ECHANGED);
    assert_int_equal(create_status(f, &old), WF_ECHANGED);
    spec.revision = removal.revision;
    assert_int_equal(create_status(f, &spec), APR_SUCCESS);
    assert_int_equal(claim_ok(f, join_ok(f, "a"), 10)->nelts, 4);
}

static void a_run_that_is_there_is_answered_whatever_has_changed(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = run_of("12", 0), keyed = run_of("12", 0), again = run_of("12", 0);

    keyed.idempotency_key = again.idempotency_key = "k";
    create_ok(f, &first);
    create_ok(f, &keyed);
    store_ok(f, "12", "1");
    assert_memory_equal(&create_ok(f, &first)->pid, &first.pid, sizeof(first.pid));
    assert_memory_equal(&create_ok(f, &again)->pid, &keyed.pid, sizeof(keyed.pid));
    again.payload = wf_slice("another");
    assert_int_equal(create_status(f, &again), WF_ECONFLICT);
}

static void a_change_is_told_before_there_is_no_room(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = run_of("12", 0), overlap = run_of("12", 0), full = run_of("12", 0), key;
    apr_uint64_t revision;

    overlap.refuse_overlap = 1;
    full.queue_limit = 1;
    create_ok(f, &first);
    assert_int_equal(create_status(f, &overlap), WF_EOVERLAP);
    assert_int_equal(create_status(f, &full), WF_EFULL);
    revision = store_ok(f, "12", "1");
    assert_int_equal(create_status(f, &overlap), WF_ECHANGED);
    assert_int_equal(create_status(f, &full), WF_ECHANGED);
    /* What was refused has left no key, either. */
    overlap.idempotency_key = "k";
    assert_int_equal(create_status(f, &overlap), WF_ECHANGED);
    key = run_of("13", 0);
    key.idempotency_key = "k";
    assert_memory_equal(&create_ok(f, &key)->pid, &key.pid, sizeof(key.pid));
    overlap.idempotency_key = NULL;
    overlap.revision = full.revision = revision;
    assert_int_equal(create_status(f, &overlap), WF_EOVERLAP);
    assert_int_equal(create_status(f, &full), WF_EFULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(none_was_ever_stored),
        STORE_TEST(what_was_stored_is_there_after_a_kill),
        STORE_TEST(a_change_is_made_against_what_was_read),
        STORE_TEST(a_repeated_change_is_made_once),
        STORE_TEST(no_revision_comes_twice),
        STORE_TEST(a_list_is_of_one_project_in_the_order_of_ids),
        STORE_TEST(long_documents_come_back_byte_for_byte),
        STORE_TEST(a_list_is_whole_however_many_there_are),
        STORE_TEST(what_cannot_be_is_invalid),
        STORE_TEST(a_run_is_made_against_the_revision_in_force),
        STORE_TEST(a_run_that_is_there_is_answered_whatever_has_changed),
        STORE_TEST(a_change_is_told_before_there_is_no_room),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store, configurations", tests, NULL, NULL);
}
