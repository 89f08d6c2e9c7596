/* SPDX-License-Identifier: Apache-2.0 */
/* runner/callbacks.h over a store that does what a test tells it, and a receiver. */
#include "http_util.h"

#include <signal.h>
#include <sys/eventfd.h>
#include "base/result.h"
#include "flow/rest/rest.h"
#include "runner/callbacks.h"

#define SOON   apr_time_from_sec(10) /* for what is to happen in a moment */
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define MOST   16

/* A store with ends to claim. */
typedef struct fake_t {
    wf_store_t store;
    wf_settings_t settings;
    wf_runner_t runner;
    http_server_t server;
    pthread_mutex_t mutex; /* guards what follows */
    wf_callback_claim_t ends[MOST];
    int count;
    int given;
    int asked;
    apr_status_t claim_status;
    apr_status_t tell_status;
    int tells;
    int told;
    wf_callback_outcome_t outcome; /* the last one that was taken */
    char reason[256];
    apr_pool_t *pool;
} fake_t;

static apr_status_t give_end(apr_array_header_t **claims, wf_store_t *store,
                             apr_uint64_t incarnation, apr_uint32_t max, apr_pool_t *pool)
{
    fake_t *fake = store->impl;
    apr_status_t status;

    *claims = apr_array_make(pool, 1, sizeof(wf_callback_claim_t));
    pthread_mutex_lock(&fake->mutex);
    fake->asked++;
    status = incarnation == 7 ? fake->claim_status : WF_ESTALE;
    for (apr_uint32_t i = 0; status == APR_SUCCESS && i < max && fake->given < fake->count; i++) {
        APR_ARRAY_PUSH(*claims, wf_callback_claim_t) = fake->ends[fake->given++];
    }
    pthread_mutex_unlock(&fake->mutex);
    return status;
}

static apr_status_t take_outcome(wf_store_t *store, const wf_callback_outcome_t *outcome,
                                 apr_pool_t *pool)
{
    fake_t *fake = store->impl;
    apr_status_t status;

    (void)pool;
    pthread_mutex_lock(&fake->mutex);
    fake->tells++;
    status = fake->tell_status;
    if (status == APR_SUCCESS) {
        fake->told++;
        fake->outcome = *outcome;
        apr_cpystrn(fake->reason, outcome->reason ? outcome->reason : "", sizeof(fake->reason));
    }
    pthread_mutex_unlock(&fake->mutex);
    return status;
}

/* A number of the fake's, as it is now. */
static int now(fake_t *fake, const int *number)
{
    int value;

    pthread_mutex_lock(&fake->mutex);
    value = *number;
    pthread_mutex_unlock(&fake->mutex);
    return value;
}

static void await(fake_t *fake, const int *number, int least)
{
    apr_time_t deadline = wf_clock() + SOON;

    while (now(fake, number) < least) {
        assert_true(wf_clock() < deadline);
        poll(NULL, 0, 5);
    }
}

static int is_idle(fake_t *fake)
{
    int idle;

    wf_monitor_enter(fake->runner.monitor);
    idle = wf_tellers_are_idle(&fake->runner);
    wf_monitor_leave(fake->runner.monitor);
    return idle;
}

static void await_idle(fake_t *fake)
{
    apr_time_t deadline = wf_clock() + SOON;

    while (!is_idle(fake)) {
        assert_true(wf_clock() < deadline);
        poll(NULL, 0, 5);
    }
}

static void set_statuses(fake_t *fake, apr_status_t claim, apr_status_t tell)
{
    pthread_mutex_lock(&fake->mutex);
    fake->claim_status = claim;
    fake->tell_status = tell;
    pthread_mutex_unlock(&fake->mutex);
}

/* An end to be told as a stored document says; NULL: nothing is stored. */
static wf_uuid_t add_document(fake_t *fake, const char *document)
{
    wf_callback_claim_t *end = &fake->ends[fake->count];

    assert_int_equal(wf_uuid_make(&end->run.pid), APR_SUCCESS);
    end->run.project = "611";
    end->run.task = "a";
    end->run.status = WF_RUN_COMPLETED;
    end->run.completed = 1;
    end->run.callback.status = WF_CALLBACK_PENDING;
    end->run.callback.attempts = 3;
    end->configuration.revision = document ? 1 : 0;
    end->configuration.document = wf_slice(document);
    pthread_mutex_lock(&fake->mutex);
    fake->count++;
    pthread_mutex_unlock(&fake->mutex);
    return end->run.pid;
}

static wf_uuid_t add_end(fake_t *fake, const char *path)
{
    return add_document(fake, apr_psprintf(fake->pool,
                                           "{\"callback\": {\"url\": \"%s\", \"secret\": "
                                           "\"" SECRET "\"}}",
                                           server_url(&fake->server, path, fake->pool)));
}

