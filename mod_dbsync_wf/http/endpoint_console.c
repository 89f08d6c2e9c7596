/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /console/: the page for people, whose files the build makes bytes of.
 *
 * It runs tasks with its user's password, so nothing may get into it: only its own script and style
 * run, text never becomes markup (Trusted Types: there is no policy that could make it one), no
 * page may frame it or hold a reference to its window, and it asks nobody but this server.
 */
#include "http/endpoint.h"

#include <apr_strings.h>
#include "http/answer.h"

static const unsigned char page[] = {
#include "console/index.html.inc"
};
static const unsigned char style[] = {
#include "console/console.css.inc"
};
static const unsigned char script[] = {
#include "console/console.js.inc"
};
static const unsigned char icon[] = {
#include "console/icon.svg.inc"
};

static const struct {
    const char *type;
    const unsigned char *data;
    apr_size_t len;
} files[] = {
    [WF_CONSOLE_PAGE] = {"text/html; charset=utf-8", page, sizeof(page)},
    [WF_CONSOLE_STYLE] = {"text/css; charset=utf-8", style, sizeof(style)},
    [WF_CONSOLE_SCRIPT] = {"text/javascript; charset=utf-8", script, sizeof(script)},
    [WF_CONSOLE_ICON] = {"image/svg+xml", icon, sizeof(icon)},
};

static const struct {
    const char *name;
    const char *value;
} headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
     "require-trusted-types-for 'script'; trusted-types 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

apr_status_t wf_endpoint_console(wf_request_t *req, wf_result_t *result)
{
    request_rec *r = req->r;
    wf_console_e file = req->route.console;

    (void)result;
    if (file == WF_CONSOLE_SLASH) {
        return wf_answer_moved(req, apr_pstrcat(r->pool, req->base->uri, "/console/", NULL));
    }
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        apr_table_setn(r->headers_out, headers[i].name, headers[i].value);
    }
    return wf_answer_text_state(req, files[file].type,
                                wf_slice_of((const char *)files[file].data, files[file].len));
}
