/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of zeros. Berkeley DB takes one for a hole in the file, in which a crash may have left a
 * page that was never written, and lets it pass without a checksum; what is looked for there is
 * then not found. After recovery there are no such holes: a page of zeros is one that a disk has
 * lost. Made into one that cannot be right, it fails its checksum as any other damaged page does.
 */
#include "store/embedded/bdb_internal.h"

#include <unistd.h>

#define PAGE_HEAD                                                                                  \
    26 /* bytes at a page's beginning that are never all zero; the last is its type                \
        */

/* The library's hook has no baton, and is the process's. There is one environment in it. */
static int watching;

static ssize_t read_page(int fd, void *page, size_t len, off_t offset)
{
    static const unsigned char zeros[PAGE_HEAD];
    ssize_t n = pread(fd, page, len, offset);

    if (watching && offset > 0 && n == BDB_PAGE_SIZE && memcmp(page, zeros, PAGE_HEAD) == 0) {
        ((unsigned char *)page)[PAGE_HEAD - 1] = 0xff;
    }
    return n;
}

int wf_bdb_hook_reads(void)
{
    watching = 0;
    return db_env_set_func_pread(read_page);
}

void wf_bdb_watch_holes(const wf_bdb_t *bdb)
{
    watching = bdb->unchecked == 0;
}
