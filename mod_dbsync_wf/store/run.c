/* SPDX-License-Identifier: Apache-2.0 */
/* The names of a run's statuses. */
#include "store/store.h"

const char *wf_run_status_name(wf_run_status_e status)
{
    switch (status) {
    case WF_RUN_SUBMITTED:
        return "submitted";
    case WF_RUN_RUNNING:
        return "running";
    case WF_RUN_COMPLETED:
        return "completed";
    case WF_RUN_ERROR:
        return "error";
    case WF_RUN_INTERRUPTED:
        return "interrupted";
    }
    return "unknown";
}

int wf_run_status_is_final(wf_run_status_e status)
{
    return status >= WF_RUN_COMPLETED;
}
