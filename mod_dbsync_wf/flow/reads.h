/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a task reads of a request's body, as far as the expressions in its project file say: for
 * people who are to write one, and the example of one that is made for them.
 *
 * Collected while the file is loaded, by wf_check_template_value. Where something else stands for a
 * part of the body, such as the variable of a `for` or the row of a `write`, its place says so with
 * an alias, which holds for what is loaded with that place and inside it.
 */
#ifndef WF_FLOW_READS_H
#define WF_FLOW_READS_H

#include "flow/check.h"

/* A path that some expression reads. */
typedef struct wf_parameter_t {
    const char *path; /* as it is spelled: "address/city", "items/0/sku" */
    int at_any_depth; /* whether it is that of a "value of" */
} wf_parameter_t;

/* What stands for a part of the body. */
typedef struct wf_alias_t {
    const char *variable; /* NULL: the source row, which paths without a root begin at */
    const char *path;     /* of that part; NULL: it is none */
    const struct wf_alias_t *next;
} wf_alias_t;

/* At most this many parameters of a task are kept, and paths of this length in bytes. */
#define WF_PARAMETERS_MOST     200
#define WF_PARAMETER_PATH_MOST 256

/* Makes a collector, whose parameters will live in pool. */
wf_reads_t *wf_reads_create(apr_pool_t *pool);

/* Collects what a template reads at a place. */
void wf_reads_add(const wf_check_t *at, const wf_template_t *tmpl);

/*
 * Where in the body each element is of an array that a string of the file gives, "{{items}}":
 * "items/0". NULL where the string is anything but one path into the body, or nothing is collected.
 */
const char *wf_reads_element(const wf_check_t *at, const json_t *value);

/* The parameters in the order of the file, each once. */
const wf_parameter_t *wf_reads_parameters(int *count, const wf_reads_t *reads);

/* A body that has all of these parameters, as JSON text in pool: {"address":{"city":"…"}}. */
const char *wf_reads_example(const wf_reads_t *reads, apr_pool_t *pool);

#endif
