/* SPDX-License-Identifier: Apache-2.0 */
/* The table that problem.h's list spells. */
#include "base/problem.h"

static const wf_problem_info_t problems[] = {
#define WF_PROBLEM_ROW(name, slug, http_status, title) {slug, http_status, title},
    WF_PROBLEMS(WF_PROBLEM_ROW)
#undef WF_PROBLEM_ROW
};

const wf_problem_info_t *wf_problem_info(wf_problem_e problem)
{
    return &problems[(unsigned)problem < WF_PROBLEM_COUNT ? problem : WF_PROBLEM_INTERNAL];
}
