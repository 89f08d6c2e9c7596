/* SPDX-License-Identifier: Apache-2.0 */
/* A detached thread, and who waits for it. */
#include "flow/sql/aside.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/result.h"

enum { AT_WORK, ENDED, ABANDONED };

typedef struct aside_t {
    void (*work)(void *baton);
    void (*drop)(void *baton);
    void *baton;
    int done; /* an eventfd, written once the work has ended and nobody has abandoned it */
    atomic_int state;
} aside_t;

static void free_aside(aside_t *aside)
{
    close(aside->done);
    free(aside);
}

static void *run_aside(void *data)
{
    aside_t *aside = data;
    int done = aside->done;

    aside->work(aside->baton);
    if (atomic_exchange(&aside->state, ENDED) == ABANDONED) {
        aside->drop(aside->baton);
        free_aside(aside);
        return NULL;
    }
    /* Who waits frees the aside from here on. It cannot fail, as it is written once. */
    (void)eventfd_write(done, 1);
    return NULL;
}

static apr_status_t start(aside_t *aside)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);

    if (rc == 0) {
        rc = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        rc = rc == 0 ? pthread_create(&thread, &attr, run_aside, aside) : rc;
        pthread_attr_destroy(&attr);
    }
    return rc;
}

/* APR_SUCCESS once the work has ended. */
static apr_status_t await(const aside_t *aside, wf_cancel_t *cancel, apr_time_t deadline)
{
    struct pollfd fds[2] = {{aside->done, POLLIN, 0},
                            {cancel ? wf_cancel_fd(cancel) : -1, POLLIN, 0}};

    for (;;) {
        int rc = poll(fds, 2, wf_clock_poll_ms(deadline));

        if (rc < 0 && errno != EINTR) {
            return errno;
        }
        if (rc > 0 && fds[0].revents) {
            return APR_SUCCESS;
        }
        if (rc > 0 && fds[1].revents) {
            return WF_ECANCELLED;
        }
        if (wf_clock() >= deadline) {
            return APR_TIMEUP;
        }
    }
}

apr_status_t wf_aside(void (*work)(void *baton), void (*drop)(void *baton), void *baton,
                      wf_cancel_t *cancel, apr_time_t deadline)
{
    aside_t *aside = malloc(sizeof(*aside));
    eventfd_t count;
    apr_status_t rv;

    if (!aside) {
        abort();
    }
    aside->work = work;
    aside->drop = drop;
    aside->baton = baton;
    aside->done = eventfd(0, EFD_CLOEXEC);
    atomic_init(&aside->state, AT_WORK);
    rv = aside->done < 0 ? errno : start(aside);
    if (rv != APR_SUCCESS) {
        drop(baton);
        free_aside(aside);
        return rv;
    }
    rv = await(aside, cancel, deadline);
    if (atomic_exchange(&aside->state, ABANDONED) == AT_WORK) {
        return rv;
    }
    /* It has ended, and its descriptor says so or is about to: only then may that be closed. */
    while (eventfd_read(aside->done, &count) != 0 && errno == EINTR) {
    }
    free_aside(aside);
    return APR_SUCCESS;
}
