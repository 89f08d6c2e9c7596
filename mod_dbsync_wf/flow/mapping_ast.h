/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a template is parsed into: a sequence of parts, each a tree of nodes. The parser makes them,
 * the evaluation only reads them. Operators are calls of functions that have no name to call them
 * by; so a new function or operator is a row in a table (mapping_function.h) and nothing here.
 */
#ifndef WF_FLOW_MAPPING_AST_H
#define WF_FLOW_MAPPING_AST_H

#include "flow/mapping.h"

typedef struct wf_function_t wf_function_t;

typedef enum {
    WF_NODE_CONSTANT, /* the same value whatever the scope */
    WF_NODE_PATH,     /* a place in the payload, a row or a variable */
    WF_NODE_SEARCH,   /* the first member of a name, at any depth */
    WF_NODE_CALL
} wf_node_kind_e;

/* Where a path begins. */
typedef enum {
    WF_ROOT_NEAREST, /* the row, or where there is none the payload */
    WF_ROOT_PAYLOAD,
    WF_ROOT_VARIABLE
} wf_root_e;

typedef struct wf_step_t {
    wf_slice_t name; /* escapes resolved */
    int is_index;    /* whether it may pick an array's element, and then which */
    apr_size_t index;
} wf_step_t;

typedef struct wf_path_t {
    wf_root_e root;
    wf_slice_t variable; /* its name, where that is the root */
    wf_slice_t spelled;  /* the steps as they are spelled, without the root */
    int step_count;
    const wf_step_t *steps;
} wf_path_t;

typedef struct wf_node_t {
    wf_node_kind_e kind;
    int height;                    /* of the tree under it: 1 for a leaf */
    wf_value_t value;              /* WF_NODE_CONSTANT */
    wf_path_t path;                /* WF_NODE_PATH, WF_NODE_SEARCH */
    const wf_function_t *function; /* WF_NODE_CALL, and its arguments */
    int count;
    const struct wf_node_t *const *arguments;
} wf_node_t;

typedef struct wf_part_t {
    wf_slice_t source; /* an expression with its braces; empty for text, which is a constant */
    const wf_node_t *node;
} wf_part_t;

struct wf_template_t {
    wf_slice_t source;
    int part_count;
    const wf_part_t *parts;
};

/* The part of an expression's text that a message shows, in pool. */
const char *wf_show_expression(wf_slice_t source, apr_pool_t *pool);

#endif
