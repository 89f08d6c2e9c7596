/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of action that there are. */
#include "flow/action.h"

#include <apr_strings.h>
#include "flow/rest/rest.h"

static const wf_action_kind_t *const kinds[] = {
    &wf_action_exec,  &wf_action_if,       &wf_action_for,   &wf_action_flow,
    &wf_action_wait,  &wf_action_variable, &wf_action_debug, &wf_action_rest,
    &wf_action_query, &wf_action_sql,      &wf_action_write,
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const wf_action_kind_t *wf_action_kind(const char *name)
{
    for (apr_size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

const char *wf_action_kind_names(apr_pool_t *pool)
{
    const char *names = kinds[0]->name;

    for (apr_size_t i = 1; i < KIND_COUNT; i++) {
        names = apr_pstrcat(pool, names, ", ", kinds[i]->name, NULL);
    }
    return names;
}
