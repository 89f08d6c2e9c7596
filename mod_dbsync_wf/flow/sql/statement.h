/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements of a project's file. Their text is fixed when the project is loaded; what varies from
 * run to run is bound to parameters, so that no value is ever looked at as SQL.
 *
 *   UPDATE customer SET name = :name WHERE id = :id
 *
 * ":name" is a parameter, except in quotes and comments and behind another colon (a cast). One that
 * is written twice is one parameter.
 */
#ifndef WF_FLOW_SQL_STATEMENT_H
#define WF_FLOW_SQL_STATEMENT_H

#include "flow/check.h"
#include "flow/sql/dialect.h"

typedef struct wf_statement_t {
    const char *text;  /* with the dialect's places */
    int place_count;   /* places of values in the text */
    const int *places; /* which parameter each is, from 0; a value is bound in this order */
    int param_count;
    const char *const *params; /* names, in the order of their first occurrence */
} wf_statement_t;

/*
 * Parses a text, in at->pool. `member` is its place in the file, for errors.
 * APR_SUCCESS; WF_EINVALID where it is empty, holds {{ or NUL, or has a place of the database's own
 * kind, to which nothing could be bound.
 */
apr_status_t wf_statement_parse(wf_statement_t *statement, const wf_check_t *at, const char *member,
                                const json_t *text, const wf_sql_dialect_t *dialect);

/* The number of a parameter, or -1 where the statement has none of that name. */
int wf_statement_param(const wf_statement_t *statement, const char *name);

#endif
