/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that could not be written: all counted, the first ones kept. */
#include "flow/sql/write.h"

void wf_failed_add(wf_failed_t *failed, wf_slice_t row, const char *reason)
{
    wf_json_writer_t writer;

    failed->count++;
    if (failed->shown >= WF_FAILED_ROWS_SHOWN ||
        failed->json.len + row.len + strlen(reason) > WF_FAILED_BYTES_SHOWN) {
        return;
    }
    if (failed->shown++ > 0) {
        wf_buf_add_char(&failed->json, ',');
    }
    wf_json_writer_init(&writer, &failed->json);
    wf_json_open(&writer, NULL, '{');
    wf_json_put_raw(&writer, "row", row);
    wf_json_put_text(&writer, "reason", reason);
    wf_json_close(&writer, '}');
}

void wf_failed_put(const wf_failed_t *failed, wf_json_writer_t *writer)
{
    if (failed->count == 0) {
        return;
    }
    wf_json_open(writer, "failedRows", '[');
    wf_buf_add_slice(writer->out, wf_buf_slice(&failed->json));
    wf_json_close(writer, ']');
    if (failed->count > failed->shown) {
        wf_json_put_int(writer, "failedRowsLeftOut", (apr_int64_t)(failed->count - failed->shown));
    }
}
