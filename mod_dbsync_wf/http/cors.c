/* SPDX-License-Identifier: Apache-2.0 */
/* The CORS protocol. */
#include "http/cors.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include "http/request.h"

#define EXAMPLE       "as in DbsyncWfCorsOrigins https://console.example.com"
#define HOST_BYTES    "abcdefghijklmnopqrstuvwxyz0123456789._-"
#define ADDRESS_BYTES "0123456789abcdef:."
#define SCHEME_BYTES  "abcdefghijklmnopqrstuvwxyz0123456789+.-"

/* Seconds that a browser may go without asking ahead again: a name taken away is soon gone. */
#define MAX_AGE       "600"

#define ALLOW_METHODS "GET, HEAD, POST, PUT, DELETE"
#define ALLOW_HEADERS                                                                              \
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, "            \
    "Last-Event-ID, Range, X-Requested-With"
#define EXPOSE_HEADERS                                                                             \
    "Accept-Post, Allow, Content-Range, ETag, Idempotency-Replayed, Location, Retry-After"

/* The length of the host that a text begins with: a name, an IPv4 address or an IPv6 one in
 * brackets; 0: none. */
static apr_size_t host_length(const char *text)
{
    apr_size_t len;

    if (*text != '[') {
        return strspn(text, HOST_BYTES);
    }
    len = strspn(text + 1, ADDRESS_BYTES);
    return len > 0 && text[1 + len] == ']' ? len + 2 : 0;
}

/* ":8443", or nothing. */
static int is_port(const char *text)
{
    apr_size_t len = *text == ':' ? strspn(text + 1, "0123456789") : 0;

    if (*text == '\0') {
        return 1;
    }
    return len >= 1 && len <= 5 && text[1 + len] == '\0' && text[1] != '0' &&
           atoi(text + 1) <= 65535;
}

/* As a browser spells it (RFC 6454, 6.2): an origin is compared byte for byte. */
static int is_origin(const char *text)
{
    apr_size_t scheme = strspn(text, SCHEME_BYTES);
    const char *host = text + scheme + 3;
    apr_size_t len;

    if (!apr_islower(*text) || strncmp(text + scheme, "://", 3) != 0) {
        return 0;
    }
    len = host_length(host);
    return len > 0 && is_port(host + len);
}

static int has_default_port(const char *origin)
{
    const char *port = strrchr(origin, ':');

    return (strncmp(origin, "https:", 6) == 0 && strcmp(port, ":443") == 0) ||
           (strncmp(origin, "http:", 5) == 0 && strcmp(port, ":80") == 0);
}

static const char *check_origin(cmd_parms *cmd, const char *origin)
{
    if (strcmp(origin, "*") == 0) {
        return "DbsyncWfCorsOrigins cannot be \"*\": any page on the web could run tasks as "
               "whoever looks at it. Name each origin, " EXAMPLE;
    }
    if (strcasecmp(origin, "null") == 0) {
        return "DbsyncWfCorsOrigins cannot be \"null\": any page can send that. Name each "
               "origin, " EXAMPLE;
    }
    if (strcasecmp(origin, "none") == 0) {
        return "DbsyncWfCorsOrigins none must stand alone";
    }
    if (!is_origin(origin)) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfCorsOrigins must be origins as browsers spell them: scheme, "
                            "host and, where it is not the scheme's own, port; in lower case, "
                            "without a path, a slash at the end or a wildcard, " EXAMPLE
                            ", not \"%s\"",
                            origin);
    }
    if (has_default_port(origin)) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfCorsOrigins must be without the port that is the scheme's "
                            "own, which browsers leave out: not \"%s\"",
                            origin);
    }
    return NULL;
}

const char *wf_cors_parse(const apr_array_header_t **origins, cmd_parms *cmd, int argc,
                          char *const argv[])
{
    apr_array_header_t *made = apr_array_make(cmd->pool, argc > 0 ? argc : 1, sizeof(char *));
    const char *wrong = NULL;

    if (argc < 1) {
        return "DbsyncWfCorsOrigins takes origins, " EXAMPLE ", or none";
    }
    *origins = made;
    if (argc == 1 && strcasecmp(argv[0], "none") == 0) {
        return NULL;
    }
    for (int i = 0; i < argc && !wrong; i++) {
        wrong = check_origin(cmd, argv[i]);
        APR_ARRAY_PUSH(made, const char *) = apr_pstrdup(cmd->pool, argv[i]);
    }
    return wrong;
}

/* The request's origin where it is one of those named, or NULL. */
static const char *named_origin(const request_rec *r)
{
    const apr_array_header_t *origins = wf_config_cors_origins(r);
    const char *origin = apr_table_get(r->headers_in, "Origin");

    for (int i = 0; origin && origins && i < origins->nelts; i++) {
        if (strcmp(origin, APR_ARRAY_IDX(origins, i, const char *)) == 0) {
            return origin;
        }
    }
    return NULL;
}

/* With credentials it is none, and takes the way of every other OPTIONS. */
static int is_preflight(const request_rec *r)
{
    const char *method = apr_table_get(r->headers_in, "Access-Control-Request-Method");

    return r->method_number == M_OPTIONS && method && *method != '\0' &&
           !apr_table_get(r->headers_in, "Authorization");
}

/* Says what a script may send, the same for every path: whether there is one is not told. */
static int answer_preflight(request_rec *r)
{
    int status = ap_discard_request_body(r);

    if (status != OK) {
        return status;
    }
    r->status = HTTP_NO_CONTENT;
    apr_table_setn(r->headers_out, "Access-Control-Allow-Methods", ALLOW_METHODS);
    apr_table_setn(r->headers_out, "Access-Control-Allow-Headers", ALLOW_HEADERS);
    apr_table_setn(r->headers_out, "Access-Control-Max-Age", MAX_AGE);
    return DONE;
}

int wf_cors_header_parser(request_rec *r)
{
    const wf_request_t *req = wf_request_get(r);
    const apr_array_header_t *origins = wf_config_cors_origins(r);
    const char *origin;

    if (!req || !req->mapped || !origins || origins->nelts == 0) {
        return DECLINED;
    }
    /* Those for errors are sent with every answer. */
    apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    origin = named_origin(r);
    if (!origin) {
        return DECLINED;
    }
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", origin);
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials", "true");
    if (is_preflight(r)) {
        return answer_preflight(r);
    }
    apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers", EXPOSE_HEADERS);
    return DECLINED;
}

int wf_cors_is_script(const request_rec *r)
{
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");
    const char *dest = apr_table_get(r->headers_in, "Sec-Fetch-Dest");

    return mode && dest && strcasecmp(mode, "cors") == 0 && strcasecmp(dest, "empty") == 0 &&
           named_origin(r) != NULL;
}
