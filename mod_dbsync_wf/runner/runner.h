/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner: claims runs, executes them on threads of its own, says how they end.
 *
 * Threads: the main one waits for signals, reaps adopted processes and keeps the pulse; `claim`
 * takes runs whenever places are free; `listen` waits for the store's news; `beat` renews the
 * lease, learns of interrupts and hands on progress; `output` hands on what runs put out
 * (output.h); the pool's execute.
 *
 *   SIGTERM  claims no more, ends what runs, records how, exits
 *   SIGUSR1  claims no more, finishes what runs, exits
 *
 * Where its lease is lost, whatever it runs is ended and it exits with a failure: the supervisor
 * starts another, which joins anew.
 */
#ifndef WF_RUNNER_RUNNER_H
#define WF_RUNNER_RUNNER_H

#include <apr_errno.h>
#include <apr_pools.h>
#include "runner/pulse.h"
#include "runner/settings.h"
#include "store/store.h"

typedef struct wf_runner_config_t {
    const wf_settings_t *settings;
    wf_store_t *store;  /* opened by the calling process */
    const char *host;   /* of join (store/store.h): the supervisor that starts it */
    apr_uint64_t owner; /* of the programs it runs: wf_process_owner */
    wf_pulse_t *pulse;
} wf_runner_config_t;

/*
 * Runs until told to stop, in a process of its own whose main thread calls this.
 * APR_SUCCESS after an orderly end, otherwise an error that has been logged. Threads may still be
 * waiting for the store when it returns: the caller ends the process at once.
 */
apr_status_t wf_runner_run(const wf_runner_config_t *config, apr_pool_t *pool);

#endif
