/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values with expressions in their strings. */
#include "flow/document.h"

#include <stdlib.h>
#include <apr_strings.h>

/* One value: a template, or text that never changes, or a container of others. */
struct wf_document_t {
    const wf_template_t *tmpl; /* a string with expressions */
    wf_slice_t constant;       /* JSON; where there is no template and no bracket */
    char bracket;              /* '{' or '['; 0: none */
    int count;
    const wf_document_t *const *items;
    const wf_slice_t *names; /* of an object's members, as JSON strings */
};

static apr_status_t check_value(const wf_document_t **document, const wf_check_t *at,
                                const char *member, const json_t *value);

/* A value without expressions, as its JSON text. */
static apr_status_t check_constant(wf_document_t *made, const wf_check_t *at, const char *member,
                                   const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    if (!text) {
        return wf_check_error(at, member, "cannot be written as JSON");
    }
    made->constant = wf_slice(apr_pstrdup(at->pool, text));
    free(text);
    return APR_SUCCESS;
}

static apr_status_t check_string(wf_document_t *made, const wf_check_t *at, const char *member,
                                 const json_t *value)
{
    wf_template_t *tmpl = NULL;
    apr_status_t status = wf_check_template_value(&tmpl, at, member, value);

    made->tmpl = tmpl;
    return status;
}

static apr_status_t check_array(wf_document_t *made, const wf_check_t *at, const char *member,
                                const json_t *value)
{
    const wf_document_t **items =
        apr_pcalloc(at->pool, json_array_size(value) * sizeof(*items) + 1);
    apr_status_t status = APR_SUCCESS;
    apr_size_t index;
    json_t *item;

    json_array_foreach((json_t *)value, index, item)
    {
        const char *place =
            apr_psprintf(at->pool, "%s/%" APR_SIZE_T_FMT, member ? member : "", index);

        status = check_value(&items[made->count++], at, place, item);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    made->bracket = '[';
    made->items = items;
    return status;
}

static wf_slice_t encode_name(const char *name, apr_pool_t *pool)
{
    wf_buf_t buf = {NULL, 0, 0};
    wf_slice_t encoded;

    wf_json_string_encode(&buf, wf_slice(name));
    encoded = wf_slice_dup(wf_buf_slice(&buf), pool);
    wf_buf_free(&buf);
    return encoded;
}

static apr_status_t check_object(wf_document_t *made, const wf_check_t *at, const char *member,
                                 const json_t *value)
{
    apr_size_t size = json_object_size(value);
    const wf_document_t **items = apr_pcalloc(at->pool, size * sizeof(*items) + 1);
    wf_slice_t *names = apr_pcalloc(at->pool, size * sizeof(*names) + 1);
    apr_status_t status = APR_SUCCESS;
    const char *name;
    json_t *item;

    json_object_foreach((json_t *)value, name, item)
    {
        const char *place =
            apr_pstrcat(at->pool, member ? member : "", member ? "/" : "", name, NULL);

        names[made->count] = encode_name(name, at->pool);
        status = check_value(&items[made->count++], at, place, item);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    made->bracket = '{';
    made->items = items;
    made->names = names;
    return status;
}

/* As deep as the file nests, which jansson bounds. */
static apr_status_t check_value(const wf_document_t **document, const wf_check_t *at,
                                const char *member, const json_t *value)
{
    wf_document_t *made = apr_pcalloc(at->pool, sizeof(*made));

    *document = made;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return check_string(made, at, member, value);
    case JSON_ARRAY:
        return check_array(made, at, member, value);
    case JSON_OBJECT:
        return check_object(made, at, member, value);
    default:
        return check_constant(made, at, member, value);
    }
}

apr_status_t wf_document_check(const wf_document_t **document, const wf_check_t *at,
                               const char *member, const json_t *value)
{
    return check_value(document, at, member, value);
}

static apr_status_t add_items(wf_buf_t *out, const wf_document_t *document, const wf_scope_t *scope,
                              wf_result_t *result, apr_pool_t *pool)
{
    apr_status_t status = APR_SUCCESS;

    wf_buf_add_char(out, document->bracket);
    for (int i = 0; i < document->count && status == APR_SUCCESS; i++) {
        if (i > 0) {
            wf_buf_add_char(out, ',');
        }
        if (document->names) {
            wf_buf_add_slice(out, document->names[i]);
            wf_buf_add_char(out, ':');
        }
        status = wf_document_json(out, document->items[i], scope, result, pool);
    }
    wf_buf_add_char(out, document->bracket == '{' ? '}' : ']');
    return status;
}

apr_status_t wf_document_json(wf_buf_t *out, const wf_document_t *document, const wf_scope_t *scope,
                              wf_result_t *result, apr_pool_t *pool)
{
    if (document->tmpl) {
        return wf_template_json(out, document->tmpl, scope, result);
    }
    if (document->bracket) {
        return add_items(out, document, scope, result, pool);
    }
    wf_buf_add_slice(out, document->constant);
    return APR_SUCCESS;
}