static int set_up(void **state)
{
    fake_t *fake = calloc(1, sizeof(*fake));
    apr_array_header_t *hosts;

    apr_pool_create(&fake->pool, NULL);
    pthread_mutex_init(&fake->mutex, NULL);
    server_start(&fake->server);
    hosts = apr_array_make(fake->pool, 1, sizeof(const char *));
    APR_ARRAY_PUSH(hosts, const char *) =
        apr_psprintf(fake->pool, "127.0.0.1:%d", fake->server.port);
    fake->settings.callback_hosts = hosts;
    fake->store.impl = fake;
    fake->store.claim_callbacks = give_end;
    fake->store.tell_callback = take_outcome;
    fake->runner.settings = &fake->settings;
    fake->runner.store = &fake->store;
    fake->runner.incarnation = 7;
    fake->runner.pool = fake->pool;
    fake->runner.held = apr_hash_make(fake->pool);
    fake->runner.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(wf_monitor_create(&fake->runner.monitor, fake->pool), APR_SUCCESS);
    assert_int_equal(wf_monitor_share(&fake->runner.claims, fake->runner.monitor, fake->pool),
                     APR_SUCCESS);
    assert_int_equal(wf_monitor_share(&fake->runner.beats, fake->runner.monitor, fake->pool),
                     APR_SUCCESS);
    assert_int_equal(wf_projects_create(&fake->runner.projects, fake->pool), APR_SUCCESS);
    assert_int_equal(wf_tellers_start(&fake->runner), APR_SUCCESS);
    *state = fake;
    return 0;
}

/* The tellers end by themselves when the lease is lost, whatever they do. */
static int tear_down(void **state)
{
    fake_t *fake = *state;

    wf_runner_set_state(&fake->runner, WF_RUNNER_LOST);
    wf_tellers_join(&fake->runner);
    server_stop(&fake->server);
    close(fake->runner.wake);
    apr_pool_destroy(fake->pool);
    pthread_mutex_destroy(&fake->mutex);
    free(fake);
    return 0;
}

static void an_end_is_delivered_and_that_is_told(void **state)
{
    fake_t *fake = *state;
    char text[WF_UUID_TEXT_LEN + 1];
    wf_uuid_t pid = add_end(fake, "/echo");

    wf_tellers_wake(&fake->runner);
    await(fake, &fake->told, 1);
    assert_memory_equal(&fake->outcome.pid, &pid, sizeof(pid));
    assert_int_equal(fake->outcome.attempt, 4);
    assert_true(fake->outcome.is_delivered);
    assert_int_equal(fake->outcome.http_status, 200);
    wf_uuid_format(text, &pid);
    assert_true(
        server_has_read(&fake->server, apr_pstrcat(fake->pool, "webhook-id: ", text, NULL)));
    assert_true(server_has_read(&fake->server,
                                apr_pstrcat(fake->pool,
                                            "\r\n\r\n{\"type\":\"run.ended\",\"timestamp\":"
                                            "\"1970-01-01T00:00:00.000Z\",\"data\":{\"pid\":\"",
                                            text, "\"", NULL)));
}

static void who_is_gone_is_given_up(void **state)
{
    fake_t *fake = *state;

    add_end(fake, "/status/410");
    wf_tellers_wake(&fake->runner);
    await(fake, &fake->told, 1);
    assert_false(fake->outcome.is_delivered);
    assert_true(fake->outcome.is_given_up);
    assert_int_equal(fake->outcome.http_status, 410);
}

static void where_there_is_nobody_to_tell_it_is_given_up(void **state)
{
    fake_t *fake = *state;
    static const char none[] = "the task has no callback any more";

    add_document(fake, "{\"enabled\": true}");
    add_document(fake, NULL);
    add_end(fake, "/echo");
    fake->ends[2].configuration.is_removed = 1;
    for (int i = 0; i < 3; i++) {
        wf_tellers_wake(&fake->runner);
    }
    await(fake, &fake->told, 3);
    assert_true(fake->outcome.is_given_up);
    assert_string_equal(fake->reason, none);
    assert_int_equal(server_requests(&fake->server), 0);
}

static void what_cannot_be_read_may_be_readable_later(void **state)
{
    fake_t *fake = *state;

    add_document(fake, "{\"of\": \"a later version\"}");
    wf_tellers_wake(&fake->runner);
    await(fake, &fake->told, 1);
    assert_false(fake->outcome.is_given_up || fake->outcome.is_delivered);
    assert_string_equal(fake->reason, "the task's configuration cannot be read");
}

