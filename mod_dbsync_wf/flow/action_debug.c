/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "debug": {"action": "debug", "message": "{{…}}"}: shows a text in the run's actions,
 * and in its log. It goes nowhere else, above all not into the server's, since it may hold whatever
 * the body holds.
 */
#include "flow/action.h"
#include "flow/document.h"

#define MESSAGE_MOST (8 * 1024) /* bytes that are shown */

static const char *const members[] = {"message", NULL};

static apr_status_t parse_debug(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    const json_t *value = json_object_get(at->object, "message");
    const wf_document_t *message = NULL;
    apr_status_t status;

    (void)loader;
    if (!value) {
        return wf_check_error(at, "message", "is missing");
    }
    status = wf_document_check(&message, at, "message", value);
    *spec = (void *)(apr_uintptr_t)message;
    return status;
}

/* A string as its text, anything else as JSON; as a line. */
static void put_out(const wf_action_context_t *context, wf_slice_t json)
{
    wf_buf_t text = {NULL, 0, 0};

    if (wf_json_type(json) == WF_JSON_STRING) {
        wf_json_string_decode(&text, json);
    } else {
        wf_buf_add_slice(&text, json);
    }
    wf_buf_add_char(&text, '\n');
    wf_action_output(context->walk, wf_buf_slice(&text));
    wf_buf_free(&text);
}

static apr_status_t execute_debug(wf_action_end_t *end, const void *spec,
                                  const wf_action_context_t *context, wf_result_t *result,
                                  apr_pool_t *pool)
{
    wf_buf_t json = {NULL, 0, 0};
    apr_status_t rv = wf_document_json(&json, spec, &context->scope, result, pool);

    if (rv == APR_SUCCESS && json.len <= MESSAGE_MOST) {
        wf_json_put_raw(end->details, "message", wf_buf_slice(&json));
    } else if (rv == APR_SUCCESS) {
        wf_json_put_bytes(end->details, "message", wf_slice_of(json.data, MESSAGE_MOST));
        wf_json_put_bool(end->details, "messageCut", 1);
    }
    if (rv == APR_SUCCESS && wf_action_has_output(context)) {
        put_out(context, wf_buf_slice(&json));
    }
    wf_buf_free(&json);
    end->has_none = 1;
    return rv;
}

const wf_action_kind_t wf_action_debug = {"debug", members, parse_debug, execute_debug};
