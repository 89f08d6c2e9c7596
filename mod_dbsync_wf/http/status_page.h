/* SPDX-License-Identifier: Apache-2.0 */
/* A section in the page of mod_status, where that is loaded. */
#ifndef WF_HTTP_STATUS_PAGE_H
#define WF_HTTP_STATUS_PAGE_H

#include <httpd.h>

/*
 * mod_status's optional hook status_hook; flags are mod_status.h's. Writes figures of the server,
 * in HTML or, for ?auto, as lines of key and value: no names of projects, since the page has an
 * access rule of its own. Nothing where the module is not in use.
 */
int wf_status_page(request_rec *r, int flags);

#endif
