/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from a peer, or from the disk: frames, messages, fields and records. What is read lies in
 * what came; what is written again reads the same.
 */
#include "fuzz.h"

#include "store/embedded/record.h"
#include "store/embedded/record_configuration.h"
#include "store/embedded/stats_wire.h"
#include "store/embedded/wire.h"

/* The number in a record's last field of a tag; 0 where there is none. */
static apr_uint64_t number_in(wf_slice_t record, unsigned char tag)
{
    wf_slice_t value, rest = wf_slice_of(record.data + 1, record.len - 1);
    apr_uint64_t number = 0;
    unsigned char at;

    while (wf_field_next(&at, &value, &rest) == APR_SUCCESS) {
        if (at == tag) {
            WF_ENSURE(wf_field_u64(&number, value) == APR_SUCCESS);
        }
    }
    return number;
}

/* The times and counts of a run are all there in what is written of it. */
static void check_numbers(wf_slice_t read, wf_slice_t written)
{
    static const unsigned char tags[] = {10, 11, 12, 13, 15, 16, 20, 21, 22, 23, 24};

    for (size_t i = 0; i < sizeof(tags); i++) {
        WF_ENSURE(number_in(read, tags[i]) == number_in(written, tags[i]));
    }
}

/* Bytes that decode to a run: the run's own encoding is stable. */
static void check_record(wf_slice_t bytes, apr_pool_t *pool)
{
    wf_buf_t one = {0}, two = {0};
    wf_run_t run, again;
    apr_status_t status = wf_record_decode(&run, bytes, pool);

    if (status != APR_SUCCESS) {
        WF_ENSURE(status == WF_EPROTOCOL);
        return;
    }
    wf_record_encode(&one, &run);
    WF_ENSURE(wf_record_decode(&again, wf_buf_slice(&one), pool) == APR_SUCCESS);
    WF_ENSURE(memcmp(&again.pid, &run.pid, sizeof(run.pid)) == 0);
    WF_ENSURE(again.status == run.status && again.fence == run.fence);
    WF_ENSURE(again.submitted == run.submitted && again.completed == run.completed);
    WF_ENSURE(again.concurrency == run.concurrency && again.result_cut == run.result_cut);
    WF_ENSURE(wf_slice_equal(again.result, run.result));
    WF_ENSURE(wf_slice_equal(again.actions, run.actions));
    WF_ENSURE(!run.vhost == !again.vhost && (!run.vhost || strcmp(run.vhost, again.vhost) == 0));
    check_numbers(bytes, wf_buf_slice(&one));
    wf_record_encode(&two, &again);
    WF_ENSURE(wf_slice_equal(wf_buf_slice(&one), wf_buf_slice(&two)));
    /* The decoder's own texts end where they should, whoever uses them as C strings. */
    WF_ENSURE(!run.user || strlen(run.user) <= bytes.len);
    WF_ENSURE(!run.error.detail || strlen(run.error.detail) <= bytes.len);
    wf_buf_free(&one);
    wf_buf_free(&two);
}

static int is_same_text(const char *a, const char *b)
{
    return !a == !b && (!a || strcmp(a, b) == 0);
}

/* The same for what is kept of a task's API configuration. */
static void check_configuration(wf_slice_t bytes, apr_pool_t *pool)
{
    wf_buf_t one = {0}, two = {0};
    wf_stored_configuration_t read, again;
    apr_status_t status = wf_stored_configuration_decode(&read, bytes, pool);

    if (status != APR_SUCCESS) {
        WF_ENSURE(status == WF_EPROTOCOL);
        return;
    }
    wf_stored_configuration_encode(&one, &read);
    WF_ENSURE(wf_stored_configuration_decode(&again, wf_buf_slice(&one), pool) == APR_SUCCESS);
    WF_ENSURE(again.revision == read.revision && again.changed == read.changed);
    WF_ENSURE(again.is_removed == read.is_removed);
    WF_ENSURE(wf_slice_equal(again.document, read.document));
    WF_ENSURE(memcmp(&again.change, &read.change, sizeof(read.change)) == 0);
    WF_ENSURE(is_same_text(again.vhost, read.vhost) && is_same_text(again.project, read.project));
    WF_ENSURE(is_same_text(again.task, read.task));
    WF_ENSURE(is_same_text(again.changed_by, read.changed_by));
    wf_stored_configuration_encode(&two, &again);
    WF_ENSURE(wf_slice_equal(wf_buf_slice(&one), wf_buf_slice(&two)));
    wf_buf_free(&one);
    wf_buf_free(&two);
}

