/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions as JSON Schema has them: those of ECMA-262 with its flag "u", matched
 * anywhere in a text, by PCRE2. What is written otherwise in PCRE2 is rewritten, and what ECMA-262
 * does not have is refused, so that a pattern means here what it means elsewhere. Private to this
 * folder.
 *
 * PCRE2 tries one way after the other, and some patterns have a great many. So each match counts
 * its steps, and one that takes too many is given up.
 */
#ifndef WF_FLOW_SCHEMA_PATTERN_H
#define WF_FLOW_SCHEMA_PATTERN_H

#include <apr_errno.h>
#include "base/slice.h"

/* Compiled; any thread may use it. */
typedef struct wf_schema_pattern_t wf_schema_pattern_t;

/* One thread's working memory for matches; zeros at first. */
typedef struct wf_schema_matcher_t {
    void *data;    /* PCRE2's match data */
    void *context; /* and match context */
} wf_schema_matcher_t;

typedef enum { WF_SCHEMA_MATCHES, WF_SCHEMA_DIFFERS, WF_SCHEMA_GIVEN_UP } wf_schema_match_e;

/*
 * Compiles a pattern, UTF-8, which is copied into pool and lives there.
 * APR_SUCCESS, or WF_EINVALID with *reason: "uses \Z, which …".
 */
apr_status_t wf_schema_pattern_compile(const wf_schema_pattern_t **pattern, wf_slice_t text,
                                       const char **reason, apr_pool_t *pool);

/* The pattern as it was written. */
wf_slice_t wf_schema_pattern_text(const wf_schema_pattern_t *pattern);

/*
 * Whether a text, valid UTF-8, has the pattern anywhere in it. Takes what it took off *steps, and
 * gives up where that is more than there were, or more than is good for one match.
 */
wf_schema_match_e wf_schema_pattern_match(wf_schema_matcher_t *matcher,
                                          const wf_schema_pattern_t *pattern, wf_slice_t text,
                                          apr_int64_t *steps);

/* Gives the memory back. */
void wf_schema_matcher_free(wf_schema_matcher_t *matcher);

#endif
