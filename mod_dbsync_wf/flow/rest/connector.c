/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector "rest": where a service is, who we are to it, and how long it may take.
 *
 *   {"type": "rest", "url": "https://api.example.org/v1", "headers": {"X-Client": "erp"},
 *    "auth": "basic", "user": "erp", "passwordFile": "/etc/dbsync_wf/crm.password",
 *    "timeout": 30, "connectTimeout": 10, "hosts": ["files.example.org"],
 *    "retries": {"attempts": 3, "backoff": 0.5}}
 */
#include "flow/rest/rest.h"

#include <apr_strings.h>
#include "flow/rest/spec.h"

#define TIMEOUT         apr_time_from_sec(30)
#define CONNECT_TIMEOUT apr_time_from_sec(10)
#define RESPONSE_MOST   (8 * 1024 * 1024)
#define RESPONSE_LIMIT  (64 * 1024 * 1024)
#define ATTEMPTS        3
#define ATTEMPTS_LIMIT  10
#define BACKOFF         (APR_USEC_PER_SEC / 2)

static const char *const members[] = {WF_REST_CONNECTOR_MEMBERS, NULL};
static const char *const auth_choices[] = {"none", "basic", "bearer", NULL};
enum { AUTH_NONE, AUTH_BASIC, AUTH_BEARER };

static apr_status_t parse_url(wf_rest_connector_t *connector, const wf_check_t *at)
{
    const char *text = NULL, *reason;
    apr_status_t rv = wf_check_string(&text, at, "url", WF_REQUIRED);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (strpbrk(text, "?#")) {
        return wf_check_error(at, "url", "must not hold ? or #");
    }
    if (wf_url_parse(&connector->url, &reason, text, at->pool) != APR_SUCCESS) {
        return wf_check_error(at, "url", "must %s", reason);
    }
    return APR_SUCCESS;
}

apr_status_t wf_rest_header_check(const wf_check_t *at, const char *place, const char *name)
{
    const char *reason;

    if (!wf_header_is_name(name)) {
        return wf_check_error(at, place, "is no header's name");
    }
    reason = wf_header_forbidden(name);
    return reason ? wf_check_error(at, place, "must %s", reason) : APR_SUCCESS;
}

/* Values are text as it stands: a connector has no run whose data could be put in. */
static apr_status_t parse_header(wf_rest_connector_t *connector, const wf_check_t *at,
                                 const char *name, const json_t *value)
{
    const char *place = apr_pstrcat(at->pool, "headers/", name, NULL);
    apr_status_t rv = wf_rest_header_check(at, place, name);
    wf_slice_t text;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!json_is_string(value)) {
        return wf_check_error(at, place, "must be a string");
    }
    text = wf_slice_of(json_string_value(value), json_string_length(value));
    if (!wf_header_is_value(text)) {
        return wf_check_error(at, place, "must not hold a line break or a control character");
    }
    if (strstr(text.data, "{{")) {
        return wf_check_error(at, place, "must not hold an expression; an action's headers may");
    }
    wf_header_set(connector->headers, apr_pstrdup(at->pool, name),
                  apr_pstrmemdup(at->pool, text.data, text.len));
    return APR_SUCCESS;
}

