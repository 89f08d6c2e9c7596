/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor as httpd's parent sees it.
 *
 * What must outlive a configuration (and this module's own code, which is unloaded with it) is in
 * httpd's retained data: process ids and the fingerprint of the settings. What belongs to one
 * configuration, above all the callback, is registered in pconf and unregistered by its cleanup,
 * which runs before the module is unloaded.
 */
#include "http/supervise.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ap_listen.h>
#include <ap_mpm.h>
#include <apr_sha1.h>
#include <apr_signal.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mpm_common.h>
#include <unixd.h>
#include "base/clock.h"
#include "base/log.h"
#include "http/audit.h"
#include "runner/daemon.h"
#include "runner/supervisor.h"

APLOG_USE_MODULE(dbsync_wf);

extern module AP_MODULE_DECLARE_DATA dbsync_wf_module;

#define RETAINED_KEY    "dbsync_wf_supervisor"
#define FINGERPRINT_MAX 1024
#define STATE_DIR_MAX   256
#define RETIRED_MAX     16
#define YOUNG           apr_time_from_sec(10) /* one that dies younger is started later each time */
#define DELAY_LEAST     apr_time_from_msec(100)
#define DELAY_MOST      apr_time_from_sec(30)

/* Kept by httpd across restarts, in the parent. */
typedef struct retained_t {
    pid_t pid; /* 0: none */
    char fingerprint[FINGERPRINT_MAX];
    char state_dir[STATE_DIR_MAX];
    apr_time_t started;         /* a wf_clock time */
    apr_interval_time_t delay;  /* before the next one begins its work */
    pid_t retired[RETIRED_MAX]; /* replaced, and finishing what they run */
} retained_t;

/* One configuration's hold on one supervisor process. */
typedef struct watch_t {
    apr_proc_t proc;
    retained_t *retained;
    const wf_settings_t *settings; /* NULL: a retired one, which is not started again */
    server_rec *server;
    apr_pool_t *pconf;
    pid_t parent; /* httpd's: a forked child that destroys pconf must not touch the supervisor */
} watch_t;

static apr_status_t start(watch_t *watch);

static retained_t *get_retained(void)
{
    retained_t *retained = ap_retained_data_get(RETAINED_KEY);

    return retained ? retained : ap_retained_data_create(RETAINED_KEY, sizeof(*retained));
}

/* Whether a process of ours is alive; reaps it where it is not. */
static int is_alive(pid_t pid)
{
    return pid > 0 && waitpid(pid, NULL, WNOHANG) == 0;
}

static void log_to_httpd(void *baton, const char *file, int line, wf_log_level_e level,
                         apr_status_t status, const char *message)
{
    static const int levels[] = {[WF_LOG_ERROR] = APLOG_ERR,
                                 [WF_LOG_WARNING] = APLOG_WARNING,
                                 [WF_LOG_INFO] = APLOG_INFO,
                                 [WF_LOG_DEBUG] = APLOG_DEBUG,
                                 [WF_LOG_TRACE] = APLOG_TRACE1};

    (void)status; /* its text is in the message */
    ap_log_error(file, line, APLOG_MODULE_INDEX, levels[level], 0, (server_rec *)baton, "%s",
                 message);
}

void wf_supervise_bind_log(server_rec *main_server)
{
    int level = ap_get_server_module_loglevel(main_server, APLOG_MODULE_INDEX);
    wf_log_level_e most = WF_LOG_ERROR;

    if (level >= APLOG_TRACE1) {
        most = WF_LOG_TRACE;
    } else if (level >= APLOG_DEBUG) {
        most = WF_LOG_DEBUG;
    } else if (level >= APLOG_INFO) {
        most = WF_LOG_INFO;
    } else if (level >= APLOG_WARNING) {
        most = WF_LOG_WARNING;
    }
    wf_log_bind(log_to_httpd, main_server, most);
}

/* Which file or pipe the error log is: after a rotation it is another one. Zeros for syslog. */
static struct stat stat_of_log(const server_rec *server)
{
    struct stat st = {0};
    apr_os_file_t fd;

    if (server->error_log && apr_os_file_get(&fd, server->error_log) == APR_SUCCESS &&
        fstat(fd, &st) != 0) {
        st.st_ino = 0;
    }
    return st;
}

/* Which build of the module this is; nothing where it is linked into httpd, which then says so. */
static struct stat stat_of_module(void)
{
    struct stat st = {0};
    Dl_info info;

    if (dladdr(&dbsync_wf_module, &info) == 0 || stat(info.dli_fname, &st) != 0) {
        st.st_ino = 0;
    }
    return st;
}

/* A list of texts as one of a fixed length, which another list has not. */
static void digest_list(char digest[2 * APR_SHA1_DIGESTSIZE + 1], const apr_array_header_t *texts)
{
    unsigned char bytes[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t sha;

    apr_sha1_init(&sha);
    for (int i = 0; texts && i < texts->nelts; i++) {
        const char *text = APR_ARRAY_IDX(texts, i, const char *);

        apr_sha1_update(&sha, text, (unsigned)strlen(text) + 1);
    }
    apr_sha1_final(bytes, &sha);
    ap_bin2hex(bytes, sizeof(bytes), digest);
}

/*
 * All that a supervisor depends on, as text: the settings, whom it runs as, where and how much it
 * logs, and which build of the module it runs.
 */
static void take_fingerprint(char fingerprint[FINGERPRINT_MAX], const wf_settings_t *settings,
                             const server_rec *server)
{
    struct stat log = stat_of_log(server);
    struct stat module_file = stat_of_module();
    char hosts[2 * APR_SHA1_DIGESTSIZE + 1];

    digest_list(hosts, settings->callback_hosts);
    apr_snprintf(fingerprint, FINGERPRINT_MAX,
                 "%s|%u|%" APR_UINT64_T_FMT "|%" APR_TIME_T_FMT "|%" APR_TIME_T_FMT
                 "|%u|%" APR_UINT64_T_FMT "|%s|%lu:%lu|%d|%lu:%lu|%lu.%ld.%ld|%s",
                 settings->state_dir, settings->threads, settings->cache_size, settings->kill_grace,
                 settings->retention, settings->queue_limit, settings->output_limit, hosts,
                 (unsigned long)ap_unixd_config.user_id, (unsigned long)ap_unixd_config.group_id,
                 ap_get_server_module_loglevel(server, APLOG_MODULE_INDEX),
                 (unsigned long)log.st_dev, (unsigned long)log.st_ino,
                 (unsigned long)module_file.st_ino, (long)module_file.st_mtim.tv_sec,
                 (long)module_file.st_mtim.tv_nsec, WF_VERSION);
}

/* A daemon inherits httpd's handlers, listeners and standard input: none of them is its own. */
static void leave_httpd(void)
{
    setsid();
    for (int sig = 1; sig < NSIG; sig++) {
        if (sig != SIGKILL && sig != SIGSTOP) {
            apr_signal(sig, SIG_DFL);
        }
    }
    apr_signal(SIGPIPE, SIG_IGN);
    ap_close_listeners();
}

/* The new process: never returns. */
static void run_supervisor(const watch_t *watch, apr_interval_time_t delay)
{
    apr_pool_t *pool;

    leave_httpd();
    wf_audit_close(watch->server);
    wf_supervise_bind_log(watch->server);
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        ap_run_drop_privileges(pool, watch->server)) {
        _exit(APEXIT_CHILDFATAL);
    }
    if (delay) {
        apr_sleep(delay);
    }
    _exit(wf_supervisor_run(watch->settings, watch->parent, pool) == APR_SUCCESS ? 0 : 1);
}

/* httpd tells of a supervisor. Any reason may come more than once; the process may be reaped by
 * now. */
static void maintain(int reason, void *data, int status)
{
    watch_t *watch = data;
    int mpm_state;

    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        apr_proc_other_child_unregister(watch);
        if (!watch->settings) {
            break;
        }
        watch->retained->pid = 0;
        if (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm_state) != APR_SUCCESS ||
            mpm_state != AP_MPMQ_STOPPING) {
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, watch->server,
                         "WF0360: the supervisor (process %ld) ended with wait status %d and is "
                         "started again",
                         (long)watch->proc.pid, status);
            start(watch); /* what fails has been logged; the next restart tries again */
        }
        break;
    default: /* RESTART and UNREGISTER: it lives on, see unwatch */
        break;
    }
}

