/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass through the text, with each value's parent for a stack. Members are put in order as
 * their object closes, which finds names that come twice.
 */
#include "base/json_outline.h"

#include <stdio.h>
#include "base/json_scan.h"
#include "base/result.h"

/* ---- order ---- */

/* Merges two runs that lie one behind the other. */
static void merge(apr_uint32_t *to, const apr_uint32_t *from, apr_uint32_t half, apr_uint32_t count,
                  wf_order_f *order, void *baton)
{
    apr_uint32_t left = 0, right = half;

    for (apr_uint32_t i = 0; i < count; i++) {
        if (right == count || (left < half && order(baton, from[left], from[right]) <= 0)) {
            to[i] = from[left++];
        } else {
            to[i] = from[right++];
        }
    }
}

void wf_numbers_sort(apr_uint32_t *numbers, apr_uint32_t count, apr_uint32_t *spare,
                     wf_order_f *order, void *baton)
{
    apr_uint32_t *from = numbers, *to = spare, *other;

    for (apr_uint64_t width = 1; width < count; width *= 2) {
        for (apr_uint64_t start = 0; start < count; start += 2 * width) {
            apr_uint64_t left = count - start;
            apr_uint64_t most = left < 2 * width ? left : 2 * width;
            apr_uint64_t half = most < width ? most : width;

            merge(to + start, from + start, (apr_uint32_t)half, (apr_uint32_t)most, order, baton);
        }
        other = from;
        from = to;
        to = other;
    }
    if (from != numbers && count) {
        memcpy(numbers, from, count * sizeof(*numbers));
    }
}

/* ---- making ---- */

typedef struct maker_t {
    wf_outline_t *outline;
    const char *at;
    const char *end;
    apr_uint32_t open; /* the array or object that at is inside of */
    wf_buf_t spare;
} maker_t;

static wf_spot_t *spot_at(const maker_t *maker, apr_uint32_t index)
{
    return (wf_spot_t *)maker->outline->spots.data + index;
}

static apr_uint32_t offset_of(const maker_t *maker, const char *at)
{
    return (apr_uint32_t)(at - maker->outline->text.data);
}

static apr_uint32_t count_spots(const maker_t *maker)
{
    return wf_outline_count(maker->outline);
}

static const char *skip_scalar(const char *at, const char *end)
{
    if (*at == '"') {
        return wf_json_skip_string(at, end);
    }
    while (at < end && *at != ',' && *at != ']' && *at != '}' && !wf_json_is_white(*at)) {
        at++;
    }
    return at;
}

static void pass_white(maker_t *maker)
{
    maker->at = wf_json_skip_white(maker->at, maker->end);
}

/* Whether the next byte is this one, which is passed then. */
static int pass(maker_t *maker, char c)
{
    if (maker->at == maker->end || *maker->at != c) {
        return 0;
    }
    maker->at++;
    return 1;
}

/* In an object: the name and its colon. Where the name begins. */
static apr_uint32_t pass_name(maker_t *maker)
{
    apr_uint32_t name = offset_of(maker, maker->at);

    if (maker->at < maker->end) {
        maker->at = wf_json_skip_string(maker->at, maker->end);
    }
    pass_white(maker);
    pass(maker, ':');
    pass_white(maker);
    return name;
}

static int order_names(void *baton, apr_uint32_t a, apr_uint32_t b)
{
    const wf_outline_t *outline = baton;

    return wf_json_string_compare(wf_outline_name(outline, wf_outline_spot(outline, a)),
                                  wf_outline_name(outline, wf_outline_spot(outline, b)));
}

/* Whether they are in order as they stand, and no name comes twice, which is the usual case. */
static int is_in_order(const maker_t *maker, const apr_uint32_t *members, apr_uint32_t count)
{
    for (apr_uint32_t i = 1; i < count; i++) {
        if (order_names(maker->outline, members[i - 1], members[i]) >= 0) {
            return 0;
        }
    }
    return 1;
}

