/* SPDX-License-Identifier: Apache-2.0 */
/* The lock on a state directory. */
#include "store/embedded/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "keeper.lock"

apr_status_t wf_lock_try(int *fd, const char *state_dir)
{
    char path[PATH_MAX];
    apr_status_t rv = APR_SUCCESS;

    *fd = -1;
    if (snprintf(path, sizeof(path), "%s/" LOCK_NAME, state_dir) >= (int)sizeof(path)) {
        return APR_ENAMETOOLONG;
    }
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (*fd < 0) {
        return errno;
    }
    while (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR) {
            rv = errno == EWOULDBLOCK ? APR_EAGAIN : errno;
            close(*fd);
            *fd = -1;
            break;
        }
    }
    return rv;
}
