/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run is created against the revision of its task's API configuration that is in force, or not at
 * all: through concurrent changes, the deaths of keepers, and damage to what is stored.
 */
#include "configuration_util.h"
#include "store_damage.h"

#include <fcntl.h>
#include <sys/stat.h>

#define THREADS 8
#define ROUNDS  50

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

/* What the threads that create and the one that changes tell each other. */
static apr_uint64_t newest; /* stored, and told to who has stored it */
static int is_over;

/* Creates runs against revisions that it has read a while ago. */
static void *APR_THREAD_FUNC create_with_old_ones(apr_thread_t *thread, void *data)
{
    editor_t *me = data;
    wf_store_t *store;
    apr_pool_t *own, *pool;
    apr_uint64_t read = 0;

    apr_pool_create(&own, NULL);
    apr_pool_create(&pool, own);
    store = open_store(me->f, own);
    me->failed += !store;
    while (!me->failed && !__atomic_load_n(&is_over, __ATOMIC_ACQUIRE)) {
        wf_new_run_t spec = run_of("12", read);
        wf_stored_configuration_t *now;
        wf_run_t *run;
        apr_uint64_t floor = __atomic_load_n(&newest, __ATOMIC_ACQUIRE);
        apr_status_t rv = store->create(&run, store, &spec, NULL, pool);

        me->failed += rv == APR_SUCCESS ? read < floor : rv != WF_ECHANGED;
        me->won += rv == APR_SUCCESS;
        if (rv == WF_ECHANGED) {
            me->failed += store->get_configuration(&now, store, VHOST, "569", "12", NULL, pool) !=
                          APR_SUCCESS;
            read = me->failed ? 0 : now->revision;
        }
        apr_pool_clear(pool);
    }
    apr_pool_destroy(own);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void no_run_is_made_against_a_revision_that_is_over(void **state)
{
    fixture_t *f = *state;
    editor_t editors[THREADS];
    apr_uint32_t won = 0;
    wf_under_way_t count;

    newest = 0;
    is_over = 0;
    start_threads(editors, THREADS, f, create_with_old_ones);
    for (int i = 0; i < ROUNDS; i++) {
        wf_stored_configuration_t next = change_of("12", "x");

        next.is_removed = i % 2;
        __atomic_store_n(&newest, write_ok(f, &next, newest)->revision, __ATOMIC_RELEASE);
        if (i % 10 == 5) {
            restart_keeper(f, SIGKILL);
        }
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
    join_threads(editors, THREADS);
    for (int i = 0; i < THREADS; i++) {
        won += (apr_uint32_t)editors[i].won;
    }
    assert_true(won > 0);
    assert_int_equal(f->store->under_way(&count, f->store, VHOST, "569", "12", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(count.queued, won);
}

/* A record of another task, or of none, is damage; and of that task alone. */
static void a_damaged_configuration_is_of_one_task(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t revision = store_ok(f, "12", "1"), other = store_ok(f, "13", "1");
    wf_stored_configuration_t strange = *read_ok(f, "13"), *now, next = change_of("12", "2");
    wf_buf_t *record = apr_pcalloc(f->pool, sizeof(*record));
    wf_slice_t records[3] = {wf_slice("\1nonsense"), wf_slice("\2"), {NULL, 0}};
    wf_new_run_t first = run_of("12", revision), none = run_of("14", 0);
    apr_array_header_t *list;

    create_ok(f, &first);
    wf_buf_bind(record, f->pool);
    wf_stored_configuration_encode(record, &strange);
    records[2] = wf_buf_slice(record);
    for (size_t i = 0; i < 3; i++) {
        wf_new_run_t spec = run_of("12", revision), unchecked = run_of("12", 0);
        wf_new_run_t well = run_of("13", other);

        put_for_task(f, offsetof(wf_tables_t, configurations), "12", records[i]);
        assert_int_equal(
            f->store->get_configuration(&now, f->store, VHOST, "569", "12", NULL, f->pool),
            WF_EDAMAGED);
        assert_int_equal(write_status(f, &next, revision, &now), WF_EDAMAGED);
        assert_int_equal(create_status(f, &spec), WF_EDAMAGED);
        assert_int_equal(create_status(f, &unchecked), WF_EDAMAGED);
        assert_int_equal(
            f->store->list_configurations(&list, f->store, VHOST, "569", NULL, f->pool),
            WF_EDAMAGED);
        create_ok(f, &first);
        create_ok(f, &well);
        create_ok(f, &none);
        assert_int_equal(read_ok(f, "13")->revision, other);
        assert_true(store_ok(f, "15", "x") > other);
    }
}

/* Damages the table's last page, with the keeper stopped. */
static void spoil_last_page(fixture_t *f)
{
    const char *file = apr_psprintf(f->pool, "%s/data/configurations.db", f->dir);
    struct stat st;
    int fd;

    end_keeper(f, SIGTERM);
    fd = open(file, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(st.st_size > 10 * st.st_blksize);
    assert_int_equal(pwrite(fd, "spoiled", 7, st.st_size - 100), 7);
    close(fd);
    start_keeper(f);
}

/* Whose page cannot be read has no run; of everybody else all is as it was. */
static void a_damaged_page_is_of_the_tasks_on_it(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t revisions[200], last = 0;
    int damaged = 0;

    for (int i = 0; i < 200; i++) {
        wf_stored_configuration_t next = change_of(apr_psprintf(f->pool, "%04d", i), "");

        next.document = long_document(f, 600);
        last = revisions[i] = write_ok(f, &next, 0)->revision;
    }
    spoil_last_page(f);
    for (int i = 0; i < 200; i++) {
        const char *task = apr_psprintf(f->pool, "%04d", i);
        wf_new_run_t spec = run_of(task, revisions[i]), old = run_of(task, 0);
        wf_stored_configuration_t *now;
        apr_status_t rv =
            f->store->get_configuration(&now, f->store, VHOST, "569", task, NULL, f->pool);

        assert_true(rv == APR_SUCCESS || rv == WF_EDAMAGED);
        damaged += rv == WF_EDAMAGED;
        assert_int_equal(create_status(f, &spec), rv);
        assert_int_equal(create_status(f, &old), rv == APR_SUCCESS ? WF_ECHANGED : rv);
    }
    assert_in_range(damaged, 1, 20);
    assert_true(store_ok(f, "0000", "x") > last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_run_is_made_against_the_revision_in_force),
        STORE_TEST(a_run_that_is_there_is_answered_whatever_has_changed),
        STORE_TEST(a_change_is_told_before_there_is_no_room),
        STORE_TEST(no_run_is_made_against_a_revision_that_is_over),
        STORE_TEST(a_damaged_configuration_is_of_one_task),
        STORE_TEST(a_damaged_page_is_of_the_tasks_on_it),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store, revisions", tests, NULL, NULL);
}
