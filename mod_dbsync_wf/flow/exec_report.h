/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program's end means for the run: the details that are shown, the result that is made of
 * its stdout, and whether the action failed.
 */
#ifndef WF_FLOW_EXEC_REPORT_H
#define WF_FLOW_EXEC_REPORT_H

#include "flow/action.h"
#include "flow/process.h"

/* How much of stderr is kept, so that its last line, which says most, is usually there. */
#define WF_EXEC_ERROR_KEPT (64 * 1024)

/*
 * Adds "exitCode" or "signal", and "stdout" and "stderr" where they are not empty, each at most
 * WF_OUTPUT_CAP bytes, with "stdoutCut" and "stderrCut" where that is not all.
 */
void wf_exec_report_details(wf_json_writer_t *details, const wf_process_end_t *process);

/*
 * Makes the action's result of stdout: the JSON value that it is, or else the text as a JSON
 * string; what was cut at the cap is always a string.
 */
void wf_exec_report_result(wf_action_end_t *end, const wf_process_end_t *process, apr_pool_t *pool);

/*
 * APR_SUCCESS where the program exited with 0; otherwise WF_EINVALID, with WF_PROBLEM_EXIT_CODE or
 * WF_PROBLEM_SIGNAL and a detail that names the program, the action and the last line of stderr.
 */
apr_status_t wf_exec_report_failure(const wf_process_end_t *process, const char *program,
                                    const char *action, wf_result_t *result, apr_pool_t *pool);

#endif
