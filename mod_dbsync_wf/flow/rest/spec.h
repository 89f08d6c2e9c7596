/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a project's file says of the connector and the action "rest", checked: connector.c and
 * action.c make it, request.c and exchange.c read it.
 */
#ifndef WF_FLOW_REST_SPEC_H
#define WF_FLOW_REST_SPEC_H

#include <apr_tables.h>
#include "flow/connector.h"
#include "flow/document.h"
#include "flow/rest/header.h"
#include "flow/rest/path.h"
#include "flow/rest/url.h"
#include "flow/secret.h"

typedef struct wf_rest_connector_t {
    wf_url_t url;
    apr_array_header_t *headers; /* of wf_header_t; for the connector's own origin alone */
    const char *user;            /* NULL: the secret, where there is one, is a bearer token */
    const wf_secret_t *secret;   /* NULL: no authentication */
    apr_interval_time_t timeout; /* of one attempt, its redirects included */
    apr_interval_time_t connect_timeout;
    int host_count;
    const wf_url_host_t *hosts;
    const char *ca_file; /* NULL: the system's certificates */
    const char *proxy;   /* NULL: none */
    apr_size_t response_most;
    apr_uint32_t attempts; /* 1: not repeated */
    apr_interval_time_t backoff;
} wf_rest_connector_t;

/* A parameter of the query, or a header. */
typedef struct wf_rest_field_t {
    const char *name;
    const wf_template_t *value;
} wf_rest_field_t;

typedef struct wf_rest_fields_t {
    int count;
    const wf_rest_field_t *list;
} wf_rest_fields_t;

typedef struct wf_rest_action_t {
    const wf_connector_t *connector; /* whose spec is a wf_rest_connector_t */
    const char *method;
    const wf_rest_path_t *path;
    wf_rest_fields_t query;
    wf_rest_fields_t headers;
    const wf_document_t *body;      /* NULL: none */
    const wf_template_t *body_text; /* likewise; one of the two at most */
    const char *content_type;       /* of the body */
    int expect_count;               /* 0: 200 to 299 */
    const int *expect;              /* statuses */
    int is_repeatable;
    const wf_template_t *idempotency_key; /* NULL: none */
} wf_rest_action_t;

/*
 * The object in a member, as templates by name; none where it is absent. `are_headers`: names are
 * those of headers that may be set.
 */
apr_status_t wf_rest_fields_check(wf_rest_fields_t *fields, const wf_check_t *at,
                                  const char *member, int are_headers);

/* Checks a header's name at a place: "headers/Accept". */
apr_status_t wf_rest_header_check(const wf_check_t *at, const char *place, const char *name);

#endif
