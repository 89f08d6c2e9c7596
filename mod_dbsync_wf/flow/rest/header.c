/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields: names, values, lists. */
#include "flow/rest/header.h"

#include <strings.h>

static const struct {
    const char *name;
    const char *reason;
} forbidden[] = {
    {"Connection", "be left to the client"},
    {"Content-Length", "be left to the client"},
    {"Content-Type", "be given as \"contentType\" of the action"},
    {"Expect", "be left to the client"},
    {"Host", "be left to the client: it is the URL's"},
    {"Idempotency-Key", "be given as \"idempotencyKey\" of the action"},
    {"Keep-Alive", "be left to the client"},
    {"Proxy-Authorization", "be left to the client"},
    {"Proxy-Connection", "be left to the client"},
    {"TE", "be left to the client"},
    {"Trailer", "be left to the client"},
    {"Transfer-Encoding", "be left to the client"},
    {"Upgrade", "be left to the client"},
};

int wf_header_is_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return *name && name[strspn(name, token)] == '\0';
}

const char *wf_header_forbidden(const char *name)
{
    for (apr_size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        if (strcasecmp(forbidden[i].name, name) == 0) {
            return forbidden[i].reason;
        }
    }
    return NULL;
}

int wf_header_is_value(wf_slice_t value)
{
    for (apr_size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return 0;
        }
    }
    return 1;
}

static wf_header_t *find(const apr_array_header_t *headers, const char *name)
{
    wf_header_t *list = (wf_header_t *)headers->elts;

    for (int i = 0; i < headers->nelts; i++) {
        if (strcasecmp(list[i].name, name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

void wf_header_set(apr_array_header_t *headers, const char *name, const char *value)
{
    wf_header_t *header = find(headers, name);

    if (!header) {
        header = apr_array_push(headers);
    }
    header->name = name;
    header->value = value;
}

const char *wf_header_get(const apr_array_header_t *headers, const char *name)
{
    const wf_header_t *header = find(headers, name);

    return header ? header->value : NULL;
}
