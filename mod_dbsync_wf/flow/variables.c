/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables and look-up tables: hashes whose entries are in pools and whose contents are on the
 * heap. A table has a pool of its own, which goes when the table is begun again.
 */
#include "flow/variables.h"

#include <stdlib.h>
#include <apr_hash.h>
#include <apr_strings.h>

/* What a hash of APR takes for an entry, about: the entry, its slot, and the heap's own share. */
#define ENTRY_OVERHEAD 96

typedef struct variable_t {
    char *data; /* on the heap; NULL while it is empty */
    apr_size_t len;
} variable_t;

/* One allocation holds a row: this, the key and the JSON text. */
typedef struct mem_row_t {
    apr_size_t key_len;
    apr_size_t json_len;
    char bytes[];
} mem_row_t;

struct wf_memtable_t {
    apr_pool_t *pool;
    apr_hash_t *rows; /* key → mem_row_t; the key is the row's own copy */
    apr_size_t bytes;
};

struct wf_variables_t {
    apr_pool_t *pool;
    apr_hash_t *variables; /* name → variable_t */
    apr_hash_t *tables;    /* name → wf_memtable_t */
};

static void *allocate(apr_size_t size)
{
    void *memory = malloc(size ? size : 1);

    if (!memory) {
        abort();
    }
    return memory;
}

/* No key of ours is as long as a signed length can count. */
static void *find(apr_hash_t *hash, wf_slice_t key)
{
    return apr_hash_get(hash, key.data, (apr_ssize_t)key.len);
}

static apr_status_t free_variables(void *data)
{
    wf_variables_t *variables = data;

    for (apr_hash_index_t *i = apr_hash_first(NULL, variables->variables); i;
         i = apr_hash_next(i)) {
        free(((variable_t *)apr_hash_this_val(i))->data);
    }
    return APR_SUCCESS;
}

static apr_status_t free_rows(void *data)
{
    wf_memtable_t *table = data;

    for (apr_hash_index_t *i = apr_hash_first(NULL, table->rows); i; i = apr_hash_next(i)) {
        free(apr_hash_this_val(i));
    }
    return APR_SUCCESS;
}

wf_variables_t *wf_variables_create(apr_pool_t *pool)
{
    wf_variables_t *variables = apr_pcalloc(pool, sizeof(*variables));

    variables->pool = pool;
    variables->variables = apr_hash_make(pool);
    variables->tables = apr_hash_make(pool);
    apr_pool_cleanup_register(pool, variables, free_variables, apr_pool_cleanup_null);
    return variables;
}

void wf_variables_set(wf_variables_t *variables, const char *name, wf_slice_t json)
{
    variable_t *variable = find(variables->variables, wf_slice(name));
    char *old;

    if (!variable) {
        variable = apr_pcalloc(variables->pool, sizeof(*variable));
        apr_hash_set(variables->variables, apr_pstrdup(variables->pool, name), APR_HASH_KEY_STRING,
                     variable);
    }
    /* The old text goes last: the new one may be a part of it. */
    old = variable->data;
    variable->data = allocate(json.len);
    memcpy(variable->data, json.len ? json.data : "", json.len);
    variable->len = json.len;
    free(old);
}

apr_status_t wf_variables_get(wf_slice_t *json, const wf_variables_t *variables, wf_slice_t name)
{
    const variable_t *variable = find(variables->variables, name);

    if (!variable) {
        return APR_NOTFOUND;
    }
    *json = wf_slice_of(variable->data, variable->len);
    return APR_SUCCESS;
}

wf_memtable_t *wf_memtable_begin(wf_variables_t *variables, const char *name)
{
    wf_memtable_t *table = find(variables->tables, wf_slice(name));

    if (!table) {
        table = apr_pcalloc(variables->pool, sizeof(*table));
        apr_pool_create(&table->pool, variables->pool);
        apr_pool_tag(table->pool, "wf_memtable");
        apr_hash_set(variables->tables, apr_pstrdup(variables->pool, name), APR_HASH_KEY_STRING,
                     table);
    }
    apr_pool_clear(table->pool);
    table->rows = apr_hash_make(table->pool);
    table->bytes = 0;
    apr_pool_cleanup_register(table->pool, table, free_rows, apr_pool_cleanup_null);
    return table;
}

static mem_row_t *make_row(wf_slice_t key, wf_slice_t json)
{
    mem_row_t *row = allocate(sizeof(*row) + key.len + json.len);

    row->key_len = key.len;
    row->json_len = json.len;
    memcpy(row->bytes, key.len ? key.data : "", key.len);
    memcpy(row->bytes + key.len, json.len ? json.data : "", json.len);
    return row;
}

static apr_size_t size_of_row(const mem_row_t *row)
{
    return ENTRY_OVERHEAD + sizeof(*row) + row->key_len + row->json_len;
}

void wf_memtable_add(wf_memtable_t *table, wf_slice_t key, wf_slice_t json)
{
    mem_row_t *row = make_row(key, json);
    mem_row_t *old = find(table->rows, key);

    if (old) {
        /* Out first: a hash keeps the key that it has, which is the old row's. */
        apr_hash_set(table->rows, old->bytes, (apr_ssize_t)old->key_len, NULL);
        table->bytes -= size_of_row(old);
    }
    apr_hash_set(table->rows, row->bytes, (apr_ssize_t)row->key_len, row);
    table->bytes += size_of_row(row);
    free(old);
}

apr_size_t wf_memtable_count(const wf_memtable_t *table)
{
    return apr_hash_count(table->rows);
}

apr_size_t wf_memtable_bytes(const wf_memtable_t *table)
{
    return table->bytes;
}

apr_status_t wf_memtable_find(wf_slice_t *json, const wf_variables_t *variables, wf_slice_t table,
                              wf_slice_t key)
{
    const wf_memtable_t *found = find(variables->tables, table);
    const mem_row_t *row = found ? find(found->rows, key) : NULL;

    if (!row) {
        return APR_NOTFOUND;
    }
    *json = wf_slice_of(row->bytes + row->key_len, row->json_len);
    return APR_SUCCESS;
}
