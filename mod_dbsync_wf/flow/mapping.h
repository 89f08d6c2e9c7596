/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping language: strings with {{expressions}} in them.
 *
 *   template   = *( text / "{{" expression "}}" )
 *   expression = name / call / quoted
 *   call       = "VALUE" "(" quoted ")"             ; functions are matched without regard to case
 *   name       = 1*( letter / digit / "_" / "-" / "." / "~" / "/" / "@" / "$" / "#" / ":" )
 *   quoted     = DQUOTE *char DQUOTE / "'" *char "'"  ; a quote inside is written twice
 *
 * A name is a path as it stands; VALUE("…") takes one with any characters in it. A quoted text by
 * itself is that text, which is how braces are written: {{"{{"}} gives {{, and {{"}}"}} gives }}.
 * A }} that closes nothing is an error, so that a forgotten {{ is found. Letters are those of
 * ASCII and all characters beyond. White space around and between these parts is passed over.
 *
 *   path = [ root ] [ "/" step *( "/" step ) ]  /  step *( "/" step )
 *   root = "@payload"
 *   step = *( char / "~0" / "~1" )                  ; RFC 6901: ~1 is "/", ~0 is "~"
 *
 * "@payload" is the request body, which is also what a path without a root is looked up in; so a
 * leading "/" changes nothing, except that a member whose name begins with "@" needs it:
 * {{/@type}}. The path "" is the whole body. A step of digits (without leading zeros) picks an
 * array's element, counted from 0; in an object every step is a member's name, and of duplicate
 * members the last counts. A missing path is null.
 *
 * A template is parsed once, when the project is loaded, and belongs to the project's pool;
 * evaluating it changes nothing and may be done from any thread. The language has no loops and no
 * side effects.
 */
#ifndef WF_FLOW_MAPPING_H
#define WF_FLOW_MAPPING_H

#include <apr_time.h>
#include "base/json.h"
#include "base/result.h"
#include "flow/value.h"
#include "flow/variables.h"

typedef struct wf_template_t wf_template_t;

/* What paths are looked up in. */
typedef struct wf_scope_t {
    wf_slice_t payload;              /* the request body, checked JSON; empty counts as null */
    const wf_row_t *row;             /* what a bare path is looked up in; NULL: the payload */
    const wf_variables_t *variables; /* NULL: none */
    apr_time_t now;                  /* one moment for a whole action */
} wf_scope_t;

/*
 * Parses a template. The text is copied.
 * APR_SUCCESS, or WF_EINVALID with WF_PROBLEM_INVALID_PROJECT and a detail that names the column
 * (from 1, in characters), the expression and what was expected.
 */
apr_status_t wf_template_parse(wf_template_t **tmpl, wf_slice_t text, wf_result_t *result,
                               apr_pool_t *pool);

/* Whether the template's value depends on nothing: no expression but quoted texts. */
int wf_template_is_constant(const wf_template_t *tmpl);

/* The text that the template was parsed from. */
wf_slice_t wf_template_source(const wf_template_t *tmpl);

/*
 * Appends the value as JSON: a template that is one {{…}} alone keeps the type of what it
 * names; any other is a string.
 * APR_SUCCESS, or WF_EINVALID with WF_PROBLEM_MAPPING and a detail.
 */
apr_status_t wf_template_json(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result);

/* The value, whose bytes live in pool or in the scope. */
apr_status_t wf_template_value(wf_value_t *value, const wf_template_t *tmpl,
                               const wf_scope_t *scope, wf_result_t *result, apr_pool_t *pool);

/*
 * Appends the value as text: strings decoded, null as nothing, numbers and true and false as they
 * are spelled, arrays and objects as their JSON text.
 */
apr_status_t wf_template_text(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result);

#endif
