/* SPDX-License-Identifier: Apache-2.0 */
/* A run as JSON. */
#include "store/run_json.h"

#include "base/clock.h"
#include "base/json.h"

static void put_text(wf_json_writer_t *writer, const char *name, const char *text)
{
    if (text) {
        wf_json_put_text(writer, name, text);
    }
}

static void put_time(wf_json_writer_t *writer, const char *name, apr_time_t when)
{
    char text[WF_TIME_TEXT_LEN + 1];

    if (when != 0) {
        wf_time_format(text, when);
        wf_json_put_text(writer, name, text);
    }
}

static void put_count(wf_json_writer_t *writer, const char *name, apr_uint64_t count)
{
    wf_json_put_int(writer, name, (apr_int64_t)count);
}

static void put_progress(wf_json_writer_t *writer, const wf_run_progress_t *progress)
{
    if (!progress->action && progress->done == 0 && progress->total == 0) {
        return;
    }
    wf_json_open(writer, "progress", '{');
    put_text(writer, "action", progress->action);
    put_count(writer, "done", progress->done);
    put_count(writer, "total", progress->total);
    wf_json_close(writer, '}');
}

static void put_records(wf_json_writer_t *writer, const wf_run_t *run)
{
    if (run->records.read == 0 && run->records.written == 0 && run->records.failed == 0) {
        return;
    }
    wf_json_open(writer, "records", '{');
    put_count(writer, "read", run->records.read);
    put_count(writer, "written", run->records.written);
    put_count(writer, "failed", run->records.failed);
    wf_json_close(writer, '}');
}

static const char *error_title(const char *type)
{
    for (int i = 0; i < WF_PROBLEM_COUNT; i++) {
        const wf_problem_info_t *info = wf_problem_info((wf_problem_e)i);

        if (strcmp(info->slug, type) == 0) {
            return info->title;
        }
    }
    return NULL; /* written by a later version: the type alone must do */
}

static void put_error(wf_json_writer_t *writer, const wf_run_error_t *error)
{
    if (!error->type) {
        return;
    }
    wf_json_open(writer, "error", '{');
    wf_json_put_text(writer, "type", error->type);
    put_text(writer, "title", error_title(error->type));
    put_text(writer, "detail", error->detail);
    wf_json_close(writer, '}');
}

static const char *callback_status_name(wf_callback_status_e status)
{
    static const char *const names[] = {
        [WF_CALLBACK_WANTED] = "wanted",
        [WF_CALLBACK_PENDING] = "pending",
        [WF_CALLBACK_DELIVERED] = "delivered",
        [WF_CALLBACK_FAILED] = "failed",
    };

    return status > WF_CALLBACK_NONE && status <= WF_CALLBACK_FAILED ? names[status] : NULL;
}

static void put_callback(wf_json_writer_t *writer, const wf_run_callback_t *callback)
{
    const char *status = callback_status_name(callback->status);

    if (!status) {
        return;
    }
    wf_json_open(writer, "callback", '{');
    wf_json_put_text(writer, "status", status);
    put_count(writer, "attempts", callback->attempts);
    put_time(writer, "lastAttemptTime", callback->last);
    put_time(writer, "nextAttemptTime", callback->next);
    if (callback->http_status) {
        put_count(writer, "httpStatus", callback->http_status);
    }
    put_text(writer, "reason", callback->reason);
    wf_json_close(writer, '}');
}

static void put_outcome(wf_json_writer_t *writer, const wf_run_t *run)
{
    if (wf_run_status_is_final(run->status) && run->result.len > 0) {
        wf_json_put_raw(writer, "result", run->result);
        if (run->result_cut) {
            wf_json_put_bool(writer, "resultCut", 1);
        }
    }
    if (run->actions.len > 0) {
        wf_json_put_raw(writer, "actions", run->actions);
    }
    put_error(writer, &run->error);
}

void wf_run_json(wf_buf_t *out, const wf_run_t *run)
{
    wf_json_writer_t writer;
    char pid[WF_UUID_TEXT_LEN + 1];

    wf_uuid_format(pid, &run->pid);
    wf_json_writer_init(&writer, out);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_text(&writer, "pid", pid);
    put_text(&writer, "projectId", run->project);
    put_text(&writer, "taskId", run->task);
    wf_json_put_text(&writer, "status", wf_run_status_name(run->status));
    put_text(&writer, "trigger", run->trigger);
    put_text(&writer, "user", run->user);
    put_time(&writer, "submitTime", run->submitted);
    put_time(&writer, "startTime", run->started);
    put_time(&writer, "completionTime", run->completed);
    put_progress(&writer, &run->progress);
    put_records(&writer, run);
    put_outcome(&writer, run);
    put_time(&writer, "interruptTime", run->interrupt_requested);
    put_callback(&writer, &run->callback);
    wf_json_close(&writer, '}');
}
