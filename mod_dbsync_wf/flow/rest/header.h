/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header fields of requests (RFC 9110, 5): what may be one, and lists of them in which a name, in
 * whatever case, is there once.
 */
#ifndef WF_FLOW_REST_HEADER_H
#define WF_FLOW_REST_HEADER_H

#include <apr_tables.h>
#include "base/slice.h"

typedef struct wf_header_t {
    const char *name;
    const char *value;
} wf_header_t;

/* Whether a text is a token (RFC 9110, 5.6.2), as a header's name must be. */
int wf_header_is_name(const char *name);

/*
 * What forbids a project file to set a header of that (valid) name, as a constant that goes on
 * behind "must": the client makes those of connections and framing itself. NULL where nothing does.
 */
const char *wf_header_forbidden(const char *name);

/* Whether a value is one line: no CR, LF or NUL, and no other control character but the tab. */
int wf_header_is_value(wf_slice_t value);

/* Sets a header in an array of wf_header_t, in place of one of that name. Copies nothing. */
void wf_header_set(apr_array_header_t *headers, const char *name, const char *value);

/* A header's value, or NULL. */
const char *wf_header_get(const apr_array_header_t *headers, const char *name);

#endif
