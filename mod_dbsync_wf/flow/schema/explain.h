/* SPDX-License-Identifier: Apache-2.0 */
/* A failure of the machine told to people. Private to this folder. */
#ifndef WF_FLOW_SCHEMA_EXPLAIN_H
#define WF_FLOW_SCHEMA_EXPLAIN_H

#include "flow/schema/check.h"

/* Fills in an error with what the machine failed with; it lives in the caller's pool. */
void wf_schema_explain(wf_schema_error_t *error, const wf_schema_machine_t *machine);

wf_schema_explain_f wf_schema_explain_bound, wf_schema_explain_branches, wf_schema_explain_contains,
    wf_schema_explain_count, wf_schema_explain_dependent_required, wf_schema_explain_enum,
    wf_schema_explain_false, wf_schema_explain_inner, wf_schema_explain_multiple,
    wf_schema_explain_not, wf_schema_explain_pattern, wf_schema_explain_required,
    wf_schema_explain_type, wf_schema_explain_unique;

#endif
