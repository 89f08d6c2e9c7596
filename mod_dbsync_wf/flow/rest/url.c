/* SPDX-License-Identifier: Apache-2.0 */
/* URLs by libcurl's own parser. */
#include "flow/rest/url.h"

#include <stdlib.h>
#include <curl/curl.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "base/result.h"

#define PORT_HTTP          80
#define PORT_HTTPS         443

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define UNRESERVED         LETTERS_AND_DIGITS "-._~"

static int is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* A part of the URL, in pool; NULL where it has none. */
static const char *get_part(CURLU *handle, CURLUPart part, apr_pool_t *pool)
{
    char *text = NULL;
    const char *copy = NULL;

    if (curl_url_get(handle, part, &text, 0) == CURLUE_OK) {
        copy = apr_pstrdup(pool, text);
    }
    curl_free(text);
    return copy;
}

static const char *to_lower(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);

    for (char *c = copy; *c; c++) {
        *c = (char)apr_tolower(*c);
    }
    return copy;
}

/* Names and addresses only: nothing that two parsers could understand differently. */
static int is_host(const char *host)
{
    static const char in_name[] = LETTERS_AND_DIGITS "-._";
    static const char in_address[] = "0123456789abcdefABCDEF:.";
    apr_size_t len = strlen(host);

    if (host[0] == '[') {
        return len > 2 && strspn(host + 1, in_address) == len - 2 && host[len - 1] == ']';
    }
    return len > 0 && strspn(host, in_name) == len;
}

static int port_of(int is_secure)
{
    return is_secure ? PORT_HTTPS : PORT_HTTP;
}

static apr_status_t take_apart(wf_url_t *url, const char **reason, CURLU *handle, apr_pool_t *pool)
{
    const char *scheme = get_part(handle, CURLUPART_SCHEME, pool);
    const char *host = get_part(handle, CURLUPART_HOST, pool);
    const char *port = get_part(handle, CURLUPART_PORT, pool);

    if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        *reason = "begin with http:// or https://";
        return WF_EINVALID;
    }
    if (!host || !is_host(host)) {
        *reason = "have a host of letters, digits, \"-\", \"_\" and \".\", or an address";
        return WF_EINVALID;
    }
    /* A fragment is never sent, and a port that is the scheme's own need not be written. */
    curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
    url->is_secure = strcmp(scheme, "https") == 0;
    url->host = to_lower(host, pool);
    url->port = port ? atoi(port) : port_of(url->is_secure);
    url->origin = apr_psprintf(pool, "%s://%s:%d", scheme, url->host, url->port);
    url->path = get_part(handle, CURLUPART_PATH, pool);
    url->query = get_part(handle, CURLUPART_QUERY, pool);
    url->text = get_part(handle, CURLUPART_URL, pool);
    *reason = "be a URL";
    return url->path && url->text ? APR_SUCCESS : WF_EINVALID;
}

/* Sets a handle to `base`, unless it is NULL, and then to `text` as seen from there. */
static apr_status_t parse(wf_url_t *url, const char **reason, const char *base, const char *text,
                          apr_pool_t *pool)
{
    CURLU *handle = curl_url();
    CURLUcode code = CURLUE_OK;
    apr_status_t rv = WF_EINVALID;

    *reason = "be a URL";
    if (!handle) {
        abort();
    }
    if (base) {
        code = curl_url_set(handle, CURLUPART_URL, base, CURLU_DISALLOW_USER);
    }
    if (code == CURLUE_OK) {
        code = curl_url_set(handle, CURLUPART_URL, text,
                            CURLU_DISALLOW_USER | (base ? CURLU_URLENCODE : 0));
    }
    if (code == CURLUE_OK) {
        rv = take_apart(url, reason, handle, pool);
    } else if (code == CURLUE_USER_NOT_ALLOWED) {
        *reason = "have no user or password in it";
    } else if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME) {
        *reason = "begin with http:// or https://";
    }
    curl_url_cleanup(handle);
    return rv;
}

apr_status_t wf_url_parse(wf_url_t *url, const char **reason, const char *text, apr_pool_t *pool)
{
    return parse(url, reason, NULL, text, pool);
}

apr_status_t wf_url_resolve(wf_url_t *url, const wf_url_t *base, const char *reference,
                            apr_pool_t *pool)
{
    const char *reason;

    return parse(url, &reason, base->text, reference, pool);
}

int wf_url_is_same_origin(const wf_url_t *a, const wf_url_t *b)
{
    return strcmp(a->origin, b->origin) == 0;
}

apr_status_t wf_url_host_parse(wf_url_host_t *host, const char *text, apr_pool_t *pool)
{
    const char *reason;
    wf_url_t url;
    apr_status_t rv;

    if (strpbrk(text, "/?#\\")) {
        return WF_EINVALID;
    }
    rv = wf_url_parse(&url, &reason, apr_pstrcat(pool, "http://", text, "/", NULL), pool);
    if (rv == APR_SUCCESS) {
        host->host = url.host;
        /* Behind an IPv6 address's bracket, a colon begins a port. */
        host->port = strchr(text[0] == '[' ? strchr(text, ']') : text, ':') ? url.port : 0;
    }
    return rv;
}

int wf_url_is_allowed(const wf_url_t *url, const wf_url_t *home, const wf_url_host_t *hosts,
                      int count)
{
    int own_port = port_of(url->is_secure);

    if (home && strcmp(url->host, home->host) == 0 &&
        (url->port == home->port || url->port == own_port)) {
        return 1;
    }
    for (int i = 0; i < count; i++) {
        int port = hosts[i].port ? hosts[i].port : own_port;

        if (strcmp(url->host, hosts[i].host) == 0 && url->port == port) {
            return 1;
        }
    }
    return 0;
}

static void add_encoded(wf_buf_t *out, wf_slice_t text, const char *kept)
{
    static const char digits[] = "0123456789ABCDEF";

    for (apr_size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (is_in((char)c, kept)) {
            wf_buf_add_char(out, (char)c);
        } else {
            wf_buf_add_char(out, '%');
            wf_buf_add_char(out, digits[c >> 4]);
            wf_buf_add_char(out, digits[c & 15]);
        }
    }
}

void wf_url_add_value(wf_buf_t *out, wf_slice_t value)
{
    add_encoded(out, value, UNRESERVED);
}

/* Whether "%XX" stands at a place, so that its percent sign is one that somebody encoded with. */
static int is_encoded(wf_slice_t text, apr_size_t at)
{
    return text.data[at] == '%' && text.len - at > 2 && apr_isxdigit(text.data[at + 1]) &&
           apr_isxdigit(text.data[at + 2]);
}

void wf_url_add_path(wf_buf_t *out, wf_slice_t text)
{
    for (apr_size_t i = 0; i < text.len; i++) {
        add_encoded(out, wf_slice_of(text.data + i, 1),
                    is_encoded(text, i) ? "%" : UNRESERVED "!$&'()*+,;=:@/");
    }
}
