/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as the database's own catalogue has them, so that a name is known before it is used. */
#ifndef WF_FLOW_SQL_TABLE_H
#define WF_FLOW_SQL_TABLE_H

#include "flow/sql/sql.h"

typedef struct wf_table_t {
    const char *quoted; /* with its schema, for statements */
    int column_count;
    const wf_slice_t *columns; /* as the catalogue spells them */
    const char *const *types;  /* "" where it does not say */
} wf_table_t;

/*
 * Finds a table, "table" or "schema.table": as it is spelled, or else the only one that differs in
 * upper and lower case alone. All of *table lives in pool. Where there is none the detail names
 * those that there are.
 */
apr_status_t wf_table_find(wf_table_t *table, wf_sql_t *sql, const char *object,
                           wf_result_t *result, apr_pool_t *pool);

/* The number of a column by the same rule; -1 where there is none. */
int wf_table_column(const wf_table_t *table, const char *name);

/* The columns' names with commas, a bounded number of them, for messages. */
const char *wf_table_list(const wf_table_t *table, apr_pool_t *pool);

#endif
