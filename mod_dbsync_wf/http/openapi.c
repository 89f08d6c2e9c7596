/* SPDX-License-Identifier: Apache-2.0 */
/* The API's description, which the build makes bytes of. */
#include "http/openapi.h"

#include "base/json.h"

static const unsigned char bytes[] = {
#include "http/openapi.json.inc"
};

/* How the file names the server. A path is right behind any proxy that keeps paths as they are. */
#define SERVER "{\"url\": "

void wf_openapi_json(wf_buf_t *out, const char *base)
{
    wf_slice_t all = wf_slice_of((const char *)bytes, sizeof(bytes));
    const char *url = memmem(all.data, all.len, SERVER, strlen(SERVER));
    const char *end = all.data + all.len;
    const char *rest;

    if (!url) {
        wf_buf_add_slice(out, all);
        return;
    }
    url += strlen(SERVER);
    rest = memchr(url, ',', (apr_size_t)(end - url));
    wf_buf_add(out, all.data, (apr_size_t)(url - all.data));
    wf_json_string_encode(out, wf_slice(*base ? base : "/"));
    wf_buf_add(out, rest, (apr_size_t)(end - rest));
}
