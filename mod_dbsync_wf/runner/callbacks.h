/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner's tellers: threads that tell ends of runs by callbacks, so that a receiver that is
 * slow holds up neither runs nor other receivers.
 *
 * A teller claims one end at a time, makes one attempt to deliver it, and tells the store what came
 * of that; whether there is another attempt is the store's to say. What counts is the task's
 * configuration at the time of the attempt.
 *
 * All of it is inside the runner's monitor, and follows the runner's state: one that drains claims
 * nothing more, one that stops cancels what is under way. That is not told, and so due again.
 */
#ifndef WF_RUNNER_CALLBACKS_H
#define WF_RUNNER_CALLBACKS_H

#include "runner/runs.h"

#define WF_TELLERS 8

/* Starts the threads, which wait to be woken. APR_SUCCESS, or the system's error. */
apr_status_t wf_tellers_start(wf_runner_t *runner);

/* There may be ends to claim. */
void wf_tellers_wake(wf_runner_t *runner);

/* Inside the monitor: the runner's state has changed. */
void wf_tellers_follow(wf_runner_t *runner);

/* Inside the monitor: whether nothing is under way. */
int wf_tellers_are_idle(const wf_runner_t *runner);

/* Waits until the threads have ended, as they do when the runner is not active any more. For a
 * process that goes on after that; a runner's own does not. */
void wf_tellers_join(wf_runner_t *runner);

#endif
