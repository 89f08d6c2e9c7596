/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the audit log: one JSON object. Knows nothing of httpd. */
#ifndef WF_HTTP_AUDIT_LINE_H
#define WF_HTTP_AUDIT_LINE_H

#include <apr_time.h>
#include "base/slice.h"

/* What a line tells. Texts may be NULL, and are left out then; whatever bytes they have, the line
 * is valid JSON. */
typedef struct wf_audit_entry_t {
    apr_time_t time;
    const char *vhost;
    const char *address;
    const char *user;
    const char *method;
    const char *action;
    const char *project;
    const char *task;
    const char *pid;
    const char *outcome;
    int status;
    const char *request_id;
} wf_audit_entry_t;

/* So many bytes a line has at most, its newline included: a pipe takes as much as one, whoever else
 * writes into it (PIPE_BUF). */
#define WF_AUDIT_LINE_MOST 4096

/* Appends a line, in which texts that are too long for it are cut. */
void wf_audit_line(wf_buf_t *out, const wf_audit_entry_t *entry);

#endif
