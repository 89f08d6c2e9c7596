/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema for request bodies: draft 2020-12's vocabularies, but for anchors and dynamic
 * references (https://json-schema.org/draft/2020-12), checked over JSON text as it is
 * (base/json.h).
 *
 * A schema is compiled once and then never changes. What this cannot keep it refuses when it is
 * compiled: a keyword that is not known, a $ref that leaves the document, a regular expression that
 * is none. So a schema that compiles is kept in full.
 *
 * What is exact: numbers of any size and any number of digits (exponents beyond ±10^15 count as
 * that), 1 equals 1.0 and is an integer, lengths count code points. What is a matter of choice: of
 * members of the same name the last counts, the others are as if they were not there; a lone
 * surrogate escape is U+FFFD; "format" and the content keywords are annotations and check nothing.
 */
#ifndef WF_FLOW_SCHEMA_SCHEMA_H
#define WF_FLOW_SCHEMA_SCHEMA_H

#include <apr_errno.h>
#include "base/slice.h"

/* How deep a schema's arrays and objects may be nested. */
#define WF_SCHEMA_DEPTH 64

/* Compiled; never changes; any number of threads may use it at the same time. */
typedef struct wf_schema_t wf_schema_t;

/*
 * What is wrong, for people. Places are JSON pointers (RFC 6901), "" for the whole; a NUL in a name
 * is written as U+FFFD there. No value of a body is quoted, for it may be secret: but the place
 * holds names.
 */
typedef struct wf_schema_error_t {
    const char *place;  /* in the schema (compile), in the body (check) */
    const char *reason; /* goes on behind the place and a colon: "must be a string, and …" */
    const char *keyword_place; /* check: in the schema, the keyword that is broken; compile: NULL */
} wf_schema_error_t;

/*
 * Compiles a schema. text is JSON that has passed wf_json_check; it is copied. The schema and the
 * error live in pool. error may be NULL.
 * APR_SUCCESS; WF_EINVALID with *error filled in, and *schema as it was.
 */
apr_status_t wf_schema_compile(const wf_schema_t **schema, wf_slice_t text,
                               wf_schema_error_t *error, apr_pool_t *pool);

/*
 * Checks a body, which has passed wf_json_check, of up to 4 GB. The time is bounded: a body that
 * takes more than 1,000,000 steps and 8 for each of its bytes is refused, and so is a string that
 * takes some 10 ms to be matched against a pattern; the reason says so. Takes less than 100 KB of
 * stack however deep the body is, and memory on the heap, given back before it returns, of some 40
 * bytes for each byte of the body. The error, one of those there are, lives in pool: the first
 * by the order of the text, but for what is told by a whole value: its type and size come before
 * what it holds, what it lacks and all that is said of it otherwise behind. error may be NULL.
 * APR_SUCCESS; WF_EINVALID with *error filled in.
 */
apr_status_t wf_schema_check(const wf_schema_t *schema, wf_slice_t body, wf_schema_error_t *error,
                             apr_pool_t *pool);

#endif
