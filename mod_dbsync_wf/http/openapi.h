/* SPDX-License-Identifier: Apache-2.0 */
/* The API's description, an OpenAPI 3.1 document (openapi.json, here). Knows nothing of httpd. */
#ifndef WF_HTTP_OPENAPI_H
#define WF_HTTP_OPENAPI_H

#include "base/slice.h"

/* Appends the document, with this base, "/cw/api/v2", as the server. "" is the root. */
void wf_openapi_json(wf_buf_t *out, const char *base);

#endif
