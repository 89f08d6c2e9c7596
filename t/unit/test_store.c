/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract (store/store.h): what each call does, while nothing goes wrong. */
#include "store_util.h"

static void a_run_keeps_all_that_was_said(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run = create_ok(f, &spec);

    assert_int_equal(run->status, WF_RUN_SUBMITTED);
    run = get_ok(f, &spec.pid);
    assert_memory_equal(&run->pid, &spec.pid, sizeof(spec.pid));
    assert_string_equal(run->vhost, VHOST);
    assert_string_equal(run->project, "569");
    assert_string_equal(run->task, "12");
    assert_string_equal(run->source, "/srv/projects");
    assert_string_equal(run->trigger, "API");
    assert_string_equal(run->user, "alice");
    assert_int_equal(run->status, WF_RUN_SUBMITTED);
    assert_true(run->submitted > 0);
    assert_int_equal(run->started, 0);
    assert_null(run->error.type);
}

static void create_again_gives_the_first(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_time_t first = create_ok(f, &spec)->submitted;
    apr_uint64_t incarnation = join_ok(f, "a");

    assert_int_equal(create_ok(f, &spec)->submitted, first);
    assert_int_equal(claim_ok(f, incarnation, 10)->nelts, 1);
    assert_int_equal(create_ok(f, &spec)->status, WF_RUN_RUNNING);
    assert_int_equal(claim_ok(f, incarnation, 10)->nelts, 0);
}

static void another_vhost_does_not_know_it(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run;

    create_ok(f, &spec);
    assert_int_equal(f->store->get(&run, f->store, "other:80", &spec.pid, NULL, f->pool),
                     APR_NOTFOUND);
    assert_int_equal(
        f->store->interrupt(&run, f->store, "other:80", &spec.pid, "eve", NULL, f->pool),
        APR_NOTFOUND);
    assert_int_equal(get_ok(f, &spec.pid)->status, WF_RUN_SUBMITTED);
}

static void a_claim_goes_to_one_and_finish_ends_it(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a"), b = join_ok(f, "b");
    wf_claim_t claim;
    wf_finish_t finish;
    wf_run_t *run;

    assert_true(a != b);
    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(claim_ok(f, b, 10)->nelts, 0);
    assert_true(wf_slice_equal(claim.payload, spec.payload));
    assert_int_equal(claim.run.status, WF_RUN_RUNNING);
    finish = completed(claim.token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    finish.status = WF_RUN_ERROR;
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), WF_ESTALE);
    run = get_ok(f, &spec.pid);
    assert_int_equal(run->status, WF_RUN_COMPLETED);
    assert_true(wf_slice_equal(run->result, completed(claim.token).result));
    assert_true(run->completed >= run->started && run->started >= run->submitted);
}

static void interrupt_ends_a_queued_run_at_once(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    wf_run_t *run = NULL;

    create_ok(f, &spec);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(run->status, WF_RUN_INTERRUPTED);
    assert_string_equal(run->interrupted_by, "bob");
    assert_int_equal(claim_ok(f, join_ok(f, "a"), 10)->nelts, 0);
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &spec.pid, "bob", NULL, f->pool),
                     WF_EENDED);
    assert_int_equal(run->status, WF_RUN_INTERRUPTED);
}

