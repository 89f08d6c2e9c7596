/* SPDX-License-Identifier: Apache-2.0 */
/* Records and frames: what comes back, and what must be refused without harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <apr_general.h>
#include "store/embedded/record.h"
#include "store/embedded/wire.h"

static wf_run_t full_run(void)
{
    wf_run_t run = {
        .vhost = "example.org:443",
        .project = "569",
        .task = "12",
        .source = "/srv/projects",
        .trigger = "API",
        .user = "alice",
        .idempotency_key = "",
        .status = WF_RUN_ERROR,
        .submitted = 1,
        .started = 2,
        .completed = APR_INT64_MAX,
        .interrupt_requested = 4,
        .interrupted_by = "bob",
        .fence = APR_UINT64_MAX,
        .incarnation = 6,
        .concurrency = 7,
        .rerun_when_lost = 1,
        .progress = {"write customer", 8, 9},
        .records.read = 10,
        .records.written = 11,
        .records.failed = 12,
        .result = {"\"a\\u0000\"", 9},
        .result_cut = 1,
        .actions = {"[]", 2},
        .error = {"timeout", "It took too long."},
    };

    memset(&run.pid, 0xa5, sizeof(run.pid));
    return run;
}

static void a_record_keeps_every_member(void **state)
{
    wf_buf_t one = {NULL, 0, 0}, two = {NULL, 0, 0};
    wf_run_t run = full_run(), read;

    wf_record_encode(&one, &run);
    assert_int_equal(wf_record_decode(&read, wf_buf_slice(&one), *state), APR_SUCCESS);
    assert_string_equal(read.error.detail, run.error.detail);
    assert_string_equal(read.idempotency_key, "");
    assert_true(read.completed == run.completed && read.fence == run.fence);
    assert_true(wf_slice_equal(read.result, run.result));
    wf_record_encode(&two, &read);
    assert_true(wf_slice_equal(wf_buf_slice(&one), wf_buf_slice(&two)));
    wf_buf_free(&one);
    wf_buf_free(&two);
}

static void an_empty_record_says_nothing(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_run_t run, read;

    memset(&run, 0, sizeof(run));
    wf_record_encode(&buf, &run);
    assert_int_equal(wf_record_decode(&read, wf_buf_slice(&buf), *state), APR_SUCCESS);
    assert_memory_equal(&read, &run, sizeof(run));
    wf_buf_free(&buf);
}

static void a_newer_record_is_read_as_far_as_it_is_known(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_run_t run = full_run(), read;

    wf_record_encode(&buf, &run);
    wf_field_add_text(&buf, 255, "of a later version");
    assert_int_equal(wf_record_decode(&read, wf_buf_slice(&buf), *state), APR_SUCCESS);
    assert_string_equal(read.user, "alice");
    buf.data[0] = 2;
    assert_int_equal(wf_record_decode(&read, wf_buf_slice(&buf), *state), WF_EPROTOCOL);
    assert_int_equal(wf_record_decode(&read, wf_slice(""), *state), WF_EPROTOCOL);
    wf_buf_free(&buf);
}

/* Each prefix on memory of its own, so that a sanitizer sees a step too far. */
static void cut_records_and_frames_are_refused(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_run_t run = full_run(), read;
    wf_message_t message;
    int whole = 0;

    wf_record_encode(&buf, &run);
    for (apr_size_t len = 0; len < buf.len; len++) {
        char *copy = malloc(len ? len : 1);
        apr_status_t rv;

        assert_non_null(copy);
        memcpy(copy, buf.data, len);
        rv = wf_record_decode(&read, wf_slice_of(copy, len), *state);
        whole += rv == APR_SUCCESS;
        assert_true(rv == APR_SUCCESS || rv == WF_EPROTOCOL);
        (void)wf_message_read(&message, wf_slice_of(copy, len));
        free(copy);
    }
    assert_true(whole <= 29); /* cuts between two members are records too */
    wf_buf_free(&buf);
}

static void a_frame_is_found_when_it_is_whole(void **state)
{
    wf_buf_t buf = {NULL, 0, 0};
    apr_size_t mark = wf_frame_begin(&buf, WF_OP_GET, 77), need;
    wf_message_t message;
    wf_slice_t frame;

    wf_field_add_text(&buf, WF_FIELD_VHOST, "v");
    wf_frame_end(&buf, mark);
    for (apr_size_t len = 0; len < buf.len; len++) {
        assert_int_equal(wf_frame_next(&frame, &need, wf_slice_of(buf.data, len)), APR_INCOMPLETE);
        assert_int_equal(need, len < 4 ? 4 : buf.len);
    }
    assert_int_equal(wf_frame_next(&frame, &need, wf_buf_slice(&buf)), APR_SUCCESS);
    assert_int_equal(wf_message_read(&message, frame), APR_SUCCESS);
    assert_int_equal(message.code, WF_OP_GET);
    assert_int_equal(message.call, 77);
    assert_string_equal(wf_message_text(&message, WF_FIELD_VHOST, *state), "v");
    assert_null(wf_message_text(&message, WF_FIELD_BY, *state));
    buf.data[4] = 9;
    assert_int_equal(wf_message_read(&message, frame), WF_EPROTOCOL);
    wf_put_u32((unsigned char *)buf.data, WF_WIRE_FRAME_MAX + 1);
    assert_int_equal(wf_frame_next(&frame, &need, wf_buf_slice(&buf)), WF_EPROTOCOL);
    wf_buf_free(&buf);
}

static void answers_are_statuses_and_back(void **state)
{
    (void)state;
    for (unsigned char code = 0; code < WF_ANSWER_COUNT; code++) {
        assert_int_equal(wf_answer_code(wf_answer_status(code)), code);
    }
    assert_int_equal(wf_answer_code(APR_ENOSPC), WF_ANSWER_STORAGE);
    assert_int_equal(wf_answer_status(200), WF_EPROTOCOL);
}

static int open_pool(void **state)
{
    return apr_pool_create((apr_pool_t **)state, NULL) == APR_SUCCESS ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_keeps_every_member),
        cmocka_unit_test(an_empty_record_says_nothing),
        cmocka_unit_test(a_newer_record_is_read_as_far_as_it_is_known),
        cmocka_unit_test(cut_records_and_frames_are_refused),
        cmocka_unit_test(a_frame_is_found_when_it_is_whole),
        cmocka_unit_test(answers_are_statuses_and_back),
    };

    apr_initialize();
    return cmocka_run_group_tests_name("wire", tests, open_pool, NULL);
}
