/* SPDX-License-Identifier: Apache-2.0 */
/* The store contract's output: what was handed over is there once, in order and without a hole. */
#include <fcntl.h>
#include "base/codec.h"
#include "store_util.h"

#define LONG_OUTPUT (9u * 1024 * 1024) /* more than one purge deletes */
#define PIECE       (256u * 1024)

static apr_status_t append(fixture_t *f, const wf_token_t *token, apr_uint64_t offset,
                           const char *text)
{
    return f->store->append_output(f->store, token, offset, wf_slice(text), f->pool);
}

static wf_output_part_t read_ok(fixture_t *f, const wf_uuid_t *pid, apr_uint64_t offset,
                                apr_size_t most)
{
    wf_output_part_t part;

    assert_int_equal(
        f->store->read_output(&part, f->store, VHOST, pid, offset, most, NULL, f->pool),
        APR_SUCCESS);
    return part;
}

static void assert_output(fixture_t *f, const wf_uuid_t *pid, const char *text)
{
    wf_output_part_t part = read_ok(f, pid, 0, 1000);

    assert_int_equal(part.total, strlen(text));
    assert_int_equal(part.bytes.len, strlen(text));
    assert_memory_equal(part.bytes.data, text, part.bytes.len);
}

/* A run that is executed. */
static wf_token_t begin(fixture_t *f, apr_uint64_t incarnation)
{
    wf_new_run_t spec = new_run("12");

    create_ok(f, &spec);
    return claim_one(f, incarnation).token;
}

static void what_is_appended_is_there_once(void **state)
{
    fixture_t *f = *state;
    wf_token_t token = begin(f, join_ok(f, "a"));
    wf_token_t other = {token.pid, token.fence + 1};

    assert_output(f, &token.pid, "");
    assert_int_equal(append(f, &token, 0, "one "), APR_SUCCESS);
    assert_int_equal(append(f, &token, 0, "one "), APR_SUCCESS);
    assert_int_equal(append(f, &token, 4, "two "), APR_SUCCESS);
    assert_int_equal(append(f, &token, 0, "one two three"), APR_SUCCESS);
    assert_int_equal(append(f, &token, 4, "two"), APR_SUCCESS);
    assert_output(f, &token.pid, "one two three");
    assert_int_equal(append(f, &token, 14, "hole"), WF_EINVALID);
    assert_int_equal(append(f, &token, 13, ""), APR_SUCCESS);
    assert_int_equal(append(f, &other, 13, "stale"), WF_ESTALE);
    assert_output(f, &token.pid, "one two three");
    restart_keeper(f, SIGKILL);
    assert_output(f, &token.pid, "one two three");
    assert_int_equal(append(f, &token, 4, "two three!"), APR_SUCCESS);
    assert_output(f, &token.pid, "one two three!");
}

static void it_is_read_in_parts(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_token_t before = begin(f, a), token = begin(f, a), after = begin(f, a);
    static const struct {
        apr_uint64_t offset;
        apr_size_t most;
        const char *text;
    } table[] = {
        {0, 0, ""},
        {0, 1, "0"},
        {0, 4, "0123"},
        {2, 4, "2345"},
        {3, 1, "3"},
        {3, 100, "3456789"},
        {9, 100, "9"},
        {10, 100, ""},
        {11, 100, ""},
        {APR_UINT64_MAX, 100, ""},
        {APR_UINT64_MAX - 1, 100, ""},
    };
    wf_output_part_t part;

    assert_int_equal(append(f, &before, 0, "before"), APR_SUCCESS);
    assert_int_equal(append(f, &after, 0, "after"), APR_SUCCESS);
    assert_int_equal(append(f, &token, 0, "012"), APR_SUCCESS);
    assert_int_equal(append(f, &token, 3, "3"), APR_SUCCESS);
    assert_int_equal(append(f, &token, 4, "456789"), APR_SUCCESS);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        part = read_ok(f, &token.pid, table[i].offset, table[i].most);
        assert_int_equal(part.total, 10);
        assert_true(part.version != 0);
        assert_true(wf_slice_is(part.bytes, table[i].text));
    }
    assert_int_equal(
        f->store->read_output(&part, f->store, "other:80", &token.pid, 0, 100, NULL, f->pool),
        APR_NOTFOUND);
}

