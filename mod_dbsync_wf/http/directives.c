/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives: what they take, what they refuse, and how they say what to write instead.
 * All of it happens at configtest.
 */
#include "http/config.h"

#include <apr_file_info.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include "flow/rest/callback.h"
#include "http/auth_cache.h"
#include "http/cors.h"

#define KIB             ((apr_uint64_t)1 << 10)
#define MIB             ((apr_uint64_t)1 << 20)
#define GIB             ((apr_uint64_t)1 << 30)

#define HOUR            apr_time_from_sec(3600)

#define THREADS_MOST    4096
#define QUEUE_MOST      100000000
#define CACHE_LEAST     MIB
#define CACHE_MOST      (64 * GIB)
#define OUTPUT_MOST     GIB
#define BODY_MOST       (64 * MIB)
#define KILL_GRACE_MOST HOUR
#define WAIT_MOST       HOUR
#define STREAM_MOST     (24 * HOUR)
#define WAITERS_MOST    65536
#define RETENTION_LEAST apr_time_from_sec(15) /* longer than any store call is repeated */
#define RETENTION_MOST  apr_time_from_sec(APR_INT64_C(100000) * 3600)

static wf_settings_t *settings_of(const cmd_parms *cmd)
{
    return &wf_server_config(cmd->server)->shared->settings;
}

/* Digits alone, read up to the first other character; whether the number fits. */
static int read_digits(apr_uint64_t *number, const char **at)
{
    const char *start = *at;

    *number = 0;
    for (; apr_isdigit(**at); (*at)++) {
        apr_uint64_t digit = (apr_uint64_t)(**at - '0');

        if (*number > (APR_UINT64_MAX - digit) / 10) {
            return 0;
        }
        *number = *number * 10 + digit;
    }
    return *at > start;
}

/* A time from 0 to `most`, whole hours; NULL, or what is wrong with it. */
static const char *read_time(apr_interval_time_t *time, const cmd_parms *cmd, const char *arg,
                             apr_interval_time_t most)
{
    if (apr_isdigit(*arg) && ap_timeout_parameter_parse(arg, time, "s") == APR_SUCCESS &&
        *time >= 0 && *time <= most) {
        return NULL;
    }
    return apr_psprintf(cmd->pool,
                        "%s must be a time from 0 to %dh, in seconds or with ms, s, mi or h behind "
                        "the number, not \"%s\"",
                        cmd->cmd->name, (int)(most / HOUR), arg);
}

static int read_size(apr_uint64_t *size, const char *text)
{
    apr_uint64_t unit = 1;

    if (!read_digits(size, &text)) {
        return 0;
    }
    switch (apr_toupper(*text)) {
    case 'K':
        unit = KIB;
        break;
    case 'M':
        unit = MIB;
        break;
    case 'G':
        unit = GIB;
        break;
    case '\0':
        return 1;
    default:
        return 0;
    }
    if (text[1] != '\0' || *size > APR_UINT64_MAX / unit) {
        return 0;
    }
    *size *= unit;
    return 1;
}

static const char *set_state_dir(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    char *path;
    apr_size_t len;

    (void)dir;
    if (context) {
        return context;
    }
    path = *arg != '\0' ? ap_server_root_relative(cmd->pool, arg) : NULL;
    if (!path) {
        return apr_psprintf(
            cmd->pool, "DbsyncWfStateDir must be the path of a folder on a local disk, not \"%s\"",
            arg);
    }
    for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--) {
        path[len - 1] = '\0';
    }
    settings_of(cmd)->state_dir = path;
    return NULL;
}

static const char *set_threads(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    const char *at = arg;
    apr_uint64_t threads;

    (void)dir;
    if (context) {
        return context;
    }
    if (!read_digits(&threads, &at) || *at != '\0' || threads < 1 || threads > THREADS_MOST) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfThreads must be a whole number from 1 to %d, not \"%s\"",
                            THREADS_MOST, arg);
    }
    settings_of(cmd)->threads = (apr_uint32_t)threads;
    return NULL;
}

