/* SPDX-License-Identifier: Apache-2.0 */
/* What the bdb_* files share: the only place besides them where Berkeley DB's types are seen. */
#ifndef WF_STORE_EMBEDDED_BDB_INTERNAL_H
#define WF_STORE_EMBEDDED_BDB_INTERNAL_H

#include <db.h>
#include "base/log.h"
#include "store/embedded/bdb_env.h"

#define BDB_TABLES_MAX 16

struct wf_bdb_t {
    DB_ENV *env;
    const char *home;
    DB_TXN *txn; /* NULL: no transaction is open */
    DB *tables[BDB_TABLES_MAX];
    int table_count;
    int broken;
    apr_size_t written;   /* bytes put since the last checkpoint, roughly */
    wf_log_limit_t limit; /* of what is said about errors: one may come back with each call */
};

/*
 * The apr_status_t for a Berkeley DB error: errno values as they are, DB_NOTFOUND as APR_NOTFOUND,
 * DB_KEYEXIST as APR_EEXIST; any other is logged with `what` and becomes WF_EUNAVAILABLE.
 */
apr_status_t wf_bdb_status(wf_bdb_t *bdb, int error, const char *what);

/* Opens the transaction where none is open. */
apr_status_t wf_bdb_begin(wf_bdb_t *bdb);

#endif
