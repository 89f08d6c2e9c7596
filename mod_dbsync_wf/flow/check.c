/* SPDX-License-Identifier: Apache-2.0 */
/* Typed and bounded values out of a project file's objects, with errors that name the place. */
#include "flow/check.h"

#include <apr_strings.h>
#include "flow/reads.h"

apr_status_t wf_check_error(const wf_check_t *at, const char *member, const char *format, ...)
{
    const char *slash = member ? "/" : "";
    const char *colon = member || *at->path ? ": " : "";
    const char *reason;
    va_list list;

    va_start(list, format);
    reason = apr_pvsprintf(at->pool, format, list);
    va_end(list);
    return wf_result_set(at->result, WF_EINVALID, WF_PROBLEM_INVALID_PROJECT, "%s%s%s%s%s",
                         at->path, slash, member ? member : "", colon, reason);
}

static int is_listed(const char *name, const char *const *list)
{
    for (; list && *list; list++) {
        if (strcmp(name, *list) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Appends the names of a list to a text that names some already, or is empty. */
static const char *add_names(const char *text, const char *const *list, apr_pool_t *pool)
{
    for (; list && *list; list++) {
        text = apr_pstrcat(pool, text, *text ? ", " : "", *list, NULL);
    }
    return text;
}

apr_status_t wf_check_members(const wf_check_t *at, const char *const *allowed,
                              const char *const *more)
{
    /* jansson's iteration takes a json_t that is not const, and changes nothing. */
    json_t *object = (json_t *)at->object;

    if (!json_is_object(object)) {
        return wf_check_error(at, NULL, "must be an object");
    }
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *name = json_object_iter_key(i);

        if (!is_listed(name, allowed) && !is_listed(name, more)) {
            const char *names = add_names(add_names("", allowed, at->pool), more, at->pool);

            return wf_check_error(at, NULL, "there is no member \"%s\"; allowed are: %s", name,
                                  names);
        }
    }
    return APR_SUCCESS;
}

/*
 * Finds a member. APR_SUCCESS with *value NULL where it is absent and may be; an error where it
 * must be there.
 */
static apr_status_t find(const json_t **value, const wf_check_t *at, const char *member,
                         wf_need_e need)
{
    *value = json_object_get(at->object, member);
    if (!*value && need == WF_REQUIRED) {
        return wf_check_error(at, member, "is missing");
    }
    return APR_SUCCESS;
}

apr_status_t wf_check_string(const char **out, const wf_check_t *at, const char *member,
                             wf_need_e need)
{
    const json_t *value;
    apr_status_t status = find(&value, at, member, need);

    if (status != APR_SUCCESS || !value) {
        return status;
    }
    if (!json_is_string(value)) {
        return wf_check_error(at, member, "must be a string");
    }
    if (json_string_length(value) == 0) {
        return wf_check_error(at, member, "must not be empty");
    }
    *out = apr_pstrdup(at->pool, json_string_value(value));
    return APR_SUCCESS;
}

/* The characters of an expression's name that mean nothing there. */
int wf_check_is_name(const char *text)
{
    apr_size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-");

    return text[len] == '\0' && !strchr("0123456789-", text[0]) && strcmp(text, "payload") != 0;
}

apr_status_t wf_check_bad_name(const wf_check_t *at, const char *member, const char *text)
{
    return wf_check_error(at, member,
                          "\"%s\" is no name of a variable: letters, digits, underscore and "
                          "hyphen, beginning with a letter or underscore, and not \"payload\"",
                          text);
}

apr_status_t wf_check_name(const char **out, const wf_check_t *at, const char *member,
                           wf_need_e need)
{
    const char *text = NULL;
    apr_status_t status = wf_check_string(&text, at, member, need);

    if (status != APR_SUCCESS || !text) {
        return status;
    }
    if (!wf_check_is_name(text)) {
        return wf_check_bad_name(at, member, text);
    }
    *out = text;
    return APR_SUCCESS;
}

apr_status_t wf_check_choice(int *out, const wf_check_t *at, const char *member, wf_need_e need,
                             const char *const *choices)
{
    const char *text = NULL;
    apr_status_t status = wf_check_string(&text, at, member, need);

    if (status != APR_SUCCESS || !text) {
        return status;
    }
    for (int row = 0; choices[row]; row++) {
        if (strcmp(text, choices[row]) == 0) {
            *out = row;
            return APR_SUCCESS;
        }
    }
    return wf_check_error(at, member, "must be one of: %s", add_names("", choices, at->pool));
}

apr_status_t wf_check_bool(int *out, const wf_check_t *at, const char *member, wf_need_e need)
{
    const json_t *value;
    apr_status_t status = find(&value, at, member, need);

    if (status != APR_SUCCESS || !value) {
        return status;
    }
    if (!json_is_boolean(value)) {
        return wf_check_error(at, member, "must be true or false");
    }
    *out = json_is_true(value);
    return APR_SUCCESS;
}

apr_status_t wf_check_integer(apr_int64_t *out, const wf_check_t *at, const char *member,
                              wf_need_e need, apr_int64_t least, apr_int64_t most)
{
    const json_t *value;
    apr_status_t status = find(&value, at, member, need);

    if (status != APR_SUCCESS || !value) {
        return status;
    }
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most) {
        return wf_check_error(
            at, member, "must be a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
            least, most);
    }
    *out = json_integer_value(value);
    return APR_SUCCESS;
}

apr_status_t wf_check_seconds(apr_interval_time_t *out, const wf_check_t *at, const char *member,
                              wf_need_e need)
{
    const json_t *value;
    apr_status_t status = find(&value, at, member, need);
    double seconds;

    if (status != APR_SUCCESS || !value) {
        return status;
    }
    seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds > 0) || seconds > WF_CHECK_SECONDS_MOST) {
        return wf_check_error(at, member, "must be a number of seconds, more than 0 and at most %d",
                              WF_CHECK_SECONDS_MOST);
    }
    *out = (apr_interval_time_t)(seconds * APR_USEC_PER_SEC + 0.5);
    *out = *out > 0 ? *out : 1;
    return APR_SUCCESS;
}

