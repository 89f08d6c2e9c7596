/* SPDX-License-Identifier: Apache-2.0 */
/* The mark: one line of text with two numbers, the log file's and the offset in it. */
#include "store/embedded/bdb_internal.h"
#include "store/embedded/bdb_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/result.h"

#define MARK_NAME "/mark"
#define MARK_TEXT "%010lu %010lu\n"
#define MARK_LEN  22

typedef struct place_t {
    unsigned long file;
    unsigned long offset;
} place_t;

static int is_before(place_t a, place_t b)
{
    return a.file < b.file || (a.file == b.file && a.offset < b.offset);
}

/* Up to where the log of an open environment is on disk: the first byte behind what was flushed. */
static int flushed_end(place_t *end, DB_ENV *env)
{
    DB_LOG_STAT *stat;
    int error = env->log_stat(env, &stat, 0);

    if (!error) {
        end->file = stat->st_disk_file;
        end->offset = stat->st_disk_offset;
        free(stat);
    }
    return error;
}

/* APR_NOTFOUND where there is none, or none that can be understood. */
static apr_status_t read_mark(place_t *mark, const char *path)
{
    char text[MARK_LEN + 1] = "";
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? APR_NOTFOUND : errno;
    }
    n = read(fd, text, MARK_LEN);
    close(fd);
    if (n < 0) {
        return errno;
    }
    if (sscanf(text, "%lu %lu", &mark->file, &mark->offset) != 2) {
        wf_log_warning(0, "WF0126", "%s cannot be understood and is made anew", path);
        return APR_NOTFOUND;
    }
    return APR_SUCCESS;
}

static void drop_message(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env;
    (void)prefix;
    wf_log_debug(0, "WF0127", "Berkeley DB, looking at the log: %s", message);
}

/* Where the log ends for whoever opens it: in an environment that is ours alone and has nothing
 * else.
 */
static int find_end(place_t *end, const char *log)
{
    DB_ENV *env;
    int error = db_env_create(&env, 0);

    if (error) {
        return error;
    }
    env->set_errcall(env, drop_message);
    error = env->set_lg_dir(env, log);
    if (!error) {
        error = env->open(env, log, DB_CREATE | DB_PRIVATE | DB_INIT_LOG, 0600);
    }
    if (!error) {
        error = flushed_end(end, env);
    }
    env->close(env, 0);
    return error;
}

apr_status_t wf_bdb_mark_check(const wf_bdb_config_t *config, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, config->log, MARK_NAME, NULL);
    place_t mark, end;
    apr_status_t rv = read_mark(&mark, path);

    if (rv == APR_NOTFOUND) {
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0128", "%s cannot be read", path);
        return rv;
    }
    if (find_end(&end, config->log) != 0) {
        return APR_SUCCESS; /* opening the environment says what is wrong with it */
    }
    if (is_before(end, mark)) {
        wf_log_error(
            0, "WF0129",
            "the log in %s is damaged: it reached to %lu/%lu, and can be read up to %lu/%lu "
            "only; " WF_BDB_ADVICE,
            config->log, mark.file, mark.offset, end.file, end.offset);
        return WF_EDAMAGED;
    }
    return APR_SUCCESS;
}

apr_status_t wf_bdb_mark_open(wf_bdb_t *bdb, const char *log, apr_pool_t *pool)
{
    const char *path = apr_pstrcat(pool, log, MARK_NAME, NULL);
    apr_status_t rv = APR_SUCCESS;

    bdb->mark = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (bdb->mark < 0) {
        rv = errno;
        wf_log_error(rv, "WF0156", "%s cannot be written", path);
    }
    return rv;
}

void wf_bdb_mark_set(wf_bdb_t *bdb)
{
    char text[MARK_LEN + 1];
    place_t end;
    int error = flushed_end(&end, bdb->env);

    if (!error) {
        snprintf(text, sizeof(text), MARK_TEXT, end.file, end.offset);
        error = pwrite(bdb->mark, text, MARK_LEN, 0) == MARK_LEN ? 0 : errno;
    }
    if (error) {
        wf_log_debug(0, "WF0157", "the log's mark was not moved: %d", error);
    }
}

void wf_bdb_mark_close(wf_bdb_t *bdb)
{
    if (bdb->mark >= 0) {
        close(bdb->mark);
        bdb->mark = -1;
    }
}
