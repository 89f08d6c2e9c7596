/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a schema is once it is compiled: a node for each schema in it, a node's rules in the order
 * in which they are checked, and the table of keywords that makes rules and checks them. Private to
 * this folder.
 */
#ifndef WF_FLOW_SCHEMA_SPEC_H
#define WF_FLOW_SCHEMA_SPEC_H

#include "base/json_outline.h"
#include "base/result.h"
#include "flow/decimal.h"
#include "flow/schema/pattern.h"
#include "flow/schema/schema.h"

/* Sets of types: a bit for each wf_json_type_e, and one for numbers that are integers. */
#define WF_SCHEMA_TYPE(type) (1u << (type))
#define WF_SCHEMA_INTEGER    (1u << (WF_JSON_OBJECT + 1))
#define WF_SCHEMA_ANY        (WF_SCHEMA_INTEGER - 1)

typedef struct wf_schema_node_t wf_schema_node_t;
typedef struct wf_schema_rule_t wf_schema_rule_t;
typedef struct wf_schema_keyword_t wf_schema_keyword_t;
typedef struct wf_schema_compiler_t wf_schema_compiler_t;
typedef struct wf_schema_machine_t wf_schema_machine_t;
typedef struct wf_schema_frame_t wf_schema_frame_t;
typedef struct wf_schema_failure_t wf_schema_failure_t;

/* A list of schemas; of those in an object, by the order of its names. */
typedef struct wf_schema_nodes_t {
    const wf_schema_node_t **list;
    apr_uint32_t count;
} wf_schema_nodes_t;

/* properties, patternProperties, additionalProperties: one rule, for the last depends on all. */
typedef struct wf_schema_members_t {
    const wf_spot_t *names; /* of properties; NULL without any */
    wf_schema_nodes_t named;
    const wf_schema_pattern_t **patterns;
    wf_schema_nodes_t patterned; /* as many as patterns */
    const wf_schema_node_t *others;
} wf_schema_members_t;

/* prefixItems and items. */
typedef struct wf_schema_elements_t {
    wf_schema_nodes_t first;
    const wf_schema_node_t *others; /* NULL: any */
} wf_schema_elements_t;

/* contains, minContains and maxContains. */
typedef struct wf_schema_contains_t {
    const wf_schema_node_t *node;
    apr_uint64_t least;
    apr_uint64_t most;
} wf_schema_contains_t;

/* if, then and else. */
typedef struct wf_schema_condition_t {
    const wf_schema_node_t *test;
    const wf_schema_node_t *then;      /* NULL: anything */
    const wf_schema_node_t *otherwise; /* NULL: anything */
} wf_schema_condition_t;

struct wf_schema_rule_t {
    const wf_schema_keyword_t *keyword;
    const wf_spot_t *spot; /* in the schema: the keyword's value */
    wf_schema_rule_t *next;
    union {
        unsigned types;
        wf_decimal_t number;
        apr_uint64_t count;
        const wf_schema_pattern_t *pattern;
        const wf_schema_node_t *node;
        wf_schema_nodes_t nodes;
        wf_schema_members_t members;
        wf_schema_elements_t elements;
        wf_schema_contains_t contains;
        wf_schema_condition_t condition;
    } as;
};

/* A schema, or one of those inside it. */
struct wf_schema_node_t {
    const wf_spot_t *spot; /* in the schema */
    wf_schema_rule_t *rules;
    /* The compiler's: which nodes are applied to the same value, to find those that never end. */
    struct wf_schema_edge_t *edges;
    struct wf_schema_edge_t *walked;
    wf_schema_node_t *from;
    int state;
};

struct wf_schema_t {
    wf_outline_t outline;
    const wf_schema_node_t *root;
    int notes; /* has unevaluatedItems or unevaluatedProperties: what is looked at is noted */
};

/* ---- keywords ---- */

typedef enum {
    WF_SCHEMA_PASS,
    WF_SCHEMA_FAIL, /* the machine's failure says what */
    WF_SCHEMA_WAIT  /* for the outcome of another node */
} wf_schema_outcome_e;

/* Makes a keyword of a node a rule, or refuses it. APR_SUCCESS, or WF_EINVALID. */
typedef apr_status_t wf_schema_compile_f(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                         const wf_schema_keyword_t *keyword,
                                         const wf_spot_t *value);

