/* SPDX-License-Identifier: Apache-2.0 */
/* Path templates: own text and expressions apart, and the URL that they make. */
#include "flow/rest/path.h"

#include <strings.h>
#include <apr_strings.h>
#include <apr_tables.h>

/* Own text, or an expression. */
typedef struct part_t {
    wf_slice_t text;
    wf_template_t *expression; /* NULL: own text */
} part_t;

struct wf_rest_path_t {
    const wf_url_t *host;
    int count;
    const part_t *parts;
};

/*
 * Where the expression that begins at `at` ends, behind its braces. Braces in a quoted text end
 * nothing; a quote in one is written twice, which leaves and enters it again.
 */
static const char *find_end(const char *at, const char *end)
{
    char quote = '\0';

    for (at += 2; end - at > 1; at++) {
        if (quote) {
            quote = *at == quote ? '\0' : quote;
        } else if (*at == '"' || *at == '\'') {
            quote = *at;
        } else if (at[0] == '}' && at[1] == '}') {
            return at + 2;
        }
    }
    return end;
}

static const char *find_start(const char *at, const char *end)
{
    while (at < end && !(end - at > 1 && at[0] == '{' && at[1] == '{')) {
        at++;
    }
    return at;
}

/* Splits a template that is known to be well-formed. */
static apr_status_t split(apr_array_header_t *parts, wf_slice_t text, const wf_check_t *at)
{
    const char *end = text.data + text.len;
    apr_status_t rv = APR_SUCCESS;

    for (const char *from = text.data, *to; from < end && rv == APR_SUCCESS; from = to) {
        part_t *part = apr_array_push(parts);

        to = find_start(from, end);
        part->expression = NULL;
        if (to == from) {
            to = find_end(from, end);
            rv = wf_template_parse(&part->expression, wf_slice_of(from, (apr_size_t)(to - from)),
                                   at->result, at->pool);
        }
        part->text = wf_slice_of(from, (apr_size_t)(to - from));
    }
    return rv;
}

static int begins_with(wf_slice_t text, const char *start)
{
    apr_size_t len = strlen(start);

    return text.len >= len && memcmp(text.data, start, len) == 0;
}

/* Takes "https://host:port" off the first part's own text. */
static apr_status_t take_host(wf_rest_path_t *path, part_t *first, const wf_check_t *at,
                              const char *member)
{
    const char *authority = strstr(first->text.data, "://") + 3;
    const char *end = first->text.data + first->text.len;
    const char *slash = memchr(authority, '/', (apr_size_t)(end - authority));
    wf_url_t *url = apr_pcalloc(at->pool, sizeof(*url));
    const char *reason;
    apr_status_t rv;

    if (!slash && path->count > 1) {
        return wf_check_error(at, member,
                              "must have a host without expressions, and a / behind it");
    }
    slash = slash ? slash : end;
    if (memchr(authority, '?', (apr_size_t)(slash - authority)) ||
        memchr(authority, '#', (apr_size_t)(slash - authority))) {
        return wf_check_error(at, member, "must have a / behind its host");
    }
    rv = wf_url_parse(
        url, &reason,
        apr_pstrmemdup(at->pool, first->text.data, (apr_size_t)(slash - first->text.data)),
        at->pool);
    if (rv != APR_SUCCESS) {
        return wf_check_error(at, member, "must %s", reason);
    }
    path->host = url;
    first->text = wf_slice_of(slash, (apr_size_t)(end - slash));
    return APR_SUCCESS;
}

/* Own text is where a "?" could only be a mistake. */
static apr_status_t check_parts(const part_t *parts, int count, const wf_check_t *at,
                                const char *member)
{
    for (int i = 0; i < count; i++) {
        wf_slice_t text = parts[i].text;

        if (!parts[i].expression &&
            (memchr(text.data, '?', text.len) || memchr(text.data, '#', text.len))) {
            return wf_check_error(at, member,
                                  "must not hold ? or #; what follows them stands in \"query\"");
        }
    }
    return APR_SUCCESS;
}

