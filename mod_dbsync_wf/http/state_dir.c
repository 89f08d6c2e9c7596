/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory. */
#include "http/state_dir.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>
#include <http_log.h>
#include <unixd.h>

APLOG_USE_MODULE(dbsync_wf);

/* Who will use the directory: httpd's User where it starts as root, else whoever starts it. */
static uid_t owner_of_state(void)
{
    return geteuid() == 0 ? ap_unixd_config.user_id : geteuid();
}

static apr_status_t make_dir(const char *path, server_rec *main_server)
{
    apr_status_t status;

    if (mkdir(path, S_IRWXU) != 0) {
        status = errno;
        ap_log_error(APLOG_MARK, APLOG_EMERG, status, main_server,
                     "WF0350: DbsyncWfStateDir %s cannot be made: create the folder above it, or "
                     "name another directory",
                     path);
        return status;
    }
    if (geteuid() == 0 && chown(path, ap_unixd_config.user_id, ap_unixd_config.group_id) != 0) {
        status = errno;
        ap_log_error(APLOG_MARK, APLOG_EMERG, status, main_server,
                     "WF0351: DbsyncWfStateDir %s cannot be given to the User that httpd runs as",
                     path);
        return status;
    }
    return APR_SUCCESS;
}

static apr_status_t refuse(const char *path, const char *why, server_rec *main_server)
{
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server,
                 "WF0352: DbsyncWfStateDir %s %s: it must be a directory that belongs to the User "
                 "that httpd runs as (uid %lu) and that nobody else may enter (chmod 700)",
                 path, why, (unsigned long)owner_of_state());
    return APR_EACCES;
}

static apr_status_t check_dir(const char *path, const struct stat *st, server_rec *main_server)
{
    if (!S_ISDIR(st->st_mode)) {
        return refuse(path, "is no directory", main_server);
    }
    if (st->st_uid != owner_of_state()) {
        return refuse(path, "belongs to another user", main_server);
    }
    if (st->st_mode & (S_IRWXG | S_IRWXO)) {
        return refuse(path, "is open to others", main_server);
    }
    if (geteuid() != 0 && access(path, R_OK | W_OK | X_OK) != 0) {
        return refuse(path, "cannot be written", main_server);
    }
    return APR_SUCCESS;
}

apr_status_t wf_state_dir_prepare(const char *path, server_rec *main_server)
{
    struct stat st;

    if (lstat(path, &st) == 0) {
        return check_dir(path, &st, main_server);
    }
    return errno == ENOENT ? make_dir(path, main_server)
                           : refuse(path, "cannot be looked at", main_server);
}

/* What was acknowledged is on disk only where this is one. */
void wf_state_dir_warn_of_memory(const char *path, server_rec *main_server)
{
    struct statfs fs;

    if (statfs(path, &fs) == 0 && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, main_server,
                     "WF0353: the state directory %s lies in memory: a reboot loses all runs; name "
                     "a directory on a local disk with DbsyncWfStateDir",
                     path);
    }
}
