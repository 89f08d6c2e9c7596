/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keywords: which there are, what makes a rule of each, what checks it, and in which order. And
 * those that are not kept here, with what to write instead.
 */
#include <apr_strings.h>
#include "base/printable.h"
#include "flow/schema/check.h"
#include "flow/schema/explain.h"
#include "flow/schema/spec.h"

#define NUMBER WF_SCHEMA_TYPE(WF_JSON_NUMBER)
#define STRING WF_SCHEMA_TYPE(WF_JSON_STRING)
#define ARRAY  WF_SCHEMA_TYPE(WF_JSON_ARRAY)
#define OBJECT WF_SCHEMA_TYPE(WF_JSON_OBJECT)
#define ANY    WF_SCHEMA_ANY

/* A row whose functions are called after what they have in common. */
#define ROW(name, types, compile, check, explain)                                                  \
    {                                                                                              \
        name, types, wf_schema_compile_##compile, wf_schema_check_##check,                         \
            wf_schema_explain_##explain                                                            \
    }
/* One that makes no rule of its own. */
#define NOTE(name, compile)                                                                        \
    {                                                                                              \
        name, 0, wf_schema_compile_##compile, NULL, NULL                                           \
    }

/* What is told by the value alone comes first, what takes long last. */
static const wf_schema_keyword_t keywords[] = {
    ROW("type", ANY, type, type, type),
    ROW("enum", ANY, enum, enum, enum),
    ROW("const", ANY, value, const, enum),
    ROW("multipleOf", NUMBER, multiple, multiple, multiple),
    ROW("maximum", NUMBER, bound, maximum, bound),
    ROW("exclusiveMaximum", NUMBER, bound, exclusive_maximum, bound),
    ROW("minimum", NUMBER, bound, minimum, bound),
    ROW("exclusiveMinimum", NUMBER, bound, exclusive_minimum, bound),
    ROW("maxLength", STRING, count, most_characters, count),
    ROW("minLength", STRING, count, least_characters, count),
    ROW("pattern", STRING, pattern, pattern, pattern),
    ROW("maxItems", ARRAY, count, most, count),
    ROW("minItems", ARRAY, count, least, count),
    ROW("maxProperties", OBJECT, count, most, count),
    ROW("minProperties", OBJECT, count, least, count),
    ROW("propertyNames", OBJECT, names, names, inner),
    ROW("properties", OBJECT, members, members, inner),
    NOTE("patternProperties", members),
    NOTE("additionalProperties", members),
    /* What is missing behind what is there: of alternatives, a member says which is meant. */
    ROW("required", OBJECT, required, required, required),
    ROW("dependentRequired", OBJECT, dependent_required, dependent_required, dependent_required),
    ROW("items", ARRAY, elements, elements, inner),
    NOTE("prefixItems", elements),
    ROW("contains", ARRAY, contains, contains, contains),
    NOTE("maxContains", count),
    NOTE("minContains", count),
    ROW("uniqueItems", ARRAY, unique, unique, unique),
    ROW("$ref", ANY, reference, reference, inner),
    ROW("allOf", ANY, branches, all, inner),
    ROW("anyOf", ANY, branches, any, branches),
    ROW("oneOf", ANY, branches, one, branches),
    ROW("not", ANY, not, not, not ),
    ROW("if", ANY, condition, condition, inner),
    NOTE("then", part),
    NOTE("else", part),
    ROW("dependentSchemas", OBJECT, dependent_schemas, dependent_schemas, inner),
    /* Behind all others, for what they have looked at. */
    ROW("unevaluatedItems", ARRAY, unevaluated, unevaluated, inner),
    ROW("unevaluatedProperties", OBJECT, unevaluated, unevaluated, inner),
    NOTE("$defs", definitions),
    NOTE("definitions", definitions),
    NOTE("$schema", dialect),
    NOTE("$id", id),
    NOTE("$comment", annotation),
    NOTE("title", annotation),
    NOTE("description", annotation),
    NOTE("default", annotation),
    NOTE("examples", annotation),
    NOTE("deprecated", annotation),
    NOTE("readOnly", annotation),
    NOTE("writeOnly", annotation),
    NOTE("format", annotation),
    NOTE("contentEncoding", annotation),
    NOTE("contentMediaType", annotation),
    NOTE("contentSchema", annotation),
};

const wf_schema_keyword_t wf_schema_keyword_false = {"false", ANY, NULL, wf_schema_check_false,
                                                     wf_schema_explain_false};

const wf_schema_keyword_t *wf_schema_keyword_find(wf_slice_t name)
{
    for (apr_size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (wf_slice_is(name, keywords[i].name)) {
            return &keywords[i];
        }
    }
    return NULL;
}

/* What else people write, of other drafts and of OpenAPI. */
static const struct {
    const char *name;
    const char *refusal;
} refusals[] = {
    {"additionalItems", "is of former drafts: write \"items\", behind \"prefixItems\""},
    {"dependencies", "is of former drafts: write \"dependentRequired\" or \"dependentSchemas\""},
    {"id", "is of former drafts: write \"$id\", at the top of the schema"},
    {"divisibleBy", "is of former drafts: write \"multipleOf\""},
    {"extends", "is of former drafts: write \"allOf\""},
    {"disallow", "is of former drafts: write \"not\""},
    {"nullable", "is OpenAPI's: write \"null\" among the types of \"type\""},
    {"example", "is OpenAPI's: write \"examples\", an array"},
    {"discriminator", "is OpenAPI's: write \"oneOf\" with \"const\" alone"},
    {"$anchor", "is not supported: write a \"$ref\" that is a JSON pointer, \"#/$defs/…\""},
    {"$dynamicAnchor", "is not supported: write a \"$ref\" that is a JSON pointer"},
    {"$dynamicRef", "is not supported: write \"$ref\""},
    {"$recursiveAnchor", "is not supported: write \"$ref\": \"#\" where it is referred to"},
    {"$recursiveRef", "is not supported: write \"$ref\": \"#\""},
    {"$vocabulary", "is not supported: it is for the schemas of schemas"},
};

/* The keyword that is spelled like it but for capital letters; NULL where none is. */
static const char *find_likeness(wf_slice_t name, apr_pool_t *pool)
{
    const char *spelled = apr_pstrmemdup(pool, name.data, name.len);

    for (apr_size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcasecmp(spelled, keywords[i].name) == 0) {
            return keywords[i].name;
        }
    }
    return NULL;
}

const char *wf_schema_keyword_refusal(wf_slice_t name, apr_pool_t *pool)
{
    const char *likeness = find_likeness(name, pool);

    for (apr_size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (wf_slice_is(name, refusals[i].name)) {
            return refusals[i].refusal;
        }
    }
    return apr_pstrcat(pool, "is not a keyword of JSON Schema 2020-12",
                       likeness ? ": write \"" : "; names of your own begin with \"x-\"", likeness,
                       likeness ? "\"" : NULL, NULL);
}
