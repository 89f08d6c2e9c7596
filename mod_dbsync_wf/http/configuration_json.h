/* SPDX-License-Identifier: Apache-2.0 */
/*
 * API configurations as clients see them.
 *
 * A callback's URL may hold what only those who set it should know: it is shown to those who may
 * change the configuration. Its secret is shown to nobody.
 */
#ifndef WF_HTTP_CONFIGURATION_JSON_H
#define WF_HTTP_CONFIGURATION_JSON_H

#include "http/configurations.h"
#include "http/project_json.h"

/* Puts a task's configuration as an object: an element of an array. Asks httpd whether this user
 * may change it. */
void wf_configuration_json(wf_json_writer_t *writer, wf_request_t *req,
                           const wf_project_view_t *view, const wf_task_t *task,
                           const wf_in_force_t *found);

#endif
