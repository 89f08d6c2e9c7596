/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share; and pools that hide no overrun. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <apr_general.h>
#include <jansson.h>

void wf_fuzz_fail(const char *file, int line, const char *property)
{
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, property);
    abort();
}

apr_pool_t *wf_fuzz_pool(void)
{
    static apr_pool_t *pool;

    if (!pool) {
        WF_ENSURE(apr_initialize() == APR_SUCCESS);
        WF_ENSURE(apr_pool_create(&pool, NULL) == APR_SUCCESS);
    }
    return pool;
}

int wf_fuzz_is_utf8(wf_slice_t bytes)
{
    json_t *string = json_stringn(bytes.len ? bytes.data : "", bytes.len);

    json_decref(string);
    return string != NULL;
}

int wf_fuzz_is_inside(wf_slice_t part, wf_slice_t whole)
{
    return part.data >= whole.data && part.len <= whole.len &&
           (size_t)(part.data - whole.data) <= whole.len - part.len;
}

size_t wf_fuzz_lines(wf_slice_t text)
{
    size_t lines = 1;

    for (size_t i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

size_t wf_fuzz_line_len(wf_slice_t text, size_t line)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len && line > 0; i++) {
        if (text.data[i] == '\n') {
            line--;
        } else if (line == 1 && ((unsigned char)text.data[i] & 0xC0) != 0x80) {
            len++;
        }
    }
    return len;
}

/*
 * The linker puts these in the place of APR's functions wherever our code calls them (--wrap). A
 * pool hands out parts of larger blocks, and what reads past one part reads the next.
 */
void *__wrap_apr_palloc(apr_pool_t *pool, apr_size_t size);
char *__wrap_apr_pstrmemdup(apr_pool_t *pool, const char *text, apr_size_t len);
char *__wrap_apr_pstrdup(apr_pool_t *pool, const char *text);

/* The blocks of one pool. */
typedef struct blocks_t {
    void **list;
    size_t count;
    size_t room;
} blocks_t;

#define BLOCKS_KEY "wf_fuzz_blocks"

static apr_status_t free_blocks(void *data)
{
    blocks_t *blocks = data;

    for (size_t i = 0; i < blocks->count; i++) {
        free(blocks->list[i]);
    }
    free(blocks->list);
    free(blocks);
    return APR_SUCCESS;
}

/* Registered with a pool's first block, so that it is the last of its cleanups to run: the others
 * may look at what lies in the blocks, as they may with APR. */
static blocks_t *blocks_of(apr_pool_t *pool)
{
    void *found = NULL;

    apr_pool_userdata_get(&found, BLOCKS_KEY, pool);
    if (!found) {
        found = calloc(1, sizeof(blocks_t));
        WF_ENSURE(found != NULL);
        apr_pool_userdata_setn(found, BLOCKS_KEY, NULL, pool);
        apr_pool_cleanup_register(pool, found, free_blocks, apr_pool_cleanup_null);
    }
    return found;
}

void *__wrap_apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    blocks_t *blocks = blocks_of(pool);
    void *block = malloc(size);

    WF_ENSURE(block != NULL || size == 0);
    if (size) {
        memset(block, 0xA5, size); /* whoever takes it for zeros is found */
    }
    if (blocks->count == blocks->room) {
        blocks->room = blocks->room ? blocks->room * 2 : 16;
        blocks->list = realloc(blocks->list, blocks->room * sizeof(void *));
        WF_ENSURE(blocks->list != NULL);
    }
    blocks->list[blocks->count++] = block;
    return block;
}

char *__wrap_apr_pstrmemdup(apr_pool_t *pool, const char *text, apr_size_t len)
{
    char *copy;

    if (!text) {
        return NULL;
    }
    copy = __wrap_apr_palloc(pool, len + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *__wrap_apr_pstrdup(apr_pool_t *pool, const char *text)
{
    return text ? __wrap_apr_pstrmemdup(pool, text, strlen(text)) : NULL;
}
