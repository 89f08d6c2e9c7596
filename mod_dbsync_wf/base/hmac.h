/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HMAC-SHA-1 (RFC 2104): what only the holder of a key can compute of a text.
 *
 * With apr-util's SHA-1, since nothing else that every httpd has loaded will do: its SipHash
 * answers 64 bits, which is too short to stand for a password; apr_crypto needs a driver that many
 * systems lack; and a crypto library of our own would meet mod_ssl's in one process. What is known
 * against SHA-1 are collisions, which do not touch its HMAC (RFC 6194, 3.3).
 */
#ifndef WF_BASE_HMAC_H
#define WF_BASE_HMAC_H

#include <apr_sha1.h>

#define WF_HMAC_SIZE APR_SHA1_DIGESTSIZE

/* A key, as the two states that every computation begins with. */
typedef struct wf_hmac_key_t {
    apr_sha1_ctx_t inner;
    apr_sha1_ctx_t outer;
} wf_hmac_key_t;

/* One computation; belongs to one thread. */
typedef struct wf_hmac_t {
    const wf_hmac_key_t *key;
    apr_sha1_ctx_t sha;
} wf_hmac_t;

/* Makes a key of `len` bytes, of any number; more than 64 are hashed first. */
void wf_hmac_key_init(wf_hmac_key_t *key, const void *bytes, apr_size_t len);

/* Begins a computation; the key must outlive it. */
void wf_hmac_begin(wf_hmac_t *hmac, const wf_hmac_key_t *key);

/* Goes on with `len` more bytes of the text. */
void wf_hmac_add(wf_hmac_t *hmac, const void *bytes, apr_size_t len);

/* Ends it: the code, and nothing of the text left in memory. */
void wf_hmac_end(unsigned char code[WF_HMAC_SIZE], wf_hmac_t *hmac);

/* Whether two codes are the same, in a time that tells nothing of where they differ. */
int wf_hmac_equal(const unsigned char a[WF_HMAC_SIZE], const unsigned char b[WF_HMAC_SIZE]);

#endif
