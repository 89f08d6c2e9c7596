/* SPDX-License-Identifier: Apache-2.0 */
/* A run as its clients see it, and as a callback tells it. */
#ifndef WF_STORE_RUN_JSON_H
#define WF_STORE_RUN_JSON_H

#include "base/slice.h"
#include "store/store.h"

/*
 * Appends the run's JSON object. Members that have nothing to say are left out; times are RFC 3339
 * in UTC with milliseconds. What is ours alone (vhost, source, fence, incarnation) is never shown.
 */
void wf_run_json(wf_buf_t *out, const wf_run_t *run);

#endif
