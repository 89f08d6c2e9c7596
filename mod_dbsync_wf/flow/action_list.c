/* SPDX-License-Identifier: Apache-2.0 */
/* Actions from a project file: one, and lists of them, which may stand inside actions. */
#include "flow/action.h"

#include <apr_strings.h>

#define NESTING_MOST  16
#define ATTEMPTS_MOST 100

/* The members of every action. */
static const char *const members[] = {"action", "name",       "into", "onError",
                                      "retry",  "repeatable", NULL};

int wf_loader_has_flow(const wf_loader_t *loader, const char *name)
{
    apr_size_t index;
    json_t *flow;

    json_array_foreach((json_t *)loader->flows, index, flow)
    {
        const char *its = json_string_value(json_object_get(flow, "name"));

        if (its && strcmp(its, name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* "stop", "continue", or {"flow": "name"}. */
static apr_status_t load_on_error(wf_action_t *action, const wf_check_t *at,
                                  const wf_loader_t *loader)
{
    static const char *const allowed[] = {"flow", NULL};
    const json_t *value = json_object_get(at->object, "onError");
    const char *text = json_string_value(value);
    wf_check_t place = *at;
    apr_status_t status;

    if (!value || (text && strcmp(text, "stop") == 0)) {
        return APR_SUCCESS;
    }
    if (text && strcmp(text, "continue") == 0) {
        action->on_error = WF_ON_ERROR_CONTINUE;
        return APR_SUCCESS;
    }
    if (!json_is_object(value)) {
        return wf_check_error(at, "onError",
                              "must be \"stop\", \"continue\" or {\"flow\": \"name\"}");
    }
    place.object = value;
    place.path = apr_pstrcat(at->pool, at->path, "/onError", NULL);
    status = wf_check_members(&place, allowed, NULL);
    if (status == APR_SUCCESS) {
        status = wf_check_string(&action->error_flow, &place, "flow", WF_REQUIRED);
    }
    if (status == APR_SUCCESS && !wf_loader_has_flow(loader, action->error_flow)) {
        status = wf_check_error(&place, "flow", "the task has no flow \"%s\"", action->error_flow);
    }
    action->on_error = WF_ON_ERROR_FLOW;
    return status;
}

/* {"attempts": 3, "backoff": 0.5}, of an action that says that it may be repeated. */
static apr_status_t load_retry(wf_action_t *action, const wf_check_t *at)
{
    static const char *const allowed[] = {"attempts", "backoff", NULL};
    const json_t *object = NULL;
    apr_int64_t attempts = 1;
    int repeatable = 0;
    wf_check_t place = *at;
    apr_status_t status = wf_check_bool(&repeatable, at, "repeatable", WF_OPTIONAL);

    if (status == APR_SUCCESS) {
        status = wf_check_object(&object, at, "retry", WF_OPTIONAL);
    }
    if (status != APR_SUCCESS || !object) {
        return status;
    }
    if (!repeatable) {
        return wf_check_error(at, "retry",
                              "only what may be done twice is repeated: add \"repeatable\": true "
                              "where that is so");
    }
    place.object = object;
    place.path = apr_pstrcat(at->pool, at->path, "/retry", NULL);
    status = wf_check_members(&place, allowed, NULL);
    if (status == APR_SUCCESS) {
        status = wf_check_integer(&attempts, &place, "attempts", WF_REQUIRED, 1, ATTEMPTS_MOST);
    }
    if (status == APR_SUCCESS) {
        status = wf_check_seconds(&action->backoff, &place, "backoff", WF_OPTIONAL);
    }
    action->attempts = (apr_uint32_t)attempts;
    return status;
}

static apr_status_t load_common(wf_action_t *action, const wf_check_t *at,
                                const wf_loader_t *loader)
{
    apr_status_t status;

    action->name = action->kind->name;
    action->attempts = 1;
    action->backoff = apr_time_from_sec(1);
    status = wf_check_string(&action->name, at, "name", WF_OPTIONAL);
    if (status == APR_SUCCESS) {
        status = wf_check_name(&action->into, at, "into", WF_OPTIONAL);
    }
    if (status == APR_SUCCESS) {
        status = load_on_error(action, at, loader);
    }
    return status == APR_SUCCESS ? load_retry(action, at) : status;
}

static apr_status_t load_action(const wf_action_t **out, const wf_check_t *at,
                                const wf_loader_t *loader)
{
    wf_action_t *action = apr_pcalloc(at->pool, sizeof(*action));
    const char *kind = NULL;
    apr_status_t status;

    if (!json_is_object(at->object)) {
        return wf_check_error(at, NULL, "must be an object");
    }
    status = wf_check_string(&kind, at, "action", WF_REQUIRED);
    if (status != APR_SUCCESS) {
        return status;
    }
    action->kind = wf_action_kind(kind);
    if (!action->kind) {
        return wf_check_error(at, "action", "must be one of: %s", wf_action_kind_names(at->pool));
    }
    status = wf_check_members(at, members, action->kind->members);
    if (status == APR_SUCCESS) {
        status = load_common(action, at, loader);
    }
    if (status == APR_SUCCESS) {
        status = action->kind->parse(&action->spec, at, loader);
    }
    *out = action;
    return status;
}

apr_status_t wf_action_list_parse(wf_action_list_t *list, const wf_check_t *at, const char *member,
                                  wf_need_e need, const wf_loader_t *loader)
{
    wf_loader_t inner = *loader;
    const json_t *array = NULL;
    apr_status_t status = wf_check_array(&array, at, member, need);
    int count = (int)json_array_size(array);
    const wf_action_t **actions = apr_pcalloc(at->pool, (apr_size_t)count * sizeof(*actions) + 1);

    inner.depth++;
    if (status == APR_SUCCESS && inner.depth > NESTING_MOST) {
        status = wf_check_error(at, member, "actions stand inside each other more than %d deep",
                                NESTING_MOST);
    }
    for (int i = 0; i < count && status == APR_SUCCESS; i++) {
        wf_check_t place = *at;

        place.object = json_array_get(array, (apr_size_t)i);
        place.path = apr_psprintf(at->pool, "%s/%s/%d", at->path, member, i);
        status = load_action(&actions[i], &place, &inner);
    }
    list->count = count;
    list->actions = actions;
    return status;
}
