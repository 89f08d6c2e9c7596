/* SPDX-License-Identifier: Apache-2.0 */
/* What the bdb_* files share: the only place besides them where Berkeley DB's types are seen. */
#ifndef WF_STORE_EMBEDDED_BDB_INTERNAL_H
#define WF_STORE_EMBEDDED_BDB_INTERNAL_H

#include <db.h>
#include "base/log.h"
#include "store/embedded/bdb_env.h"

#define BDB_TABLES_MAX 16
#define BDB_PAGE_SIZE  8192

struct wf_bdb_t {
    DB_ENV *env;
    const char *home;
    DB_TXN *txn; /* NULL: no transaction is open */
    DB *tables[BDB_TABLES_MAX];
    int table_count;
    int unchecked; /* tables without checksums */
    int broken;
    int mark;                /* descriptor of the log's mark (bdb_mark.h) */
    unsigned long bad_page;  /* whose checksum was found wrong in the call under way ... */
    int is_bad_page;         /* ... where there is one */
    apr_uint64_t cache_size; /* bytes */
    apr_uint64_t changes;    /* puts and deletes so far */
    apr_size_t written;      /* bytes put since the last checkpoint, roughly */
    apr_time_t checkpointed; /* when that was, a wf_clock time */
    wf_log_limit_t limit;    /* of what is said about errors: one may come back with each call */
    wf_log_limit_t damage_limit;
};

/*
 * The apr_status_t for a Berkeley DB error: errno values as they are, DB_NOTFOUND as APR_NOTFOUND,
 * DB_KEYEXIST as APR_EEXIST; any other is logged with `what` and becomes WF_EUNAVAILABLE.
 */
apr_status_t wf_bdb_status(wf_bdb_t *bdb, int error, const char *what);

/*
 * The same for a call on a table. A page whose checksum is wrong is not the environment's end: the
 * panic that the library makes of it is taken back, and the status is WF_EDAMAGED, as it is where
 * the disk cannot be read (EIO). To be called before any other call of the library.
 */
apr_status_t wf_bdb_table_status(wf_bdb_t *bdb, int error, const char *table);

/* bdb_hole.c: lets pages be read through it, from before the environment is opened. 0 or an error.
 */
int wf_bdb_hook_reads(void);

/* Opens the transaction where none is open. */
apr_status_t wf_bdb_begin(wf_bdb_t *bdb);

#endif