/* pconf goes. APR takes the registration out of its list itself, and before this runs. */
static apr_status_t unwatch(void *data)
{
    watch_t *watch = data;

    if (getpid() != watch->parent) {
        return APR_SUCCESS;
    }
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_EXITING && is_alive(watch->proc.pid)) {
        kill(watch->proc.pid, SIGTERM);
    }
    return APR_SUCCESS;
}

static void register_watch(watch_t *watch, pid_t pid)
{
    watch->proc.pid = pid;
    apr_proc_other_child_register(&watch->proc, maintain, watch, NULL, watch->pconf);
}

static watch_t *make_watch(retained_t *retained, const wf_settings_t *settings, server_rec *server,
                           apr_pool_t *pconf)
{
    watch_t *watch = apr_pcalloc(pconf, sizeof(*watch));

    watch->retained = retained;
    watch->settings = settings;
    watch->server = server;
    watch->pconf = pconf;
    watch->parent = getpid();
    apr_pool_cleanup_register(pconf, watch, unwatch, apr_pool_cleanup_null);
    return watch;
}

/* How long the next supervisor waits: not at all, unless the last one died young. */
static apr_interval_time_t next_delay(retained_t *retained)
{
    apr_interval_time_t delay = retained->delay;

    if (!retained->started || wf_clock() - retained->started > YOUNG + delay) {
        delay = 0;
    } else {
        delay = delay ? delay * 2 : DELAY_LEAST;
    }
    retained->delay = delay > DELAY_MOST ? DELAY_MOST : delay;
    return retained->delay;
}