static const char *set_cache_size(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_uint64_t size;

    (void)dir;
    if (context) {
        return context;
    }
    if (!read_size(&size, arg) || size < CACHE_LEAST || size > CACHE_MOST) {
        return apr_psprintf(
            cmd->pool,
            "DbsyncWfCacheSize must be a size from 1M to 64G, in bytes or with K, M or "
            "G behind the number, not \"%s\"",
            arg);
    }
    settings_of(cmd)->cache_size = size;
    return NULL;
}

static const char *set_kill_grace(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_interval_time_t grace;

    (void)dir;
    if (!context) {
        context = read_time(&grace, cmd, arg, KILL_GRACE_MOST);
    }
    if (!context) {
        settings_of(cmd)->kill_grace = grace;
    }
    return context;
}

static const char *set_retention(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_interval_time_t retention;

    (void)dir;
    if (context) {
        return context;
    }
    if (!apr_isdigit(*arg) || ap_timeout_parameter_parse(arg, &retention, "s") != APR_SUCCESS ||
        (retention != 0 && retention < RETENTION_LEAST) || retention > RETENTION_MOST) {
        return apr_psprintf(
            cmd->pool,
            "DbsyncWfRetention must be 0, for ever, or a time from 15s to 100000h, in seconds or "
            "with ms, s, mi or h behind the number, not \"%s\"",
            arg);
    }
    settings_of(cmd)->retention = retention;
    return NULL;
}

static const char *set_queue_limit(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    const char *at = arg;
    apr_uint64_t limit;

    (void)dir;
    if (context) {
        return context;
    }
    if (!read_digits(&limit, &at) || *at != '\0' || limit > QUEUE_MOST) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfQueueLimit must be 0, for no limit, or a whole number up to "
                            "%d, not \"%s\"",
                            QUEUE_MOST, arg);
    }
    settings_of(cmd)->queue_limit = (apr_uint32_t)limit;
    return NULL;
}

static const char *set_output_limit(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_uint64_t limit;

    (void)dir;
    if (context) {
        return context;
    }
    if (!read_size(&limit, arg) || limit > OUTPUT_MOST) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfOutputLimit must be 0, to keep no output, or a size up to 1G, "
                            "in bytes or with K, M or G behind the number, not \"%s\"",
                            arg);
    }
    settings_of(cmd)->output_limit = limit;
    return NULL;
}

static const char *set_callback_hosts(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    apr_array_header_t *hosts = apr_array_make(cmd->pool, 4, sizeof(const char *));
    int is_none = argc == 1 && strcasecmp(argv[0], "none") == 0;

    (void)dir;
    if (context) {
        return context;
    }
    if (argc < 1) {
        return "DbsyncWfCallbackHosts takes hosts, such as hooks.example.org or "
               "hooks.example.org:8443, or none";
    }
    for (int i = 0; i < argc && !is_none; i++) {
        const char *reason = "stand alone";

        if (strcasecmp(argv[i], "none") == 0 ||
            wf_callback_host_check(&reason, argv[i], cmd->temp_pool) != APR_SUCCESS) {
            return apr_psprintf(cmd->pool, "DbsyncWfCallbackHosts: \"%s\" must %s", argv[i],
                                reason);
        }
        APR_ARRAY_PUSH(hosts, const char *) = apr_pstrdup(cmd->pool, argv[i]);
    }
    settings_of(cmd)->callback_hosts = hosts;
    return NULL;
}

static const char *set_max_waiters(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *context = ap_check_cmd_context(cmd, GLOBAL_ONLY);
    const char *at = arg;
    apr_uint64_t waiters;

    (void)dir;
    if (context) {
        return context;
    }
    if (!read_digits(&waiters, &at) || *at != '\0' || waiters > WAITERS_MOST) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfMaxWaiters must be a whole number from 0 to %d, not \"%s\"",
                            WAITERS_MOST, arg);
    }
    wf_server_config(cmd->server)->shared->max_waiters = (apr_uint32_t)waiters;
    return NULL;
}