static void the_rest_comes_with_the_end(void **state)
{
    fixture_t *f = *state;
    wf_token_t token = begin(f, join_ok(f, "a"));
    wf_finish_t finish = completed(token);
    wf_output_part_t part;

    assert_int_equal(append(f, &token, 0, "begin "), APR_SUCCESS);
    finish.output = wf_slice("late");
    finish.output_offset = 7;
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), WF_EINVALID);
    assert_int_equal(get_ok(f, &token.pid)->status, WF_RUN_RUNNING);
    finish.output = wf_slice("n end");
    finish.output_offset = 4;
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_output(f, &token.pid, "begin end");
    assert_int_equal(append(f, &token, 9, "more"), WF_ESTALE);
    part = read_ok(f, &token.pid, 0, 0);
    assert_int_equal(part.version, 0);
    assert_int_equal(
        f->store->read_output(&part, f->store, "other:80", &token.pid, 0, 100, NULL, f->pool),
        APR_NOTFOUND);
    restart_keeper(f, SIGKILL);
    assert_output(f, &token.pid, "begin end");
}

/* Whoever has seen the version that came with a part is told when there is more. */
static void more_of_it_is_news(void **state)
{
    fixture_t *f = *state;
    wf_token_t token = begin(f, join_ok(f, "a"));
    wf_watch_t watch = {token.pid, 0, 1, 0, NULL, NULL};

    assert_int_equal(append(f, &token, 0, "one"), APR_SUCCESS);
    watch.version = read_ok(f, &token.pid, 0, 100).version;
    assert_int_equal(f->store->watch(f->store, &watch, f->pool), APR_TIMEUP);
    assert_int_equal(append(f, &token, 0, "one"), APR_SUCCESS);
    assert_int_equal(f->store->watch(f->store, &watch, f->pool), APR_TIMEUP);
    assert_int_equal(append(f, &token, 0, "one two"), APR_SUCCESS);
    assert_int_equal(f->store->watch(f->store, &watch, f->pool), APR_SUCCESS);
    assert_true(read_ok(f, &token.pid, 0, 0).version != watch.version);
}

/* The next execution of a run is told how much there is, and goes on behind it. */
static void it_goes_on_where_the_run_begins_again(void **state)
{
    fixture_t *f = *state;
    wf_new_run_t spec = new_run("12");
    apr_uint64_t a = join_ok(f, "a");
    wf_claim_t first, second, third;

    spec.rerun_when_lost = 1;
    create_ok(f, &spec);
    first = claim_one(f, a);
    assert_int_equal(first.output, 0);
    assert_int_equal(append(f, &first.token, 0, "lost "), APR_SUCCESS);
    a = join_ok(f, "a");
    assert_int_equal(append(f, &first.token, 5, "too late"), WF_ESTALE);
    second = claim_one(f, a);
    assert_int_equal(second.output, 5);
    assert_int_equal(append(f, &second.token, 5, "again "), APR_SUCCESS);
    assert_int_equal(f->store->release(f->store, &second.token, f->pool), APR_SUCCESS);
    assert_output(f, &spec.pid, "lost again ");
    third = claim_one(f, a);
    assert_int_equal(third.output, 11);
}

/* Appends bytes that say where they are. */
static void fill(fixture_t *f, const wf_token_t *token, apr_uint32_t len)
{
    static unsigned char piece[PIECE];
    apr_pool_t *pool;

    apr_pool_create(&pool, f->pool);
    for (apr_uint32_t offset = 0; offset < len; offset += PIECE) {
        for (apr_uint32_t i = 0; i < PIECE; i += 4) {
            wf_put_u32(piece + i, offset + i);
        }
        assert_int_equal(f->store->append_output(f->store, token, offset,
                                                 wf_slice_of(piece, sizeof(piece)), pool),
                         APR_SUCCESS);
        apr_pool_clear(pool);
    }
    apr_pool_destroy(pool);
}

