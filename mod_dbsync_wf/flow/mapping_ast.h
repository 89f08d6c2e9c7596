/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template is parsed into: a sequence of nodes, each a tree. Shared by the parser, which
 * makes them, and the evaluation, which only reads them. A new kind of node means a line in
 * wf_node_kind_e and a case in mapping_eval.c; a new function only needs a row in the parser's
 * table as long as the nodes at hand express it.
 */
#ifndef WF_FLOW_MAPPING_AST_H
#define WF_FLOW_MAPPING_AST_H

#include "flow/mapping.h"

typedef enum {
    WF_NODE_TEXT, /* the same text whatever the scope */
    WF_NODE_PATH  /* a place in the payload */
} wf_node_kind_e;

typedef struct wf_step_t {
    wf_slice_t name; /* escapes resolved */
    int is_index;    /* whether it may pick an array's element, and then which */
    apr_size_t index;
} wf_step_t;

typedef struct wf_node_t {
    wf_node_kind_e kind;
    wf_slice_t text;        /* WF_NODE_TEXT */
    int step_count;         /* WF_NODE_PATH */
    const wf_step_t *steps; /* WF_NODE_PATH */
} wf_node_t;

struct wf_template_t {
    wf_slice_t source;
    int part_count;
    const wf_node_t *const *parts;
};

#endif
