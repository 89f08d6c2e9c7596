/* SPDX-License-Identifier: Apache-2.0 */
/* The cancel flag: a reason that is set once, and an eventfd that stays readable from then on. */
#include "flow/cancel.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"

struct wf_cancel_t {
    atomic_int reason;
    int fd;
};

static apr_status_t close_cancel(void *data)
{
    const wf_cancel_t *cancel = data;

    return close(cancel->fd) == 0 ? APR_SUCCESS : errno;
}

apr_status_t wf_cancel_create(wf_cancel_t **cancel, apr_pool_t *pool)
{
    wf_cancel_t *made = apr_palloc(pool, sizeof(*made));

    atomic_init(&made->reason, WF_CANCEL_NONE);
    made->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->fd < 0) {
        return errno;
    }
    apr_pool_cleanup_register(pool, made, close_cancel, apr_pool_cleanup_null);
    *cancel = made;
    return APR_SUCCESS;
}

void wf_cancel_request(wf_cancel_t *cancel, wf_cancel_reason_e reason)
{
    int none = WF_CANCEL_NONE;

    /* The reason goes first: who is woken by the descriptor must find it. */
    if (atomic_compare_exchange_strong(&cancel->reason, &none, (int)reason) &&
        eventfd_write(cancel->fd, 1) != 0) {
        wf_log_error(errno, "WF0250", "cannot wake up what is to be cancelled");
    }
}

wf_cancel_reason_e wf_cancel_reason(wf_cancel_t *cancel)
{
    return (wf_cancel_reason_e)atomic_load(&cancel->reason);
}

int wf_cancel_fd(const wf_cancel_t *cancel)
{
    return cancel->fd;
}

apr_interval_time_t wf_cancel_grace(wf_cancel_reason_e reason, apr_interval_time_t configured)
{
    switch (reason) {
    case WF_CANCEL_SHUTDOWN:
        return configured < WF_STOP_GRACE ? configured : WF_STOP_GRACE;
    case WF_CANCEL_LOST:
        return 0;
    default:
        return configured;
    }
}

apr_status_t wf_cancel_sleep(wf_cancel_t *cancel, apr_time_t deadline)
{
    struct pollfd asked = {cancel->fd, POLLIN, 0};

    while (wf_cancel_reason(cancel) == WF_CANCEL_NONE) {
        if (wf_clock() >= deadline) {
            return APR_SUCCESS;
        }
        if (poll(&asked, 1, wf_clock_poll_ms(deadline)) < 0 && errno != EINTR) {
            return errno;
        }
    }
    return WF_ECANCELLED;
}
