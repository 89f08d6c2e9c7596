/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "flow": {"action": "flow", "flow": "notify"}: executes another flow of the task, which
 * may be disabled, so that it is executed where it is called and nowhere else.
 */
#include "flow/action.h"

static const char *const members[] = {"flow", NULL};

static apr_status_t parse_flow(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    const char *name = NULL;
    apr_status_t status = wf_check_string(&name, at, "flow", WF_REQUIRED);

    if (status == APR_SUCCESS && !wf_loader_has_flow(loader, name)) {
        status = wf_check_error(at, "flow", "the task has no flow \"%s\"", name);
    }
    *spec = (void *)(apr_uintptr_t)name;
    return status;
}

static apr_status_t execute_flow(wf_action_end_t *end, const void *spec,
                                 const wf_action_context_t *context, wf_result_t *result,
                                 apr_pool_t *pool)
{
    (void)pool;
    end->has_none = 1;
    return wf_action_flow_execute(spec, context, result);
}

const wf_action_kind_t wf_action_flow = {"flow", members, parse_flow, execute_flow};
