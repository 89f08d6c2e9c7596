/* SPDX-License-Identifier: Apache-2.0 */
/* A table of codes: some places for each value of a code's first bytes. */
#include "base/accepted.h"

#include <string.h>
#include <apr_general.h>
#include <apr_thread_mutex.h>
#include "base/codec.h"

#define PLACES    4 /* that a code may be at */
#define ROWS      (WF_ACCEPTED_MOST / PLACES)
#define KEY_BYTES 32

typedef struct entry_t {
    unsigned char code[WF_HMAC_SIZE];
    apr_time_t expires; /* a wf_clock time; 0: nothing is here */
} entry_t;

struct wf_accepted_t {
    wf_hmac_key_t key;         /* never changes */
    apr_thread_mutex_t *mutex; /* of the table */
    entry_t table[ROWS][PLACES];
};

static apr_status_t wipe(void *data)
{
    explicit_bzero(data, sizeof(wf_accepted_t));
    return APR_SUCCESS;
}

apr_status_t wf_accepted_create(wf_accepted_t **accepted, apr_pool_t *pool)
{
    unsigned char bytes[KEY_BYTES];
    wf_accepted_t *made = apr_pcalloc(pool, sizeof(*made));
    apr_status_t status = apr_generate_random_bytes(bytes, sizeof(bytes));

    if (status != APR_SUCCESS) {
        return status;
    }
    wf_hmac_key_init(&made->key, bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    apr_pool_cleanup_register(pool, made, wipe, apr_pool_cleanup_null);
    status = apr_thread_mutex_create(&made->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    if (status == APR_SUCCESS) {
        *accepted = made;
    }
    return status;
}

void wf_accepted_code(unsigned char code[WF_HMAC_SIZE], const wf_accepted_t *accepted,
                      const wf_slice_t *parts, int count)
{
    unsigned char len[8];
    wf_hmac_t hmac;

    wf_hmac_begin(&hmac, &accepted->key);
    for (int i = 0; i < count; i++) {
        wf_put_u64(len, parts[i].len);
        wf_hmac_add(&hmac, len, sizeof(len));
        wf_hmac_add(&hmac, parts[i].data, parts[i].len);
    }
    wf_hmac_end(code, &hmac);
}

static entry_t *row_of(wf_accepted_t *accepted, const unsigned char code[WF_HMAC_SIZE])
{
    return accepted->table[wf_get_u32(code) % ROWS];
}

int wf_accepted_has(wf_accepted_t *accepted, const unsigned char code[WF_HMAC_SIZE], apr_time_t now)
{
    const entry_t *row = row_of(accepted, code);
    int found = 0;

    apr_thread_mutex_lock(accepted->mutex);
    for (int i = 0; i < PLACES; i++) {
        found |= wf_hmac_equal(row[i].code, code) & (row[i].expires > now);
    }
    apr_thread_mutex_unlock(accepted->mutex);
    return found;
}

/* Where it is already, or what would expire first: an empty place before any other. */
static entry_t *choose(entry_t *row, const unsigned char code[WF_HMAC_SIZE])
{
    entry_t *first = row;

    for (int i = 0; i < PLACES; i++) {
        if (wf_hmac_equal(row[i].code, code)) {
            return &row[i];
        }
        if (row[i].expires < first->expires) {
            first = &row[i];
        }
    }
    return first;
}

void wf_accepted_add(wf_accepted_t *accepted, const unsigned char code[WF_HMAC_SIZE],
                     apr_time_t expires)
{
    entry_t *entry;

    apr_thread_mutex_lock(accepted->mutex);
    entry = choose(row_of(accepted, code), code);
    memcpy(entry->code, code, WF_HMAC_SIZE);
    entry->expires = expires;
    apr_thread_mutex_unlock(accepted->mutex);
}