static apr_status_t parse_headers(wf_rest_connector_t *connector, const wf_check_t *at)
{
    const json_t *object = NULL;
    apr_status_t rv = wf_check_object(&object, at, "headers", WF_OPTIONAL);
    const char *name;
    json_t *value;

    connector->headers = apr_array_make(at->pool, 4, sizeof(wf_header_t));
    if (rv != APR_SUCCESS || !object) {
        return rv;
    }
    json_object_foreach((json_t *)object, name, value)
    {
        rv = parse_header(connector, at, name, value);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t parse_basic(wf_rest_connector_t *connector, const wf_check_t *at,
                                const wf_secret_t *password)
{
    if (!connector->user || !password) {
        return wf_check_error(at, "auth", "basic needs user, and passwordFile or passwordEnv");
    }
    if (strchr(connector->user, ':') || !wf_header_is_value(wf_slice(connector->user))) {
        return wf_check_error(at, "user", "must not hold a colon or a control character");
    }
    connector->secret = password;
    return APR_SUCCESS;
}

/* Members that would mean nothing are refused: who wrote them expects them to. */
static apr_status_t parse_auth(wf_rest_connector_t *connector, const wf_check_t *at)
{
    const wf_secret_t *password = NULL, *token = NULL;
    int auth = AUTH_NONE;
    apr_status_t rv = wf_check_choice(&auth, at, "auth", WF_OPTIONAL, auth_choices);

    if (rv == APR_SUCCESS) {
        rv = wf_check_string(&connector->user, at, "user", WF_OPTIONAL);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_secret_check(&password, at, "password");
    }
    if (rv == APR_SUCCESS) {
        rv = wf_secret_check(&token, at, "token");
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (auth != AUTH_BASIC && (connector->user || password)) {
        return wf_check_error(at, "auth", "must be basic where there is a user or a password");
    }
    if (auth != AUTH_BEARER && token) {
        return wf_check_error(at, "auth", "must be bearer where there is a token");
    }
    if (auth == AUTH_BASIC) {
        return parse_basic(connector, at, password);
    }
    if (auth == AUTH_BEARER && !token) {
        return wf_check_error(at, "auth", "bearer needs tokenFile or tokenEnv");
    }
    connector->secret = token;
    return APR_SUCCESS;
}

static apr_status_t parse_hosts(wf_rest_connector_t *connector, const wf_check_t *at)
{
    const json_t *array = NULL;
    apr_status_t rv = wf_check_array(&array, at, "hosts", WF_OPTIONAL);
    wf_url_host_t *hosts;

    if (rv != APR_SUCCESS || !array) {
        return rv;
    }
    connector->host_count = (int)json_array_size(array);
    connector->hosts = hosts =
        apr_pcalloc(at->pool, (apr_size_t)connector->host_count * sizeof(*hosts));
    for (int i = 0; i < connector->host_count; i++) {
        const char *text = json_string_value(json_array_get(array, (apr_size_t)i));

        if (!text || wf_url_host_parse(&hosts[i], text, at->pool) != APR_SUCCESS) {
            return wf_check_error(at, apr_psprintf(at->pool, "hosts/%d", i),
                                  "must be a host, or host:port");
        }
    }
    return APR_SUCCESS;
}

static apr_status_t parse_files(wf_rest_connector_t *connector, const wf_check_t *at)
{
    apr_status_t rv = wf_check_string(&connector->ca_file, at, "caFile", WF_OPTIONAL);
    const char *reason;
    wf_url_t url;

    if (rv == APR_SUCCESS && connector->ca_file && connector->ca_file[0] != '/') {
        return wf_check_error(at, "caFile", "must be an absolute path");
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_string(&connector->proxy, at, "proxy", WF_OPTIONAL);
    }
    if (rv == APR_SUCCESS && connector->proxy &&
        wf_url_parse(&url, &reason, connector->proxy, at->pool) != APR_SUCCESS) {
        return wf_check_error(at, "proxy", "must %s", reason);
    }
    return rv;
}

static apr_status_t parse_retries(wf_rest_connector_t *connector, const wf_check_t *at)
{
    static const char *const allowed[] = {"attempts", "backoff", NULL};
    apr_int64_t attempts = ATTEMPTS;
    wf_check_t inside = *at;
    apr_status_t rv = wf_check_object(&inside.object, at, "retries", WF_OPTIONAL);

    if (rv == APR_SUCCESS && json_object_get(at->object, "retries")) {
        inside.path = apr_pstrcat(at->pool, at->path, "/retries", NULL);
        rv = wf_check_members(&inside, allowed, NULL);
        if (rv == APR_SUCCESS) {
            rv = wf_check_integer(&attempts, &inside, "attempts", WF_OPTIONAL, 1, ATTEMPTS_LIMIT);
        }
        if (rv == APR_SUCCESS) {
            rv = wf_check_seconds(&connector->backoff, &inside, "backoff", WF_OPTIONAL);
        }
    }
    connector->attempts = (apr_uint32_t)attempts;
    return rv;
}

static apr_status_t parse_limits(wf_rest_connector_t *connector, const wf_check_t *at)
{
    apr_int64_t most = RESPONSE_MOST;
    apr_status_t rv = wf_check_seconds(&connector->timeout, at, "timeout", WF_OPTIONAL);

    if (rv == APR_SUCCESS) {
        rv = wf_check_seconds(&connector->connect_timeout, at, "connectTimeout", WF_OPTIONAL);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_integer(&most, at, "maxResponse", WF_OPTIONAL, 1, RESPONSE_LIMIT);
    }
    connector->response_most = (apr_size_t)most;
    return rv;
}

static apr_status_t parse_connector(const void **spec, const wf_check_t *at)
{
    static apr_status_t (*const steps[])(wf_rest_connector_t *, const wf_check_t *) = {
        parse_url,   parse_headers, parse_auth,  parse_hosts,
        parse_files, parse_retries, parse_limits};
    wf_rest_connector_t *connector = apr_pcalloc(at->pool, sizeof(*connector));
    apr_status_t rv = APR_SUCCESS;

    connector->timeout = TIMEOUT;
    connector->connect_timeout = CONNECT_TIMEOUT;
    connector->backoff = BACKOFF;
    for (apr_size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rv == APR_SUCCESS; i++) {
        rv = steps[i](connector, at);
    }
    if (rv == APR_SUCCESS && connector->secret &&
        wf_header_get(connector->headers, "Authorization")) {
        return wf_check_error(at, "headers/Authorization", "cannot be there beside auth");
    }
    *spec = connector;
    return rv;
}

const wf_connector_kind_t wf_connector_rest = {"rest", members, parse_connector};
