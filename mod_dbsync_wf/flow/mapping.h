/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping language: strings with {{expressions}} in them. (README.md, "Mapping", has the
 * functions; this is the grammar and what values are.)
 *
 *   template   = *( text / "{{" expression "}}" )
 *   expression = and *( "OR" and )
 *   and        = not *( "AND" not )
 *   not        = comparison / "NOT" not
 *   comparison = sum [ ( "=" / "!=" / "<>" / "<" / "<=" / ">" / ">=" / [ "NOT" ] "LIKE" ) sum ]
 *   sum        = product *( ( "+" / "-" ) product )
 *   product    = primary *( ( "*" / "/" ) primary )
 *   primary    = name / call / search / quoted / number / "TRUE" / "FALSE" / "NULL" /
 *                [ "-" ] "(" expression ")"
 *   call       = function "(" [ expression *( "," expression ) ] ")"
 *   search     = "value" "of" ( name / quoted )
 *   name       = 1*( letter / digit / "_" / "-" / "." / "~" / "/" / "@" / "$" / "#" / ":" )
 *   quoted     = DQUOTE *char DQUOTE / "'" *char "'"  ; a quote inside is written twice
 *   number     = as JSON has it (RFC 8259, 6)
 *
 * A name is a path as it stands; VALUE("…") takes one with any characters in it. A quoted text by
 * itself is that text, which is how braces are written: {{"{{"}} gives {{, and {{"}}"}} gives }}.
 * A }} that closes nothing is an error, so that a forgotten {{ is found. Letters are those of
 * ASCII and all characters beyond. White space around and between these parts is passed over.
 * Words and the names of functions are taken in any case.
 *
 * Where a name could be something else:
 * - A name may contain "-" and "/"; so these are operators only where they stand alone behind a
 *   value: a - b, and not a-b, which is one name.
 * - A number is one where no character of a name follows it. Alone in the braces it is a path, so
 *   that {{0}} is the first element of an array.
 * - TRUE, FALSE and NULL are always the words; a member of that name is written /true. AND, OR and
 *   LIKE are words behind a value, NOT before one; VALUE is one before OF. NOT(…) is the function.
 *
 *   path = [ root ] [ "/" step *( "/" step ) ]  /  step *( "/" step )
 *   root = "@payload" / "@" variable
 *   step = *( char / "~0" / "~1" )                  ; RFC 6901: ~1 is "/", ~0 is "~"
 *
 * "@payload" is the request body. A path without a root is looked up there too, but inside a write
 * in the source row. A leading "/" changes nothing, except that a member whose name begins with "@"
 * needs it: {{/@type}}. The path "" is the whole body, or row. A step of digits (without leading
 * zeros) picks an array's element, counted from 0; in an object every step is a member's name, and
 * of duplicate members the last counts, as of columns. What is missing is null, variables included.
 *
 * "value of city" is the first member named city at any depth of what a path without a root is
 * looked up in, in the order of the text (a member comes before what is inside it); "value of
 * address/city" goes on from the first address. It may begin with a root.
 *
 * Values are null, true and false, numbers, texts, arrays and objects as their JSON, and bytes of a
 * database. Null, false, 0 and "" are false, all else is true. A text is a number wherever one is
 * needed, if it spells one; what is longer than 10,000 bytes spells none. Arithmetic is exact
 * (flow/decimal.h), and what it gives is spelled without an exponent and without needless zeros; a
 * quotient is rounded to 34 significant digits, or as many as the dividend has. Two values compare
 * as numbers where one of them is a number and the other is one too, or a text that spells one (1.0
 * = 1.00, and "007" = 7); otherwise by the bytes of their text. Null is equal to null alone, and
 * neither less nor more than anything. LIKE takes % for any characters and _ for one, and tells
 * upper from lower case; \% and \_ are the characters themselves.
 *
 * A template is parsed once, when the project is loaded, and belongs to the project's pool;
 * evaluating it changes nothing and may be done from any thread. The language has no loops and no
 * side effects; nesting is bounded, and so is what an evaluation builds.
 */
#ifndef WF_FLOW_MAPPING_H
#define WF_FLOW_MAPPING_H

#include <apr_time.h>
#include "base/json.h"
#include "base/result.h"
#include "flow/value.h"
#include "flow/variables.h"

typedef struct wf_template_t wf_template_t;

/* What an expression is evaluated in. Everything is borrowed; what is not set is none. */
typedef struct wf_scope_t {
    wf_slice_t payload;              /* the request body, checked JSON; empty counts as null */
    const wf_row_t *row;             /* the source row inside a write; NULL outside */
    const wf_variables_t *variables; /* and tables; NULL: none */
    apr_time_t now;                  /* what NOW() is: one moment for a whole action */
} wf_scope_t;

/* What an evaluation may build, in bytes; more is an error. */
#define WF_MAPPING_ROOM (64 << 20)

/*
 * Parses a template. The text is copied.
 * APR_SUCCESS, or WF_EINVALID with WF_PROBLEM_INVALID_PROJECT and a detail that names the column
 * (from 1, in characters), the expression and what was expected.
 */
apr_status_t wf_template_parse(wf_template_t **tmpl, wf_slice_t text, wf_result_t *result,
                               apr_pool_t *pool);

/* Whether the template's value depends on nothing: no expression but texts, numbers, words. */
int wf_template_is_constant(const wf_template_t *tmpl);

/* Whether the template is one path alone. */
int wf_template_is_path(const wf_template_t *tmpl);

/* The text that the template was parsed from. */
wf_slice_t wf_template_source(const wf_template_t *tmpl);

/*
 * The short way of a template that only names a column: where it is one path of one step and
 * without a root, the index of that column among `count` names; otherwise, or where there is no
 * such column, -1.
 */
int wf_template_column(const wf_template_t *tmpl, const wf_slice_t *names, int count);

/* What a template reads. */
typedef enum {
    WF_READ_PATH,     /* a path without a root */
    WF_READ_PAYLOAD,  /* one with the root @payload */
    WF_READ_VARIABLE, /* one in a variable */
    WF_READ_TABLE     /* a look-up table in memory */
} wf_read_kind_e;

typedef struct wf_read_t {
    wf_read_kind_e kind;
    wf_slice_t name;  /* of the variable or the table; empty otherwise */
    wf_slice_t path;  /* the steps as they are spelled, "address/city"; empty: the whole */
    int at_any_depth; /* whether the path is that of a "value of" */
} wf_read_t;

typedef void wf_reads_f(void *baton, const wf_read_t *read);

/* Calls back for each place that a template reads, in the order of the text, repetitions too. */
void wf_template_reads(const wf_template_t *tmpl, wf_reads_f *reads, void *baton);

/*
 * Gives the value: a template that is one {{…}} alone keeps the type of what it names or computes;
 * any other is a text, its expressions interpolated as wf_value_text has them. The bytes are in the
 * scope, the template or `pool`, which is scratch: the caller clears it when it is done with the
 * value, once for each row.
 * APR_SUCCESS, or WF_EINVALID with WF_PROBLEM_MAPPING and a detail that names the expression and
 * what is wrong, with 20 characters of a value at most. result may be NULL.
 */
apr_status_t wf_template_value(wf_value_t *value, const wf_template_t *tmpl,
                               const wf_scope_t *scope, wf_result_t *result, apr_pool_t *pool);

/*
 * Appends the value as JSON; what a path alone names in a JSON text as it is spelled there, byte
 * for byte. APR_SUCCESS, or what wf_template_value gives; then nothing is appended.
 */
apr_status_t wf_template_json(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result);

/*
 * Appends the value as text: strings decoded, null as nothing, numbers and true and false as they
 * are spelled, arrays and objects as their JSON text, bytes in base64. Statuses as above.
 */
apr_status_t wf_template_text(wf_buf_t *out, const wf_template_t *tmpl, const wf_scope_t *scope,
                              wf_result_t *result);

#endif
