/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sections of the configuration a request's directory configuration was put together from.
 *
 * httpd keeps no note of that, and merges anew for each request, so that neither the configuration
 * nor what another module has in it can be told by its address. What can is our own part of each
 * section: it lives as long as the configuration, and a merge notes what it was made from. That
 * takes every section to have such a part, also where no directive of ours stands in it.
 */
#ifndef WF_HTTP_SECTIONS_H
#define WF_HTTP_SECTIONS_H

#include "http/config.h"

/*
 * Gives every <Location>, <Directory>, <Files> and <If> section of every server a part of ours
 * where it has none. Called once the whole configuration has been read. .htaccess files, which are
 * read later, have none: no request for an API's path reads one. Nor has what a program adds to one
 * request's configuration (mod_perl's add_config), which nothing here can see.
 */
void wf_sections_mark(server_rec *main_server, apr_pool_t *pconf);

/*
 * Appends to `out` what tells the request's sections, in their order, from any others of this
 * configuration. It means something within this process alone.
 */
void wf_sections_identify(wf_buf_t *out, const request_rec *r);

#endif
