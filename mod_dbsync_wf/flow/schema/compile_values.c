/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of keywords whose values are no schemas: numbers, texts, lists of names; and annotations.
 */
#include "flow/schema/spec.h"

static const char *const type_names[] = {"\"null\"",   "\"boolean\"", "\"boolean\"", "\"number\"",
                                         "\"string\"", "\"array\"",   "\"object\"",  "\"integer\""};

static wf_slice_t text_of(const wf_schema_compiler_t *compiler, const wf_spot_t *spot)
{
    return wf_outline_text(&compiler->schema->outline, spot);
}

static const wf_spot_t *next_of(const wf_schema_compiler_t *compiler, const wf_spot_t *parent,
                                const wf_spot_t *before)
{
    return wf_outline_next(&compiler->schema->outline, parent, before);
}

/* The set of types that a value names; 0 where it names none. */
static unsigned types_of(const wf_schema_compiler_t *compiler, const wf_spot_t *name)
{
    unsigned types = 0;

    for (unsigned i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
        if (name->type == WF_JSON_STRING &&
            wf_json_string_compare(text_of(compiler, name), wf_slice(type_names[i])) == 0) {
            types |= WF_SCHEMA_TYPE(i);
        }
    }
    return types;
}

apr_status_t wf_schema_compile_type(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                    const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_spot_t *name = value->type == WF_JSON_ARRAY ? NULL : value;
    unsigned types = 0;

    if (value->type == WF_JSON_ARRAY && value->count == 0) {
        return wf_schema_refuse(compiler, value, "must name one type at least");
    }
    while (name == value || (name = next_of(compiler, value, name)) != NULL) {
        unsigned more = types_of(compiler, name);

        if (!more || (types & more) == more) {
            return wf_schema_refuse(compiler, name,
                                    more ? "names a type for the second time"
                                         : "must be a type: \"null\", \"boolean\", \"number\", "
                                           "\"integer\", \"string\", \"array\" or \"object\"");
        }
        types |= more;
        if (name == value) {
            break;
        }
    }
    wf_schema_rule_add(compiler, node, keyword, value)->as.types = types;
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_enum(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                    const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    if (value->type != WF_JSON_ARRAY || value->count == 0) {
        return wf_schema_refuse(compiler, value, "must be an array of one value at least");
    }
    return wf_schema_compile_value(compiler, node, keyword, value);
}

apr_status_t wf_schema_compile_value(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                     const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_schema_rule_add(compiler, node, keyword, value);
    return APR_SUCCESS;
}

/* ---- numbers ---- */

apr_status_t wf_schema_compile_bound(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                     const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_decimal_t number;

    if (value->type == WF_JSON_TRUE || value->type == WF_JSON_FALSE) {
        return wf_schema_refuse(compiler, value,
                                "must be a number: the limit itself, not beside another keyword");
    }
    if (value->type != WF_JSON_NUMBER) {
        return wf_schema_refuse(compiler, value, "must be a number");
    }
    wf_decimal_parse_any(&number, text_of(compiler, value), compiler->pool);
    wf_schema_rule_add(compiler, node, keyword, value)->as.number = number;
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_multiple(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                        const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_decimal_t unit;

    if (value->type != WF_JSON_NUMBER) {
        return wf_schema_refuse(compiler, value, "must be a number");
    }
    wf_decimal_parse_any(&unit, text_of(compiler, value), compiler->pool);
    if (unit.count == 0 || unit.negative) {
        return wf_schema_refuse(compiler, value, "must be more than 0");
    }
    if (unit.count > WF_DECIMAL_UNIT) {
        return wf_schema_refuse(compiler, value, "must have %d digits at most", WF_DECIMAL_UNIT);
    }
    wf_schema_rule_add(compiler, node, keyword, value)->as.number = unit;
    return APR_SUCCESS;
}

/* A count as a C integer; what is beyond it is more than there can be of anything. */
static apr_uint64_t count_of(const wf_decimal_t *number)
{
    apr_uint64_t count = 0;

    for (apr_size_t i = 0; i < number->count + (apr_size_t)number->exponent; i++) {
        if (i == 18) {
            return APR_UINT64_MAX;
        }
        count = count * 10 + (i < number->count ? (apr_uint64_t)(number->digits[i] - '0') : 0);
    }
    return count;
}

apr_status_t wf_schema_count_get(apr_uint64_t *count, wf_schema_compiler_t *compiler,
                                 const wf_spot_t *value)
{
    wf_decimal_t number = {0, "", 0, -1};

    if (value->type == WF_JSON_NUMBER) {
        wf_decimal_parse_any(&number, text_of(compiler, value), compiler->pool);
    }
    if (number.exponent < 0 || number.negative) {
        return wf_schema_refuse(compiler, value, "must be an integer, and not less than 0");
    }
    *count = count_of(&number);
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_count(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                     const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    apr_uint64_t count;
    apr_status_t status = wf_schema_count_get(&count, compiler, value);

    if (status == APR_SUCCESS && keyword->check) {
        wf_schema_rule_add(compiler, node, keyword, value)->as.count = count;
    }
    return status;
}

/* ---- texts and names ---- */

apr_status_t wf_schema_pattern_get(const wf_schema_pattern_t **pattern,
                                   wf_schema_compiler_t *compiler, wf_slice_t string,
                                   const wf_spot_t *spot)
{
    const char *reason = NULL;
    wf_buf_t text = {0};
    apr_status_t status;

    wf_json_string_decode(&text, string);
    status = wf_schema_pattern_compile(pattern, wf_buf_slice(&text), &reason, compiler->pool);
    wf_buf_free(&text);
    return status == APR_SUCCESS ? status : wf_schema_refuse(compiler, spot, "%s", reason);
}

apr_status_t wf_schema_compile_pattern(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                       const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    const wf_schema_pattern_t *pattern;
    apr_status_t status;

    if (value->type != WF_JSON_STRING) {
        return wf_schema_refuse(compiler, value, "must be a string: a regular expression");
    }
    status = wf_schema_pattern_get(&pattern, compiler, text_of(compiler, value), value);
    if (status == APR_SUCCESS) {
        wf_schema_rule_add(compiler, node, keyword, value)->as.pattern = pattern;
    }
    return status;
}

/* APR_SUCCESS, or WF_EINVALID where a value is no array of strings. */
static apr_status_t check_names(wf_schema_compiler_t *compiler, const wf_spot_t *value)
{
    const wf_spot_t *name = NULL;

    if (value->type != WF_JSON_ARRAY) {
        return wf_schema_refuse(compiler, value, "must be an array of names");
    }
    while ((name = next_of(compiler, value, name)) != NULL) {
        if (name->type != WF_JSON_STRING) {
            return wf_schema_refuse(compiler, name, "must be a string: a name");
        }
    }
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_required(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                        const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    if (check_names(compiler, value) != APR_SUCCESS) {
        return WF_EINVALID;
    }
    return wf_schema_compile_value(compiler, node, keyword, value);
}

apr_status_t wf_schema_compile_dependent_required(wf_schema_compiler_t *compiler,
                                                  wf_schema_node_t *node,
                                                  const wf_schema_keyword_t *keyword,
                                                  const wf_spot_t *value)
{
    const wf_spot_t *names = NULL;

    if (value->type != WF_JSON_OBJECT) {
        return wf_schema_refuse(compiler, value, "must be an object of arrays of names");
    }
    while ((names = next_of(compiler, value, names)) != NULL) {
        if (check_names(compiler, names) != APR_SUCCESS) {
            return WF_EINVALID;
        }
    }
    return wf_schema_compile_value(compiler, node, keyword, value);
}

apr_status_t wf_schema_compile_unique(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                      const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    if (value->type != WF_JSON_TRUE && value->type != WF_JSON_FALSE) {
        return wf_schema_refuse(compiler, value, "must be true or false");
    }
    if (value->type == WF_JSON_TRUE) {
        wf_schema_rule_add(compiler, node, keyword, value);
    }
    return APR_SUCCESS;
}

/* ---- what checks nothing ---- */

apr_status_t wf_schema_compile_annotation(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                          const wf_schema_keyword_t *keyword,
                                          const wf_spot_t *value)
{
    (void)compiler;
    (void)node;
    (void)keyword;
    (void)value;
    return APR_SUCCESS;
}

/* Whether a URI is that of a draft whose rules are 2020-12's, or all but. */
static int is_dialect(wf_slice_t uri)
{
    static const char *const dialects[] = {"https://json-schema.org/draft/2020-12/schema",
                                           "https://json-schema.org/draft/2019-09/schema",
                                           "https://json-schema.org/draft-07/schema",
                                           "http://json-schema.org/draft-07/schema"};

    uri.len -= uri.len && uri.data[uri.len - 1] == '#';
    for (unsigned i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        if (wf_slice_is(uri, dialects[i])) {
            return 1;
        }
    }
    return 0;
}

apr_status_t wf_schema_compile_dialect(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                       const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    wf_buf_t uri = {0};
    int is;

    (void)keyword;
    if (node->spot->parent != WF_SPOT_NONE) {
        return wf_schema_refuse(compiler, value, "may stand at the top of the schema alone");
    }
    if (value->type == WF_JSON_STRING) {
        wf_json_string_decode(&uri, text_of(compiler, value));
    }
    is = is_dialect(wf_buf_slice(&uri));
    wf_buf_free(&uri);
    if (!is) {
        return wf_schema_refuse(compiler, value,
                                "must be \"https://json-schema.org/draft/2020-12/schema\", or "
                                "2019-09's or draft-07's");
    }
    return APR_SUCCESS;
}

apr_status_t wf_schema_compile_id(wf_schema_compiler_t *compiler, wf_schema_node_t *node,
                                  const wf_schema_keyword_t *keyword, const wf_spot_t *value)
{
    (void)keyword;
    if (node->spot->parent != WF_SPOT_NONE) {
        return wf_schema_refuse(compiler, value,
                                "may stand at the top of the schema alone: write a \"$ref\" that "
                                "is a JSON pointer");
    }
    if (value->type != WF_JSON_STRING) {
        return wf_schema_refuse(compiler, value, "must be a string");
    }
    return APR_SUCCESS;
}
