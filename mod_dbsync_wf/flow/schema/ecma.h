/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of ECMA-262, rewritten to mean the same in PCRE2. Private to this folder. */
#ifndef WF_FLOW_SCHEMA_ECMA_H
#define WF_FLOW_SCHEMA_ECMA_H

#include <apr_errno.h>
#include "base/slice.h"

/*
 * Appends a pattern, UTF-8, as PCRE2 is to be given it (with PCRE2_UTF, PCRE2_ALT_BSUX and
 * PCRE2_EXTRA_ALT_BSUX). *repeat becomes the greatest number in braces.
 * APR_SUCCESS; WF_EINVALID with *reason for what ECMA-262 does not have. What it has and PCRE2 does
 * not is left for that to refuse.
 */
apr_status_t wf_ecma_rewrite(wf_buf_t *out, apr_uint32_t *repeat, wf_slice_t text,
                             const char **reason, apr_pool_t *pool);

#endif