apr_status_t wf_rest_path_check(const wf_rest_path_t **out, const wf_check_t *at,
                                const char *member)
{
    wf_rest_path_t *path = apr_pcalloc(at->pool, sizeof(*path));
    apr_array_header_t *parts = apr_array_make(at->pool, 4, sizeof(part_t));
    const json_t *value = json_object_get(at->object, member);
    wf_template_t *whole = NULL;
    apr_status_t rv;
    part_t *first;

    *out = path;
    if (!value) {
        return APR_SUCCESS;
    }
    rv = wf_check_template_value(&whole, at, member, value);
    if (rv == APR_SUCCESS) {
        rv = split(parts, wf_template_source(whole), at);
    }
    path->count = parts->nelts;
    path->parts = first = (part_t *)parts->elts;
    if (rv != APR_SUCCESS || path->count == 0) {
        return rv;
    }
    if (!first->expression &&
        (begins_with(first->text, "http://") || begins_with(first->text, "https://"))) {
        rv = take_host(path, first, at, member);
    } else if (first->expression || first->text.data[0] != '/') {
        return wf_check_error(at, member, "must begin with /, http:// or https://");
    }
    return rv == APR_SUCCESS ? check_parts(first, path->count, at, member) : rv;
}

const wf_url_t *wf_rest_path_host(const wf_rest_path_t *path)
{
    return path->host;
}

/*
 * Whether a segment is nothing, "." or "..", also where own text has encoded a dot: what would make
 * it another path (RFC 3986, 5.2.4).
 */
static int is_no_segment(wf_slice_t segment)
{
    int dots = 0;

    for (apr_size_t i = 0; i < segment.len; dots++) {
        int is_encoded = segment.len - i > 2 && strncasecmp(segment.data + i, "%2e", 3) == 0;

        if (!is_encoded && segment.data[i] != '.') {
            return 0;
        }
        i += is_encoded ? 3 : 1;
    }
    return dots <= 2;
}

/* Where the next slash of a part's own text stands; its end where there is none. */
static apr_size_t find_slash(wf_slice_t text, apr_size_t from)
{
    while (from < text.len && text.data[from] != '/') {
        from++;
    }
    return from;
}

/* What is appended to, and the segment that has been begun there. */
typedef struct builder_t {
    wf_buf_t *out;
    apr_size_t segment; /* where it begins in out */
    int has_data;       /* whether an expression is in it */
} builder_t;

/* Whether the segment may end here. */
static int may_end(const builder_t *builder)
{
    wf_slice_t all = wf_buf_slice(builder->out);

    return !builder->has_data ||
           !is_no_segment(wf_slice_of(all.data + builder->segment, all.len - builder->segment));
}

/* Appends own text, in which segments end and begin. */
static int add_text(builder_t *builder, wf_slice_t text)
{
    apr_size_t from = 0;

    while (from < text.len) {
        apr_size_t slash = find_slash(text, from);

        wf_url_add_path(builder->out, wf_slice_of(text.data + from, slash - from));
        if (slash < text.len) {
            if (!may_end(builder)) {
                return 0;
            }
            wf_buf_add_char(builder->out, '/');
            builder->segment = builder->out->len;
            builder->has_data = 0;
            slash++;
        }
        from = slash;
    }
    return 1;
}

static apr_status_t add_expression(builder_t *builder, const part_t *part, const wf_scope_t *scope,
                                   wf_result_t *result)
{
    wf_buf_t value = {NULL, 0, 0};
    apr_status_t rv = wf_template_text(&value, part->expression, scope, result);

    wf_url_add_value(builder->out, wf_buf_slice(&value));
    wf_buf_free(&value);
    builder->has_data = 1;
    return rv;
}

/* The connector's URL without the slash at its end, which the path brings. */
static void add_home(wf_buf_t *out, const wf_rest_path_t *path, const wf_url_t *home)
{
    apr_size_t len = strlen(home->path);

    wf_buf_add_text(out, path->host ? path->host->origin : home->origin);
    if (!path->host) {
        len -= path->count > 0 && home->path[len - 1] == '/';
        wf_buf_add(out, home->path, len);
    }
}

apr_status_t wf_rest_path_url(wf_buf_t *out, const wf_rest_path_t *path, const wf_url_t *home,
                              const wf_scope_t *scope, const char *action, wf_result_t *result)
{
    builder_t builder = {.out = out};
    apr_status_t rv = APR_SUCCESS;
    int is_sound = 1;

    add_home(out, path, home);
    builder.segment = out->len;
    for (int i = 0; i < path->count && rv == APR_SUCCESS && is_sound; i++) {
        if (path->parts[i].expression) {
            rv = add_expression(&builder, &path->parts[i], scope, result);
        } else {
            is_sound = add_text(&builder, path->parts[i].text);
        }
    }
    if (rv == APR_SUCCESS && !(is_sound && may_end(&builder))) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_MAPPING,
                             "the path of action \"%s\" would have a segment that is empty, \".\" "
                             "or \"..\", where an expression stands",
                             action);
    }
    return rv;
}
