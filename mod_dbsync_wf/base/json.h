/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text as it is: checked (RFC 8259), walked and written without ever becoming a tree.
 *
 * A body is kept and handed on byte for byte, and it may hold what no tree of C types can: numbers
 * beyond any machine word, duplicate members, \u0000 in strings and names. So a value here is the
 * slice of text that spells it. wf_json_check is asked once, when text arrives; everything else
 * relies on text that has passed it. (Project files, which are ours to define, go through jansson.)
 */
#ifndef WF_BASE_JSON_H
#define WF_BASE_JSON_H

#include <apr_errno.h>
#include "base/slice.h"

typedef enum {
    WF_JSON_NULL,
    WF_JSON_FALSE,
    WF_JSON_TRUE,
    WF_JSON_NUMBER,
    WF_JSON_STRING,
    WF_JSON_ARRAY,
    WF_JSON_OBJECT
} wf_json_type_e;

/* Where and why a text is not JSON. Line and column count from 1; a column is a character. */
typedef struct wf_json_error_t {
    apr_size_t line;
    apr_size_t column;
    const char *reason; /* a constant, such as "a value is expected" */
} wf_json_error_t;

/*
 * Checks that text is exactly one JSON value (RFC 8259, UTF-8 by RFC 3629, no byte order mark)
 * with white space around it at most, nested at most max_depth arrays and objects deep.
 * Lone surrogate escapes (\ud800) are valid by RFC 8259's grammar and pass.
 * Takes time linear in the text, no recursion, no allocation.
 * APR_SUCCESS, or WF_EINVALID with *error filled in. error may be NULL.
 */
apr_status_t wf_json_check(wf_slice_t text, unsigned max_depth, wf_json_error_t *error);

/* Greatest max_depth that wf_json_check takes; a greater one counts as this. */
#define WF_JSON_DEPTH_LIMIT 1024

/* The text without the white space around it. */
wf_slice_t wf_json_trim(wf_slice_t text);

/* The type of a (checked) value; an empty slice counts as null. */
wf_json_type_e wf_json_type(wf_slice_t value);

/*
 * Finds a member of an object by its decoded name; the last of duplicates counts, as in
 * most parsers. APR_SUCCESS; APR_NOTFOUND where there is none or value is no object.
 */
apr_status_t wf_json_member(wf_slice_t *member, wf_slice_t value, wf_slice_t name);

/*
 * Finds the first member of a (decoded) name in the order of the text, at any depth of arrays and
 * objects: an object's member comes before those inside it. APR_SUCCESS or APR_NOTFOUND.
 */
apr_status_t wf_json_search(wf_slice_t *member, wf_slice_t value, wf_slice_t name);

/* Finds an element of an array, counted from 0. APR_SUCCESS or APR_NOTFOUND. */
apr_status_t wf_json_element(wf_slice_t *element, wf_slice_t value, apr_size_t index);

/* How many elements an array has; 0 where value is none. */
apr_size_t wf_json_count(wf_slice_t value);

/*
 * Walks an array's elements, each once: *rest is the array at first, and belongs to the walk then.
 * APR_SUCCESS with *element; APR_EOF where there are no more, or value is no array.
 */
apr_status_t wf_json_next(wf_slice_t *element, wf_slice_t *rest);

/*
 * Walks an object's members, duplicates included, in the same way. *name is the string that names
 * the member, in its quotes.
 */
apr_status_t wf_json_next_member(wf_slice_t *name, wf_slice_t *value, wf_slice_t *rest);

/*
 * Appends the characters that a JSON string spells, as UTF-8: escapes resolved, surrogate pairs
 * joined, a lone surrogate as U+FFFD, \u0000 as a NUL byte.
 */
void wf_json_string_decode(wf_buf_t *out, wf_slice_t value);

/*
 * Compares what two JSON strings spell, byte by byte of their UTF-8, without decoding them anywhere.
 * Less than 0, 0 or more than 0, as a comes before b, is the same, or comes behind it.
 */
int wf_json_string_compare(wf_slice_t a, wf_slice_t b);

/*
 * Appends bytes as a JSON string in quotes. Bytes that are not UTF-8 become U+FFFD, so that what
 * comes out is always valid.
 */
void wf_json_string_encode(wf_buf_t *out, wf_slice_t bytes);

/*
 * A writer that puts the commas: open, members or elements, close. `name` is NULL inside an array
 * and for the outermost value. wf_json_put_raw embeds text that has passed wf_json_check, and
 * null for an empty slice. wf_json_put_text leaves a NULL text out, name and all.
 */
typedef struct wf_json_writer_t {
    wf_buf_t *out;
    int comma; /* whether the next member or element needs one before it */
} wf_json_writer_t;

void wf_json_writer_init(wf_json_writer_t *writer, wf_buf_t *out);
void wf_json_open(wf_json_writer_t *writer, const char *name, char bracket); /* '{' or '[' */
void wf_json_close(wf_json_writer_t *writer, char bracket);                  /* '}' or ']' */
void wf_json_put_raw(wf_json_writer_t *writer, const char *name, wf_slice_t json);
void wf_json_put_bytes(wf_json_writer_t *writer, const char *name, wf_slice_t bytes);
void wf_json_put_text(wf_json_writer_t *writer, const char *name, const char *text);
void wf_json_put_int(wf_json_writer_t *writer, const char *name, apr_int64_t number);
void wf_json_put_bool(wf_json_writer_t *writer, const char *name, int truth);

#endif
