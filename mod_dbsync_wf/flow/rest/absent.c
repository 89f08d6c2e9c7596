/* SPDX-License-Identifier: Apache-2.0 */
/* What stands for the connector and the action "rest", and for callbacks, in a build without
 * libcurl. */
#include "flow/rest/callback.h"
#include "flow/rest/rest.h"

#define NO_CALLBACKS "be left out: the server was built without libcurl"

static const char *const connector_members[] = {WF_REST_CONNECTOR_MEMBERS, NULL};
static const char *const action_members[] = {WF_REST_ACTION_MEMBERS, NULL};

static apr_status_t refuse(const wf_check_t *at, const char *member)
{
    return wf_check_error(at, member,
                          "this build has no REST: install libcurl4-openssl-dev and build again");
}

static apr_status_t refuse_connector(const void **spec, const wf_check_t *at)
{
    *spec = NULL;
    return refuse(at, "type");
}

static apr_status_t refuse_action(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    (void)loader;
    *spec = NULL;
    return refuse(at, "action");
}

/* Never called, since nothing that parses leads here. */
static apr_status_t execute_nothing(wf_action_end_t *end, const void *spec,
                                    const wf_action_context_t *context, wf_result_t *result,
                                    apr_pool_t *pool)
{
    (void)end;
    (void)spec;
    (void)pool;
    return wf_result_set(result, APR_ENOTIMPL, WF_PROBLEM_INTERNAL,
                         "action \"%s\": this build has no REST", context->action);
}

apr_status_t wf_rest_setup(void)
{
    return APR_SUCCESS;
}

const wf_connector_kind_t wf_connector_rest = {"rest", connector_members, refuse_connector};
const wf_action_kind_t wf_action_rest = {"rest", action_members, refuse_action, execute_nothing};

static apr_status_t refuse_callback(const char **reason)
{
    *reason = NO_CALLBACKS;
    return WF_EINVALID;
}

apr_status_t wf_callback_url_check(const char **reason, const char *url, apr_pool_t *pool)
{
    (void)url;
    (void)pool;
    return refuse_callback(reason);
}

apr_status_t wf_callback_secret_check(const char **reason, const char *secret)
{
    (void)secret;
    return refuse_callback(reason);
}

apr_status_t wf_callback_host_check(const char **reason, const char *host, apr_pool_t *pool)
{
    (void)host;
    (void)pool;
    return refuse_callback(reason);
}

int wf_callback_is_allowed(const char *url, const apr_array_header_t *hosts, apr_pool_t *pool)
{
    (void)url;
    (void)hosts;
    (void)pool;
    return 0;
}

apr_status_t wf_callback_sign(const char **signature, const wf_callback_message_t *message,
                              apr_pool_t *pool)
{
    (void)signature;
    (void)message;
    (void)pool;
    return APR_ENOTIMPL;
}

/* For a configuration that was stored by a server with libcurl. */
apr_status_t wf_callback_deliver(wf_callback_answer_t *answer, const wf_callback_message_t *message,
                                 wf_cancel_t *cancel, apr_pool_t *pool)
{
    (void)message;
    (void)cancel;
    (void)pool;
    memset(answer, 0, sizeof(*answer));
    answer->reason = "the server was built without libcurl";
    return APR_SUCCESS;
}
