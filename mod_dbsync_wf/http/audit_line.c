/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a line. */
#include "http/audit_line.h"

#include <limits.h>
#include "base/clock.h"
#include "base/json.h"

#define TEXT_MOST 1024 /* bytes of a text, before it is escaped */

_Static_assert(WF_AUDIT_LINE_MOST <= PIPE_BUF, "a line is one write that nobody gets into");

static void put(wf_json_writer_t *writer, const char *name, const char *text, apr_size_t most)
{
    if (text) {
        apr_size_t len = strlen(text);

        wf_json_put_bytes(writer, name, wf_slice_of(text, len < most ? len : most));
    }
}

static void write_line(wf_buf_t *out, const wf_audit_entry_t *entry, apr_size_t most)
{
    char when[WF_TIME_TEXT_LEN + 1];
    wf_json_writer_t writer;

    wf_time_format(when, entry->time);
    wf_json_writer_init(&writer, out);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_text(&writer, "time", when);
    put(&writer, "vhost", entry->vhost, most);
    put(&writer, "address", entry->address, most);
    put(&writer, "user", entry->user, most);
    put(&writer, "method", entry->method, most);
    put(&writer, "action", entry->action, most);
    put(&writer, "project", entry->project, most);
    put(&writer, "task", entry->task, most);
    put(&writer, "pid", entry->pid, most);
    put(&writer, "outcome", entry->outcome, most);
    wf_json_put_int(&writer, "status", entry->status);
    put(&writer, "requestId", entry->request_id, most);
    wf_json_close(&writer, '}');
    wf_buf_add_char(out, '\n');
}

void wf_audit_line(wf_buf_t *out, const wf_audit_entry_t *entry)
{
    apr_size_t start = out->len;

    /* A byte is six at most when it is escaped, so this ends long before nothing is left. */
    for (apr_size_t most = TEXT_MOST; most > 0; most /= 2) {
        out->len = start;
        write_line(out, entry, most);
        if (out->len - start <= WF_AUDIT_LINE_MOST) {
            return;
        }
    }
}
