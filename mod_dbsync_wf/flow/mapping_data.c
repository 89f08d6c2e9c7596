/* SPDX-License-Identifier: Apache-2.0 */
/* Values out of data: VALUE, look-up tables, JSON, arrays. And the list of all functions. */
#include "flow/mapping_function.h"

#include <strings.h>
#include <apr_strings.h>

#define DEPTH_MOST 512 /* of FROMJSON, as of a request's body */

/* ---- tables in memory ---- */

static const char *check_table(const wf_node_t *const *arguments, int count, apr_pool_t *pool)
{
    (void)count;
    (void)pool;
    return arguments[0]->kind == WF_NODE_CONSTANT && arguments[0]->value.kind == WF_VALUE_TEXT
               ? NULL
               : "the table's name is written in quotes";
}

/* The row, as JSON; null where there is none, or no key. */
static apr_status_t find_row(wf_slice_t *row, wf_eval_t *eval, const wf_value_t *arguments)
{
    wf_slice_t key;
    apr_status_t rv = wf_eval_text(&key, eval, arguments[1]);

    *row = wf_slice("null");
    if (rv == APR_SUCCESS && arguments[1].kind != WF_VALUE_NULL && eval->scope->variables) {
        /* No such row leaves null. */
        wf_memtable_find(row, eval->scope->variables, arguments[0].text, key);
    }
    return rv;
}

static apr_status_t call_memtable(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    wf_slice_t row;
    apr_status_t rv = find_row(&row, eval, arguments);

    (void)count;
    return rv == APR_SUCCESS ? wf_eval_json(value, eval, row) : rv;
}

static apr_status_t call_memlookup(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                   int count)
{
    wf_slice_t row, name, column;
    apr_status_t rv = find_row(&row, eval, arguments);

    if (rv == APR_SUCCESS) {
        rv = wf_eval_text(&name, eval, arguments[2]);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *value = wf_value_null();
    if (wf_json_member(&column, row, name) == APR_SUCCESS) {
        rv = wf_eval_json(value, eval, column);
    }
    if (rv == APR_SUCCESS && value->kind == WF_VALUE_NULL && count > 3) {
        *value = arguments[3];
    }
    return rv;
}

/* ---- JSON ---- */

static apr_status_t call_json(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                              int count)
{
    wf_buf_t json = {NULL, 0, 0};

    (void)count;
    wf_value_json(&json, arguments[0]);
    return wf_eval_keep(value, eval, WF_VALUE_TEXT, &json);
}

static apr_status_t call_fromjson(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                                  int count)
{
    wf_json_error_t error;
    wf_slice_t text;
    apr_status_t rv = wf_eval_text(&text, eval, arguments[0]);

    (void)count;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (arguments[0].kind == WF_VALUE_NULL) {
        *value = wf_value_null();
        return APR_SUCCESS;
    }
    if (wf_json_check(text, DEPTH_MOST, &error) != APR_SUCCESS) {
        return wf_eval_fail(eval, "FROMJSON needs JSON; line %lu, column %lu: %s",
                            (unsigned long)error.line, (unsigned long)error.column, error.reason);
    }
    return wf_eval_json(value, eval, text);
}

static apr_status_t call_count(wf_value_t *value, wf_eval_t *eval, const wf_value_t *arguments,
                               int count)
{
    wf_slice_t array = arguments[0].text;
    apr_size_t elements = 0;

    (void)count;
    if (arguments[0].kind != WF_VALUE_NULL) {
        if (arguments[0].kind != WF_VALUE_JSON || wf_json_type(array) != WF_JSON_ARRAY) {
            return wf_eval_refuse(eval, "an array", arguments[0]);
        }
        elements = wf_json_count(array);
    }
    value->kind = WF_VALUE_NUMBER;
    value->text = wf_slice(apr_psprintf(eval->pool, "%" APR_SIZE_T_FMT, elements));
    return APR_SUCCESS;
}

/* clang-format off */
/* VALUE has no function to call: the parser makes a path of it. */
const wf_function_t wf_data_functions[] = {
    {"VALUE", "VALUE(\"path\"[, default])", 1, 2, NULL, NULL, NULL},
    {"MEMLOOKUP", "MEMLOOKUP(\"table\", key, \"column\"[, default])", 3, 4, call_memlookup, NULL,
     check_table},
    {"MEMTABLE", "MEMTABLE(\"table\", key)", 2, 2, call_memtable, NULL, check_table},
    {"JSON", "JSON(value)", 1, 1, call_json, NULL, NULL},
    {"FROMJSON", "FROMJSON(text)", 1, 1, call_fromjson, NULL, NULL},
    {"COUNT", "COUNT(array)", 1, 1, call_count, NULL, NULL},
    {NULL, NULL, 0, 0, NULL, NULL, NULL},
};
/* clang-format on */

/* ---- all functions ---- */

static const wf_function_t *const tables[] = {wf_data_functions,   wf_logic_functions,
                                              wf_text_functions,   wf_letter_functions,
                                              wf_number_functions, wf_date_functions};

#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

const wf_function_t *wf_function_find(wf_slice_t name)
{
    for (apr_size_t i = 0; i < TABLE_COUNT; i++) {
        for (const wf_function_t *row = tables[i]; row->name; row++) {
            if (strlen(row->name) == name.len && strncasecmp(row->name, name.data, name.len) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

const char *wf_function_names(apr_pool_t *pool)
{
    const char *list = "";

    for (apr_size_t i = 0; i < TABLE_COUNT; i++) {
        for (const wf_function_t *row = tables[i]; row->name; row++) {
            list = apr_pstrcat(pool, list, *list ? ", " : "", row->name, NULL);
        }
    }
    return list;
}
