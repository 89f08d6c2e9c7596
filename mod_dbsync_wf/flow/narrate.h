/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run puts out, as its execution's `output` is handed it: what programs print, byte for byte
 * as it comes, and what debug actions say, between lines that tell which action begins and how it
 * ends:
 *
 *   [2026-11-25T21:00:00.123Z] main / greet (exec) begins
 *   [2026-11-25T21:00:00.125Z] main / greet (exec) ends: completed
 *
 * A line of ours always begins a line, whatever came before it. It says nothing that the run's
 * `actions` do not.
 */
#ifndef WF_FLOW_NARRATE_H
#define WF_FLOW_NARRATE_H

#include "flow/walk.h"

/* Prepares a walk; before anything else here. */
void wf_narrate_open(wf_walk_t *walk);

/* An action of a flow begins. */
void wf_narrate_begin(wf_walk_t *walk, const char *flow, const wf_action_t *action);

/* An attempt of it failed, as `result` says, and there is another one. Attempts count from 1. */
void wf_narrate_attempt(wf_walk_t *walk, const char *flow, const wf_action_t *action,
                        apr_uint32_t attempt, const wf_result_t *result);

/* It has ended: APR_SUCCESS, WF_ECANCELLED, or an error that `result` tells. */
void wf_narrate_end(wf_walk_t *walk, const char *flow, const wf_action_t *action,
                    apr_status_t status, const wf_result_t *result);

#endif