static void check_token(const wf_message_t *message)
{
    wf_token_t token, again;
    wf_message_t read;
    wf_buf_t buf = {0};
    wf_slice_t frame;
    apr_size_t mark, need;

    if (wf_token_decode(&token, message) != APR_SUCCESS) {
        WF_ENSURE(message->field[WF_FIELD_PID].len != sizeof(token.pid));
        return;
    }
    mark = wf_frame_begin(&buf, message->code, message->call);
    wf_token_encode(&buf, &token);
    wf_frame_end(&buf, mark);
    WF_ENSURE(wf_frame_next(&frame, &need, wf_buf_slice(&buf)) == APR_SUCCESS);
    WF_ENSURE(wf_message_read(&read, frame) == APR_SUCCESS);
    WF_ENSURE(wf_token_decode(&again, &read) == APR_SUCCESS);
    WF_ENSURE(memcmp(&again.pid, &token.pid, sizeof(token.pid)) == 0);
    WF_ENSURE(again.fence == token.fence);
    wf_buf_free(&buf);
}

/* Figures: what is read is written again, and reads the same. */
static void check_stats(const wf_message_t *message, apr_pool_t *pool)
{
    wf_store_stats_t stats, again;
    wf_message_t read;
    wf_buf_t buf = {0};
    wf_slice_t frame;
    apr_size_t mark, need;

    if (wf_stats_decode(&stats, message, pool) != APR_SUCCESS) {
        return;
    }
    mark = wf_frame_begin(&buf, message->code, message->call);
    wf_stats_encode(&buf, &stats);
    wf_frame_end(&buf, mark);
    WF_ENSURE(wf_frame_next(&frame, &need, wf_buf_slice(&buf)) == APR_SUCCESS);
    WF_ENSURE(wf_message_read(&read, frame) == APR_SUCCESS);
    WF_ENSURE(wf_stats_decode(&again, &read, pool) == APR_SUCCESS);
    WF_ENSURE(again.started == stats.started && again.damaged == stats.damaged);
    WF_ENSURE(again.commits.count == stats.commits.count);
    WF_ENSURE(again.tasks->nelts == stats.tasks->nelts);
    wf_buf_free(&buf);
}

/* Likewise a history. */
static void check_history(const wf_message_t *message, apr_pool_t *pool)
{
    wf_history_t history, again;
    wf_message_t read;
    wf_buf_t buf = {0};
    wf_slice_t frame;
    apr_size_t mark, need;

    if (wf_history_decode(&history, message, pool) != APR_SUCCESS) {
        return;
    }
    WF_ENSURE(history.hours >= 1 && history.hours <= WF_HISTORY_HOURS);
    mark = wf_frame_begin(&buf, message->code, message->call);
    wf_history_encode(&buf, &history);
    wf_frame_end(&buf, mark);
    WF_ENSURE(wf_frame_next(&frame, &need, wf_buf_slice(&buf)) == APR_SUCCESS);
    WF_ENSURE(wf_message_read(&read, frame) == APR_SUCCESS);
    WF_ENSURE(wf_history_decode(&again, &read, pool) == APR_SUCCESS);
    WF_ENSURE(again.since == history.since && again.hour == history.hour);
    WF_ENSURE(again.hours == history.hours && again.tasks->nelts == history.tasks->nelts);
    for (int i = 0; i < again.tasks->nelts; i++) {
        const wf_task_history_t *one = &APR_ARRAY_IDX(history.tasks, i, wf_task_history_t);
        const wf_task_history_t *other = &APR_ARRAY_IDX(again.tasks, i, wf_task_history_t);

        WF_ENSURE(strcmp(one->project, other->project) == 0 && strcmp(one->task, other->task) == 0);
        WF_ENSURE(memcmp(one->hours, other->hours, history.hours * sizeof(*one->hours)) == 0);
        WF_ENSURE(memcmp(one->durations, other->durations, sizeof(one->durations)) == 0);
    }
    wf_buf_free(&buf);
}

