/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a task may be run: so often, whoever asks and whatever becomes of batches; and what a
 * batch that is undone leaves of configurations. The clock is the test's own, and so is whether the
 * disk works.
 */
#include "configuration_util.h"
#include "store_damage.h"

#include <poll.h>
#include "store/embedded/wire.h"

#define THREADS 8
#define ROUNDS  100
#define DAY     apr_time_from_sec(86400)

/* Shared with the keeper. */
static struct shared_t {
    apr_time_t ahead; /* what the clock is ahead of the machine's */
    int disk_fails;
} * shared;

apr_time_t __real_wf_clock(void);
apr_time_t __wrap_wf_clock(void);
apr_time_t __wrap_wf_clock(void)
{
    return __real_wf_clock() + __atomic_load_n(&shared->ahead, __ATOMIC_ACQUIRE);
}

apr_status_t __real_wf_bdb_commit(wf_bdb_t *bdb);
apr_status_t __wrap_wf_bdb_commit(wf_bdb_t *bdb);
apr_status_t __wrap_wf_bdb_commit(wf_bdb_t *bdb)
{
    return __atomic_load_n(&shared->disk_fails, __ATOMIC_ACQUIRE) ? APR_ENOSPC
                                                                  : __real_wf_bdb_commit(bdb);
}

static void go_ahead(apr_interval_time_t by)
{
    __atomic_add_fetch(&shared->ahead, by, __ATOMIC_ACQ_REL);
}

static apr_interval_time_t retry;

static wf_new_run_t limited(const char *task, apr_uint32_t rate, apr_interval_time_t period)
{
    wf_new_run_t spec = new_run(task);

    spec.rate = rate;
    spec.rate_period = period;
    spec.retry = &retry;
    retry = 0;
    return spec;
}

/* Creates runs until one is refused for its rate. */
static int count_runs(fixture_t *f, const char *task, apr_uint32_t rate, apr_interval_time_t period)
{
    apr_status_t rv = APR_SUCCESS;
    int count = 0;

    while (rv == APR_SUCCESS) {
        wf_new_run_t spec = limited(task, rate, period);
        wf_run_t *run;

        rv = create_status(f, &spec);
        count += rv == APR_SUCCESS;
        if (rv != APR_SUCCESS) {
            assert_int_equal(f->store->get(&run, f->store, VHOST, &spec.pid, NULL, f->pool),
                             APR_NOTFOUND);
        }
    }
    assert_int_equal(rv, WF_ERATE);
    assert_true(retry > 0 && retry <= period / rate + 1);
    return count;
}

static void a_task_is_run_as_often_as_may_be(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t vhost = limited("12", 5, DAY), project = limited("12", 5, DAY);

    assert_int_equal(count_runs(f, "12", 5, DAY), 5);
    /* The time that is told is enough, and no more than that. */
    go_ahead(retry);
    assert_int_equal(count_runs(f, "12", 5, DAY), 1);
    go_ahead(retry - apr_time_from_sec(3600));
    assert_int_equal(count_runs(f, "12", 5, DAY), 0);
    assert_true(retry <= apr_time_from_sec(3600));
    go_ahead(10 * DAY);
    assert_int_equal(count_runs(f, "12", 5, DAY), 5);
    /* Others are not concerned. */
    vhost.vhost = "other:80";
    project.project = "570";
    create_ok(f, &vhost);
    create_ok(f, &project);
    assert_int_equal(count_runs(f, "13", 3, DAY), 3);
    assert_int_equal(count_runs(f, "12", 5, DAY), 0);
    /* It is counted since the store began. */
    restart_keeper(f, SIGTERM);
    assert_int_equal(count_runs(f, "12", 5, DAY), 5);
}

static void a_limit_that_is_changed_holds_at_once(void **state)
{
    fixture_t *f = *state;

    assert_int_equal(count_runs(f, "12", 3, DAY), 3);
    assert_int_equal(count_runs(f, "12", 10, DAY), 7);
    assert_int_equal(count_runs(f, "12", 2, DAY), 0);
    go_ahead(retry);
    assert_int_equal(count_runs(f, "12", 2, DAY), 1);
    for (int i = 0; i < 20; i++) {
        wf_new_run_t spec = new_run("12");

        create_ok(f, &spec);
    }
    assert_int_equal(count_runs(f, "12", 2, DAY), 0);
}

static void a_limit_beyond_its_bounds_is_invalid(void **state)
{
    static const struct {
        apr_uint32_t rate;
        apr_interval_time_t period;
    } rows[] = {{1, 0}, {1, 999999}, {1, DAY + 1}, {1000001, DAY}, {1, -1}, {4294967295u, DAY}};
    fixture_t *f = *state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_new_run_t spec = limited("12", rows[i].rate, rows[i].period);

        assert_int_equal(create_status(f, &spec), WF_EINVALID);
    }
}

