/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets. */
#include "store/embedded/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/result.h"
#include "store/embedded/client.h"

#define BACKLOG      4096

#define FRESH_SUFFIX ".new" /* behind the path while the socket is made */

apr_size_t wf_embedded_path_max(void)
{
    return sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof(FRESH_SUFFIX);
}

static apr_status_t fill_address(struct sockaddr_un *address, const char *path)
{
    apr_size_t len = strlen(path);

    if (len >= sizeof(address->sun_path)) {
        return WF_EINVALID;
    }
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, len);
    return APR_SUCCESS;
}

static apr_status_t open_socket(int *fd)
{
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *fd < 0 ? errno : APR_SUCCESS;
}

static apr_status_t bind_and_listen(int fd, const struct sockaddr_un *address)
{
    if ((unlink(address->sun_path) != 0 && errno != ENOENT) ||
        bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
        chmod(address->sun_path, S_IRUSR | S_IWUSR) != 0 || listen(fd, BACKLOG) != 0) {
        return errno;
    }
    return APR_SUCCESS;
}

apr_status_t wf_socket_listen(int *fd, const char *path)
{
    struct sockaddr_un address;
    char fresh[sizeof(address.sun_path)];
    apr_status_t rv;

    *fd = -1;
    if (snprintf(fresh, sizeof(fresh), "%s" FRESH_SUFFIX, path) >= (int)sizeof(fresh)) {
        return WF_EINVALID;
    }
    rv = fill_address(&address, fresh);
    if (rv == APR_SUCCESS) {
        rv = open_socket(fd);
    }
    if (rv == APR_SUCCESS) {
        rv = bind_and_listen(*fd, &address);
    }
    if (rv == APR_SUCCESS && rename(fresh, path) != 0) {
        rv = errno;
    }
    if (rv != APR_SUCCESS && *fd >= 0) {
        close(*fd);
        *fd = -1;
    }
    return rv;
}

apr_status_t wf_socket_connect(int *fd, const char *path)
{
    struct sockaddr_un address;
    apr_status_t rv = fill_address(&address, path);

    *fd = -1;
    if (rv == APR_SUCCESS) {
        rv = open_socket(fd);
    }
    if (rv == APR_SUCCESS && connect(*fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        rv = errno;
        close(*fd);
        *fd = -1;
    }
    return rv;
}

apr_status_t wf_socket_peer(uid_t *uid, pid_t *pid, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0) {
        return errno;
    }
    *uid = peer.uid;
    *pid = peer.pid;
    return APR_SUCCESS;
}
