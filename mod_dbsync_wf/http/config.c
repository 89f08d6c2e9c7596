/* SPDX-License-Identifier: Apache-2.0 */
/* Creating, merging and finishing the configuration. The directives are in directives.c. */
#include "http/config.h"

#include <apr_strings.h>
#include <http_log.h>
#include "store/embedded/client.h"

APLOG_USE_MODULE(dbsync_wf);

#define DEFAULT_STATE_DIR   "dbsync_wf"
#define DEFAULT_THREADS     16
#define DEFAULT_CACHE_SIZE  (64u << 20)
#define DEFAULT_KILL_GRACE  apr_time_from_sec(5)
#define DEFAULT_RETENTION   0 /* for ever */
#define DEFAULT_QUEUE       100000
#define DEFAULT_OUTPUT      (1u << 20)
#define DEFAULT_MAX_WAITERS 1024

void *wf_config_create_dir(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(wf_dir_config_t));
}

void *wf_config_merge_dir(apr_pool_t *pool, void *base, void *over)
{
    const wf_dir_config_t *outer = base;
    const wf_dir_config_t *inner = over;
    wf_dir_config_t *merged = apr_pcalloc(pool, sizeof(*merged));

#define MERGE(type, name, fallback)                                                                \
    merged->name = inner->name##_set ? inner->name : outer->name;                                  \
    merged->name##_set = inner->name##_set || outer->name##_set;
    WF_DIR_FIELDS(MERGE)
#undef MERGE
    merged->parts[0] = outer;
    merged->parts[1] = inner;
    return merged;
}

#define GETTER(type, name, fallback)                                                               \
    type wf_config_##name(const request_rec *r)                                                    \
    {                                                                                              \
        const wf_dir_config_t *dir = ap_get_module_config(r->per_dir_config, &dbsync_wf_module);   \
                                                                                                   \
        return dir->name##_set ? dir->name : (fallback);                                           \
    }
WF_DIR_FIELDS(GETTER)
#undef GETTER

void *wf_config_create_server(apr_pool_t *pool, server_rec *server)
{
    wf_server_config_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    config->shared = apr_pcalloc(pool, sizeof(*config->shared));
    config->shared->settings.threads = DEFAULT_THREADS;
    config->shared->settings.cache_size = DEFAULT_CACHE_SIZE;
    config->shared->settings.kill_grace = DEFAULT_KILL_GRACE;
    config->shared->settings.retention = DEFAULT_RETENTION;
    config->shared->settings.queue_limit = DEFAULT_QUEUE;
    config->shared->settings.output_limit = DEFAULT_OUTPUT;
    config->shared->settings.callback_hosts = NULL;
    config->shared->max_waiters = DEFAULT_MAX_WAITERS;
    return config;
}

void wf_config_split(server_rec *main_server, apr_pool_t *pconf)
{
    const wf_server_config_t *main_config = wf_server_config(main_server);

    for (server_rec *s = main_server->next; s; s = s->next) {
        const wf_server_config_t *own = wf_server_config(s); /* or the main server's */
        wf_server_config_t *config = apr_pcalloc(pconf, sizeof(*config));

        config->shared = main_config->shared;
        config->audit_name = own->audit_name ? own->audit_name : main_config->audit_name;
        ap_set_module_config(s->module_config, &dbsync_wf_module, config);
    }
}

wf_server_config_t *wf_server_config(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &dbsync_wf_module);
}

apr_status_t wf_config_finish(server_rec *main_server, apr_pool_t *pconf)
{
    wf_settings_t *settings = &wf_server_config(main_server)->shared->settings;
    apr_size_t most = wf_embedded_path_max();
    const char *socket;
    apr_size_t len;

    if (!settings->state_dir) {
        settings->state_dir = ap_runtime_dir_relative(pconf, DEFAULT_STATE_DIR);
    }
    socket = wf_embedded_socket_path(settings->state_dir, pconf);
    len = strlen(socket);
    if (len > most) {
        apr_size_t beside = len - strlen(settings->state_dir);

        ap_log_error(APLOG_MARK, APLOG_ERR, 0, main_server,
                     "WF0300: the state directory %s is too long a path for a Unix socket in it: "
                     "it may have %" APR_SIZE_T_FMT " bytes, not %" APR_SIZE_T_FMT
                     "; name a shorter one with DbsyncWfStateDir",
                     settings->state_dir, most - beside, strlen(settings->state_dir));
        return APR_ENAMETOOLONG;
    }
    return APR_SUCCESS;
}

const char *wf_config_vhost(const server_rec *server, apr_pool_t *pool)
{
    char *name = apr_pstrdup(pool, server->server_hostname ? server->server_hostname : "");
    apr_port_t port = server->addrs ? server->addrs->host_port : 0;

    ap_str_tolower(name);
    return apr_psprintf(pool, "%s:%d", name, port != 0 ? port : server->port);
}

const ap_directive_t *wf_config_find(const ap_directive_t *tree, const char *name)
{
    const ap_directive_t *found = NULL;

    for (const ap_directive_t *node = tree; node && !found; node = node->next) {
        found =
            strcasecmp(node->directive, name) == 0 ? node : wf_config_find(node->first_child, name);
    }
    return found;
}
