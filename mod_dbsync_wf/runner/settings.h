/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What supervisor, keeper and runner are started with: the server's directives, as values.
 * A supervisor is kept across restarts exactly while these stay the same.
 */
#ifndef WF_RUNNER_SETTINGS_H
#define WF_RUNNER_SETTINGS_H

#include <apr_tables.h>
#include <apr_time.h>

typedef struct wf_settings_t {
    const char *state_dir;          /* DbsyncWfStateDir, absolute, without a trailing slash */
    apr_uint32_t threads;           /* DbsyncWfThreads */
    apr_uint64_t cache_size;        /* DbsyncWfCacheSize, bytes */
    apr_interval_time_t kill_grace; /* DbsyncWfKillGrace */
    apr_interval_time_t retention;  /* DbsyncWfRetention; 0: for ever */
    apr_uint32_t queue_limit;       /* DbsyncWfQueueLimit; 0: none */
    apr_uint64_t output_limit;      /* DbsyncWfOutputLimit, bytes; 0: none is kept */
    const apr_array_header_t *callback_hosts; /* DbsyncWfCallbackHosts, of const char *, "host" or
                                                 "host:port"; NULL or empty: none */
} wf_settings_t;

#endif