/* Checks what there is of it, from a beginning that is no part's, and gives how much it is. */
static apr_uint64_t check_filled(fixture_t *f, const wf_uuid_t *pid)
{
    apr_uint64_t offset = 4;
    wf_output_part_t part;
    apr_pool_t *pool;

    apr_pool_create(&pool, f->pool);
    for (;;) {
        apr_pool_clear(pool);
        assert_int_equal(
            f->store->read_output(&part, f->store, VHOST, pid, offset, 100000, NULL, pool),
            APR_SUCCESS);
        if (part.bytes.len == 0) {
            break;
        }
        for (apr_size_t i = 0; i < part.bytes.len; i += 4) {
            assert_int_equal(wf_get_u32((const unsigned char *)part.bytes.data + i), offset + i);
        }
        offset += part.bytes.len;
    }
    assert_int_equal(offset, part.total);
    apr_pool_destroy(pool);
    return offset;
}

/* Long output is deleted in parts; until it is gone what is left of it is its beginning. */
static void long_output_is_purged_in_parts(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a"), count = 0, left = LONG_OUTPUT;
    wf_token_t before = begin(f, a), token = begin(f, a), after = begin(f, a), kept = begin(f, a);
    wf_finish_t ends[] = {completed(before), completed(token), completed(after)};
    wf_run_t *run;
    int calls = 0, more = 1;

    fill(f, &token, LONG_OUTPUT);
    assert_int_equal(check_filled(f, &token.pid), LONG_OUTPUT);
    assert_int_equal(append(f, &kept, 0, "kept"), APR_SUCCESS);
    ends[2].output = wf_slice("after");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(f->store->finish(NULL, f->store, &ends[i], f->pool), APR_SUCCESS);
    }
    while (more) {
        apr_uint64_t purged;

        assert_int_equal(f->store->purge(&purged, &more, f->store, 0, f->pool), APR_SUCCESS);
        count += purged;
        calls++;
        if (count == 1) {
            apr_uint64_t now = check_filled(f, &token.pid);

            assert_true(now < left);
            left = now;
        }
    }
    assert_int_equal(count, 3);
    assert_true(calls > 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(f->store->get(&run, f->store, VHOST, &ends[i].token.pid, NULL, f->pool),
                         APR_NOTFOUND);
    }
    assert_output(f, &kept.pid, "kept");
}

/* Changes bytes in the middle of the table's pages, while no keeper has it open. */
static void damage_output(fixture_t *f)
{
    static const char garbage[] = "something else";
    const char *file = apr_psprintf(f->pool, "%s/data/output.db", f->dir);
    const off_t page = 8192;
    off_t size;
    int fd;

    end_keeper(f, SIGTERM);
    fd = open(file, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    size = lseek(fd, 0, SEEK_END);
    assert_true(size > page);
    for (off_t at = page; at < size; at += page) {
        assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at + page / 2), sizeof(garbage));
    }
    close(fd);
    start_keeper(f);
}

/* Where output is damaged it is not answered as something else, and runs are executed all the same.
 */
static void damage_stops_no_run(void **state)
{
    fixture_t *f = *state;
    apr_uint64_t a = join_ok(f, "a");
    wf_token_t token = begin(f, a);
    wf_finish_t finish = completed(token);
    wf_output_part_t part;

    assert_int_equal(append(f, &token, 0, "one"), APR_SUCCESS);
    damage_output(f);
    assert_int_equal(append(f, &token, 3, "two"), WF_EDAMAGED);
    assert_int_equal(
        f->store->read_output(&part, f->store, VHOST, &token.pid, 0, 100, NULL, f->pool),
        WF_EDAMAGED);
    finish.output = wf_slice("two");
    finish.output_offset = 3;
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), WF_EDAMAGED);
    assert_int_equal(get_ok(f, &token.pid)->status, WF_RUN_RUNNING);
    finish.output = wf_slice(NULL);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
    assert_int_equal(get_ok(f, &token.pid)->status, WF_RUN_COMPLETED);
    token = begin(f, a);
    finish = completed(token);
    assert_int_equal(f->store->finish(NULL, f->store, &finish, f->pool), APR_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_is_appended_is_there_once),
        STORE_TEST(it_is_read_in_parts),
        STORE_TEST(the_rest_comes_with_the_end),
        STORE_TEST(more_of_it_is_news),
        STORE_TEST(it_goes_on_where_the_run_begins_again),
        STORE_TEST(long_output_is_purged_in_parts),
        STORE_TEST(damage_stops_no_run),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("store_output", tests, NULL, NULL);
}
