/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of connector that there are, and a project's connectors. */
#include "flow/connector.h"

#include <apr_strings.h>
#include "flow/rest/rest.h"
#include "flow/sql/connector.h"

/* One line for each kind; NULL-terminated. */
static const wf_connector_kind_t *const kinds[] = {
    &wf_connector_rest,
    &wf_connector_sql,
    NULL,
};

static const char *list_kinds(apr_pool_t *pool)
{
    const char *list = "";

    for (const wf_connector_kind_t *const *kind = kinds; *kind; kind++) {
        list = apr_pstrcat(pool, list, *list ? ", " : "", (*kind)->name, NULL);
    }
    return list;
}

static apr_status_t load_connector(wf_connector_t *connector, const wf_check_t *at)
{
    static const char *const members[] = {"type", NULL};
    const char *type = NULL;
    apr_status_t status;

    if (!json_is_object(at->object)) {
        return wf_check_error(at, NULL, "must be an object");
    }
    status = wf_check_string(&type, at, "type", WF_REQUIRED);
    for (const wf_connector_kind_t *const *kind = kinds; *kind && status == APR_SUCCESS; kind++) {
        if (strcmp((*kind)->name, type) == 0) {
            connector->kind = *kind;
        }
    }
    if (status == APR_SUCCESS && !connector->kind) {
        return wf_check_error(at, "type", "must be one of: %s", list_kinds(at->pool));
    }
    if (status == APR_SUCCESS) {
        status = wf_check_members(at, members, connector->kind->members);
    }
    return status == APR_SUCCESS ? connector->kind->parse(&connector->spec, at) : status;
}

apr_status_t wf_connectors_load(apr_hash_t **connectors, const wf_check_t *at)
{
    const json_t *object = NULL;
    apr_status_t status = wf_check_object(&object, at, "connectors", WF_OPTIONAL);
    const char *name;
    json_t *value;

    *connectors = apr_hash_make(at->pool);
    if (status != APR_SUCCESS || !object) {
        return status;
    }
    json_object_foreach((json_t *)object, name, value)
    {
        wf_connector_t *connector = apr_pcalloc(at->pool, sizeof(*connector));
        wf_check_t place = *at;

        connector->name = apr_pstrdup(at->pool, name);
        place.object = value;
        place.path = apr_psprintf(at->pool, "%s/connectors/%s", at->path, name);
        status = load_connector(connector, &place);
        if (status != APR_SUCCESS) {
            return status;
        }
        apr_hash_set(*connectors, connector->name, APR_HASH_KEY_STRING, connector);
    }
    return APR_SUCCESS;
}

apr_status_t wf_connector_check(const wf_connector_t **out, const wf_check_t *at,
                                const wf_loader_t *loader, const char *member,
                                const wf_connector_kind_t *kind)
{
    const char *name = NULL;
    apr_status_t status = wf_check_string(&name, at, member, WF_REQUIRED);

    if (status != APR_SUCCESS) {
        return status;
    }
    *out = apr_hash_get(loader->connectors, name, APR_HASH_KEY_STRING);
    if (!*out) {
        return wf_check_error(at, member, "there is no connector \"%s\" in this project", name);
    }
    if ((*out)->kind != kind) {
        return wf_check_error(at, member, "must name a connector of type %s; \"%s\" is of type %s",
                              kind->name, name, (*out)->kind->name);
    }
    return APR_SUCCESS;
}
