/* SPDX-License-Identifier: Apache-2.0 */
/* A mutex and conditions on CLOCK_MONOTONIC. */
#include "base/monitor.h"

#include <pthread.h>
#include <time.h>

struct wf_monitor_t {
    pthread_mutex_t own;    /* initialized where `mutex` is it */
    pthread_mutex_t *mutex; /* own, or that of the one which is shared */
    pthread_cond_t changed;
};

static apr_status_t destroy(void *data)
{
    wf_monitor_t *monitor = data;

    pthread_cond_destroy(&monitor->changed);
    if (monitor->mutex == &monitor->own) {
        pthread_mutex_destroy(&monitor->own);
    }
    return APR_SUCCESS;
}

static int init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attr;
    int error = pthread_condattr_init(&attr);

    if (error) {
        return error;
    }
    error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* the clock of wf_clock */
    if (!error) {
        error = pthread_cond_init(condition, &attr);
    }
    pthread_condattr_destroy(&attr);
    return error;
}

apr_status_t wf_monitor_create(wf_monitor_t **monitor, apr_pool_t *pool)
{
    wf_monitor_t *fresh = apr_palloc(pool, sizeof(*fresh));
    int error = pthread_mutex_init(&fresh->own, NULL);

    if (error) {
        return error;
    }
    fresh->mutex = &fresh->own;
    error = init_condition(&fresh->changed);
    if (error) {
        pthread_mutex_destroy(&fresh->own);
        return error;
    }
    apr_pool_cleanup_register(pool, fresh, destroy, apr_pool_cleanup_null);
    *monitor = fresh;
    return APR_SUCCESS;
}

apr_status_t wf_monitor_share(wf_monitor_t **monitor, wf_monitor_t *of, apr_pool_t *pool)
{
    wf_monitor_t *fresh = apr_palloc(pool, sizeof(*fresh));
    int error = init_condition(&fresh->changed);

    if (error) {
        return error;
    }
    fresh->mutex = of->mutex;
    apr_pool_cleanup_register(pool, fresh, destroy, apr_pool_cleanup_null);
    *monitor = fresh;
    return APR_SUCCESS;
}

void wf_monitor_enter(wf_monitor_t *monitor)
{
    pthread_mutex_lock(monitor->mutex);
}

void wf_monitor_leave(wf_monitor_t *monitor)
{
    pthread_mutex_unlock(monitor->mutex);
}

void wf_monitor_announce(wf_monitor_t *monitor)
{
    pthread_cond_broadcast(&monitor->changed);
}

void wf_monitor_wait(wf_monitor_t *monitor, apr_time_t deadline)
{
    struct timespec until;

    if (!deadline) {
        pthread_cond_wait(&monitor->changed, monitor->mutex);
        return;
    }
    until.tv_sec = (time_t)apr_time_sec(deadline);
    until.tv_nsec = (long)apr_time_usec(deadline) * 1000;
    pthread_cond_timedwait(&monitor->changed, monitor->mutex, &until);
}