static void what_is_there_is_answered_and_not_counted_again(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = limited("12", 3, DAY), keyed = limited("12", 3, DAY),
                 again = limited("12", 3, DAY);

    keyed.idempotency_key = again.idempotency_key = "k";
    for (int i = 0; i < 5; i++) {
        assert_memory_equal(&create_ok(f, &first)->pid, &first.pid, sizeof(first.pid));
        assert_memory_equal(&create_ok(f, &keyed)->pid, &keyed.pid, sizeof(keyed.pid));
        assert_memory_equal(&create_ok(f, &again)->pid, &keyed.pid, sizeof(keyed.pid));
    }
    assert_int_equal(count_runs(f, "12", 3, DAY), 1);
    create_ok(f, &first);
    create_ok(f, &again);
    assert_int_equal(count_runs(f, "12", 3, DAY), 0);
}

static void the_rate_is_the_last_to_refuse(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t overlap = limited("12", 1, DAY), full = limited("12", 1, DAY),
                 changed = limited("12", 1, DAY), key = limited("12", 1, DAY), other;

    overlap.refuse_overlap = 1;
    full.queue_limit = 1;
    changed.revision = 77;
    key.idempotency_key = "k";
    assert_int_equal(count_runs(f, "12", 1, DAY), 1);
    assert_int_equal(create_status(f, &overlap), WF_EOVERLAP);
    assert_int_equal(create_status(f, &full), WF_EFULL);
    assert_int_equal(create_status(f, &changed), WF_ECHANGED);
    assert_int_equal(create_status(f, &key), WF_ERATE);
    other = new_run("13");
    other.idempotency_key = "k";
    assert_memory_equal(&create_ok(f, &other)->pid, &other.pid, sizeof(other.pid));
    /* What was refused otherwise has taken nothing. */
    go_ahead(DAY);
    assert_int_equal(create_status(f, &overlap), WF_EOVERLAP);
    assert_int_equal(create_status(f, &full), WF_EFULL);
    assert_int_equal(create_status(f, &changed), WF_ECHANGED);
    assert_int_equal(count_runs(f, "12", 1, DAY), 1);
}

