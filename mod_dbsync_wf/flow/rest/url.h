/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of services: http and https only, taken apart and normalised by libcurl, so that the URL
 * that is checked is the one that is requested; and the text that templates put into them.
 *
 * An origin is scheme, host and port together (RFC 6454): what credentials belong to.
 */
#ifndef WF_FLOW_REST_URL_H
#define WF_FLOW_REST_URL_H

#include <apr_errno.h>
#include "base/slice.h"

typedef struct wf_url_t {
    int is_secure;      /* https */
    const char *host;   /* lower case; an IPv6 address in brackets */
    int port;           /* the scheme's own where none is written */
    const char *origin; /* "https://api.example.org:443" */
    const char *path;   /* "/v1/items"; "/" at least */
    const char *query;  /* without the question mark; NULL: none */
    const char *text;   /* all of it, normalised */
} wf_url_t;

/* A host that requests may go to. */
typedef struct wf_url_host_t {
    const char *host; /* as in wf_url_t */
    int port;         /* 0: the scheme's own */
} wf_url_host_t;

/*
 * Takes an absolute URL apart. A fragment is dropped.
 * APR_SUCCESS, or WF_EINVALID with *reason, a constant that goes on behind "must": the URL is
 * malformed, of another scheme, or has a user in it.
 */
apr_status_t wf_url_parse(wf_url_t *url, const char **reason, const char *text, apr_pool_t *pool);

/*
 * The URL that a reference, such as that of a Location header, names from a base (RFC 3986, 5).
 * APR_SUCCESS or WF_EINVALID, as wf_url_parse.
 */
apr_status_t wf_url_resolve(wf_url_t *url, const wf_url_t *base, const char *reference,
                            apr_pool_t *pool);

/* Whether two URLs have scheme, host and port in common. */
int wf_url_is_same_origin(const wf_url_t *a, const wf_url_t *b);

/* Reads "host" or "host:port". APR_SUCCESS or WF_EINVALID. */
apr_status_t wf_url_host_parse(wf_url_host_t *host, const char *text, apr_pool_t *pool);

/*
 * Whether a request may go to a URL: to `home`'s host at its port, or at the scheme's own port, or
 * to one of the list. `home` may be NULL.
 */
int wf_url_is_allowed(const wf_url_t *url, const wf_url_t *home, const wf_url_host_t *hosts,
                      int count);

/* Appends a value so that it is part of one segment of a path, or of one name or value of a query,
 * whatever is in it: all but unreserved characters (RFC 3986, 2.3) percent-encoded. */
void wf_url_add_value(wf_buf_t *out, wf_slice_t value);

/* Appends text of a path as somebody wrote it: slashes and "%2F" stay, and what cannot stand in a
 * path is encoded, "?", "#" and a percent sign without digits included. */
void wf_url_add_path(wf_buf_t *out, wf_slice_t text);

#endif
