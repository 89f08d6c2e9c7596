/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor: a small process with one thread that keeps a keeper and a runner alive.
 *
 *   keeper   started again at once when it dies, later each time where it keeps dying; killed and
 *            replaced when it stops answering its ping
 *   runner   started again likewise, once nothing that came of the last one is alive; killed when
 *            its pulse stops
 *
 * Programs of another supervisor's runner on the same state directory that has died are ended too.
 *
 * It owns the keeper's listening socket, so that clients of a keeper that is being replaced wait in
 * its backlog and are not refused. Where another supervisor's keeper is at work on the state
 * directory, that one serves its runner until it ends (place.h).
 *
 *   SIGTERM  stop: the runner ends what runs, then the keeper closes
 *   SIGUSR1  another supervisor takes over this state directory: the keeper closes at once, the
 *            runner claims no more, finishes what it runs (through the new keeper), then all end
 *   SIGUSR2  retired without a successor here: the runner finishes what it runs, then the keeper
 * closes
 *
 * The death of `parent` counts as SIGTERM.
 */
#ifndef WF_RUNNER_SUPERVISOR_H
#define WF_RUNNER_SUPERVISOR_H

#include <sys/types.h>
#include <apr_errno.h>
#include <apr_pools.h>
#include "runner/settings.h"

/*
 * Runs until it is told to stop. To be called in a process of its own, which has one thread, has
 * its final user and group, and whose parent is `parent`.
 * APR_SUCCESS after an orderly end, otherwise an error that has been logged.
 */
apr_status_t wf_supervisor_run(const wf_settings_t *settings, pid_t parent, apr_pool_t *pool);

#endif
