/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between databases in how a statement is spelled, as far as this program writes or
 * reads statements itself.
 */
#ifndef WF_FLOW_SQL_DIALECT_H
#define WF_FLOW_SQL_DIALECT_H

#include "base/slice.h"

/* How a bound value's place looks. */
typedef enum {
    WF_PLACE_NUMBERED, /* ?1 */
    WF_PLACE_DOLLAR,   /* $1 */
    WF_PLACE_QUESTION, /* ?, one for each occurrence */
    WF_PLACE_FORMAT    /* %s, as apr_dbd_prepare takes it; a percent sign is written twice */
} wf_place_e;

/* How a row is inserted or, where its key is there already, updated. */
typedef enum {
    WF_UPSERT_CONFLICT,  /* INSERT … ON CONFLICT (key) DO UPDATE SET … */
    WF_UPSERT_DUPLICATE, /* INSERT … ON DUPLICATE KEY UPDATE … */
    WF_UPSERT_TWO_STEPS  /* UPDATE, and INSERT where that found no row */
} wf_upsert_e;

typedef struct wf_sql_dialect_t {
    wf_place_e place;
    wf_upsert_e upsert;
    char quote;     /* around a name: '"' or '`' */
    int backslash;  /* whether \ escapes the next character of a quoted text */
    int postgres;   /* E'…', $tag$…$tag$, comments within comments */
    int hash;       /* whether # begins a comment */
    int brackets;   /* whether [a name] is quoted so */
    int own_places; /* whether ?, @name and $name outside quotes stand for values, too */
} wf_sql_dialect_t;

/* Appends a name in quotes, whatever is in it. */
void wf_sql_quote_name(wf_buf_t *out, const wf_sql_dialect_t *dialect, wf_slice_t name);

/* Appends the place of the nth bound value, counted from 1. */
void wf_sql_place(wf_buf_t *out, const wf_sql_dialect_t *dialect, int number);

/*
 * What begins at `at` and holds no parameter: a quoted text or name, or a comment. The text's bytes
 * from `at` on that belong to it; 0 where none begins there. What is not closed reaches to the end.
 */
apr_size_t wf_sql_opaque(const wf_sql_dialect_t *dialect, wf_slice_t text, apr_size_t at);

#endif
