/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector and the action "rest": HTTP requests to services. What a build without libcurl has
 * of them is absent.c, where the connector says so when a project with one is loaded.
 */
#ifndef WF_FLOW_REST_REST_H
#define WF_FLOW_REST_REST_H

#include "flow/action.h"
#include "flow/connector.h"

extern const wf_connector_kind_t wf_connector_rest;
extern const wf_action_kind_t wf_action_rest;

/* Members of the two, for their lists; "repeatable", which the action reads too, is every action's.
 */
#define WF_REST_CONNECTOR_MEMBERS                                                                  \
    "url", "headers", "auth", "user", "passwordFile", "passwordEnv", "tokenFile", "tokenEnv",      \
        "timeout", "connectTimeout", "hosts", "caFile", "proxy", "maxResponse", "retries"
#define WF_REST_ACTION_MEMBERS                                                                     \
    "connector", "method", "path", "query", "headers", "body", "bodyText", "contentType",          \
        "expect", "idempotencyKey"

/* Once for the process that executes actions, before its threads start. APR_SUCCESS or
 * APR_EGENERAL, which is in the log. */
apr_status_t wf_rest_setup(void);

#endif
