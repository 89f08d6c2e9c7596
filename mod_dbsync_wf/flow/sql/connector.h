/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector "sql": a database, by one of apr_dbd's drivers.
 *
 *   {"type": "sql", "driver": "pgsql", "params": "host=db dbname=crm user=sync",
 *    "passwordFile": "/etc/dbsync_wf/crm.password", "connectTimeout": 10}
 *
 * A run has one connection for each connector, from its first use to the run's end; a statement
 * whose rows are read while others are written may have another one beside it.
 */
#ifndef WF_FLOW_SQL_CONNECTOR_H
#define WF_FLOW_SQL_CONNECTOR_H

#include "flow/connector.h"
#include "flow/sql/sql.h"

extern const wf_connector_kind_t wf_connector_sql;

/* For an action's parse: the connector that a member names, and how its statements are spelled. */
apr_status_t wf_sql_connector_check(const wf_connector_t **out, const wf_sql_dialect_t **dialect,
                                    const wf_check_t *at, const wf_loader_t *loader,
                                    const char *member);

/* What a connector of this kind says. */
const wf_sql_config_t *wf_sql_connector_config(const wf_connector_t *connector);

/* Which of a run's connections. */
typedef enum {
    WF_SQL_MAIN,
    WF_SQL_READER /* for rows that are read while the main one writes */
} wf_sql_role_e;

/* The run's connection, opened where it is not, or not any more. Statuses are sql.h's. */
apr_status_t wf_sql_connect(wf_sql_t **sql, const wf_connector_t *connector, wf_sql_role_e role,
                            const wf_action_context_t *context, wf_result_t *result);

#endif
