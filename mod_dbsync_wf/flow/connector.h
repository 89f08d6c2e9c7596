/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectors: what a project's file says of a database or a service, under a name that actions use.
 * A kind is one wf_connector_kind_t that the table in connector.c lists.
 */
#ifndef WF_FLOW_CONNECTOR_H
#define WF_FLOW_CONNECTOR_H

#include <apr_hash.h>
#include "flow/action.h"
#include "flow/check.h"

typedef struct wf_connector_kind_t wf_connector_kind_t;

typedef struct wf_connector_t {
    const wf_connector_kind_t *kind;
    const char *name;
    const void *spec; /* what the kind's parse made */
} wf_connector_t;

struct wf_connector_kind_t {
    const char *name;           /* as "type" says it */
    const char *const *members; /* that one may have beside "type"; NULL-terminated */
    /* Makes the spec, in at->pool. APR_SUCCESS or WF_EINVALID, set by the wf_check_* functions. */
    apr_status_t (*parse)(const void **spec, const wf_check_t *at);
};

/* Loads a project's "connectors": *connectors maps names to wf_connector_t; empty where the file
 * has none. */
apr_status_t wf_connectors_load(apr_hash_t **connectors, const wf_check_t *at);

/* For an action's parse: the connector that a member of it names, which must be of a kind. */
apr_status_t wf_connector_check(const wf_connector_t **out, const wf_check_t *at,
                                const wf_loader_t *loader, const char *member,
                                const wf_connector_kind_t *kind);

#endif