static const char *set_audit_log(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *program = *arg == '|' ? arg + 1 : NULL;
    const char *name = program ? arg : ap_server_root_relative(cmd->pool, arg);

    (void)dir;
    if (*arg == '\0' || !name || (program && program[strspn(program, "|$ \t")] == '\0')) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfAuditLog must be a file, or \"|\" and a program with its "
                            "arguments, as in CustomLog, not \"%s\"",
                            arg);
    }
    wf_server_config(cmd->server)->audit_name = name;
    return NULL;
}

static const char *check_section(const cmd_parms *cmd)
{
    for (const ap_directive_t *node = cmd->directive->parent; node; node = node->parent) {
        if (strncasecmp(node->directive, "<Directory", 10) == 0 ||
            strncasecmp(node->directive, "<Files", 6) == 0) {
            return apr_psprintf(cmd->pool,
                                "%s has no effect in %s>: write it in <Location>, in <VirtualHost> "
                                "or outside of all sections",
                                cmd->cmd->name, node->directive);
        }
    }
    return NULL;
}

static const char *set_projects(cmd_parms *cmd, void *dir, const char *arg)
{
    wf_dir_config_t *config = dir;
    const char *section = check_section(cmd);
    const char *path = *arg != '\0' ? ap_server_root_relative(cmd->pool, arg) : NULL;
    apr_finfo_t info;

    if (section) {
        return section;
    }
    if (!path || apr_stat(&info, path, APR_FINFO_TYPE, cmd->temp_pool) != APR_SUCCESS ||
        info.filetype != APR_DIR) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfProjects must be an existing folder, which holds the project "
                            "files ({projectId}.json); \"%s\" is none: create it, or write another",
                            path ? path : arg);
    }
    config->projects = path;
    config->projects_set = 1;
    return NULL;
}

static const char *set_max_body(cmd_parms *cmd, void *dir, const char *arg)
{
    wf_dir_config_t *config = dir;
    const char *section = check_section(cmd);
    apr_uint64_t size;

    if (section) {
        return section;
    }
    if (!read_size(&size, arg) || size < 1 || size > BODY_MOST) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfMaxBody must be a size from 1 to 64M, in bytes or with K or M "
                            "behind the number, not \"%s\"",
                            arg);
    }
    config->max_body = size;
    config->max_body_set = 1;
    return NULL;
}

static const char *set_dir_time(apr_interval_time_t *time, int *is_set, cmd_parms *cmd,
                                const char *arg, apr_interval_time_t most)
{
    const char *wrong = check_section(cmd);

    if (!wrong) {
        wrong = read_time(time, cmd, arg, most);
    }
    *is_set = 1;
    return wrong;
}

static const char *set_max_wait(cmd_parms *cmd, void *dir, const char *arg)
{
    wf_dir_config_t *config = dir;

    return set_dir_time(&config->max_wait, &config->max_wait_set, cmd, arg, WAIT_MOST);
}

static const char *set_max_stream(cmd_parms *cmd, void *dir, const char *arg)
{
    wf_dir_config_t *config = dir;

    return set_dir_time(&config->max_stream, &config->max_stream_set, cmd, arg, STREAM_MOST);
}

static const char *set_auth_cache(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    wf_dir_config_t *config = dir;
    const char *section = check_section(cmd);
    const wf_auth_cache_t *cache = NULL;
    const char *wrong = section ? section : wf_auth_cache_parse(&cache, cmd, argc, argv);

    if (wrong) {
        return wrong;
    }
    config->auth_cache = cache;
    config->auth_cache_set = 1;
    return NULL;
}

static const char *set_cors_origins(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    wf_dir_config_t *config = dir;
    const char *section = check_section(cmd);
    const apr_array_header_t *origins = NULL;
    const char *wrong = section ? section : wf_cors_parse(&origins, cmd, argc, argv);

    if (wrong) {
        return wrong;
    }
    config->cors_origins = origins;
    config->cors_origins_set = 1;
    return NULL;
}

