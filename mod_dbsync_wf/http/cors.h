/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of other origins that may use the API from a browser (the Fetch standard's CORS protocol):
 * those that DbsyncWfCorsOrigins names, letter for letter, and nobody where it is not there.
 *
 * A named origin's scripts may do whatever their user may, with the credentials that the browser
 * has of that user. What is not a script's doing, such as an image or a form, may no more than
 * before, whichever page it is on.
 */
#ifndef WF_HTTP_CORS_H
#define WF_HTTP_CORS_H

#include "http/config.h"

/*
 * Reads DbsyncWfCorsOrigins' arguments: origins as browsers spell them, or "none" alone. NULL, or
 * what is wrong and what to write instead.
 */
const char *wf_cors_parse(const apr_array_header_t **origins, cmd_parms *cmd, int argc,
                          char *const argv[]);

/*
 * Hook header_parser: puts the headers that let a named origin's page read the answer on it, on an
 * error as well; and answers the question that a browser sends ahead (a preflight), which comes
 * without credentials, so that it must be answered before anyone asks for them.
 */
int wf_cors_header_parser(request_rec *r);

/* Whether a browser says that a script of a named origin sends this, and not an image or a form. */
int wf_cors_is_script(const request_rec *r);

#endif