apr_status_t wf_check_array(const json_t **out, const wf_check_t *at, const char *member,
                            wf_need_e need)
{
    const json_t *value;
    apr_status_t status = find(&value, at, member, need);

    if (status != APR_SUCCESS || !value) {
        return status;
    }
    if (!json_is_array(value)) {
        return wf_check_error(at, member, "must be an array");
    }
    if (json_array_size(value) == 0) {
        return wf_check_error(at, member, "must not be empty");
    }
    *out = value;
    return APR_SUCCESS;
}

apr_status_t wf_check_object(const json_t **out, const wf_check_t *at, const char *member,
                             wf_need_e need)
{
    const json_t *value;
    apr_status_t status = find(&value, at, member, need);

    if (status != APR_SUCCESS || !value) {
        return status;
    }
    if (!json_is_object(value)) {
        return wf_check_error(at, member, "must be an object");
    }
    *out = value;
    return APR_SUCCESS;
}

apr_status_t wf_check_template_value(wf_template_t **out, const wf_check_t *at, const char *member,
                                     const json_t *value)
{
    wf_slice_t text;
    wf_result_t cause;

    if (!json_is_string(value)) {
        return wf_check_error(at, member, "must be a string");
    }
    text = wf_slice_of(json_string_value(value), json_string_length(value));
    wf_result_init(&cause, at->pool);
    if (wf_template_parse(out, text, &cause, at->pool) != APR_SUCCESS) {
        return wf_check_error(at, member, "%s", cause.detail);
    }
    wf_reads_add(at, *out);
    return APR_SUCCESS;
}

apr_status_t wf_check_template(const wf_template_t **out, const wf_check_t *at, const char *member,
                               wf_need_e need)
{
    const json_t *value;
    wf_template_t *tmpl = NULL;
    apr_status_t status = find(&value, at, member, need);

    if (status == APR_SUCCESS && value) {
        status = wf_check_template_value(&tmpl, at, member, value);
        *out = tmpl;
    }
    return status;
}
