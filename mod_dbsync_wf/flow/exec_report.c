/* SPDX-License-Identifier: Apache-2.0 */
/* A program's end, as details, result and failure. */
#include "flow/exec_report.h"

#include <signal.h>
#include <apr_strings.h>
#include "base/printable.h"
#include "base/utf8.h"
#include "flow/flow.h"

#define RESULT_DEPTH    512
#define LAST_LINE_CHARS 200

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
};

#define SIGNAL_TEXT_LEN 16

static void name_signal(char text[SIGNAL_TEXT_LEN], int number)
{
    for (apr_size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (signals[i].number == number) {
            apr_cpystrn(text, signals[i].name, SIGNAL_TEXT_LEN);
            return;
        }
    }
    apr_snprintf(text, SIGNAL_TEXT_LEN, "signal %d", number);
}

/* Without the character that a cut left incomplete at the end. */
static wf_slice_t drop_partial(wf_slice_t text)
{
    for (apr_size_t back = 1; back <= 3 && back <= text.len; back++) {
        unsigned char c = (unsigned char)text.data[text.len - back];
        if ((c & 0xC0) != 0x80) {
            if (wf_utf8_form(c).more >= back) {
                text.len -= back;
            }
            break;
        }
    }
    return text;
}

static void add_output(wf_json_writer_t *details, const char *name, const char *cut_name,
                       wf_slice_t output, int cut)
{
    if (output.len > WF_OUTPUT_CAP) {
        output.len = WF_OUTPUT_CAP;
        cut = 1;
    }
    if (output.len) {
        wf_json_put_bytes(details, name, cut ? drop_partial(output) : output);
    }
    if (cut) {
        wf_json_put_bool(details, cut_name, 1);
    }
}

void wf_exec_report_details(wf_json_writer_t *details, const wf_process_end_t *process)
{
    char name[SIGNAL_TEXT_LEN];

    if (process->exited) {
        wf_json_put_int(details, "exitCode", process->exit_code);
    } else {
        name_signal(name, process->signal);
        wf_json_put_text(details, "signal", name);
    }
    add_output(details, "stdout", "stdoutCut", process->output, process->output_cut);
    add_output(details, "stderr", "stderrCut", process->error, process->error_cut);
}

void wf_exec_report_result(wf_action_end_t *end, const wf_process_end_t *process, apr_pool_t *pool)
{
    wf_slice_t text = process->output;
    wf_buf_t *json;

    end->result_cut = process->output_cut;
    if (!process->output_cut && wf_json_check(text, RESULT_DEPTH, NULL) == APR_SUCCESS) {
        end->result = wf_json_trim(text);
        return;
    }
    json = apr_pcalloc(pool, sizeof(*json));
    wf_buf_bind(json, pool);
    wf_json_string_encode(json, process->output_cut ? drop_partial(text) : text);
    end->result = wf_buf_slice(json);
}

/* ": " and the last line that is not empty, or "" where there is none or its end is not known. */
static const char *quote_last_line(const wf_process_end_t *process, apr_pool_t *pool)
{
    wf_slice_t text = process->error;
    const char *start;

    while (text.len && strchr("\r\n\t ", text.data[text.len - 1])) {
        text.len--;
    }
    if (text.len == 0 || process->error_cut) {
        return "";
    }
    start = text.data + text.len;
    while (start > text.data && start[-1] != '\n') {
        start--;
    }
    text = wf_slice_of(start, text.len - (apr_size_t)(start - text.data));
    return apr_pstrcat(pool, ": ", wf_printable(text, LAST_LINE_CHARS, pool), NULL);
}

apr_status_t wf_exec_report_failure(const wf_process_end_t *process, const char *program,
                                    const char *action, wf_result_t *result, apr_pool_t *pool)
{
    char name[SIGNAL_TEXT_LEN];

    if (process->exited && process->exit_code == 0) {
        return APR_SUCCESS;
    }
    if (process->exited) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_EXIT_CODE,
                             "program \"%s\" of action \"%s\" ended with exit code %d%s", program,
                             action, process->exit_code, quote_last_line(process, pool));
    }
    name_signal(name, process->signal);
    return wf_result_set(result, WF_EINVALID, WF_PROBLEM_SIGNAL,
                         "program \"%s\" of action \"%s\" was ended by %s%s", program, action, name,
                         quote_last_line(process, pool));
}
