/* SPDX-License-Identifier: Apache-2.0 */
/* A task's API configuration as bytes. */
#include "store/embedded/record_configuration.h"

#include <apr_strings.h>

#define RECORD_VERSION 1

/* Never used again for something else. */
enum {
    TAG_VHOST = 1,
    TAG_PROJECT,
    TAG_TASK,
    TAG_REVISION,
    TAG_IS_REMOVED,
    TAG_DOCUMENT,
    TAG_CHANGE,
    TAG_CHANGED_BY,
    TAG_CHANGED,
};

void wf_stored_configuration_encode(wf_buf_t *buf, const wf_stored_configuration_t *configuration)
{
    wf_buf_add_char(buf, RECORD_VERSION);
    wf_field_add_text(buf, TAG_VHOST, configuration->vhost);
    wf_field_add_text(buf, TAG_PROJECT, configuration->project);
    wf_field_add_text(buf, TAG_TASK, configuration->task);
    wf_field_add_u64(buf, TAG_REVISION, configuration->revision);
    wf_field_add_u64(buf, TAG_IS_REMOVED, configuration->is_removed != 0);
    wf_field_add(buf, TAG_DOCUMENT, configuration->document);
    wf_field_add(buf, TAG_CHANGE,
                 wf_slice_of(&configuration->change, sizeof(configuration->change)));
    wf_field_add_text(buf, TAG_CHANGED_BY, configuration->changed_by);
    wf_field_add_u64(buf, TAG_CHANGED, (apr_uint64_t)configuration->changed);
}

static apr_status_t decode_text(const char **text, wf_slice_t value, apr_pool_t *pool)
{
    *text = apr_pstrmemdup(pool, value.data, value.len);
    return APR_SUCCESS;
}

static apr_status_t decode_uuid(wf_uuid_t *uuid, wf_slice_t value)
{
    if (value.len != sizeof(*uuid)) {
        return WF_EPROTOCOL;
    }
    memcpy(uuid, value.data, sizeof(*uuid));
    return APR_SUCCESS;
}

static apr_status_t decode_field(wf_stored_configuration_t *configuration, unsigned char tag,
                                 wf_slice_t value, apr_pool_t *pool)
{
    apr_uint64_t number = 0;
    apr_status_t rv;

    switch (tag) {
    case TAG_VHOST:
        return decode_text(&configuration->vhost, value, pool);
    case TAG_PROJECT:
        return decode_text(&configuration->project, value, pool);
    case TAG_TASK:
        return decode_text(&configuration->task, value, pool);
    case TAG_REVISION:
        return wf_field_u64(&configuration->revision, value);
    case TAG_IS_REMOVED:
        rv = wf_field_u64(&number, value);
        configuration->is_removed = number != 0;
        return rv;
    case TAG_DOCUMENT:
        configuration->document = wf_slice_dup(value, pool);
        return APR_SUCCESS;
    case TAG_CHANGE:
        return decode_uuid(&configuration->change, value);
    case TAG_CHANGED_BY:
        return decode_text(&configuration->changed_by, value, pool);
    case TAG_CHANGED:
        rv = wf_field_u64(&number, value);
        configuration->changed = (apr_time_t)number;
        return rv;
    default:
        return APR_SUCCESS;
    }
}

apr_status_t wf_stored_configuration_decode(wf_stored_configuration_t *configuration,
                                            wf_slice_t bytes, apr_pool_t *pool)
{
    apr_status_t rv = APR_SUCCESS;
    unsigned char tag;
    wf_slice_t value;

    memset(configuration, 0, sizeof(*configuration));
    configuration->document = wf_slice("");
    if (bytes.len < 1 || bytes.data[0] != RECORD_VERSION) {
        return WF_EPROTOCOL;
    }
    bytes = wf_slice_of(bytes.data + 1, bytes.len - 1);
    while (rv == APR_SUCCESS && (rv = wf_field_next(&tag, &value, &bytes)) == APR_SUCCESS) {
        rv = decode_field(configuration, tag, value, pool);
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}
