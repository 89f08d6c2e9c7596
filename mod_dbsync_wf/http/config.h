/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's directives and what they are kept in.
 *
 * Three kinds: the directory configuration (per server, vhost or location, merged), the settings
 * (server-wide, so only the main server has them), and what a process makes of them at run time
 * (wf_shared_t). All of it lives in pconf and goes with it: the module is unloaded at each restart.
 */
#ifndef WF_HTTP_CONFIG_H
#define WF_HTTP_CONFIG_H

#include <httpd.h>
#include <http_config.h>
#include "base/accepted.h"
#include "flow/project.h"
#include "runner/settings.h"
#include "store/store.h"

extern module AP_MODULE_DECLARE_DATA dbsync_wf_module;

/* What `SetHandler` names. */
#define WF_HANDLER "dbsync-wf"

/* What is remembered of API configurations; see configurations.h. */
typedef struct wf_configurations_t wf_configurations_t;

/* What DbsyncWfAuthCache says; see auth_cache.h. */
typedef struct wf_auth_cache_t wf_auth_cache_t;

/*
 * Directory configuration: X(type, name, default). The list makes the struct, the merge and the
 * getters; a directive sets a field together with its `set` flag.
 */
/* clang-format off */
#define WF_DIR_FIELDS(X)                                                                           \
    X(const char *, projects, NULL)     /* DbsyncWfProjects, absolute; NULL: not configured */     \
    X(apr_uint64_t, max_body, 1 << 20)  /* DbsyncWfMaxBody, bytes */                               \
    X(apr_interval_time_t, max_wait, apr_time_from_sec(60)) /* DbsyncWfMaxWait */                  \
    X(apr_interval_time_t, max_stream, apr_time_from_sec(3600)) /* DbsyncWfMaxStream */            \
    X(const wf_auth_cache_t *, auth_cache, NULL) /* DbsyncWfAuthCache; NULL: nobody is asked */    \
    X(const apr_array_header_t *, cors_origins, NULL) /* DbsyncWfCorsOrigins, of char * */      \
    X(int, all_metrics, 0) /* DbsyncWfMetrics: whether rows of all tasks are shown */
/* clang-format on */

typedef struct wf_dir_config_t {
#define WF_DIR_MEMBER(type, name, fallback)                                                        \
    type name;                                                                                     \
    int name##_set;
    WF_DIR_FIELDS(WF_DIR_MEMBER)
#undef WF_DIR_MEMBER
    const struct wf_dir_config_t *parts[2]; /* what it was merged from; NULL: a section's own */
} wf_dir_config_t;

/* wf_config_projects(r), wf_config_max_body(r): what is in force for a request. */
#define WF_DIR_GETTER(type, name, fallback) type wf_config_##name(const request_rec *r);
WF_DIR_FIELDS(WF_DIR_GETTER)
#undef WF_DIR_GETTER

/* What is wrong with a configuration, although it loads, and shows only when there are requests. */
typedef enum {
    WF_COMPLAINT_NO_USER,
    WF_COMPLAINT_NO_PROJECTS,
    WF_COMPLAINT_NO_AUTH_CACHE,
    WF_COMPLAINT_AUDIT,
    WF_COMPLAINTS
} wf_complaint_e;

/* What all vhosts share; one a configuration. The store and the projects are a child's own. */
typedef struct wf_shared_t {
    wf_settings_t settings;  /* state_dir is NULL until wf_config_finish */
    int in_use;              /* whether any server has a base */
    int auth_cache;          /* whether any DbsyncWfAuthCache is there */
    int remote_documents;    /* whether an ErrorDocument may lead to another site */
    double async_factor;     /* AsyncRequestWorkerFactor */
    wf_store_t *store;       /* NULL until child_init, and where anything of it failed */
    wf_projects_t *projects; /* not NULL where store is not, as is the next */
    wf_configurations_t *configurations;
    wf_accepted_t *accepted; /* NULL until child_init, and where auth_cache is not set */
    volatile apr_uint32_t complained[WF_COMPLAINTS]; /* second of the last one of each kind */
    apr_uint32_t max_waiters;                        /* DbsyncWfMaxWaiters */
    volatile apr_uint32_t waiting;                   /* threads of this child that wait for news */
    struct wf_hub_t *hub; /* of those that wait without one (hub.h); NULL: the MPM cannot */
} wf_shared_t;

typedef struct wf_server_config_t {
    wf_shared_t *shared;
    apr_array_header_t *bases; /* of wf_base_t, longest first; see bases.h */
    const char *vhost;         /* the server's name in the store, from post_config on */
    const char *audit_name;    /* DbsyncWfAuditLog: a path, or "|" and a program; NULL: none */
    apr_file_t *audit;         /* the same, open; NULL: none */
} wf_server_config_t;

/* The server's configuration; never NULL. */
wf_server_config_t *wf_server_config(const server_rec *server);

/*
 * Gives every vhost a configuration of its own, which shares the settings. httpd lets a vhost in
 * which no directive of ours stands use the main server's. A vhost without an audit log of its own
 * has the main server's.
 */
void wf_config_split(server_rec *main_server, apr_pool_t *pconf);

/*
 * Fills in and checks what can only be known when the whole configuration has been read.
 * APR_SUCCESS, or an error that has been logged.
 */
apr_status_t wf_config_finish(server_rec *main_server, apr_pool_t *pconf);

/*
 * The name under which a server's runs are kept: its ServerName in lower case, ":" and the port of
 * its first address. It must stay the same from start to start, so every vhost in use should have a
 * ServerName. Valid from post_config on, when httpd has made up its mind about missing names.
 */
const char *wf_config_vhost(const server_rec *server, apr_pool_t *pool);

/* Finds a directive anywhere in the configuration as httpd has read it, or NULL. */
const ap_directive_t *wf_config_find(const ap_directive_t *tree, const char *name);

/* For the module record. */
extern const command_rec wf_config_directives[];
void *wf_config_create_dir(apr_pool_t *pool, char *path);
void *wf_config_merge_dir(apr_pool_t *pool, void *base, void *over);
void *wf_config_create_server(apr_pool_t *pool, server_rec *server);

#endif
