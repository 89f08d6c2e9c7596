/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API configurations in the store: a change is made against the revision that was read, once,
 * whatever becomes of the keeper.
 */
#include "configuration_util.h"

#include <sys/stat.h>

#define THREADS 8
#define ROUNDS  50
#define KILLS   5

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

/* What is overwritten gives its room to what comes. */
static void changes_take_no_more_room(void **state)
{
    fixture_t *f = *state;
    const char *file = apr_psprintf(f->pool, "%s/data/configurations.db", f->dir);
    apr_uint64_t revision = 0;
    struct stat st;

    for (int i = 0; i < 500; i++) {
        wf_stored_configuration_t next = change_of("12", "");

        next.document = long_document(f, i % 2 ? WF_CONFIGURATION_MOST : 10);
        revision = write_ok(f, &next, revision)->revision;
    }
    restart_keeper(f, SIGTERM);
    assert_int_equal(stat(file, &st), 0);
    assert_true(st.st_size < 3 * (off_t)WF_CONFIGURATION_MOST);
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

/* Adds 1 to the number that the document is, again and again, as somebody does who never overwrites
 * what another one has stored meanwhile. */
static void *APR_THREAD_FUNC count_up(apr_thread_t *thread, void *data)
{
    editor_t *me = data;
    wf_store_t *store;
    apr_pool_t *own, *pool;

    apr_pool_create(&own, NULL);
    apr_pool_create(&pool, own);
    store = open_store(me->f, own);
    me->failed += !store;
    while (!me->failed && me->won < ROUNDS) {
        wf_stored_configuration_t *now = NULL, next = change_of("12", "");
        apr_status_t rv = store->get_configuration(&now, store, VHOST, "569", "12", NULL, pool);

        if (rv == APR_SUCCESS) {
            next.document = wf_slice(
                apr_psprintf(pool, "%d", now->revision ? atoi(now->document.data) + 1 : 1));
            rv = store->set_configuration(&now, store, &next, now->revision, NULL, pool);
        }
        me->failed += rv != APR_SUCCESS && rv != WF_ECHANGED;
        me->won += rv == APR_SUCCESS;
        apr_pool_clear(pool);
    }
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void wait_for_revision(fixture_t *f, apr_uint64_t revision)
{
    apr_time_t deadline = wf_clock() + PATIENCE;

    while (read_ok(f, "12")->revision < revision) {
        assert_true(wf_clock() < deadline);
    }
}

/* Nobody else changes it: that the answer was lost makes no difference to who repeats the call. */
static void a_change_whose_keeper_dies_is_made_once(void **state)
{
    fixture_t *f = *state;
    editor_t editor;

    start_threads(&editor, 1, f, count_up);
    for (apr_uint64_t i = 1; i < ROUNDS; i += 2) {
        wait_for_revision(f, i);
        restart_keeper(f, SIGKILL);
    }
    join_threads(&editor, 1);
    assert_int_equal(atoi(read_ok(f, "12")->document.data), ROUNDS);
    assert_int_equal(read_ok(f, "12")->revision, ROUNDS);
}

/*
 * Of those who change the same revision one wins; through the deaths of keepers, too. Where a
 * change is on disk and its keeper dies before it says so, and another change comes before the
 * repeated call, who made it hears of that other one: so each death may hide the answer to one.
 */
static void no_change_of_many_threads_is_lost(void **state)
{
    fixture_t *f = *state;
    editor_t editors[THREADS];

    start_threads(editors, THREADS, f, count_up);
    for (int i = 1; i <= KILLS; i++) {
        wait_for_revision(f, (apr_uint64_t)(i * THREADS * ROUNDS / (2 * KILLS)));
        restart_keeper(f, SIGKILL);
    }
    join_threads(editors, THREADS);
    assert_in_range(atoi(read_ok(f, "12")->document.data), THREADS * ROUNDS,
                    THREADS * ROUNDS + KILLS);
    assert_int_equal(read_ok(f, "12")->revision, atoi(read_ok(f, "12")->document.data));
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
        STORE_TEST(changes_take_no_more_room),
        STORE_TEST(a_list_is_whole_however_many_there_are),
        STORE_TEST(what_cannot_be_is_invalid),
        STORE_TEST(a_change_whose_keeper_dies_is_made_once),
        STORE_TEST(no_change_of_many_threads_is_lost),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store, configurations", tests, NULL, NULL);
}
