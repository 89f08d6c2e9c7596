/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bases: where the API lives, the paths of the plain <Location> sections with `SetHandler
 * dbsync-wf` directly in them.
 *
 * They are read from the configuration tree, because a handler cannot tell which section named it.
 * And they must be exact: were a base whatever stands before a route, anyone could put a made-up
 * prefix before a path and so get past a <LocationMatch> that protects it. For the same reason the
 * handler's name anywhere else is an error.
 */
#ifndef WF_HTTP_BASES_H
#define WF_HTTP_BASES_H

#include <httpd.h>
#include <util_cfgtree.h>
#include "base/slice.h"

typedef struct wf_base_t {
    wf_slice_t path; /* as in r->uri, without a trailing slash: "/cw/api/v2", or empty for "/" */
    const char *uri; /* the same, escaped for a URI */
} wf_base_t;

/*
 * Walks the tree, after wf_config_split, and sets every server's bases (those of the main server
 * apply to its vhosts too) and whether the module is in use. Every misplaced SetHandler is logged
 * with its file and line. APR_SUCCESS, or APR_EGENERAL where there was one.
 */
apr_status_t wf_bases_collect(const ap_directive_t *tree, server_rec *main_server,
                              apr_pool_t *pconf);

/* The base that a path is, or lies under, or NULL. `bases` as in wf_server_config_t, may be NULL.
 */
const wf_base_t *wf_bases_find(const apr_array_header_t *bases, wf_slice_t path);

#endif
