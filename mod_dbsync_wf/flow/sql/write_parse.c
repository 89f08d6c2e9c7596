/* SPDX-License-Identifier: Apache-2.0 */
/* What a project's file says of a write. */
#include "flow/sql/write.h"

#include <apr_strings.h>
#include "flow/reads.h"

#define COLUMNS_MOST 1000
#define SKIP_MOST    1000000000

const char *const wf_write_members[] = {
    "connector", "object",      "operation", "key",       "map",         "from", "source",
    "batch",     "onFailedRow", "onSuccess", "onFailure", "incremental", NULL};

static const char *const operations[] = {[WF_WRITE_INSERT] = "insert",
                                         [WF_WRITE_UPDATE] = "update",
                                         [WF_WRITE_UPSERT] = "upsert",
                                         [WF_WRITE_DELETE] = "delete",
                                         NULL};

/* The place of a member that is an object, with its members checked; object NULL: it is absent. */
static apr_status_t enter(wf_check_t *place, const wf_check_t *at, const char *member,
                          const char *const *allowed)
{
    apr_status_t rv;

    *place = *at;
    place->object = NULL;
    rv = wf_check_object(&place->object, at, member, WF_OPTIONAL);
    place->path = apr_pstrcat(at->pool, at->path, "/", member, NULL);
    return rv == APR_SUCCESS && place->object ? wf_check_members(place, allowed, NULL) : rv;
}

/* ---- columns ---- */

