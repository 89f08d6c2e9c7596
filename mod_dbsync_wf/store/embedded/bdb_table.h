/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table: a B-tree from bytes to bytes, sorted by memcmp. Changes go into the environment's
 * transaction, which the first one opens; reads see them. Whoever changes commits: keeper.c, once
 * a batch. Beside what is said below, each call may return WF_EDAMAGED, where a page cannot be
 * read, or another error, both logged.
 */
#ifndef WF_STORE_EMBEDDED_BDB_TABLE_H
#define WF_STORE_EMBEDDED_BDB_TABLE_H

#include "base/slice.h"
#include "store/embedded/bdb_env.h"

typedef struct wf_table_t wf_table_t;

/*
 * Opens a table; one that is missing is made where `make`, else APR_ENOENT. It is closed with the
 * environment.
 */
apr_status_t wf_table_open(wf_table_t **table, wf_bdb_t *bdb, const char *name, int make,
                           apr_pool_t *pool);

/* Writes, in place of what is there. */
apr_status_t wf_table_put(wf_table_t *table, wf_slice_t key, wf_slice_t value);

/* Writes only where nothing is there; else APR_EEXIST. */
apr_status_t wf_table_add(wf_table_t *table, wf_slice_t key, wf_slice_t value);

/* Reads; *value lives in pool. APR_NOTFOUND. */
apr_status_t wf_table_get(wf_slice_t *value, wf_table_t *table, wf_slice_t key, apr_pool_t *pool);

/* Deletes. APR_NOTFOUND. */
apr_status_t wf_table_delete(wf_table_t *table, wf_slice_t key);

/* The same where the value may be long: the log gets its `len` bytes once more. */
apr_status_t wf_table_delete_long(wf_table_t *table, wf_slice_t key, apr_size_t len);

/*
 * Visits all pairs in the order of their keys until visit returns something other than
 * APR_SUCCESS, which is then returned. Key and value are valid during the visit only, which must
 * not change the table.
 */
typedef apr_status_t (*wf_table_visit_t)(void *baton, wf_slice_t key, wf_slice_t value);
apr_status_t wf_table_walk(wf_table_t *table, wf_table_visit_t visit, void *baton);

/* The same from the first key that is not less than `from`. */
apr_status_t wf_table_walk_from(wf_table_t *table, wf_slice_t from, wf_table_visit_t visit,
                                void *baton);

/* The same for the keys alone, from the first that is not less than `from`. The values are empty.
 */
apr_status_t wf_table_walk_keys(wf_table_t *table, wf_slice_t from, wf_table_visit_t visit,
                                void *baton);

/* The same backwards, from the last that is less than `before`. */
apr_status_t wf_table_walk_keys_back(wf_table_t *table, wf_slice_t before, wf_table_visit_t visit,
                                     void *baton);

#endif
