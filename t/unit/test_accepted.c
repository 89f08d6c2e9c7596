/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-1 (base/hmac.h), and the memory of accepted credentials (base/accepted.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "base/accepted.h"
#include "pool_util.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define THREADS      4

static wf_slice_t repeated(char byte, apr_size_t count)
{
    char *text = apr_palloc(pool, count);

    memset(text, byte, count);
    return wf_slice_of(text, count);
}

static const char *hmac_hex(wf_slice_t key_bytes, wf_slice_t text)
{
    unsigned char code[WF_HMAC_SIZE];
    char *hex = apr_pcalloc(pool, 2 * sizeof(code) + 1);
    wf_hmac_key_t key;
    wf_hmac_t hmac;

    wf_hmac_key_init(&key, key_bytes.data, key_bytes.len);
    wf_hmac_begin(&hmac, &key);
    wf_hmac_add(&hmac, text.data, text.len / 2); /* in two goes */
    wf_hmac_add(&hmac, text.data + text.len / 2, text.len - text.len / 2);
    wf_hmac_end(code, &hmac);
    for (size_t i = 0; i < sizeof(code); i++) {
        apr_snprintf(hex + 2 * i, 3, "%02x", code[i]);
    }
    return hex;
}

/* RFC 2202, section 3. */
static void computes_the_rfc_s_codes(void **state)
{
    unsigned char counting[25];

    (void)state;
    for (size_t i = 0; i < sizeof(counting); i++) {
        counting[i] = (unsigned char)(i + 1);
    }
    assert_string_equal(hmac_hex(repeated(0x0b, 20), wf_slice("Hi There")),
                        "b617318655057264e28bc0b6fb378c8ef146be00");
    assert_string_equal(hmac_hex(wf_slice("Jefe"), wf_slice("what do ya want for nothing?")),
                        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    assert_string_equal(hmac_hex(repeated((char)0xaa, 20), repeated((char)0xdd, 50)),
                        "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
    assert_string_equal(hmac_hex(wf_slice_of(counting, sizeof(counting)), repeated((char)0xcd, 50)),
                        "4c9007f4026250c6bc8414f9bf50c86c2d7235da");
    assert_string_equal(hmac_hex(repeated(0x0c, 20), wf_slice("Test With Truncation")),
                        "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04");
    assert_string_equal(
        hmac_hex(repeated((char)0xaa, 80),
                 wf_slice("Test Using Larger Than Block-Size Key - Hash Key First")),
        "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    assert_string_equal(hmac_hex(repeated((char)0xaa, 80),
                                 wf_slice("Test Using Larger Than Block-Size Key and Larger Than "
                                          "One Block-Size Data")),
                        "e8e99d0f45237d786d6bbaa7965c7808bbff1a91");
}

static wf_accepted_t *make(void)
{
    wf_accepted_t *accepted = NULL;

    assert_int_equal(wf_accepted_create(&accepted, pool), APR_SUCCESS);
    return accepted;
}

static void code_of(unsigned char code[WF_HMAC_SIZE], const wf_accepted_t *accepted,
                    const char *user, const char *password)
{
    wf_slice_t parts[2] = {wf_slice(user), wf_slice(password)};

    wf_accepted_code(code, accepted, parts, 2);
}

static void keeps_until_its_time(void **state)
{
    wf_accepted_t *accepted = make();
    unsigned char code[WF_HMAC_SIZE];

    (void)state;
    code_of(code, accepted, "alice", "wonderland");
    assert_false(wf_accepted_has(accepted, code, 0));
    wf_accepted_add(accepted, code, 1000);
    assert_true(wf_accepted_has(accepted, code, 1));
    assert_true(wf_accepted_has(accepted, code, 999));
    assert_false(wf_accepted_has(accepted, code, 1000));
    assert_false(wf_accepted_has(accepted, code, 2000));
    wf_accepted_add(accepted, code, 3000);
    assert_true(wf_accepted_has(accepted, code, 2999));
    assert_false(wf_accepted_has(accepted, code, 3000));
}

static void tells_parts_apart(void **state)
{
    static const char *const others[][2] = {
        {"alice", "wonderlan"},  {"alice", "wonderland "}, {"alic", "ewonderland"},
        {"alicew", "onderland"}, {"", "alicewonderland"},  {"alicewonderland", ""},
        {"Alice", "wonderland"}, {"wonderland", "alice"},  {"alice", ""},
    };
    wf_accepted_t *accepted = make();
    unsigned char code[WF_HMAC_SIZE];
    unsigned char other[WF_HMAC_SIZE];
    wf_slice_t one = wf_slice("alicewonderland");

    (void)state;
    code_of(code, accepted, "alice", "wonderland");
    wf_accepted_add(accepted, code, 1000);
    for (size_t i = 0; i < COUNT(others); i++) {
        code_of(other, accepted, others[i][0], others[i][1]);
        assert_false(wf_accepted_has(accepted, other, 1));
    }
    wf_accepted_code(other, accepted, &one, 1);
    assert_false(wf_accepted_has(accepted, other, 1));
    code_of(other, accepted, "alice", "wonderland");
    assert_true(wf_accepted_has(accepted, other, 1));
}

static void has_a_key_of_its_own(void **state)
{
    wf_accepted_t *one = make();
    wf_accepted_t *two = make();
    unsigned char a[WF_HMAC_SIZE];
    unsigned char b[WF_HMAC_SIZE];

    (void)state;
    code_of(a, one, "alice", "wonderland");
    code_of(b, two, "alice", "wonderland");
    assert_false(wf_hmac_equal(a, b));
    code_of(b, one, "alice", "wonderland");
    assert_true(wf_hmac_equal(a, b));
    for (int i = 0; i < WF_HMAC_SIZE * 8; i++) {
        memcpy(b, a, sizeof(b));
        b[i / 8] ^= (unsigned char)(1 << i % 8);
        assert_false(wf_hmac_equal(a, b));
    }
}

/* The newest stay, however many there were. */
static void is_bounded(void **state)
{
    wf_accepted_t *accepted = make();
    unsigned char code[WF_HMAC_SIZE];
    int kept = 0;

    (void)state;
    for (int i = 0; i < 20 * WF_ACCEPTED_MOST; i++) {
        code_of(code, accepted, apr_itoa(pool, i), "x");
        wf_accepted_add(accepted, code, 1000 + i);
        assert_true(wf_accepted_has(accepted, code, 999));
    }
    for (int i = 0; i < 20 * WF_ACCEPTED_MOST; i++) {
        code_of(code, accepted, apr_itoa(pool, i), "x");
        kept += wf_accepted_has(accepted, code, 999);
    }
    assert_int_equal(kept, WF_ACCEPTED_MOST);
}

/* The one that would expire first gives way, and an expired one before any that has time left. */
static void evicts_what_would_expire_first(void **state)
{
    wf_accepted_t *accepted = make();
    unsigned char lasting[WF_HMAC_SIZE];
    unsigned char code[WF_HMAC_SIZE];

    (void)state;
    code_of(lasting, accepted, "alice", "wonderland");
    wf_accepted_add(accepted, lasting, 1000000);
    for (int i = 0; i < 4 * WF_ACCEPTED_MOST; i++) {
        code_of(code, accepted, apr_itoa(pool, i), "x");
        wf_accepted_add(accepted, code, 1000);
    }
    assert_true(wf_accepted_has(accepted, lasting, 2000));
}

static void *APR_THREAD_FUNC use(apr_thread_t *thread, void *data)
{
    wf_accepted_t *accepted = data;
    unsigned char code[WF_HMAC_SIZE];
    char user[16];
    apr_status_t status = APR_SUCCESS;

    for (int i = 0; i < 20000; i++) {
        apr_snprintf(user, sizeof(user), "%d", i % 100);
        code_of(code, accepted, user, "right");
        wf_accepted_add(accepted, code, 1000);
        if (!wf_accepted_has(accepted, code, 1)) {
            status = APR_EGENERAL;
        }
        code_of(code, accepted, user, "wrong");
        if (wf_accepted_has(accepted, code, 1)) {
            status = APR_EGENERAL;
        }
    }
    apr_thread_exit(thread, status);
    return NULL;
}

static void serves_threads(void **state)
{
    wf_accepted_t *accepted = make();
    apr_thread_t *threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, use, accepted, pool), APR_SUCCESS);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_status_t status = APR_EGENERAL;

        assert_int_equal(apr_thread_join(&status, threads[i]), APR_SUCCESS);
        assert_int_equal(status, APR_SUCCESS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(computes_the_rfc_s_codes, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_until_its_time, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(tells_parts_apart, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(has_a_key_of_its_own, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(is_bounded, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(evicts_what_would_expire_first, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(serves_threads, make_pool, drop_pool),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