static apr_status_t start(watch_t *watch)
{
    retained_t *retained = watch->retained;
    apr_interval_time_t delay = next_delay(retained);
    pid_t pid = fork();

    if (pid < 0) {
        apr_status_t status = errno;

        ap_log_error(APLOG_MARK, APLOG_EMERG, status, watch->server,
                     "WF0361: the supervisor could not be started");
        return status;
    }
    if (pid == 0) {
        run_supervisor(watch, delay);
    }
    retained->pid = pid;
    retained->started = wf_clock();
    register_watch(watch, pid);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, watch->server,
                 "WF0362: the supervisor was started: process %ld", (long)pid);
    return APR_SUCCESS;
}

/* Tells the present supervisor to finish and go, and remembers it until it has. */
static void retire(retained_t *retained, int sig, server_rec *server)
{
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, server,
                 "WF0363: the supervisor (process %ld) is replaced: it finishes what it runs",
                 (long)retained->pid);
    kill(retained->pid, sig);
    for (int i = 0; i < RETIRED_MAX; i++) {
        if (!retained->retired[i]) {
            retained->retired[i] = retained->pid;
            break;
        }
    }
    retained->pid = 0;
    retained->started = 0;
    retained->delay = 0;
}

/* Lets httpd reap the retired ones as children that it knows of. */
static void watch_retired(retained_t *retained, server_rec *server, apr_pool_t *pconf)
{
    for (int i = 0; i < RETIRED_MAX; i++) {
        if (is_alive(retained->retired[i])) {
            register_watch(make_watch(retained, NULL, server, pconf), retained->retired[i]);
        } else {
            retained->retired[i] = 0;
        }
    }
}

apr_status_t wf_supervise(server_rec *main_server, const wf_settings_t *settings, apr_pool_t *pconf)
{
    retained_t *retained = get_retained();
    char fingerprint[FINGERPRINT_MAX];
    watch_t *watch;

    take_fingerprint(fingerprint, settings, main_server);
    watch = make_watch(retained, settings, main_server, pconf);
    if (is_alive(retained->pid) && strcmp(retained->fingerprint, fingerprint) == 0) {
        register_watch(watch, retained->pid);
        watch_retired(retained, main_server, pconf);
        return APR_SUCCESS;
    }
    if (is_alive(retained->pid)) {
        int same_place = strcmp(retained->state_dir, settings->state_dir) == 0;

        retire(retained, same_place ? SIGUSR1 : SIGUSR2, main_server);
    }
    watch_retired(retained, main_server, pconf);
    apr_cpystrn(retained->fingerprint, fingerprint, sizeof(retained->fingerprint));
    apr_cpystrn(retained->state_dir, settings->state_dir, sizeof(retained->state_dir));
    return start(watch);
}

void wf_supervise_none(server_rec *main_server, apr_pool_t *pconf)
{
    retained_t *retained = ap_retained_data_get(RETAINED_KEY);

    if (!retained) {
        return;
    }
    if (is_alive(retained->pid)) {
        retire(retained, SIGUSR2, main_server);
    }
    watch_retired(retained, main_server, pconf);
}