/* Puts an object's members in order; of those with the same name the last of the text is left. */
static apr_uint32_t order_members(maker_t *maker, apr_uint32_t *members, apr_uint32_t count)
{
    apr_uint32_t kept = 0;

    if (is_in_order(maker, members, count)) {
        return count;
    }
    wf_buf_reset(&maker->spare);
    wf_numbers_sort(members, count,
                    (apr_uint32_t *)wf_buf_reserve(&maker->spare, count * sizeof(*members)),
                    order_names, maker->outline);
    for (apr_uint32_t i = 0; i < count; i++) {
        if (i + 1 < count && order_names(maker->outline, members[i], members[i + 1]) == 0) {
            spot_at(maker, members[i])->dropped = 1;
        } else {
            members[kept++] = members[i];
        }
    }
    return kept;
}

static void list_members(maker_t *maker, wf_spot_t *object)
{
    wf_buf_t *list = &maker->outline->members;
    apr_uint32_t index = wf_outline_index(maker->outline, object);
    apr_uint32_t count = object->count;
    apr_uint32_t *members;

    object->members = (apr_uint32_t)(list->len / sizeof(*members));
    members = (apr_uint32_t *)wf_buf_reserve(list, count * sizeof(*members));
    for (apr_uint32_t i = 0, at = index + 1; i < count; i++, at = spot_at(maker, at)->next) {
        members[i] = at;
    }
    object->count = order_members(maker, members, count);
    list->len += object->count * sizeof(*members);
}

/* The array or object that at is inside of ends here. */
static void close_container(maker_t *maker)
{
    wf_spot_t *spot = spot_at(maker, maker->open);

    spot->end = offset_of(maker, maker->at);
    spot->next = count_spots(maker);
    if (spot->type == WF_JSON_OBJECT && spot->count) {
        list_members(maker, spot);
    }
    maker->open = spot->parent;
}

/* Adds the value at `at` and passes it, or what opens it. Whether it is open. */
static int add_value(maker_t *maker, apr_uint32_t name)
{
    wf_spot_t spot = {0};
    apr_uint32_t index = count_spots(maker);

    spot.start = spot.end = offset_of(maker, maker->at);
    spot.name = name;
    spot.parent = maker->open;
    spot.next = index + 1;
    spot.type = (unsigned char)wf_json_type(wf_slice_of(maker->at, maker->at < maker->end));
    if (spot.type < WF_JSON_ARRAY && maker->at < maker->end) {
        maker->at = skip_scalar(maker->at, maker->end);
        spot.end = offset_of(maker, maker->at);
    } else if (maker->at < maker->end) {
        maker->at++;
    }
    wf_buf_add(&maker->outline->spots, &spot, sizeof(spot));
    if (maker->open != WF_SPOT_NONE) {
        spot_at(maker, maker->open)->count++;
    }
    if (spot.type < WF_JSON_ARRAY) {
        return 0;
    }
    maker->open = index;
    pass_white(maker);
    if (pass(maker, spot.type == WF_JSON_ARRAY ? ']' : '}')) {
        close_container(maker);
        return 0;
    }
    return 1;
}

/* Behind a value: closes what ends here, and passes the comma. */
static void end_value(maker_t *maker)
{
    while (maker->open != WF_SPOT_NONE) {
        pass_white(maker);
        if (pass(maker, ',')) {
            return;
        }
        /* The bracket, or the end of a text that is none. */
        maker->at += maker->at < maker->end;
        close_container(maker);
    }
}

apr_status_t wf_outline_make(wf_outline_t *outline, wf_slice_t text)
{
    maker_t maker = {outline, NULL, NULL, WF_SPOT_NONE, {0}};

    *outline = (wf_outline_t){text.len ? text : wf_slice(""), {0}, {0}};
    if (text.len >= APR_UINT32_MAX) {
        return WF_EINVALID;
    }
    maker.at = outline->text.data;
    maker.end = maker.at + text.len;
    do {
        pass_white(&maker);
        if (!add_value(&maker, maker.open != WF_SPOT_NONE &&
                                       spot_at(&maker, maker.open)->type == WF_JSON_OBJECT
                                   ? pass_name(&maker)
                                   : WF_SPOT_NONE)) {
            end_value(&maker);
        }
    } while (maker.open != WF_SPOT_NONE);
    wf_buf_free(&maker.spare);
    return APR_SUCCESS;
}

