/* SPDX-License-Identifier: Apache-2.0 */
/* The module record, and the hooks in their order. */
#include <httpd.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>
#include "http/audit.h"
#include "http/auth_cache.h"
#include "http/authz.h"
#include "http/config.h"
#include "http/cors.h"
#include "http/handler.h"
#include "http/problem.h"
#include "http/startup.h"
#include "http/status_page.h"
#include "http/suspend.h"

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_check_config(wf_startup_check, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_open_logs(wf_audit_open, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(wf_startup_parent, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(wf_startup_child, NULL, NULL, APR_HOOK_MIDDLE);
    /* Around all others. */
    ap_hook_process_connection(wf_suspend_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before anyone spends work on an ErrorDocument that will not be sent. */
    ap_hook_post_read_request(wf_problem_post_read, NULL, NULL, APR_HOOK_REALLY_FIRST);
    /* Before the core walks folders, and before it answers TRACE, which asks nobody's name. */
    ap_hook_map_to_storage(wf_handler_map, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_post_perdir_config(wf_authz_silence, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before authentication, which a browser's question ahead of a request could not pass. */
    ap_hook_header_parser(wf_cors_header_parser, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(wf_handler, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(wf_audit_log, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(wf_problem_insert_filter, NULL, NULL, APR_HOOK_MIDDLE);
    wf_problem_register_filter();
    wf_auth_cache_register(pool);
    /* Called where mod_status is loaded, in whatever order. */
    APR_OPTIONAL_HOOK(ap, status_hook, wf_status_page, NULL, NULL, APR_HOOK_MIDDLE);
}

/* clang-format off */
module AP_MODULE_DECLARE_DATA dbsync_wf_module = {
    STANDARD20_MODULE_STUFF,
    wf_config_create_dir,
    wf_config_merge_dir,
    wf_config_create_server,
    NULL, /* vhosts get theirs from wf_config_split */
    wf_config_directives,
    register_hooks,
    0, /* flags */
};
/* clang-format on */