static int find_mapped(const wf_write_spec_t *spec, const char *name)
{
    for (int i = 0; i < spec->column_count; i++) {
        if (strcmp(spec->columns[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static apr_status_t parse_map(wf_write_spec_t *spec, const wf_check_t *at)
{
    const json_t *map = NULL;
    wf_mapped_t *columns;
    const char *name;
    json_t *value;
    apr_status_t rv = wf_check_object(&map, at, "map", WF_REQUIRED);
    apr_size_t count = json_object_size(map);

    if (rv == APR_SUCCESS && (count == 0 || count > COLUMNS_MOST)) {
        rv = wf_check_error(at, "map", "must have 1 to %d columns", COLUMNS_MOST);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    columns = apr_pcalloc(at->pool, count * sizeof(*columns));
    spec->columns = columns;
    json_object_foreach((json_t *)map, name, value)
    {
        wf_mapped_t *column = &columns[spec->column_count++];

        column->name = apr_pstrdup(at->pool, name);
        rv = wf_expr_check(&column->expr, at, apr_pstrcat(at->pool, "map/", name, NULL), value);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t parse_key(wf_write_spec_t *spec, const wf_check_t *at)
{
    const json_t *array = NULL;
    apr_size_t i;
    json_t *value;
    apr_status_t rv = wf_check_array(
        &array, at, "key", spec->operation == WF_WRITE_INSERT ? WF_OPTIONAL : WF_REQUIRED);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    json_array_foreach(array, i, value)
    {
        const char *member = apr_psprintf(at->pool, "key/%" APR_SIZE_T_FMT, i);
        const char *name = json_string_value(value);
        int column = name ? find_mapped(spec, name) : -1;

        if (!name) {
            return wf_check_error(at, member, "must be a string");
        }
        if (column < 0) {
            return wf_check_error(at, member, "\"map\" has no column \"%s\"", name);
        }
        ((wf_mapped_t *)spec->columns)[column].is_key = 1;
    }
    return APR_SUCCESS;
}

static apr_status_t check_columns(const wf_write_spec_t *spec, const wf_check_t *at)
{
    int others = 0;

    for (int i = 0; i < spec->column_count; i++) {
        others += !spec->columns[i].is_key;
    }
    if (spec->operation == WF_WRITE_UPDATE && others == 0) {
        return wf_check_error(at, "map", "must have a column that is not in \"key\"");
    }
    if (spec->operation == WF_WRITE_DELETE && others > 0) {
        return wf_check_error(at, "map", "must have the columns in \"key\" alone");
    }
    return APR_SUCCESS;
}

/* ---- source ---- */

static apr_status_t parse_source(wf_write_spec_t *spec, const wf_check_t *at,
                                 const wf_loader_t *loader)
{
    static const char *const allowed[] = {"connector", "sql", "params", NULL};
    static const char *const incremental[] = {"field", NULL};
    const wf_sql_dialect_t *dialect = NULL;
    wf_check_t place, field;
    apr_status_t rv = enter(&place, at, "source", allowed);

    if (rv == APR_SUCCESS) {
        rv = enter(&field, at, "incremental", incremental);
    }
    if (rv == APR_SUCCESS && field.object) {
        rv = wf_check_string(&spec->field, &field, "field", WF_REQUIRED);
    }
    if (rv == APR_SUCCESS && spec->field && !place.object) {
        rv = wf_check_error(at, "incremental", "needs a \"source\"");
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_template(&spec->from, at, "from", WF_OPTIONAL);
    }
    if (rv == APR_SUCCESS && spec->from && place.object) {
        rv = wf_check_error(at, "from", "cannot be there beside \"source\"");
    }
    if (rv != APR_SUCCESS || !place.object) {
        return rv;
    }
    rv = wf_sql_connector_check(&spec->source, &dialect, &place, loader, "connector");
    return rv == APR_SUCCESS
               ? wf_call_check(&spec->source_call, &place, dialect, spec->field ? "last" : NULL)
               : rv;
}

/* ---- failures and hooks ---- */

/* "stop", or {"skip": N}. */
static apr_status_t parse_failed_row(wf_write_spec_t *spec, const wf_check_t *at)
{
    static const char *const allowed[] = {"skip", NULL};
    const json_t *value = json_object_get(at->object, "onFailedRow");
    const char *text = json_string_value(value);
    wf_check_t place;
    apr_status_t rv;

    if (!value || (text && strcmp(text, "stop") == 0)) {
        return APR_SUCCESS;
    }
    if (!json_is_object(value)) {
        return wf_check_error(at, "onFailedRow", "must be \"stop\" or {\"skip\": rows}");
    }
    rv = enter(&place, at, "onFailedRow", allowed);
    return rv == APR_SUCCESS
               ? wf_check_integer(&spec->skip, &place, "skip", WF_REQUIRED, 1, SKIP_MOST)
               : rv;
}

/* Its connector is the source's, as for an update of the source, or else the target's. */
static apr_status_t parse_hook(wf_hook_t *hook, const wf_write_spec_t *spec, const wf_check_t *at,
                               const char *member, const char *reserved, const wf_loader_t *loader)
{
    static const char *const allowed[] = {"connector", "sql", "params", NULL};
    const wf_sql_dialect_t *dialect = NULL;
    wf_check_t place;
    apr_status_t rv = enter(&place, at, member, allowed);

    if (rv != APR_SUCCESS || !place.object) {
        return rv;
    }
    if (json_object_get(place.object, "connector")) {
        rv = wf_sql_connector_check(&hook->connector, &dialect, &place, loader, "connector");
    } else {
        hook->connector = spec->source ? spec->source : spec->connector;
        dialect = wf_sql_driver_dialect(wf_sql_connector_config(hook->connector)->driver);
    }
    return rv == APR_SUCCESS ? wf_call_check(&hook->call, &place, dialect, reserved) : rv;
}

/* The place of what is said of a row: a part of the body, or one of what it is not. */
static wf_check_t place_of_row(wf_alias_t *row, const wf_check_t *at)
{
    const json_t *from = json_object_get(at->object, "from");
    wf_check_t place = *at;

    if (from || json_object_get(at->object, "source")) {
        *row = (wf_alias_t){NULL, wf_reads_element(at, from), at->aliases};
        place.aliases = row;
    }
    return place;
}

apr_status_t wf_write_parse(void **out, const wf_check_t *at, const wf_loader_t *loader)
{
    wf_write_spec_t *spec = apr_pcalloc(at->pool, sizeof(*spec));
    const wf_sql_dialect_t *dialect = NULL;
    int operation = WF_WRITE_INSERT;
    wf_alias_t alias;
    wf_check_t row = place_of_row(&alias, at);
    apr_status_t rv = wf_sql_connector_check(&spec->connector, &dialect, at, loader, "connector");

    *out = spec;
    if (rv == APR_SUCCESS) {
        rv = wf_check_string(&spec->object, at, "object", WF_REQUIRED);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_choice(&operation, at, "operation", WF_REQUIRED, operations);
    }
    spec->operation = (wf_write_e)operation;
    if (rv != APR_SUCCESS || (rv = parse_map(spec, &row)) != APR_SUCCESS ||
        (rv = parse_key(spec, at)) != APR_SUCCESS ||
        (rv = check_columns(spec, at)) != APR_SUCCESS ||
        (rv = parse_source(spec, at, loader)) != APR_SUCCESS ||
        (rv = parse_failed_row(spec, at)) != APR_SUCCESS) {
        return rv;
    }
    rv = wf_check_integer(&spec->batch, at, "batch", WF_OPTIONAL, 1, WF_BATCH_ROWS_MOST);
    if (rv == APR_SUCCESS) {
        rv = parse_hook(&spec->hooks[WF_HOOK_SUCCESS], spec, &row, "onSuccess", NULL, loader);
    }
    if (rv == APR_SUCCESS) {
        rv = parse_hook(&spec->hooks[WF_HOOK_FAILURE], spec, &row, "onFailure", "reason", loader);
    }
    return rv;
}