void wf_outline_free(wf_outline_t *outline)
{
    wf_buf_free(&outline->spots);
    wf_buf_free(&outline->members);
}

/* ---- going through it ---- */

wf_slice_t wf_outline_name(const wf_outline_t *outline, const wf_spot_t *spot)
{
    const char *end = outline->text.data + outline->text.len;
    const char *start;

    if (spot->name == WF_SPOT_NONE) {
        return wf_slice(NULL);
    }
    start = outline->text.data + spot->name;
    return wf_slice_of(start, (apr_size_t)(wf_json_skip_string(start, end) - start));
}

const wf_spot_t *wf_outline_next(const wf_outline_t *outline, const wf_spot_t *parent,
                                 const wf_spot_t *before)
{
    apr_uint32_t next = before ? before->next : wf_outline_index(outline, parent) + 1;

    while (next < parent->next && wf_outline_spot(outline, next)->dropped) {
        next = wf_outline_spot(outline, next)->next;
    }
    return next < parent->next ? wf_outline_spot(outline, next) : NULL;
}

apr_uint32_t wf_outline_find(const wf_outline_t *outline, const wf_spot_t *object, wf_slice_t name)
{
    apr_uint32_t low = 0, high = object->count;

    while (low < high) {
        apr_uint32_t middle = low + (high - low) / 2;
        int order = wf_json_string_compare(
            wf_outline_name(outline, wf_outline_nth(outline, object, middle)), name);

        if (order == 0) {
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return WF_SPOT_NONE;
}

const wf_spot_t *wf_outline_member(const wf_outline_t *outline, const wf_spot_t *value,
                                   wf_slice_t name)
{
    apr_uint32_t i =
        value->type == WF_JSON_OBJECT ? wf_outline_find(outline, value, name) : WF_SPOT_NONE;

    return i == WF_SPOT_NONE ? NULL : wf_outline_nth(outline, value, i);
}

const wf_spot_t *wf_outline_element(const wf_outline_t *outline, const wf_spot_t *value,
                                    apr_size_t index)
{
    const wf_spot_t *element = NULL;

    if (value->type != WF_JSON_ARRAY || index >= value->count) {
        return NULL;
    }
    do {
        element = wf_outline_next(outline, value, element);
    } while (index--);
    return element;
}

/* ---- places ---- */

static void add_step(wf_buf_t *out, wf_slice_t name)
{
    wf_buf_t decoded = {0};

    wf_json_string_decode(&decoded, name);
    for (apr_size_t i = 0; i < decoded.len; i++) {
        switch (decoded.data[i]) {
        case '~':
            wf_buf_add_text(out, "~0");
            break;
        case '/':
            wf_buf_add_text(out, "~1");
            break;
        default:
            wf_buf_add_char(out, decoded.data[i]);
        }
    }
    wf_buf_free(&decoded);
}

/* The number of an element in its array. */
static apr_uint32_t position(const wf_outline_t *outline, const wf_spot_t *spot)
{
    apr_uint32_t index = wf_outline_index(outline, spot), count = 0;

    for (apr_uint32_t at = spot->parent + 1; at < index; at = wf_outline_spot(outline, at)->next) {
        count++;
    }
    return count;
}

void wf_outline_pointer(wf_buf_t *out, const wf_outline_t *outline, const wf_spot_t *spot)
{
    wf_buf_t path = {0}; /* the indexes from the value outwards */
    apr_uint32_t index;
    char number[16];

    for (; spot->parent != WF_SPOT_NONE; spot = wf_outline_spot(outline, spot->parent)) {
        index = wf_outline_index(outline, spot);
        wf_buf_add(&path, &index, sizeof(index));
    }
    for (; path.len; path.len -= sizeof(index)) {
        memcpy(&index, path.data + path.len - sizeof(index), sizeof(index));
        spot = wf_outline_spot(outline, index);
        wf_buf_add_char(out, '/');
        if (spot->name != WF_SPOT_NONE) {
            add_step(out, wf_outline_name(outline, spot));
        } else {
            snprintf(number, sizeof(number), "%u", position(outline, spot));
            wf_buf_add_text(out, number);
        }
    }
    wf_buf_free(&path);
}
