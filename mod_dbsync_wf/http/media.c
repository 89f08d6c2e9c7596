/* SPDX-License-Identifier: Apache-2.0 */
/* Media types. */
#include "http/media.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include "base/slice.h"

/* A token of RFC 9110, 5.6.2, off the front of *at; empty where there is none. */
static wf_slice_t take_token(const char **at)
{
    const char *start = *at;

    while (**at != '\0' && (apr_isalnum(**at) || strchr("!#$%&'*+-.^_`|~", **at))) {
        (*at)++;
    }
    return wf_slice_of(start, (apr_size_t)(*at - start));
}

static void skip_space(const char **at)
{
    while (**at == ' ' || **at == '\t') {
        (*at)++;
    }
}

static int is_ignoring_case(wf_slice_t slice, const char *text)
{
    return slice.len == strlen(text) && strncasecmp(slice.data, text, slice.len) == 0;
}

/* A parameter's value, without its quotes; whether it is well-formed. */
static int take_value(wf_slice_t *value, const char **at)
{
    const char *start = *at + 1;

    if (**at != '"') {
        *value = take_token(at);
        return value->len > 0;
    }
    for ((*at)++; **at != '"'; (*at)++) {
        if (**at == '\\') {
            (*at)++;
        }
        if (**at == '\0') {
            return 0;
        }
    }
    *value = wf_slice_of(start, (apr_size_t)(*at - start));
    (*at)++;
    return 1;
}

/* Whether what follows the type is well-formed and names no charset but UTF-8. */
static int check_parameters(const char *at)
{
    wf_slice_t name, value;

    for (skip_space(&at); *at == ';'; skip_space(&at)) {
        at++;
        skip_space(&at);
        name = take_token(&at);
        if (name.len == 0) {
            continue; /* RFC 9110, 5.6.6: a parameter may be empty */
        }
        if (*at++ != '=' || !take_value(&value, &at)) {
            return 0;
        }
        if (is_ignoring_case(name, "charset") && !is_ignoring_case(value, "utf-8")) {
            return 0;
        }
    }
    return *at == '\0';
}

int wf_media_is_json(const char *type)
{
    const char *at = type ? type : "";
    wf_slice_t main_type, subtype, tail;

    skip_space(&at);
    main_type = take_token(&at);
    if (!is_ignoring_case(main_type, "application") || *at++ != '/') {
        return 0;
    }
    subtype = take_token(&at);
    if (!is_ignoring_case(subtype, "json")) {
        if (subtype.len < sizeof("+json")) {
            return 0;
        }
        tail = wf_slice_of(subtype.data + subtype.len - strlen("+json"), strlen("+json"));
        if (!is_ignoring_case(tail, "+json")) {
            return 0;
        }
    }
    return check_parameters(at);
}