/* All fields of a message, and those within them; written again they are the same bytes. */
static void check_fields(wf_slice_t body, wf_slice_t frame, int depth, apr_pool_t *pool)
{
    wf_buf_t copy = {0};
    wf_slice_t value, rest = body;
    unsigned char tag;
    apr_status_t status;

    while ((status = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        WF_ENSURE(wf_fuzz_is_inside(value, frame));
        wf_field_add(&copy, tag, value);
        if (depth > 0) {
            check_fields(value, frame, depth - 1, pool);
        }
        if (tag == WF_FIELD_RUN) {
            check_record(value, pool);
        }
        if (tag == WF_FIELD_CONFIGURATION) {
            check_configuration(value, pool);
        }
    }
    WF_ENSURE(status == APR_EOF || status == WF_EPROTOCOL);
    WF_ENSURE(status != APR_EOF || rest.len == 0);
    WF_ENSURE(wf_slice_equal(wf_buf_slice(&copy), wf_slice_of(body.data, body.len - rest.len)));
    wf_buf_free(&copy);
}

static void check_message(wf_slice_t frame, apr_pool_t *pool)
{
    wf_message_t message;
    apr_status_t status = wf_message_read(&message, frame);

    if (status != APR_SUCCESS) {
        WF_ENSURE(status == WF_EPROTOCOL);
        return;
    }
    WF_ENSURE(frame.data[0] == WF_WIRE_VERSION && message.code == (unsigned char)frame.data[1]);
    for (unsigned char tag = 0; tag <= WF_FIELD_LAST; tag++) {
        const char *text = wf_message_text(&message, tag, pool);

        WF_ENSURE(!message.field[tag].data || wf_fuzz_is_inside(message.field[tag], frame));
        WF_ENSURE(!text == !message.field[tag].data);
        WF_ENSURE(!text || strlen(text) <= message.field[tag].len);
        WF_ENSURE(message.field[tag].len == 8 || wf_message_u64(&message, tag) == 0);
    }
    check_token(&message);
    check_stats(&message, pool);
    check_history(&message, pool);
    check_fields(message.body, frame, 2, pool);
    if (message.code < WF_ANSWER_COUNT) {
        WF_ENSURE(wf_answer_code(wf_answer_status(message.code)) == message.code);
    } else {
        WF_ENSURE(wf_answer_status(message.code) == WF_EPROTOCOL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = wf_fuzz_pool();
    wf_slice_t bytes = wf_slice_of(size ? (const char *)data : "", size);
    wf_slice_t frame;
    apr_size_t need;
    apr_status_t status;

    check_record(bytes, pool);
    check_configuration(bytes, pool);
    while ((status = wf_frame_next(&frame, &need, bytes)) == APR_SUCCESS) {
        WF_ENSURE(wf_fuzz_is_inside(frame, bytes) && need == frame.len + 4);
        check_message(frame, pool);
        bytes = wf_slice_of(bytes.data + need, bytes.len - need);
    }
    WF_ENSURE(status == WF_EPROTOCOL || (status == APR_INCOMPLETE && need > bytes.len));
    WF_ENSURE(need <= WF_WIRE_FRAME_MAX + 4);
    apr_pool_clear(pool);
    return 0;
}
