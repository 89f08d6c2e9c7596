/* SPDX-License-Identifier: Apache-2.0 */
/* runner/output.h over a store that does what a test tells it: what it keeps is what was added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "runner/output.h"

#define SOON  apr_time_from_sec(20)
#define LIMIT (APR_UINT64_C(64) * 1024 * 1024)

/* A store with one run. */
typedef struct fake_t {
    wf_store_t store;
    pthread_mutex_t mutex; /* guards what follows */
    wf_buf_t kept;
    int calls;
    apr_status_t status; /* of each call */
    int keeps;           /* whether what it is given is kept all the same */
    int holes;
    apr_pool_t *pool;
    wf_pump_t *pump;
    wf_claim_t claim;
} fake_t;

/* As the contract has it: what is there already is passed over. */
static void keep(fake_t *fake, apr_uint64_t offset, wf_slice_t bytes)
{
    if (offset > fake->kept.len) {
        fake->holes++;
    } else if (offset + bytes.len > fake->kept.len) {
        apr_size_t known = fake->kept.len - (apr_size_t)offset;

        assert_memory_equal(fake->kept.data + offset, bytes.data, known);
        wf_buf_add(&fake->kept, bytes.data + known, bytes.len - known);
    }
}

static apr_status_t append(wf_store_t *store, const wf_token_t *token, apr_uint64_t offset,
                           wf_slice_t bytes, apr_pool_t *pool)
{
    fake_t *fake = store->impl;
    apr_status_t status;

    (void)pool;
    pthread_mutex_lock(&fake->mutex);
    fake->calls++;
    status = fake->status;
    if (token->fence == fake->claim.token.fence && (status == APR_SUCCESS || fake->keeps)) {
        keep(fake, offset, bytes);
    }
    pthread_mutex_unlock(&fake->mutex);
    return status;
}

static apr_status_t read_part(wf_output_part_t *part, wf_store_t *store, const char *vhost,
                              const wf_uuid_t *pid, apr_uint64_t offset, apr_size_t most,
                              wf_result_t *result, apr_pool_t *pool)
{
    fake_t *fake = store->impl;

    (void)vhost;
    (void)pid;
    (void)result;
    (void)pool;
    part->bytes = wf_slice_of(fake->kept.data + offset, most);
    return fake->status;
}

static void open_fake(fake_t *fake, apr_uint64_t limit)
{
    memset(fake, 0, sizeof(*fake));
    apr_pool_create(&fake->pool, NULL);
    pthread_mutex_init(&fake->mutex, NULL);
    fake->store.impl = fake;
    fake->store.append_output = append;
    fake->store.read_output = read_part;
    fake->claim.token.fence = 7;
    assert_int_equal(wf_pump_create(&fake->pump, &fake->store, limit, fake->pool), APR_SUCCESS);
}

static void close_fake(fake_t *fake)
{
    apr_pool_destroy(fake->pool);
    pthread_mutex_destroy(&fake->mutex);
    assert_int_equal(fake->holes, 0);
    wf_buf_free(&fake->kept);
}

static void set_status(fake_t *fake, apr_status_t status, int keeps)
{
    pthread_mutex_lock(&fake->mutex);
    fake->status = status;
    fake->keeps = keeps;
    pthread_mutex_unlock(&fake->mutex);
}

static int count_calls(fake_t *fake)
{
    int calls;

    pthread_mutex_lock(&fake->mutex);
    calls = fake->calls;
    pthread_mutex_unlock(&fake->mutex);
    return calls;
}

static apr_size_t count_kept(fake_t *fake)
{
    apr_size_t len;

    pthread_mutex_lock(&fake->mutex);
    len = fake->kept.len;
    pthread_mutex_unlock(&fake->mutex);
    return len;
}

static void await_kept(fake_t *fake, apr_size_t len)
{
    apr_time_t deadline = wf_clock() + SOON;

    while (count_kept(fake) < len) {
        assert_true(wf_clock() < deadline);
        poll(NULL, 0, 1);
    }
}