static const char *set_metrics(cmd_parms *cmd, void *dir, const char *arg)
{
    wf_dir_config_t *config = dir;
    const char *section = check_section(cmd);

    if (section) {
        return section;
    }
    if (strcasecmp(arg, "own") != 0 && strcasecmp(arg, "all") != 0) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfMetrics must be own, for figures of the tasks that a user may "
                            "run, or all, for those of every task, not \"%s\"",
                            arg);
    }
    config->all_metrics = strcasecmp(arg, "all") == 0;
    config->all_metrics_set = 1;
    return NULL;
}

const command_rec wf_config_directives[] = {
    AP_INIT_TAKE1(
        "DbsyncWfStateDir", set_state_dir, NULL, RSRC_CONF,
        "folder on a local disk that keeps the runs; default: dbsync_wf in the runtime directory"),
    AP_INIT_TAKE1("DbsyncWfThreads", set_threads, NULL, RSRC_CONF,
                  "how many runs execute at a time, from 1 to 4096; default 16"),
    AP_INIT_TAKE1("DbsyncWfCacheSize", set_cache_size, NULL, RSRC_CONF,
                  "memory for the database's cache, from 1M to 64G; default 64M"),
    AP_INIT_TAKE1("DbsyncWfKillGrace", set_kill_grace, NULL, RSRC_CONF,
                  "time from TERM to KILL for a program that is ended, from 0 to 1h; default 5 s"),
    AP_INIT_TAKE1("DbsyncWfRetention", set_retention, NULL, RSRC_CONF,
                  "how long runs are kept after their end, from 15s to 100000h, or 0 for ever; "
                  "default 0"),
    AP_INIT_TAKE1("DbsyncWfQueueLimit", set_queue_limit, NULL, RSRC_CONF,
                  "how many runs wait at a time, up to 100000000, or 0 for no limit; "
                  "default 100000"),
    AP_INIT_TAKE1("DbsyncWfOutputLimit", set_output_limit, NULL, RSRC_CONF,
                  "how much of a run's output is kept, up to 1G, or 0 for none; default 1M"),
    AP_INIT_TAKE_ARGV("DbsyncWfCallbackHosts", set_callback_hosts, NULL, RSRC_CONF,
                      "hosts that API configurations may tell ends of runs to; default none"),
    AP_INIT_TAKE1(
        "DbsyncWfAuditLog", set_audit_log, NULL, RSRC_CONF,
        "file, or \"|program arguments\", that is told of each run, interrupt and refusal; "
        "default none"),
    AP_INIT_TAKE1("DbsyncWfProjects", set_projects, NULL, RSRC_CONF | ACCESS_CONF,
                  "folder that holds the project files, {projectId}.json"),
    AP_INIT_TAKE1("DbsyncWfMaxBody", set_max_body, NULL, RSRC_CONF | ACCESS_CONF,
                  "greatest length of a request body, from 1 to 64M; default 1M"),
    AP_INIT_TAKE1("DbsyncWfMaxWait", set_max_wait, NULL, RSRC_CONF | ACCESS_CONF,
                  "greatest time that a status may be waited for, from 0 to 1h; default 60 s"),
    AP_INIT_TAKE1(
        "DbsyncWfMaxStream", set_max_stream, NULL, RSRC_CONF | ACCESS_CONF,
        "greatest time that a stream of events, or of a log, lasts, from 0 to 24h; default 1 h"),
    AP_INIT_TAKE1("DbsyncWfMaxWaiters", set_max_waiters, NULL, RSRC_CONF,
                  "how many requests may wait for a run at a time, from 0 to 65536; default 1024"),
    AP_INIT_TAKE_ARGV(
        "DbsyncWfAuthCache", set_auth_cache, NULL, RSRC_CONF | ACCESS_CONF,
        "how long an accepted password is remembered, from 0 to 1h, and the providers "
        "that the provider dbsync-wf-cache asks; default off"),
    AP_INIT_TAKE_ARGV("DbsyncWfCorsOrigins", set_cors_origins, NULL, RSRC_CONF | ACCESS_CONF,
                      "origins whose pages may use the API from a browser; default none"),
    AP_INIT_TAKE1("DbsyncWfMetrics", set_metrics, NULL, RSRC_CONF | ACCESS_CONF,
                  "of which tasks /metrics tells a user: own or all; default own"),
    {.name = NULL},
};
