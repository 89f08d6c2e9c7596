/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials that were accepted a moment ago, so that a slow password hash need not be computed
 * for each request of a client that asks again and again.
 *
 * Only acceptance is kept, never refusal, and none of it but a code that a random key, this cache's
 * own, makes of whatever the acceptance depended on (hmac.h). A fixed number of them, each until a
 * time that no later use puts off. Nothing leaves the process: whoever can read its memory could
 * also read the passwords as they come in.
 */
#ifndef WF_BASE_ACCEPTED_H
#define WF_BASE_ACCEPTED_H

#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_time.h>
#include "base/hmac.h"
#include "base/slice.h"

typedef struct wf_accepted_t wf_accepted_t;

/* How many are kept at most; past that the ones that would expire first give way. */
#define WF_ACCEPTED_MOST 1024

/*
 * Makes an empty one, which many threads may use, and which is wiped when pool goes. APR_SUCCESS,
 * or the system's error where it has no random bytes or no mutex to give.
 */
apr_status_t wf_accepted_create(wf_accepted_t **accepted, apr_pool_t *pool);

/*
 * The code of credentials: of all parts, each with its length, so that no two lists of parts that
 * differ in any way look alike.
 */
void wf_accepted_code(unsigned char code[WF_HMAC_SIZE], const wf_accepted_t *accepted,
                      const wf_slice_t *parts, int count);

/* Whether that code was added and its time has not come (`now` is a wf_clock time). */
int wf_accepted_has(wf_accepted_t *accepted, const unsigned char code[WF_HMAC_SIZE],
                    apr_time_t now);

/* Keeps a code until `expires`, a wf_clock time. */
void wf_accepted_add(wf_accepted_t *accepted, const unsigned char code[WF_HMAC_SIZE],
                     apr_time_t expires);

#endif
