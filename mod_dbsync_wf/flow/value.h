/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as they travel from a body or a database through expressions to a database, a service or
 * a program: a kind and the bytes that spell it. Numbers stay text from end to end, so that no
 * digit of a 64-bit integer or a decimal is lost; who computes with one says so (decimal.h).
 */
#ifndef WF_FLOW_VALUE_H
#define WF_FLOW_VALUE_H

#include "base/json.h"

typedef enum {
    WF_VALUE_NULL,
    WF_VALUE_BOOL,   /* "true" or "false" */
    WF_VALUE_NUMBER, /* as JSON spells it (RFC 8259, 6), however long */
    WF_VALUE_TEXT,   /* UTF-8, without quotes or escapes; may hold NUL bytes */
    WF_VALUE_JSON,   /* an array or an object, checked */
    WF_VALUE_BYTES   /* what a database calls binary; base64 (RFC 4648, 4) as JSON and as text */
} wf_value_kind_e;

/* The bytes are borrowed: they live as long as what they were taken from. */
typedef struct wf_value_t {
    wf_value_kind_e kind;
    wf_slice_t text; /* empty for NULL */
} wf_value_t;

/*
 * A row: what a bare path is looked up in while a write maps one. Either columns, by name, as a
 * database gives them, or (count 0) one JSON value, as a body or a variable does; an empty json
 * counts as null.
 */
typedef struct wf_row_t {
    int count;
    const wf_slice_t *names;  /* count of them */
    const wf_value_t *values; /* in the names' order */
    wf_slice_t json;          /* where count is 0 */
} wf_row_t;

/*
 * The value that a (checked) JSON text spells; an empty one is null. Its bytes are those of json,
 * except for a string with escapes, which is decoded into pool.
 */
wf_value_t wf_value_of_json(wf_slice_t json, apr_pool_t *pool);

/* Appends a value as JSON. Bytes of a text that are not UTF-8 become U+FFFD. */
void wf_value_json(wf_buf_t *out, wf_value_t value);

/* Appends a value as text: null as nothing, bytes in base64, the rest as it is spelled. */
void wf_value_text(wf_buf_t *out, wf_value_t value);

/*
 * Appends a row as JSON: an object of its columns in their order, also where two have one name;
 * or its JSON value as it is.
 */
void wf_row_json(wf_buf_t *out, const wf_row_t *row);

#endif
