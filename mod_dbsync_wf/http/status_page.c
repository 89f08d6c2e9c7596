/* SPDX-License-Identifier: Apache-2.0 */
/* The section in mod_status's page. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/status_page.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>
#include "http/config.h"

/* The page is for when something is wrong: it does not wait for the store as requests do. */
#define PATIENCE apr_time_from_sec(1)

typedef struct line_t {
    const char *key;   /* in ?auto */
    const char *label; /* in the page */
    size_t offset;     /* in wf_store_stats_t */
} line_t;

static const line_t lines[] = {
    {"WorkflowQueued", "Runs that wait", offsetof(wf_store_stats_t, queued)},
    {"WorkflowRunning", "Runs that are executed", offsetof(wf_store_stats_t, running)},
    {"WorkflowWaiters", "Requests that wait for a run", offsetof(wf_store_stats_t, watchers)},
    {"WorkflowKeeperPid", "Process of the keeper", offsetof(wf_store_stats_t, process)},
    {"WorkflowKeeperRestarts", "Restarts of the keeper",
     offsetof(wf_store_stats_t, keeper_restarts)},
    {"WorkflowRunnerRestarts", "Restarts of the runner",
     offsetof(wf_store_stats_t, runner_restarts)},
    {"WorkflowCommits", "Commits since the keeper began",
     offsetof(wf_store_stats_t, commits.count)},
    {"WorkflowCommitCalls", "Calls that they carried", offsetof(wf_store_stats_t, commits.sum)},
};

static const char *state_of(apr_status_t status, const wf_store_stats_t *stats)
{
    if (status != APR_SUCCESS) {
        return "does not answer";
    }
    if (!stats->is_open) {
        return "cannot be opened";
    }
    return stats->is_writable ? "works" : "cannot be written";
}

static void put_text(request_rec *r, int is_short, const char *key, const char *label,
                     const char *value)
{
    ap_rprintf(r, is_short ? "%s: %s\n" : "<dt>%s: %s</dt>\n", is_short ? key : label, value);
}

static void put_number(request_rec *r, int is_short, const char *key, const char *label,
                       apr_uint64_t value)
{
    char digits[24];

    apr_snprintf(digits, sizeof(digits), "%" APR_UINT64_T_FMT, value);
    put_text(r, is_short, key, label, digits);
}

int wf_status_page(request_rec *r, int flags)
{
    const wf_shared_t *shared = wf_server_config(r->server)->shared;
    int is_short = flags & AP_STATUS_SHORT;
    wf_store_t *store = shared->store;
    wf_store_stats_t stats = {0};
    apr_status_t status;

    if (!shared->in_use) {
        return DECLINED;
    }
    status = store ? store->stats(&stats, store, NULL, PATIENCE, NULL, r->pool) : WF_EUNAVAILABLE;
    if (!is_short) {
        ap_rputs("<hr />\n<h2>DBSync workflows</h2>\n<dl>\n", r);
    }
    put_text(r, is_short, "WorkflowStore", "The store", state_of(status, &stats));
    put_number(r, is_short, "WorkflowThreads", "Runs that may execute at a time",
               shared->settings.threads);
    for (size_t i = 0; status == APR_SUCCESS && i < sizeof(lines) / sizeof(lines[0]); i++) {
        put_number(r, is_short, lines[i].key, lines[i].label,
                   *(const apr_uint64_t *)((const char *)&stats + lines[i].offset));
    }
    if (!is_short) {
        ap_rputs("</dl>\n", r);
    }
    return OK;
}
