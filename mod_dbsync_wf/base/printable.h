/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of strangers (a program's complaint, a service's answer) made fit to be quoted in a
 * sentence.
 */
#ifndef WF_BASE_PRINTABLE_H
#define WF_BASE_PRINTABLE_H

#include "base/slice.h"

/*
 * The text as one line of valid UTF-8 in pool: a question mark for each control character and for
 * what is no UTF-8, and three dots where there were more than `most` characters.
 */
const char *wf_printable(wf_slice_t text, int most, apr_pool_t *pool);

#endif
