/* SPDX-License-Identifier: Apache-2.0 */
/* From httpd's request to an endpoint. */
#ifndef WF_HTTP_HANDLER_H
#define WF_HTTP_HANDLER_H

#include <httpd.h>

/*
 * Hook map_to_storage: nothing of the API is a file, so no folder is walked and no <Directory> or
 * .htaccess applies to it, only <Location>.
 */
int wf_handler_map(request_rec *r);

/* Hook handler. */
int wf_handler(request_rec *r);

#endif
