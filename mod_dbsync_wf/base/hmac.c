/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA-1. */
#include "base/hmac.h"

#include <string.h>

#define BLOCK 64 /* bytes that SHA-1 works through at a time */

static void add(apr_sha1_ctx_t *sha, const void *bytes, apr_size_t len)
{
    const unsigned char *at = bytes;

    while (len > 0) {
        unsigned int part = len < 1u << 20 ? (unsigned int)len : 1u << 20;

        apr_sha1_update_binary(sha, at, part);
        at += part;
        len -= part;
    }
}

static void begin_with(apr_sha1_ctx_t *sha, const unsigned char block[BLOCK], unsigned char mask)
{
    unsigned char masked[BLOCK];

    for (int i = 0; i < BLOCK; i++) {
        masked[i] = block[i] ^ mask;
    }
    apr_sha1_init(sha);
    add(sha, masked, sizeof(masked));
    explicit_bzero(masked, sizeof(masked));
}

void wf_hmac_key_init(wf_hmac_key_t *key, const void *bytes, apr_size_t len)
{
    unsigned char block[BLOCK] = {0};
    apr_sha1_ctx_t sha;

    if (len > BLOCK) {
        apr_sha1_init(&sha);
        add(&sha, bytes, len);
        apr_sha1_final(block, &sha);
        explicit_bzero(&sha, sizeof(sha));
    } else if (len > 0) {
        memcpy(block, bytes, len);
    }
    begin_with(&key->inner, block, 0x36);
    begin_with(&key->outer, block, 0x5c);
    explicit_bzero(block, sizeof(block));
}

void wf_hmac_begin(wf_hmac_t *hmac, const wf_hmac_key_t *key)
{
    hmac->key = key;
    hmac->sha = key->inner;
}

void wf_hmac_add(wf_hmac_t *hmac, const void *bytes, apr_size_t len)
{
    add(&hmac->sha, bytes, len);
}

void wf_hmac_end(unsigned char code[WF_HMAC_SIZE], wf_hmac_t *hmac)
{
    unsigned char inner[WF_HMAC_SIZE];

    apr_sha1_final(inner, &hmac->sha);
    hmac->sha = hmac->key->outer;
    add(&hmac->sha, inner, sizeof(inner));
    apr_sha1_final(code, &hmac->sha);
    explicit_bzero(inner, sizeof(inner));
    explicit_bzero(hmac, sizeof(*hmac));
}

int wf_hmac_equal(const unsigned char a[WF_HMAC_SIZE], const unsigned char b[WF_HMAC_SIZE])
{
    unsigned char differs = 0;

    for (int i = 0; i < WF_HMAC_SIZE; i++) {
        differs |= a[i] ^ b[i];
    }
    return differs == 0;
}
