/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from files and from the environment. */
#include "flow/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/log.h"

#define SECRET_MOST 4096 /* bytes */

apr_status_t wf_secret_check(const wf_secret_t **secret, const wf_check_t *at, const char *what)
{
    const char *file_member = apr_pstrcat(at->pool, what, "File", NULL);
    const char *env_member = apr_pstrcat(at->pool, what, "Env", NULL);
    wf_secret_t *made = apr_pcalloc(at->pool, sizeof(*made));
    apr_status_t status = wf_check_string(&made->file, at, file_member, WF_OPTIONAL);

    *secret = NULL;
    if (status == APR_SUCCESS) {
        status = wf_check_string(&made->env, at, env_member, WF_OPTIONAL);
    }
    if (status == APR_SUCCESS && made->file && made->env) {
        return wf_check_error(at, env_member, "cannot be there beside %s", file_member);
    }
    if (status == APR_SUCCESS && made->file && made->file[0] != '/') {
        return wf_check_error(at, file_member, "must be an absolute path");
    }
    if (status == APR_SUCCESS && (made->file || made->env)) {
        made->what = apr_pstrdup(at->pool, what);
        *secret = made;
    }
    return status;
}

/* Reads a small file whole; what is longer than a secret may be is none. */
static apr_status_t read_file(char text[SECRET_MOST + 1], const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    apr_size_t len = 0;
    ssize_t got;

    if (fd < 0) {
        return errno;
    }
    do {
        got = read(fd, text + len, SECRET_MOST + 1 - len);
        len += got > 0 ? (apr_size_t)got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    close(fd);
    if (got < 0 || len > SECRET_MOST) {
        return got < 0 ? errno : EFBIG;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    text[len] = '\0';
    return APR_SUCCESS;
}

apr_status_t wf_secret_load(const char **text, const wf_secret_t *secret, apr_pool_t *pool)
{
    char buffer[SECRET_MOST + 1];
    apr_status_t status = APR_SUCCESS;

    if (secret->env) {
        const char *value = getenv(secret->env);

        *text = apr_pstrdup(pool, value);
        status = value ? APR_SUCCESS : APR_ENOENT;
    } else {
        status = read_file(buffer, secret->file);
        *text = status == APR_SUCCESS ? apr_pstrdup(pool, buffer) : NULL;
    }
    return status;
}

apr_status_t wf_secret_read(const char **text, const wf_secret_t *secret, const char *connector,
                            wf_result_t *result, apr_pool_t *pool)
{
    apr_status_t status = wf_secret_load(text, secret, pool);

    if (status == APR_SUCCESS) {
        return status;
    }
    wf_log_error(status, "WF0270", "connector %s: the %s cannot be read from %s %s", connector,
                 secret->what, secret->env ? "the environment variable" : "the file",
                 secret->env ? secret->env : secret->file);
    return wf_result_set(result, status, WF_PROBLEM_CONNECTOR,
                         "the %s of connector \"%s\" cannot be read; the server's error log says "
                         "more",
                         secret->what, connector);
}