static void tasks_take_turns_and_keep_their_limit(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t flood[6], single = new_run("single");
    apr_array_header_t *claims;
    wf_finish_t finish;
    wf_claim_t next;
    int singles = 0;

    for (int i = 0; i < 6; i++) {
        flood[i] = new_run("flood");
        flood[i].concurrency = 2;
        create_ok(f, &flood[i]);
    }
    create_ok(f, &single);
    claims = claim_ok(f, a, 10);
    assert_int_equal(claims->nelts, 3);
    for (int i = 0; i < 2; i++) {
        singles += strcmp(APR_ARRAY_IDX(claims, i, wf_claim_t).run.task, "single") == 0;
    }
    assert_int_equal(singles, 1);
    assert_int_equal(claim_ok(f, a, 10)->nelts, 0);
    restart_keeper(f, SIGKILL);
    assert_int_equal(claim_ok(f, a, 10)->nelts, 0);
    assert_memory_equal(&APR_ARRAY_IDX(claims, 0, wf_claim_t).token.pid, &flood[0].pid,
                        sizeof(wf_uuid_t));
    finish = completed(APR_ARRAY_IDX(claims, 0, wf_claim_t).token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    next = claim_one(f, a);
    assert_memory_equal(&next.token.pid, &flood[2].pid, sizeof(wf_uuid_t));
}

static void a_draining_runner_claims_no_more_but_finishes(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t one = new_run("12"), two = new_run("12");
    apr_array_header_t *claims;
    wf_finish_t finish;

    create_ok(f, &one);
    create_ok(f, &two);
    finish = completed(claim_one(f, a).token);
    assert_int_equal(f->store->drain(f->store, a, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->claim(&claims, f->store, a, 1, 0, f->pool), WF_ESTALE);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
}

static void progress_shows_and_the_last_one_wins(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t spec = new_run("12");
    wf_run_progress_t progress = {"write customer", 1200, 5000};
    wf_run_records_t records = {7, 5, 2};
    wf_finish_t finish;
    wf_claim_t claim;

    create_ok(f, &spec);
    claim = claim_one(f, a);
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, &records, f->pool),
                     APR_SUCCESS);
    progress.done = 1300;
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, &records, f->pool),
                     APR_SUCCESS);
    assert_string_equal(get_ok(f, &spec.pid)->progress.action, "write customer");
    assert_int_equal(get_ok(f, &spec.pid)->progress.done, 1300);
    assert_int_equal(get_ok(f, &spec.pid)->records.written, 5);
    finish = completed(claim.token);
    finish.records = (wf_run_records_t){8, 6, 2};
    finish.progress = (wf_run_progress_t){NULL, 1, 1};
    claim.token.fence++;
    assert_int_equal(f->store->progress(f->store, &claim.token, &progress, &records, f->pool),
                     WF_ESTALE);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(get_ok(f, &spec.pid)->records.read, 8);
    assert_int_equal(get_ok(f, &spec.pid)->records.failed, 2);
}

/* Claims a run of the task and ends it with a marker. */
static void finish_with(fixture_t *f, apr_uint64_t incarnation, const char *task,
                        wf_run_status_e status, wf_run_marker_t marker)
{
    wf_new_run_t spec = new_run(task);
    wf_finish_t finish;

    create_ok(f, &spec);
    finish = completed(claim_one(f, incarnation).token);
    finish.status = status;
    finish.marker_count = 1;
    finish.markers = &marker;
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
}