static void await_calls(fake_t *fake, int calls)
{
    apr_time_t deadline = wf_clock() + SOON;

    while (count_calls(fake) < calls) {
        assert_true(wf_clock() < deadline);
        poll(NULL, 0, 1);
    }
}

/* Ends the output as a run's end does, and keeps the rest. */
static apr_size_t end(fake_t *fake, wf_output_t *output)
{
    apr_uint64_t offset;
    wf_slice_t rest;

    wf_output_end(output, &rest, &offset);
    keep(fake, offset, rest);
    return rest.len;
}

static void assert_kept(fake_t *fake, const char *text)
{
    wf_buf_add_char(&fake->kept, '\0');
    assert_string_equal(fake->kept.data, text);
}

static void test_short_run_costs_no_call(void **state)
{
    fake_t fake;
    wf_output_t *output;

    (void)state;
    open_fake(&fake, LIMIT);
    for (int i = 0; i < 100; i++) {
        output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
        wf_output_add(output, wf_slice("x"));
        fake.kept.len = 0;
        assert_int_equal(end(&fake, output), 1);
    }
    assert_int_equal(count_calls(&fake), 0);
    output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
    fake.kept.len = 0;
    assert_int_equal(end(&fake, output), 0);
    close_fake(&fake);
}

static void test_bytes_come_while_it_runs(void **state)
{
    wf_output_t *output;
    apr_time_t began;
    fake_t fake;

    (void)state;
    open_fake(&fake, LIMIT);
    output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
    for (apr_size_t i = 1; i <= 3; i++) {
        began = wf_clock();
        wf_output_add(output, wf_slice("line\n"));
        await_kept(&fake, i * 5);
        assert_true(wf_clock() - began < apr_time_from_sec(5));
    }
    assert_int_equal(end(&fake, output), 0);
    assert_kept(&fake, "line\nline\nline\n");
    close_fake(&fake);
}

/* Adds lines that are numbered, and so long that 16 make 1 KB. */
static void add_lines(wf_output_t *output, int from, int count)
{
    char line[65];

    for (int i = from; i < from + count; i++) {
        snprintf(line, sizeof(line), "%063d\n", i);
        wf_output_add(output, wf_slice(line));
    }
}

/* Looks at lines that were added, up to `count` or a line of ours, which is given. */
static const char *check_lines(const char **at, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        if (**at == '[') {
            const char *line = *at;

            *at = strchr(line, '\n') + 1;
            return line;
        }
        assert_int_equal(strtol(*at, NULL, 10), i);
        assert_int_equal((*at)[63], '\n');
        *at += 64;
    }
    return NULL;
}

static void test_much_goes_through(void **state)
{
    const int lines = 16 * 1024 * 8; /* 8 MB, much more than a buffer */
    wf_output_t *output;
    const char *at;
    fake_t fake;

    (void)state;
    open_fake(&fake, LIMIT);
    output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
    add_lines(output, 0, lines);
    end(&fake, output);
    wf_buf_add_char(&fake.kept, '\0');
    at = fake.kept.data;
    assert_null(check_lines(&at, 0, lines));
    assert_int_equal(*at, '\0');
    close_fake(&fake);
}

static void test_limit_is_said(void **state)
{
    wf_output_t *output;
    fake_t fake;

    (void)state;
    open_fake(&fake, 10);
    output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
    wf_output_add(output, wf_slice("1234567"));
    wf_output_add(output, wf_slice("89012345"));
    wf_output_add(output, wf_slice("more\n"));
    end(&fake, output);
    assert_memory_equal(fake.kept.data, "1234567890\n[", 12);
    fake.kept.data += 12 + WF_TIME_TEXT_LEN;
    fake.kept.len -= 12 + WF_TIME_TEXT_LEN;
    assert_kept(&fake, "] the output is longer than 10 bytes (DbsyncWfOutputLimit): 10 more were "
                       "left out\n");
    fake.kept.data -= 12 + WF_TIME_TEXT_LEN;
    close_fake(&fake);

    open_fake(&fake, 10);
    output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
    wf_output_add(output, wf_slice("1234567890"));
    end(&fake, output);
    assert_kept(&fake, "1234567890");
    close_fake(&fake);
}

