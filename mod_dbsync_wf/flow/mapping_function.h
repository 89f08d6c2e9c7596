/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions of the mapping language, and what they are written with. A function is a row in one
 * of the tables below; an operator is one too, outside the tables, which the grammar knows.
 *
 * A function reads its arguments and the scope and changes nothing else. What it builds is in the
 * scratch pool and is counted, so that no evaluation takes more than WF_MAPPING_ROOM bytes.
 */
#ifndef WF_FLOW_MAPPING_FUNCTION_H
#define WF_FLOW_MAPPING_FUNCTION_H

#include "flow/decimal.h"
#include "flow/mapping_ast.h"

/* An evaluation under way. */
typedef struct wf_eval_t {
    const wf_scope_t *scope;
    const wf_part_t *part;         /* the expression, for messages */
    const wf_function_t *function; /* the one that is called, for messages */
    apr_size_t room;               /* bytes that may still be built */
    wf_result_t *result;
    apr_pool_t *pool;
} wf_eval_t;

/* As many arguments as a function may have that takes any number. */
#define WF_ARGUMENTS_MOST 100

struct wf_function_t {
    const char *name; /* upper case; an operator's sign */
    const char *usage;
    int least; /* arguments */
    int most;
    /* Gives the value from those of the arguments. APR_SUCCESS, or what wf_eval_fail gives. */
    apr_status_t (*call)(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                         int count);
    /* Instead of call: evaluates only the arguments that it needs. */
    apr_status_t (*lazy)(wf_value_t *value, wf_eval_t *eval, const wf_node_t *call);
    /* What is wrong with a call that the number of its arguments does not tell, in pool; or NULL.
     * May itself be NULL. */
    const char *(*check)(const wf_node_t *const *arguments, int count, apr_pool_t *pool);
};

/* Tables that end with a row without a name. */
extern const wf_function_t wf_logic_functions[];
extern const wf_function_t wf_text_functions[];
extern const wf_function_t wf_letter_functions[];
extern const wf_function_t wf_number_functions[];
extern const wf_function_t wf_date_functions[];
extern const wf_function_t wf_data_functions[];

/* Operators. A comparison's two arguments are in the order of the text. */
extern const wf_function_t wf_operator_or, wf_operator_and, wf_operator_not;
extern const wf_function_t wf_operator_equal, wf_operator_unequal, wf_operator_less,
    wf_operator_less_equal, wf_operator_more, wf_operator_more_equal, wf_operator_like;
extern const wf_function_t wf_operator_add, wf_operator_subtract, wf_operator_multiply,
    wf_operator_divide, wf_operator_minus;

/* Finds a function by its name, in any case; NULL where there is none. */
const wf_function_t *wf_function_find(wf_slice_t name);

/* The names of all functions, with commas between. */
const char *wf_function_names(apr_pool_t *pool);

/* ---- for functions: evaluating, and failing ---- */

/* A node's value. Its bytes are in the template, the scope or the scratch pool. */
apr_status_t wf_eval(wf_value_t *value, wf_eval_t *eval, const wf_node_t *node);

/* Sets WF_PROBLEM_MAPPING with a detail that begins with the expression. Always WF_EINVALID. */
apr_status_t wf_eval_fail(wf_eval_t *eval, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Fails because of a value: "FUNCTION needs WHAT, not VALUE", where the value is shown in part. */
apr_status_t wf_eval_refuse(wf_eval_t *eval, const char *what, wf_value_t value);

/* Room for what is built: APR_SUCCESS, or a failure where the evaluation would take too much. */
apr_status_t wf_eval_allocate(char **memory, wf_eval_t *eval, apr_size_t size);

/* The value that a JSON text spells, as wf_value_of_json has it; what is decoded counts as built.
 */
apr_status_t wf_eval_json(wf_value_t *value, wf_eval_t *eval, wf_slice_t json);

/* Copies what was built in a buffer to the scratch pool, as a value, and frees the buffer. */
apr_status_t wf_eval_keep(wf_value_t *value, wf_eval_t *eval, wf_value_kind_e kind, wf_buf_t *buf);

/* ---- for functions: what a value is ---- */

/* Its text, as wf_value_text has it. */
apr_status_t wf_eval_text(wf_slice_t *text, wf_eval_t *eval, wf_value_t value);

/* Its number, where it is one or a text that spells one; a failure otherwise. */
apr_status_t wf_eval_number(wf_decimal_t *number, wf_eval_t *eval, wf_value_t value);

/* Its whole number from least to most; `what` says what it is, for a failure. */
apr_status_t wf_eval_integer(apr_int64_t *number, wf_eval_t *eval, wf_value_t value,
                             apr_int64_t least, apr_int64_t most, const char *what);

/* Whether a value is a number, or a text that spells one, and which. */
int wf_value_number(wf_decimal_t *number, wf_value_t value, apr_pool_t *pool);

/* Less than 0, 0, more than 0; numbers by their size where both are and at least one is no text. */
apr_status_t wf_eval_compare(int *order, wf_eval_t *eval, wf_value_t a, wf_value_t b);

/* Whether two values are equal, as "=" has it. */
apr_status_t wf_eval_equal(int *equal, wf_eval_t *eval, wf_value_t a, wf_value_t b);

static inline wf_value_t wf_value_bool(int truth)
{
    return (wf_value_t){WF_VALUE_BOOL, wf_slice(truth ? "true" : "false")};
}

static inline wf_value_t wf_value_null(void)
{
    return (wf_value_t){WF_VALUE_NULL, wf_slice(NULL)};
}

static inline wf_value_t wf_value_of_text(wf_slice_t text)
{
    return (wf_value_t){WF_VALUE_TEXT, text};
}

#endif
