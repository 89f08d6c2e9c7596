/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput, linked twice: with
 * libFuzzer, which invents inputs (scripts/fuzz), and with replay.c, which repeats those that are
 * kept (make check). It says what must hold of every input with WF_ENSURE.
 */
#ifndef WF_FUZZ_H
#define WF_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include "base/result.h"
#include "base/slice.h"

/* The target's entry point, by the name that libFuzzer gives it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process where a property does not hold. */
#define WF_ENSURE(property) ((property) ? (void)0 : wf_fuzz_fail(__FILE__, __LINE__, #property))

void wf_fuzz_fail(const char *file, int line, const char *property) __attribute__((noreturn));

/*
 * The pool for one input, which the target clears at its end. Every piece that our own code
 * allocates from it is a block of the heap, so that AddressSanitizer sees a read past its end.
 */
apr_pool_t *wf_fuzz_pool(void);

/* Whether bytes are UTF-8, as jansson sees it. */
int wf_fuzz_is_utf8(wf_slice_t bytes);

/* Whether `part` lies in `whole`. */
int wf_fuzz_is_inside(wf_slice_t part, wf_slice_t whole);

/* The lines of a text, and the most characters that its line `line` (from 1) can have. */
size_t wf_fuzz_lines(wf_slice_t text);
size_t wf_fuzz_line_len(wf_slice_t text, size_t line);

#endif
