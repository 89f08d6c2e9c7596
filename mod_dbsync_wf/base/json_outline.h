/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outline of a JSON text: where each of its values lies, in the order of the text. For whoever
 * goes through a text many times: next and last, a member by its name and the place of a value are
 * at hand, while a value still is the text that spells it.
 */
#ifndef WF_BASE_JSON_OUTLINE_H
#define WF_BASE_JSON_OUTLINE_H

#include "base/json.h"

#define WF_SPOT_NONE APR_UINT32_MAX

/* Where a value lies. Offsets are bytes of the text, indexes those of the outline's spots. */
typedef struct wf_spot_t {
    apr_uint32_t start;
    apr_uint32_t end;      /* the first byte behind it */
    apr_uint32_t name;     /* where its name's quote opens; WF_SPOT_NONE where it is no member */
    apr_uint32_t parent;   /* the array or object around it; WF_SPOT_NONE for the outermost */
    apr_uint32_t next;     /* the spot behind it and all that is inside it */
    apr_uint32_t members;  /* an object's: the first of its members in the outline's list */
    apr_uint32_t count;    /* elements; or members, of which those of the same name count as one */
    unsigned char type;    /* a wf_json_type_e */
    unsigned char dropped; /* a member behind which another of the same name comes */
} wf_spot_t;

/* On the heap, until wf_outline_free. Spot 0 is the outermost value. */
typedef struct wf_outline_t {
    wf_slice_t text;
    wf_buf_t spots;   /* wf_spot_t */
    wf_buf_t members; /* apr_uint32_t: of each object the spots that count, ordered by name */
} wf_outline_t;

/*
 * Makes the outline of a text that has passed wf_json_check and stays as it is meanwhile. Takes
 * time n·log n in the text, no recursion, and 32 bytes a value and 4 a member.
 * APR_SUCCESS; WF_EINVALID where the text has 4 GB or more.
 */
apr_status_t wf_outline_make(wf_outline_t *outline, wf_slice_t text);
void wf_outline_free(wf_outline_t *outline);

static inline const wf_spot_t *wf_outline_spot(const wf_outline_t *outline, apr_uint32_t index)
{
    return (const wf_spot_t *)outline->spots.data + index;
}

static inline apr_uint32_t wf_outline_index(const wf_outline_t *outline, const wf_spot_t *spot)
{
    return (apr_uint32_t)(spot - (const wf_spot_t *)outline->spots.data);
}

/* How many spots there are. */
static inline apr_uint32_t wf_outline_count(const wf_outline_t *outline)
{
    return (apr_uint32_t)(outline->spots.len / sizeof(wf_spot_t));
}

/* The text of a value. */
static inline wf_slice_t wf_outline_text(const wf_outline_t *outline, const wf_spot_t *spot)
{
    return wf_slice_of(outline->text.data + spot->start, spot->end - spot->start);
}

/* The name of a member, as a JSON string in its quotes. */
wf_slice_t wf_outline_name(const wf_outline_t *outline, const wf_spot_t *spot);

/*
 * Walks what an array or object holds, in the order of the text and members that do not count
 * left out: NULL is what comes before the first, and behind the last; also for what holds nothing.
 */
const wf_spot_t *wf_outline_next(const wf_outline_t *outline, const wf_spot_t *parent,
                                 const wf_spot_t *before);

/* The i-th member (i < count) of an object by the order of names. */
static inline const wf_spot_t *wf_outline_nth(const wf_outline_t *outline, const wf_spot_t *object,
                                              apr_uint32_t i)
{
    const apr_uint32_t *members = (const apr_uint32_t *)outline->members.data;

    return wf_outline_spot(outline, members[object->members + i]);
}

/*
 * Which member of an object by the order of names has a name, given as a JSON string in its quotes.
 * WF_SPOT_NONE where none has.
 */
apr_uint32_t wf_outline_find(const wf_outline_t *outline, const wf_spot_t *object, wf_slice_t name);

/* That member; NULL where there is none, or value is no object. */
const wf_spot_t *wf_outline_member(const wf_outline_t *outline, const wf_spot_t *value,
                                   wf_slice_t name);

/* An element of an array, counted from 0; NULL where there is none, or value is no array. */
const wf_spot_t *wf_outline_element(const wf_outline_t *outline, const wf_spot_t *value,
                                    apr_size_t index);

/* Appends the JSON pointer (RFC 6901) of a value; a NUL in a name as it is. */
void wf_outline_pointer(wf_buf_t *out, const wf_outline_t *outline, const wf_spot_t *spot);

/* Less than 0, 0 or more than 0, as a comes before b, beside it, or behind it. */
typedef int wf_order_f(void *baton, apr_uint32_t a, apr_uint32_t b);

/*
 * Puts numbers in order; those beside each other stay as they were. spare has room for as many.
 * Takes n·log n comparisons, and comes to an end whatever they say.
 */
void wf_numbers_sort(apr_uint32_t *numbers, apr_uint32_t count, apr_uint32_t *spare,
                     wf_order_f *order, void *baton);

#endif
