/* SPDX-License-Identifier: Apache-2.0 */
/* callbacks: when it is due (8 bytes, big-endian), pid -> nothing. What is due first is in front.
 */
#include "store/embedded/tables.h"

typedef struct callback_key_t {
    unsigned char bytes[8 + sizeof(wf_uuid_t)];
} callback_key_t;

static wf_slice_t make_key(callback_key_t *key, apr_time_t due, const wf_uuid_t *pid)
{
    wf_put_u64(key->bytes, (apr_uint64_t)due);
    memcpy(key->bytes + 8, pid, sizeof(*pid));
    return wf_slice_of(key->bytes, sizeof(key->bytes));
}

apr_status_t wf_callbacks_put(wf_tables_t *tables, apr_time_t due, const wf_uuid_t *pid)
{
    callback_key_t key;

    return wf_table_put(tables->callbacks, make_key(&key, due, pid), wf_slice(""));
}

apr_status_t wf_callbacks_delete(wf_tables_t *tables, apr_time_t due, const wf_uuid_t *pid)
{
    callback_key_t key;

    return wf_table_delete(tables->callbacks, make_key(&key, due, pid));
}

typedef struct due_visit_t {
    wf_tables_t *tables;
    wf_callbacks_visit_t visit;
    void *baton;
} due_visit_t;

static apr_status_t visit_key(void *baton, wf_slice_t key, wf_slice_t value)
{
    const due_visit_t *to = baton;
    apr_time_t due;
    wf_uuid_t pid;

    (void)value;
    if (key.len != sizeof(callback_key_t)) {
        return wf_tables_nonsense(to->tables, "callbacks.db");
    }
    due = (apr_time_t)wf_get_u64((const unsigned char *)key.data);
    memcpy(&pid, key.data + 8, sizeof(pid));
    return to->visit(to->baton, due, &pid);
}

apr_status_t wf_callbacks_walk(wf_tables_t *tables, wf_callbacks_visit_t visit, void *baton)
{
    due_visit_t to = {tables, visit, baton};

    return wf_table_walk(tables->callbacks, visit_key, &to);
}