/*
 * While the store does not answer nobody waits for it but once; what did not fit is counted, and
 * said in its place. Then it goes on.
 */
static void test_store_that_is_away(void **state)
{
    const int before = 1000, many = 16 * 1024 * 3, after = 1000;
    apr_time_t began;
    wf_output_t *output;
    const char *at, *line;
    unsigned long missing;
    fake_t fake;
    int calls;

    (void)state;
    open_fake(&fake, LIMIT);
    output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
    add_lines(output, 0, before);
    await_kept(&fake, (apr_size_t)before * 64);
    set_status(&fake, WF_EUNAVAILABLE, 1); /* answers alone are lost */
    began = wf_clock();
    add_lines(output, before, many);
    assert_true(wf_clock() - began < apr_time_from_sec(10));
    calls = count_calls(&fake);
    await_calls(&fake, calls + 2);
    set_status(&fake, APR_SUCCESS, 0);
    await_kept(&fake, (apr_size_t)before * 64 + 1024 * 1024 - 64);
    add_lines(output, before + many, after);
    end(&fake, output);
    wf_buf_add_char(&fake.kept, '\0');
    at = fake.kept.data;
    line = check_lines(&at, 0, before + many);
    assert_non_null(line);
    missing = strtoul(line + WF_TIME_TEXT_LEN + 3, NULL, 10);
    assert_non_null(strstr(line, " bytes of output are missing here: the run store did not take "
                                 "them in time\n"));
    assert_int_equal((unsigned long)(line - fake.kept.data) + missing, (before + many) * 64);
    assert_null(check_lines(&at, before + many, after));
    assert_int_equal(*at, '\0');
    close_fake(&fake);
}

static void test_store_that_cannot_keep_it(void **state)
{
    static const apr_status_t refusals[] = {WF_EDAMAGED, WF_ESTALE, WF_EINVALID};
    wf_output_t *output;
    fake_t fake;

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        open_fake(&fake, LIMIT);
        set_status(&fake, refusals[i], 0);
        output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
        wf_output_add(output, wf_slice("one"));
        await_calls(&fake, 1);
        wf_output_add(output, wf_slice("two"));
        add_lines(output, 0, 100000); /* to which nobody has to listen */
        assert_int_equal(end(&fake, output), 0);
        assert_int_equal(count_calls(&fake), 1);
        close_fake(&fake);
    }
}

/* What an earlier execution left is gone on behind, on a line of its own. */
static void test_run_that_begins_again(void **state)
{
    static const char *const left[] = {"one\n", "two"};
    static const char *const line[] = {"one\n[", "two\n["};
    wf_output_t *output;
    fake_t fake;

    (void)state;
    for (int i = 0; i < 2; i++) {
        open_fake(&fake, 5);
        wf_buf_add_text(&fake.kept, left[i]);
        fake.claim.output = fake.kept.len;
        output = wf_output_begin(fake.pump, &fake.claim, fake.pool);
        wf_output_add(output, wf_slice("12"));
        end(&fake, output);
        assert_memory_equal(fake.kept.data, line[i], 5);
        wf_buf_add_char(&fake.kept, '\0');
        assert_non_null(strstr(fake.kept.data, "] the run begins again: "));
        assert_non_null(strstr(fake.kept.data, i ? "\n12" : "\n1\n["));
        close_fake(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_run_costs_no_call),
        cmocka_unit_test(test_bytes_come_while_it_runs),
        cmocka_unit_test(test_much_goes_through),
        cmocka_unit_test(test_limit_is_said),
        cmocka_unit_test(test_store_that_is_away),
        cmocka_unit_test(test_store_that_cannot_keep_it),
        cmocka_unit_test(test_run_that_begins_again),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
