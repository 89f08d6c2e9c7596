/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the mapping language: read once, followed again and again. */
#ifndef WF_FLOW_MAPPING_PATH_H
#define WF_FLOW_MAPPING_PATH_H

#include "flow/mapping_ast.h"

/* Where a path leads: a column's value, a row's columns, or a place in JSON text. */
typedef enum { WF_PLACE_VALUE, WF_PLACE_ROW, WF_PLACE_JSON } wf_place_kind_e;

typedef struct wf_place_t {
    wf_place_kind_e kind;
    wf_value_t value;    /* WF_PLACE_VALUE */
    const wf_row_t *row; /* WF_PLACE_ROW: all of its columns */
    wf_slice_t json;     /* WF_PLACE_JSON */
} wf_place_t;

/* Reads a path. The spelled bytes are borrowed. NULL, or what is wrong with it, in pool. */
const char *wf_path_parse(wf_path_t *path, wf_slice_t spelled, apr_pool_t *pool);

/* Follows a path; one that leads nowhere leads to null. */
wf_place_t wf_path_follow(const wf_path_t *path, const wf_scope_t *scope);

/* Finds the first member, in the order of the text, of the path's first step's name at any depth,
 * and follows the rest of the path from there. */
wf_place_t wf_path_search(const wf_path_t *path, const wf_scope_t *scope);

#endif
