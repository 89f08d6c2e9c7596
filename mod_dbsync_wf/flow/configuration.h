/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task's API configuration: whether it may be run through the API, what for, with which bodies,
 * how often, and who is told of a run's end.
 *
 * It is one document, however it came here: as a project's file has it ("api" of a task), which is
 * the default; as a client sends it; or as it is stored, where it replaces the file's as a whole.
 * The text is read as it is (base/json.h): an example and a schema may hold numbers that no machine
 * word does.
 *
 *   {"enabled": true, "description": "…", "example": …, "schema": {…},
 *    "rateLimit": {"runs": 60, "seconds": 60},
 *    "callback": {"url": "https://…", "secret": "whsec_…"}}
 */
#ifndef WF_FLOW_CONFIGURATION_H
#define WF_FLOW_CONFIGURATION_H

#include "flow/check.h"
#include "flow/rest/callback.h"
#include "flow/schema/schema.h"

/* Never changes once it is made. Slices are empty, and pointers NULL, where there is nothing. */
typedef struct wf_configuration_t {
    int enabled;
    const char *description;
    wf_slice_t example;     /* JSON */
    wf_slice_t schema_text; /* JSON */
    const wf_schema_t *schema;
    apr_uint32_t rate; /* runs in each rate_period; 0: any number */
    apr_interval_time_t rate_period;
    const wf_callback_t *callback;
} wf_configuration_t;

/* Bounds, which errors name. */
#define WF_CONFIGURATION_TEXT_MOST 65536u /* bytes, as is the next */
#define WF_DESCRIPTION_MOST        4096u
#define WF_RATE_MOST               1000000u
#define WF_RATE_PERIOD_MOST        86400u /* seconds */

/*
 * Reads a document as a client sends it or as it is stored. The text has passed wf_json_check, and
 * must live as long as pool. *configuration is NULL where the document is {"useProjectFile": true}.
 * Members that say what something is rather than what it is to be ("projectId", "changeTime", …)
 * are passed over, so that what was read can be sent back.
 * APR_SUCCESS, or WF_EINVALID with WF_PROBLEM_INVALID_CONFIGURATION and a detail such as
 * "/rateLimit/runs: must be an integer from 1 to 1000000".
 */
apr_status_t wf_configuration_parse(const wf_configuration_t **configuration, wf_slice_t document,
                                    wf_result_t *result, apr_pool_t *pool);

/*
 * The default: the member "api" of a task's object in a project's file, and its "example", which is
 * given as text. A callback's secret is named by secretFile or secretEnv there.
 * Returns as the checks of flow/check.h do.
 */
apr_status_t wf_configuration_check(const wf_configuration_t **configuration, const wf_check_t *at,
                                    const char *example);

/*
 * Puts a configuration's members into the object that is open, all that wf_configuration_parse
 * reads: to be stored, with the secret; or, where `shown`, to be seen, without.
 */
void wf_configuration_put(wf_json_writer_t *writer, const wf_configuration_t *configuration,
                          int shown);

#endif
