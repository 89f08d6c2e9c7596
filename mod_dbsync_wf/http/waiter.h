/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request whose thread waits for news of a run: to be answered then (wait.h), or to go on telling
 * (stream.h).
 *
 * It holds its thread. (Who waits to be answered can do without, under some MPMs: suspend.h.) Hence
 * bounds, for whatever waits so together: at most half of a child's threads, at most half of the
 * server's, and no more than DbsyncWfMaxWaiters in all. A request that finds no place does at once
 * what it would do when its time is up.
 */
#ifndef WF_HTTP_WAITER_H
#define WF_HTTP_WAITER_H

#include "http/request.h"

/* On the stack of the request's thread, which alone uses it. */
typedef struct wf_waiter_t {
    wf_request_t *req;   /* with a pid in its route, where look is called */
    apr_time_t deadline; /* a wf_clock time */
    apr_pool_t *pool;    /* of the run as it stands, and of what is made of that; see look */
    int has_place;       /* among this child's; among all it has one while it watches */
} wf_waiter_t;

/*
 * Begins: `most`, in microseconds from now, is how long all its watching may take. Ends by close,
 * which must be called where this was successful.
 * APR_SUCCESS, also where there is no place; or a failure, with its problem.
 */
apr_status_t wf_waiter_open(wf_waiter_t *waiter, wf_request_t *req, apr_interval_time_t most,
                            wf_result_t *result);

/* Gives the place back. What is in its pool stays as long as the request does. */
void wf_waiter_close(wf_waiter_t *waiter);

/*
 * Waits until a run, which must be one that wf_authz_find_run or look gave, has news: with
 * `for_change` until it may show something else, otherwise until its end; and no longer than `most`
 * microseconds. One with zeros as its pid and the version of a list, which need be none, stands for
 * every run: then that list may show something else. Within half a second of it, it notices that
 * the client has gone or that httpd wants the child to end. APR_SUCCESS: look at it, although the
 * news may be none that shows; APR_TIMEUP: `most` has passed; WF_EENDED: the run is not under way
 * (version 0) and has no news to come; WF_EFULL: no place; WF_ECANCELLED: the deadline has passed,
 * the client has gone, or the child ends; or what the store fails with.
 */
apr_status_t wf_waiter_watch(wf_waiter_t *waiter, const wf_run_t *run, int for_change,
                             apr_interval_time_t most);

/*
 * Waits for `time` microseconds whatever happens to runs, but no longer than the deadline, nor for
 * a client that has gone. APR_SUCCESS, or WF_ECANCELLED as watch.
 */
apr_status_t wf_waiter_rest(wf_waiter_t *waiter, apr_interval_time_t time);

/* Says in the error log, at debug, what is watched, and for how long. */
void wf_waiter_log(const wf_waiter_t *waiter, const wf_watch_t *what);

/* Whether what a watch came to is an end of the waiting, and no failure. */
int wf_waiter_is_end(apr_status_t news);

/*
 * Looks at the run that the request's route names, as it stands now. It lives in waiter->pool,
 * which is cleared first, until the next look. Who may see it is not asked again.
 * APR_SUCCESS; APR_NOTFOUND with WF_PROBLEM_UNKNOWN_RUN where it is kept no more; or what the store
 * fails with.
 */
apr_status_t wf_waiter_look(wf_run_t **run, wf_waiter_t *waiter, wf_result_t *result);

/*
 * Whether a run as it was looked at (by store->get) is not to be waited for any more. Works in
 * pool.
 */
int wf_waiter_is_over(wf_request_t *req, const wf_run_t *run, int for_change, apr_pool_t *pool);

#endif
