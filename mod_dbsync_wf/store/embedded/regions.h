/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the region files lie: the database's shared memory, in a folder of our own on /dev/shm
 * where that is a tmpfs with room, else in STATE/env itself; STATE/env always leads there.
 *
 * Each keeper makes new ones, in a folder that nobody else knows, and takes nothing over. A tool
 * (db5.3_stat, db5.3_hotbackup) that was killed in the old ones may have left a lock there, on
 * which whoever joins them waits for ever; and one that joins while they are made and recovered
 * might do so to those. STATE/env leads to the new ones when they are ready.
 */
#ifndef WF_STORE_EMBEDDED_REGIONS_H
#define WF_STORE_EMBEDDED_REGIONS_H

#include <apr_errno.h>
#include <apr_pools.h>

typedef struct wf_regions_t {
    const char *env;      /* STATE/env */
    const char *home;     /* the folder in which they will lie */
    const char *making;   /* the one in which they are made */
    int parts;            /* of the cache, a file each */
    apr_uint64_t part;    /* bytes that one of them may come to need */
    apr_uint64_t claimed; /* of each file; the rest is to be */
} wf_regions_t;

/*
 * Removes those of an earlier keeper, which must have ended, and makes the folder for new ones that
 * need room for a cache of cache_size bytes. Tools that are joined to the old ones are told so.
 * APR_SUCCESS; APR_ENOSPC, logged; or another error.
 */
apr_status_t wf_regions_prepare(wf_regions_t *regions, const char *state_dir,
                                apr_uint64_t cache_size, apr_pool_t *pool);

/*
 * They are made, the cache in so many parts: claims the room that the files may come to need, and
 * lets STATE/env lead there. Without that room a full file system would end the process when it
 * writes into a hole (SIGBUS), or leave it without pages to read into. Of a large cache the rest is
 * left to wf_regions_claim, because memory has to be found and cleared for it: half a second a
 * gigabyte.
 * Statuses as before.
 */
apr_status_t wf_regions_publish(wf_regions_t *regions, apr_uint64_t cache_size, int parts);

/* Whether there is room to be claimed still; claims a little of it, in a few milliseconds. Statuses
 * as before. */
int wf_regions_lacks(const wf_regions_t *regions);
apr_status_t wf_regions_claim(wf_regions_t *regions);

/* The environment is closed, or could not be opened: removes what is left. */
void wf_regions_close(const wf_regions_t *regions);

#endif
