/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checked access to the members of a project file's objects.
 *
 * Each getter either gives a value of the right type within its bounds, or sets a result whose
 * detail is "JSON path: reason" (WF_EINVALID, WF_PROBLEM_INVALID_PROJECT); who loads the file puts
 * its name before that. Where an optional member is absent, APR_SUCCESS is returned and *out is
 * left as it is, so a caller sets the default first. JSON null is never a value.
 */
#ifndef WF_FLOW_CHECK_H
#define WF_FLOW_CHECK_H

#include <jansson.h>
#include <apr_time.h>
#include "base/result.h"
#include "flow/mapping.h"

typedef struct wf_reads_t wf_reads_t; /* flow/reads.h, as is the next */
struct wf_alias_t;

/* An object of the file, where it is, and where answers go. */
typedef struct wf_check_t {
    const json_t *object;
    const char *path;    /* JSON pointer (RFC 6901) of the object; "" is the whole file */
    wf_result_t *result; /* may be NULL */
    apr_pool_t *pool;    /* strings and templates are copied into it */
    wf_reads_t *reads;   /* collects what templates read; NULL: nobody wants to know */
    const struct wf_alias_t *aliases; /* what stands for a part of the body here */
} wf_check_t;

typedef enum { WF_OPTIONAL, WF_REQUIRED } wf_need_e;

/*
 * Sets an error at a place and returns WF_EINVALID. `member` is the member's name, may go deeper
 * ("command/0"), and is NULL for the object itself.
 */
apr_status_t wf_check_error(const wf_check_t *at, const char *member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Checks that the place is an object and that every member of it is in one of two NULL-terminated
 * lists; `more` may be NULL. The error names the unknown member and all allowed ones.
 */
apr_status_t wf_check_members(const wf_check_t *at, const char *const *allowed,
                              const char *const *more);

/* A string that is not empty, copied. */
apr_status_t wf_check_string(const char **out, const wf_check_t *at, const char *member,
                             wf_need_e need);

/*
 * A string that may name a variable (`@name` in an expression): letters, digits, "_" and "-", not
 * beginning with a digit or "-", and not "payload".
 */
apr_status_t wf_check_name(const char **out, const wf_check_t *at, const char *member,
                           wf_need_e need);

/* Whether a text is such a name, and the error for one that is not. */
int wf_check_is_name(const char *text);
apr_status_t wf_check_bad_name(const wf_check_t *at, const char *member, const char *text);

/* The row of a NULL-terminated list that a string member equals. */
apr_status_t wf_check_choice(int *out, const wf_check_t *at, const char *member, wf_need_e need,
                             const char *const *choices);

/* true or false, as 1 or 0. */
apr_status_t wf_check_bool(int *out, const wf_check_t *at, const char *member, wf_need_e need);

/* A whole number from least to most. */
apr_status_t wf_check_integer(apr_int64_t *out, const wf_check_t *at, const char *member,
                              wf_need_e need, apr_int64_t least, apr_int64_t most);

/* Greatest time in seconds that a project file may give: ten years. */
#define WF_CHECK_SECONDS_MOST 315360000

/*
 * Seconds, whole or with a fraction, more than 0 and at most WF_CHECK_SECONDS_MOST; given as
 * microseconds, at least 1.
 */
apr_status_t wf_check_seconds(apr_interval_time_t *out, const wf_check_t *at, const char *member,
                              wf_need_e need);

/* An array of at least one element, and an object; both borrowed from at->object. */
apr_status_t wf_check_array(const json_t **out, const wf_check_t *at, const char *member,
                            wf_need_e need);
apr_status_t wf_check_object(const json_t **out, const wf_check_t *at, const char *member,
                             wf_need_e need);

/* A string (it may be empty) as a template of the mapping language. */
apr_status_t wf_check_template(const wf_template_t **out, const wf_check_t *at, const char *member,
                               wf_need_e need);

/*
 * A string at hand (it may be empty), such as an array's element, as a template of the mapping
 * language. `member` is its place, for errors: "command/0".
 */
apr_status_t wf_check_template_value(wf_template_t **out, const wf_check_t *at, const char *member,
                                     const json_t *value);

#endif
