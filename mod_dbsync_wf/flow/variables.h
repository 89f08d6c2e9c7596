/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run's actions leave for those after them: variables (`@name` in an expression) and look-up
 * tables in memory (MEMLOOKUP). Both belong to one run and one thread. What they hold is on the
 * heap, so that a loop that sets a variable or fills a table again and again does not grow: only
 * the names, which a project file gives, stay in the pool until its end.
 */
#ifndef WF_FLOW_VARIABLES_H
#define WF_FLOW_VARIABLES_H

#include <apr_errno.h>
#include "base/slice.h"

typedef struct wf_variables_t wf_variables_t;

/* Makes an empty set; all of it goes with pool. */
wf_variables_t *wf_variables_create(apr_pool_t *pool);

/*
 * Sets a variable to a (checked) JSON text, which is copied, in place of what it was; the text may
 * be a part of what it was.
 */
void wf_variables_set(wf_variables_t *variables, const char *name, wf_slice_t json);

/* A variable's JSON text, valid until it is set again. APR_SUCCESS or APR_NOTFOUND. */
apr_status_t wf_variables_get(wf_slice_t *json, const wf_variables_t *variables, wf_slice_t name);

typedef struct wf_memtable_t wf_memtable_t;

/*
 * Begins an empty look-up table, in place of one of that name, which is gone with its rows. It goes
 * with the set.
 */
wf_memtable_t *wf_memtable_begin(wf_variables_t *variables, const char *name);

/* Adds a row, a JSON object, under a key; both are copied. The last one of a key counts. */
void wf_memtable_add(wf_memtable_t *table, wf_slice_t key, wf_slice_t json);

/* How many keys it has. */
apr_size_t wf_memtable_count(const wf_memtable_t *table);

/* How many bytes of memory its rows take: keys, texts and what holds them, by estimate. */
apr_size_t wf_memtable_bytes(const wf_memtable_t *table);

/*
 * Finds a row by table and key, byte by byte; it is valid until the table is begun again or the key
 * is added again. APR_SUCCESS or APR_NOTFOUND (no such table, or no such key).
 */
apr_status_t wf_memtable_find(wf_slice_t *json, const wf_variables_t *variables, wf_slice_t table,
                              wf_slice_t key);

#endif
