/* SPDX-License-Identifier: Apache-2.0 */
/* What happens before requests. Where no server uses the module, nothing. */
#include "http/startup.h"

#include <http_core.h>
#include <http_log.h>
#include <jansson.h>
#include "http/auth_cache.h"
#include "http/bases.h"
#include "http/configurations.h"
#include "http/problem.h"
#include "http/sections.h"
#include "http/state_dir.h"
#include "http/supervise.h"
#include "http/suspend.h"
#include "store/embedded/client.h"

APLOG_USE_MODULE(dbsync_wf);

/* How long a request waits for a keeper that is being restarted, before it is answered 503. */
#define STORE_PATIENCE apr_time_from_sec(10)

int wf_startup_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                     server_rec *main_server)
{
    wf_shared_t *shared = wf_server_config(main_server)->shared;

    (void)plog;
    wf_config_split(main_server, pconf);
    if (wf_bases_collect(ap_conftree, main_server, pconf) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!shared->in_use) {
        return OK;
    }
    shared->remote_documents = wf_problem_has_remote_documents(ap_conftree, ptemp);
    shared->auth_cache = wf_config_find(ap_conftree, "DbsyncWfAuthCache") != NULL;
    shared->async_factor = wf_suspend_factor(ap_conftree);
    if (shared->auth_cache) {
        wf_sections_mark(main_server, pconf);
    }
    return wf_config_finish(main_server, pconf) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/* Two vhosts of one name are one world: a pid of one is known in the other. */
static void warn_of_namesake(const server_rec *server)
{
    const char *name = wf_server_config(server)->vhost;

    for (const server_rec *s = server->next; s; s = s->next) {
        const wf_server_config_t *other = wf_server_config(s);

        if (other->bases && strcmp(other->vhost, name) == 0) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                         "WF0302: the virtual hosts at %s:%u and %s:%u are both %s and share their "
                         "runs: give each a ServerName of its own",
                         server->defn_name, server->defn_line_number, s->defn_name,
                         s->defn_line_number, name);
        }
    }
}

static void name_vhosts(server_rec *main_server, apr_pool_t *pconf)
{
    for (server_rec *s = main_server; s; s = s->next) {
        wf_server_config(s)->vhost = wf_config_vhost(s, pconf);
    }
    for (server_rec *s = main_server->next; s; s = s->next) {
        if (wf_server_config(s)->bases) {
            warn_of_namesake(s);
        }
    }
}

int wf_startup_parent(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                      server_rec *main_server)
{
    const wf_shared_t *shared = wf_server_config(main_server)->shared;
    const char *state_dir = shared->settings.state_dir;
    int is_dry_run = ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;

    (void)plog;
    (void)ptemp;
    if (!shared->in_use) {
        if (!is_dry_run) {
            wf_supervise_none(main_server, pconf);
        }
        return OK;
    }
    /* In the dry run, too: afterwards httpd is on its own, and who started it would not learn of
     * it. */
    if (wf_state_dir_prepare(state_dir, main_server) != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (is_dry_run) {
        return OK;
    }
    wf_state_dir_warn_of_memory(state_dir, main_server);
    name_vhosts(main_server, pconf);
    wf_supervise_bind_log(main_server);
    return wf_supervise(main_server, &shared->settings, pconf) == APR_SUCCESS
               ? OK
               : HTTP_INTERNAL_SERVER_ERROR;
}

/* Each child has its own memory of accepted passwords, which goes with it. */
static void open_auth_cache(wf_shared_t *shared, apr_pool_t *pchild, server_rec *main_server)
{
    apr_status_t status;

    if (!shared->auth_cache) {
        return;
    }
    status = wf_accepted_create(&shared->accepted, pchild);
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, status, main_server,
                     "WF0304: this child cannot remember passwords and checks them each time");
    }
}

void wf_startup_child(apr_pool_t *pchild, server_rec *main_server)
{
    wf_shared_t *shared = wf_server_config(main_server)->shared;
    apr_status_t status;

    if (!shared->in_use) {
        return;
    }
    wf_supervise_bind_log(main_server);
    open_auth_cache(shared, pchild, main_server);
    json_object_seed(
        0); /* jansson would make its seed at first use, which two threads may race for */
    status = wf_embedded_open(&shared->store,
                              wf_embedded_socket_path(shared->settings.state_dir, pchild),
                              STORE_PATIENCE, pchild);
    if (status == APR_SUCCESS) {
        status = wf_projects_create(&shared->projects, pchild);
    }
    if (status == APR_SUCCESS) {
        status = wf_configurations_create(&shared->configurations, pchild);
    }
    if (status != APR_SUCCESS) {
        shared->store = NULL; /* the handler looks at this one alone */
        ap_log_error(APLOG_MARK, APLOG_ERR, status, main_server,
                     "WF0303: this child has no way to the runs and will answer 503");
        return;
    }
    wf_suspend_open(shared, pchild, main_server);
}
