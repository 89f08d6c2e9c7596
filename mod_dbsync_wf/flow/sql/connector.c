/* SPDX-License-Identifier: Apache-2.0 */
/* The connector "sql", and a run's connections. */
#include "flow/sql/connector.h"

#include <apr_strings.h>

static const char *const members[] = {"driver",      "params",         "passwordFile",
                                      "passwordEnv", "connectTimeout", NULL};

/* A connection that a run keeps. */
typedef struct kept_t {
    wf_sql_t *sql;
    apr_pool_t *pool;
} kept_t;

static apr_status_t parse_connector(const void **spec, const wf_check_t *at)
{
    wf_sql_config_t *config = apr_pcalloc(at->pool, sizeof(*config));
    const char *missing = "";
    int driver = 0;
    apr_status_t rv = wf_check_choice(&driver, at, "driver", WF_REQUIRED, wf_sql_driver_names);

    *spec = config;
    config->connect_timeout = apr_time_from_sec(10);
    if (rv == APR_SUCCESS) {
        config->driver = wf_sql_driver(driver, &missing);
    }
    if (rv == APR_SUCCESS && !config->driver) {
        rv = wf_check_error(at, "driver", "this server was built without %s, which \"%s\" needs",
                            missing, wf_sql_driver_names[driver]);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_string(&config->params, at, "params", WF_REQUIRED);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_secret_check(&config->password, at, "password");
    }
    if (rv == APR_SUCCESS) {
        rv = wf_check_seconds(&config->connect_timeout, at, "connectTimeout", WF_OPTIONAL);
    }
    return rv;
}

const wf_connector_kind_t wf_connector_sql = {"sql", members, parse_connector};

const wf_sql_config_t *wf_sql_connector_config(const wf_connector_t *connector)
{
    return connector->spec;
}

apr_status_t wf_sql_connector_check(const wf_connector_t **out, const wf_sql_dialect_t **dialect,
                                    const wf_check_t *at, const wf_loader_t *loader,
                                    const char *member)
{
    apr_status_t rv = wf_connector_check(out, at, loader, member, &wf_connector_sql);

    if (rv == APR_SUCCESS) {
        *dialect = wf_sql_driver_dialect(wf_sql_connector_config(*out)->driver);
    }
    return rv;
}

apr_status_t wf_sql_connect(wf_sql_t **sql, const wf_connector_t *connector, wf_sql_role_e role,
                            const wf_action_context_t *context, wf_result_t *result)
{
    const char *key = apr_pstrcat(
        context->run_pool, role == WF_SQL_READER ? "sql reader:" : "sql:", connector->name, NULL);
    kept_t *kept = apr_hash_get(context->resources, key, APR_HASH_KEY_STRING);
    apr_status_t rv;

    if (!kept) {
        kept = apr_pcalloc(context->run_pool, sizeof(*kept));
        apr_hash_set(context->resources, key, APR_HASH_KEY_STRING, kept);
    }
    if (kept->sql && wf_sql_is_broken(kept->sql)) {
        apr_pool_destroy(kept->pool);
        kept->sql = NULL;
    }
    if (!kept->sql) {
        apr_pool_create(&kept->pool, context->run_pool);
        apr_pool_tag(kept->pool, "wf_sql_connection");
        rv = wf_sql_open(&kept->sql, connector->name, wf_sql_connector_config(connector),
                         context->cancel, context->deadline, result, kept->pool);
        if (rv != APR_SUCCESS) {
            apr_pool_destroy(kept->pool);
            kept->sql = NULL;
            return rv;
        }
    }
    *sql = kept->sql;
    return APR_SUCCESS;
}