/*
 * Checks a rule, the frame's, of a value of the keyword's types. A rule that applies other nodes
 * does so one by one with wf_schema_apply, and is called again with the outcome of each; `inner` is
 * WF_SCHEMA_WAIT at first.
 */
typedef wf_schema_outcome_e wf_schema_check_f(wf_schema_machine_t *machine,
                                              wf_schema_frame_t *frame, wf_schema_outcome_e inner);

/* Appends the reason of a failure: "must be …". */
typedef void wf_schema_explain_f(wf_buf_t *out, const wf_schema_machine_t *machine,
                                 const wf_schema_failure_t *failure);

/* Rules are checked in the order of the table. check is NULL where a keyword makes no rule. */
struct wf_schema_keyword_t {
    const char *name;
    unsigned types; /* of the values that it says something about */
    wf_schema_compile_f *compile;
    wf_schema_check_f *check;
    wf_schema_explain_f *explain;
};

/* The row of a keyword; NULL where it is unknown. */
const wf_schema_keyword_t *wf_schema_keyword_find(wf_slice_t name);

/* What is behind every schema that is `false`. */
extern const wf_schema_keyword_t wf_schema_keyword_false;

/* What a keyword that is not known is refused with. */
const char *wf_schema_keyword_refusal(wf_slice_t name, apr_pool_t *pool);

/* ---- the compiler, for the keywords' compile functions ---- */

struct wf_schema_compiler_t {
    wf_schema_t *schema;
    wf_schema_error_t *error;
    wf_schema_node_t **nodes; /* of each spot; NULL where none is compiled yet */
    wf_buf_t name;            /* of the keyword that is being compiled, decoded */
    wf_buf_t references;      /* each $ref whose target is still to be compiled */
    apr_pool_t *pool;
};

/* Says what is wrong at a spot of the schema. WF_EINVALID. */
apr_status_t wf_schema_refuse(wf_schema_compiler_t *compiler, const wf_spot_t *spot,
                              const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The node of a schema, which is compiled where it has not been yet. APR_SUCCESS, WF_EINVALID. */
apr_status_t wf_schema_node_get(wf_schema_node_t **node, wf_schema_compiler_t *compiler,
                                const wf_spot_t *spot);

/* Adds a rule to a node, in its order. */
wf_schema_rule_t *wf_schema_rule_add(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                     const wf_schema_keyword_t *keyword, const wf_spot_t *value);

/* Notes that a node applies another one to the very same value, because of `spot`. */
void wf_schema_edge_add(wf_schema_compiler_t *compiler, wf_schema_node_t *from,
                        wf_schema_node_t *to, const wf_spot_t *spot);

/* Has the rule of a $ref be given the node of its target, once all else is compiled. */
void wf_schema_reference_add(wf_schema_compiler_t *compiler, wf_schema_node_t *from,
                             wf_schema_rule_t *rule, const wf_spot_t *target);

/* A value that counts something. APR_SUCCESS, WF_EINVALID. */
apr_status_t wf_schema_count_get(apr_uint64_t *count, wf_schema_compiler_t *compiler,
                                 const wf_spot_t *value);

/* The pattern that a JSON string spells; a mistake is one of `spot`. APR_SUCCESS, WF_EINVALID. */
apr_status_t wf_schema_pattern_get(const wf_schema_pattern_t **pattern,
                                   wf_schema_compiler_t *compiler, wf_slice_t string,
                                   const wf_spot_t *spot);

/* The place of a value as text in pool. */
const char *wf_schema_pointer(const wf_outline_t *outline, const wf_spot_t *spot, apr_pool_t *pool);

wf_schema_compile_f wf_schema_compile_annotation, wf_schema_compile_bound,
    wf_schema_compile_branches, wf_schema_compile_condition, wf_schema_compile_contains,
    wf_schema_compile_count, wf_schema_compile_definitions, wf_schema_compile_dependent_required,
    wf_schema_compile_dependent_schemas, wf_schema_compile_dialect, wf_schema_compile_elements,
    wf_schema_compile_enum, wf_schema_compile_id, wf_schema_compile_members,
    wf_schema_compile_multiple, wf_schema_compile_names, wf_schema_compile_not,
    wf_schema_compile_part, wf_schema_compile_pattern, wf_schema_compile_reference,
    wf_schema_compile_required, wf_schema_compile_type, wf_schema_compile_unevaluated,
    wf_schema_compile_unique, wf_schema_compile_value;

#endif