static void *APR_THREAD_FUNC create_limited(apr_thread_t *thread, void *data)
{
    editor_t *me = data;
    wf_store_t *store;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    store = open_store(me->f, pool);
    me->failed += !store;
    for (int i = 0; i < ROUNDS && !me->failed; i++) {
        wf_new_run_t spec = new_run("12");
        wf_run_t *run;
        apr_status_t rv;

        spec.rate = THREADS * ROUNDS / 2;
        spec.rate_period = DAY;
        rv = store->create(&run, store, &spec, NULL, pool);
        me->failed += rv != APR_SUCCESS && rv != WF_ERATE;
        me->won += rv == APR_SUCCESS;
    }
    apr_pool_destroy(pool);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void many_threads_share_one_limit(void **state)
{
    fixture_t *f = *state;
    editor_t editors[THREADS];
    int won = 0;

    start_threads(editors, THREADS, f, create_limited);
    join_threads(editors, THREADS);
    for (int i = 0; i < THREADS; i++) {
        won += editors[i].won;
    }
    /* Some of it drains while they work. */
    assert_in_range(won, THREADS * ROUNDS / 2, THREADS * ROUNDS / 2 + 2);
}

static void set_disk_fails(int fails)
{
    __atomic_store_n(&shared->disk_fails, fails, __ATOMIC_RELEASE);
    go_ahead(apr_time_from_sec(2)); /* it is tried again */
}

static void what_was_not_written_is_given_back(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = limited("12", 3, DAY), lost = limited("12", 3, DAY);

    create_ok(f, &first);
    for (int i = 0; i < 5; i++) {
        set_disk_fails(1);
        assert_int_equal(create_status(f, &lost), WF_EUNAVAILABLE);
        assert_int_equal(create_status(f, &lost), WF_EUNAVAILABLE);
        set_disk_fails(0);
    }
    assert_int_equal(count_runs(f, "12", 3, DAY), 2);
}

static void a_change_that_was_not_written_was_not_made(void **state)
{
    fixture_t *f = *state;
    wf_stored_configuration_t first = change_of("12", "1"), other = change_of("12", "2"), *now;
    wf_new_run_t none = run_of("12", 0), old = run_of("12", 0), fresh = run_of("12", 0);
    apr_uint64_t revision;

    set_disk_fails(1);
    assert_int_equal(write_status(f, &first, 0, &now), WF_EUNAVAILABLE);
    assert_int_equal(read_ok(f, "12")->revision, 0);
    set_disk_fails(0);
    create_ok(f, &none);
    revision = write_ok(f, &first, 0)->revision;
    set_disk_fails(1);
    assert_int_equal(write_status(f, &other, revision, &now), WF_EUNAVAILABLE);
    assert_int_equal(read_ok(f, "12")->revision, revision);
    set_disk_fails(0);
    assert_int_equal(create_status(f, &old), WF_ECHANGED);
    fresh.revision = revision;
    create_ok(f, &fresh);
    assert_true(write_ok(f, &other, revision)->revision > revision);
}

static void add_create(wf_buf_t *out, apr_uint32_t call, const char *task)
{
    wf_new_run_t spec = new_run(task);
    wf_run_t run = {.pid = spec.pid, .vhost = VHOST, .project = "569", .task = task};
    apr_size_t frame = wf_frame_begin(out, WF_OP_CREATE, call), mark;

    mark = wf_field_open(out, WF_FIELD_RUN);
    wf_record_encode(out, &run);
    wf_field_close(out, mark);
    wf_field_add_u64(out, WF_FIELD_RATE, 3);
    wf_field_add_u64(out, WF_FIELD_PERIOD, DAY);
    wf_field_add(out, WF_FIELD_PAYLOAD, wf_slice("{}"));
    wf_frame_end(out, frame);
}

static void add_finish(wf_buf_t *out, apr_uint32_t call, const wf_token_t *token)
{
    const wf_run_marker_t marker = {"m", {"1", 1}};
    wf_run_t run = {.pid = token->pid, .fence = token->fence, .status = WF_RUN_COMPLETED};
    apr_size_t frame = wf_frame_begin(out, WF_OP_FINISH, call), mark;

    mark = wf_field_open(out, WF_FIELD_RUN);
    wf_record_encode(out, &run);
    wf_field_close(out, mark);
    wf_marker_encode(out, WF_FIELD_MARKER, &marker);
    wf_frame_end(out, frame);
}

/* Sends frames, all at once, and looks whether their answers say what they should. */
static void exchange(fixture_t *f, wf_slice_t frames, const wf_answer_e *expected, int count)
{
    wf_buf_t in = {NULL, 0, 0};
    wf_message_t message;
    wf_slice_t frame;
    apr_size_t need;
    int fd;

    assert_int_equal(wf_socket_connect(&fd, f->socket), APR_SUCCESS);
    assert_int_equal(send(fd, frames.data, frames.len, MSG_NOSIGNAL), frames.len);
    for (int i = 0; i < count; i++) {
        while (wf_frame_next(&frame, &need, wf_buf_slice(&in)) == APR_INCOMPLETE) {
            struct pollfd p = {fd, POLLIN, 0};
            ssize_t n;

            assert_int_equal(poll(&p, 1, (int)apr_time_as_msec(PATIENCE)), 1);
            n = recv(fd, wf_buf_reserve(&in, 4096), 4096, 0);
            assert_true(n > 0);
            in.len += (apr_size_t)n;
        }
        assert_int_equal(wf_message_read(&message, frame), APR_SUCCESS);
        assert_int_equal(message.code, expected[i]);
        wf_buf_consume(&in, need);
    }
    wf_buf_free(&in);
    close(fd);
}

/* The batch is undone for the sake of one call in it, and done again with a transaction for each.
 */
static void a_batch_that_is_done_again_counts_once(void **state)
{
    static const wf_answer_e expected[] = {WF_ANSWER_OK, WF_ANSWER_DAMAGED, WF_ANSWER_OK};
    fixture_t *f = *state;
    wf_new_run_t held = new_run("12");
    wf_buf_t frames = {NULL, 0, 0};
    wf_claim_t claim;

    create_ok(f, &held);
    claim = claim_one(f, join_ok(f, "a"));
    put_for_task(f, offsetof(wf_tables_t, markers), "12", wf_slice("nonsense"));
    add_create(&frames, 1, "13");
    add_finish(&frames, 2, &claim.token);
    add_create(&frames, 3, "13");
    exchange(f, wf_buf_slice(&frames), expected, 3);
    wf_buf_free(&frames);
    assert_int_equal(get_ok(f, &held.pid)->status, WF_RUN_RUNNING);
    assert_int_equal(count_runs(f, "13", 3, DAY), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_task_is_run_as_often_as_may_be),
        STORE_TEST(a_limit_that_is_changed_holds_at_once),
        STORE_TEST(a_limit_beyond_its_bounds_is_invalid),
        STORE_TEST(what_is_there_is_answered_and_not_counted_again),
        STORE_TEST(the_rate_is_the_last_to_refuse),
        STORE_TEST(many_threads_share_one_limit),
        STORE_TEST(what_was_not_written_is_given_back),
        STORE_TEST(a_change_that_was_not_written_was_not_made),
        STORE_TEST(a_batch_that_is_done_again_counts_once),
    };

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store, rates", tests, NULL, NULL);
}
