/* SPDX-License-Identifier: Apache-2.0 */
/* A run's output: what its runner hands over, and what is read of it. */
#include "store/embedded/state.h"

apr_status_t wf_state_output_length(apr_uint64_t *length, wf_state_t *state, wf_entry_t *entry)
{
    apr_status_t rv = APR_SUCCESS;

    *length = 0;
    if (entry->output == WF_OUTPUT_UNKNOWN) {
        rv = wf_outputs_length(length, &state->tables, &entry->pid);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        entry->output = *length;
    }
    *length = entry->output;
    return rv;
}

apr_status_t wf_state_append_output(wf_state_t *state, const wf_token_t *token, apr_uint64_t offset,
                                    wf_slice_t bytes)
{
    wf_entry_t *entry;
    apr_uint64_t length;
    apr_status_t rv = wf_state_find_held(&entry, state, token);

    if (rv == APR_SUCCESS) {
        rv = wf_state_output_length(&length, state, entry);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (offset > length) {
        return WF_EINVALID; /* there would be a hole */
    }
    if (bytes.len <= length - offset) {
        return APR_SUCCESS; /* the same call again */
    }
    bytes = wf_slice_of(bytes.data + (length - offset), bytes.len - (length - offset));
    wf_entry_touch(entry);
    /* Where the batch fails the board is made anew, and this forgotten with it. */
    entry->output = length + bytes.len;
    return wf_outputs_add(&state->tables, &token->pid, length, bytes);
}

/* Whether the run is one of that vhost; *version is its entry's, 0 where it is not under way. */
static apr_status_t find_run(apr_uint64_t *version, wf_state_t *state, const char *vhost,
                             const wf_uuid_t *pid, apr_pool_t *pool)
{
    const wf_entry_t *entry = wf_board_find(&state->board, pid);
    wf_run_t run;

    *version = 0;
    if (!entry) {
        return wf_state_get(&run, state, vhost, pid, pool);
    }
    *version = entry->version;
    return vhost && strcmp(vhost, entry->group->vhost) == 0 ? APR_SUCCESS : APR_NOTFOUND;
}

apr_status_t wf_state_read_output(wf_output_part_t *part, wf_state_t *state, const char *vhost,
                                  const wf_uuid_t *pid, apr_uint64_t offset, apr_size_t most,
                                  apr_pool_t *pool)
{
    wf_buf_t *bytes = apr_pcalloc(pool, sizeof(*bytes));
    apr_status_t rv = find_run(&part->version, state, vhost, pid, pool);

    if (rv == APR_SUCCESS) {
        rv = wf_outputs_length(&part->total, &state->tables, pid);
    }
    if (rv == APR_SUCCESS) {
        wf_buf_bind(bytes, pool);
        rv = wf_outputs_read(bytes, &state->tables, pid, offset, most);
        part->bytes = wf_buf_slice(bytes);
    }
    return rv;
}