/* What the next run of the task is told of a marker; NULL where it is told nothing. */
static const char *marker_of(fixture_t *f, apr_uint64_t incarnation, const char *task,
                             const char *name)
{
    wf_new_run_t spec = new_run(task);
    const char *json = NULL;
    wf_finish_t finish;
    wf_claim_t claim;

    create_ok(f, &spec);
    claim = claim_one(f, incarnation);
    for (int i = 0; i < claim.markers->nelts; i++) {
        const wf_run_marker_t *marker = &APR_ARRAY_IDX(claim.markers, i, wf_run_marker_t);

        if (strcmp(marker->name, name) == 0) {
            json = apr_pstrmemdup(f->pool, marker->json.data, marker->json.len);
        }
    }
    finish = completed(claim.token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    return json;
}

static void a_marker_moves_when_a_run_completes_and_only_then(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");

    assert_null(marker_of(f, a, "12", "last"));
    finish_with(f, a, "12", WF_RUN_COMPLETED, (wf_run_marker_t){"last", wf_slice("\"one\"")});
    finish_with(f, a, "12", WF_RUN_COMPLETED, (wf_run_marker_t){"other", wf_slice("[1]")});
    assert_string_equal(marker_of(f, a, "12", "last"), "\"one\"");
    finish_with(f, a, "12", WF_RUN_ERROR, (wf_run_marker_t){"last", wf_slice("\"two\"")});
    finish_with(f, a, "12", WF_RUN_INTERRUPTED, (wf_run_marker_t){"last", wf_slice("\"two\"")});
    restart_keeper(f, SIGKILL);
    assert_string_equal(marker_of(f, a, "12", "last"), "\"one\"");
    finish_with(f, a, "12", WF_RUN_COMPLETED, (wf_run_marker_t){"last", wf_slice("3")});
    assert_string_equal(marker_of(f, a, "12", "last"), "3");
    assert_string_equal(marker_of(f, a, "12", "other"), "[1]");
    assert_null(marker_of(f, a, "13", "last"));
}

static void a_run_that_must_not_overlap_is_refused(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t first = new_run("12"), second = new_run("12"), other = new_run("13");
    wf_run_t *run = NULL;
    wf_finish_t finish;

    first.refuse_overlap = second.refuse_overlap = other.refuse_overlap = 1;
    create_ok(f, &first);
    assert_int_equal(f->store->create(&run, f->store, &second, NULL, f->pool), WF_EOVERLAP);
    assert_memory_equal(&run->pid, &first.pid, sizeof(first.pid));
    assert_int_equal(f->store->get(&run, f->store, VHOST, &second.pid, NULL, f->pool),
                     APR_NOTFOUND);
    create_ok(f, &other);
    create_ok(f, &first); /* the same call again */
    second.concurrency = 2;
    create_ok(f, &second);
    finish = completed(claim_one(f, a).token);
    assert_memory_equal(&finish.token.pid, &first.pid, sizeof(first.pid));
    finish.token = claim_one(f, a).token; /* the other task's: tasks take turns */
    first = new_run("12");
    first.refuse_overlap = 1;
    first.concurrency = 2;
    assert_int_equal(f->store->create(&run, f->store, &first, NULL, f->pool), WF_EOVERLAP);
    assert_memory_equal(&run->pid, &second.pid, sizeof(second.pid));
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    create_ok(f, &(wf_new_run_t){.pid = other.pid, .vhost = VHOST, .project = "569", .task = "13"});
}

static apr_status_t create_status(fixture_t *f, const wf_new_run_t *spec)
{
    wf_run_t *run;

    return f->store->create(&run, f->store, spec, NULL, f->pool);
}

/* Creates a run of a task that lets `limit` of its runs wait. */
static apr_status_t create_limited(fixture_t *f, const char *task, apr_uint32_t limit)
{
    wf_new_run_t spec = new_run(task);

    spec.queue_limit = limit;
    return create_status(f, &spec);
}

static void a_task_lets_as_many_wait_as_it_says(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t last = new_run("12"), full = new_run("12");
    wf_run_t *run;
    wf_claim_t claim;

    assert_int_equal(create_limited(f, "12", 2), APR_SUCCESS);
    last.queue_limit = full.queue_limit = 2;
    full.idempotency_key = "k";
    assert_int_equal(create_status(f, &last), APR_SUCCESS);
    assert_int_equal(create_status(f, &full), WF_EFULL);
    assert_int_equal(create_status(f, &last), APR_SUCCESS); /* the same call again */
    assert_int_equal(f->store->get(&run, f->store, VHOST, &full.pid, NULL, f->pool), APR_NOTFOUND);
    assert_int_equal(create_limited(f, "13", 2), APR_SUCCESS);
    restart_keeper(f, SIGKILL);
    assert_int_equal(create_status(f, &full), WF_EFULL);
    /* One that runs does not wait, and does when it is released. */
    claim = claim_one(f, a);
    assert_int_equal(create_status(f, &full), APR_SUCCESS);
    assert_int_equal(f->store->release(f->store, &claim.token, f->pool), APR_SUCCESS);
    assert_int_equal(create_limited(f, "12", 3), WF_EFULL);
    assert_int_equal(create_status(f, &full), APR_SUCCESS);
    assert_int_equal(create_limited(f, "12", 0), APR_SUCCESS);
}

static void the_store_lets_as_many_wait_as_it_is_told(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t first = new_run("12"), keyed = new_run("13");
    apr_uint64_t a;
    wf_run_t *run;

    f->queue_limit = 3;
    restart_keeper(f, SIGTERM);
    a = join_ok(f, "a");
    keyed.idempotency_key = "k";
    create_ok(f, &first);
    create_ok(f, &keyed);
    assert_int_equal(create_limited(f, "14", 0), APR_SUCCESS);
    assert_int_equal(create_limited(f, "15", 0), WF_EFULL);
    keyed.pid = new_run("13").pid;
    assert_int_equal(create_status(f, &keyed), APR_SUCCESS); /* starts nothing */
    assert_int_equal(f->store->interrupt(&run, f->store, VHOST, &first.pid, "bob", NULL, f->pool),
                     APR_SUCCESS);
    assert_int_equal(create_limited(f, "15", 0), APR_SUCCESS);
    assert_int_equal(create_limited(f, "15", 0), WF_EFULL);
    restart_keeper(f, SIGKILL);
    assert_int_equal(create_limited(f, "15", 0), WF_EFULL);
    assert_int_equal(claim_ok(f, a, 2)->nelts, 2);
    assert_int_equal(create_limited(f, "15", 0), APR_SUCCESS);
    assert_int_equal(create_limited(f, "15", 0), APR_SUCCESS);
    assert_int_equal(create_limited(f, "15", 0), WF_EFULL);
}

/* Purges until there is nothing more to purge; how many went. */
static apr_uint64_t purge_all(fixture_t *f, apr_interval_time_t keep)
{
    apr_uint64_t all = 0;
    int more;

    do {
        apr_uint64_t count = 0;

        assert_int_equal(f->store->purge(&count, &more, f->store, keep, f->pool), APR_SUCCESS);
        assert_true(count <= 64);
        all += count;
    } while (more);
    return all;
}

static void purge_takes_what_has_ended_and_nothing_else(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_new_run_t ended[200], held = new_run("held"), queued = new_run("queued");
    wf_claim_t held_claim;
    wf_finish_t finish;
    wf_run_t *run;

    create_ok(f, &held);
    held_claim = claim_one(f, a);
    for (int i = 0; i < 200; i++) {
        ended[i] = new_run("12");
        create_ok(f, &ended[i]);
        finish = completed(claim_one(f, a).token);
        assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    }
    create_ok(f, &queued);
    assert_int_equal(purge_all(f, apr_time_from_sec(60)), 0);
    assert_int_equal(get_ok(f, &ended[0].pid)->status, WF_RUN_COMPLETED);

    assert_int_equal(purge_all(f, 0), 200);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(f->store->get(&run, f->store, VHOST, &ended[i].pid, NULL, f->pool),
                         APR_NOTFOUND);
    }
    assert_int_equal(get_ok(f, &held.pid)->status, WF_RUN_RUNNING);
    assert_int_equal(get_ok(f, &queued.pid)->status, WF_RUN_SUBMITTED);
    restart_keeper(f, SIGKILL);
    assert_int_equal(f->store->get(&run, f->store, VHOST, &ended[0].pid, NULL, f->pool),
                     APR_NOTFOUND);

    /* Those that were left end as ever, and are purged in their turn. */
    finish = completed(held_claim.token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(purge_all(f, 0), 1);
    assert_true(wf_slice_equal(claim_one(f, a).payload, queued.payload));
}

static void the_keeper_purges_by_itself(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a;
    wf_new_run_t spec = new_run("12"), queued = new_run("12");
    apr_time_t deadline = wf_clock() + PATIENCE;
    apr_status_t rv = APR_SUCCESS;
    wf_finish_t finish;
    wf_run_t *run;

    f->retention = apr_time_from_msec(1);
    restart_keeper(f, SIGTERM);
    a = join_ok(f, "a");
    create_ok(f, &spec);
    finish = completed(claim_one(f, a).token);
    create_ok(f, &queued);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    while (rv == APR_SUCCESS && wf_clock() < deadline) {
        rv = f->store->get(&run, f->store, VHOST, &spec.pid, NULL, f->pool);
    }
    assert_int_equal(rv, APR_NOTFOUND);
    assert_int_equal(get_ok(f, &queued.pid)->status, WF_RUN_SUBMITTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_run_keeps_all_that_was_said),
        STORE_TEST(create_again_gives_the_first),
        STORE_TEST(another_vhost_does_not_know_it),
        STORE_TEST(a_claim_goes_to_one_and_finish_ends_it),
        STORE_TEST(interrupt_ends_a_queued_run_at_once),
        STORE_TEST(tasks_take_turns_and_keep_their_limit),
        STORE_TEST(a_draining_runner_claims_no_more_but_finishes),
        STORE_TEST(progress_shows_and_the_last_one_wins),
        STORE_TEST(a_marker_moves_when_a_run_completes_and_only_then),
        STORE_TEST(a_run_that_must_not_overlap_is_refused),
        STORE_TEST(a_task_lets_as_many_wait_as_it_says),
        STORE_TEST(the_store_lets_as_many_wait_as_it_is_told),
        STORE_TEST(purge_takes_what_has_ended_and_nothing_else),
        STORE_TEST(the_keeper_purges_by_itself),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