static void a_host_that_the_operator_does_not_name_is_asked_nothing(void **state)
{
    fake_t *fake = *state;

    fake->settings.callback_hosts = NULL;
    add_end(fake, "/echo");
    wf_tellers_wake(&fake->runner);
    await(fake, &fake->told, 1);
    assert_true(fake->outcome.is_given_up);
    assert_non_null(strstr(fake->reason, "DbsyncWfCallbackHosts"));
    assert_int_equal(server_requests(&fake->server), 0);
}

static void a_store_that_is_away_is_asked_again(void **state)
{
    fake_t *fake = *state;

    set_statuses(fake, WF_EUNAVAILABLE, WF_EUNAVAILABLE);
    add_end(fake, "/echo");
    wf_tellers_wake(&fake->runner);
    await(fake, &fake->asked, 2); /* once more, without being woken again */
    set_statuses(fake, APR_SUCCESS, WF_EUNAVAILABLE);
    await(fake, &fake->tells, 2);
    set_statuses(fake, APR_SUCCESS, APR_SUCCESS);
    await(fake, &fake->told, 1);
    assert_true(fake->outcome.is_delivered);
    assert_int_equal(server_requests(&fake->server), 1);
}

static void eight_are_told_at_a_time(void **state)
{
    fake_t *fake = *state;

    for (int i = 0; i < WF_TELLERS + 1; i++) {
        add_end(fake, "/silent");
    }
    wf_tellers_wake(&fake->runner);
    server_await(&fake->server, WF_TELLERS);
    assert_int_equal(now(fake, &fake->given), WF_TELLERS);
}

/* As a keeper that has been restarted gives it. */
static void what_is_under_way_is_not_begun_again(void **state)
{
    fake_t *fake = *state;
    wf_uuid_t other;

    add_end(fake, "/silent");
    wf_tellers_wake(&fake->runner);
    server_await(&fake->server, 1);
    fake->ends[1] = fake->ends[0];
    pthread_mutex_lock(&fake->mutex);
    fake->count = 2;
    pthread_mutex_unlock(&fake->mutex);
    other = add_end(fake, "/echo");
    wf_tellers_wake(&fake->runner);
    await(fake, &fake->told, 1);
    assert_memory_equal(&fake->outcome.pid, &other, sizeof(other));
    assert_int_equal(now(fake, &fake->given), 3);
    assert_int_equal(server_requests(&fake->server), 2);
}

static void who_drains_ends_what_it_has_and_claims_no_more(void **state)
{
    fake_t *fake = *state;
    int asked;

    set_statuses(fake, APR_SUCCESS, WF_EUNAVAILABLE);
    add_end(fake, "/echo");
    wf_tellers_wake(&fake->runner);
    await(fake, &fake->tells, 1);
    wf_runner_set_state(&fake->runner, WF_RUNNER_DRAINING);
    asked = now(fake, &fake->asked);
    add_end(fake, "/echo");
    wf_tellers_wake(&fake->runner);
    assert_false(is_idle(fake));
    set_statuses(fake, APR_SUCCESS, APR_SUCCESS);
    await_idle(fake);
    assert_int_equal(now(fake, &fake->told), 1);
    assert_true(now(fake, &fake->asked) <= asked + 1); /* one may have been asking */
    assert_int_equal(server_requests(&fake->server), 1);
}

static void who_stops_cancels_and_tells_nothing(void **state)
{
    fake_t *fake = *state;
    apr_time_t begun;

    for (int i = 0; i < 3; i++) {
        add_end(fake, "/silent");
    }
    wf_tellers_wake(&fake->runner);
    server_await(&fake->server, 3);
    begun = wf_clock();
    wf_runner_set_state(&fake->runner, WF_RUNNER_STOPPING);
    await_idle(fake);
    assert_true(wf_clock() - begun < apr_time_from_sec(5));
    assert_int_equal(now(fake, &fake->tells), 0);
}

static int set_up_all(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return apr_initialize() == APR_SUCCESS && wf_rest_setup() == APR_SUCCESS ? 0 : -1;
}

#define TELLER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TELLER_TEST(an_end_is_delivered_and_that_is_told),
        TELLER_TEST(who_is_gone_is_given_up),
        TELLER_TEST(where_there_is_nobody_to_tell_it_is_given_up),
        TELLER_TEST(what_cannot_be_read_may_be_readable_later),
        TELLER_TEST(a_host_that_the_operator_does_not_name_is_asked_nothing),
        TELLER_TEST(a_store_that_is_away_is_asked_again),
        TELLER_TEST(eight_are_told_at_a_time),
        TELLER_TEST(what_is_under_way_is_not_begun_again),
        TELLER_TEST(who_drains_ends_what_it_has_and_claims_no_more),
        TELLER_TEST(who_stops_cancels_and_tells_nothing),
    };

    return cmocka_run_group_tests(tests, set_up_all, NULL);
}
