/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each kind of database does in its own way: one table of functions a driver, which sql.c
 * calls. A connection is opened by apr_dbd; the drivers then use the client library's own handle
 * of it where that is faster, or the only way to end a statement at work.
 *
 * Functions return APR_SUCCESS, WF_ECANCELLED, or APR_EGENERAL after wf_sql_fail has kept the
 * reason.
 */
#ifndef WF_FLOW_SQL_DRIVER_H
#define WF_FLOW_SQL_DRIVER_H

#include <apr_dbd.h>
#include "flow/sql/sql.h"

typedef enum {
    WF_FAULT_STATEMENT, /* the statement, the permission, the database's state */
    WF_FAULT_ROW,       /* what was written */
    WF_FAULT_CONNECTION /* the connection is gone, or must not be used any more */
} wf_sql_fault_e;

typedef enum { WF_TRANSACT_BEGIN, WF_TRANSACT_COMMIT, WF_TRANSACT_ROLLBACK } wf_transact_e;

struct wf_sql_t {
    const wf_sql_driver_t *driver;
    const char *connector;
    const wf_sql_config_t *config;
    const apr_dbd_driver_t *dbd;
    apr_dbd_t *handle;
    void *native; /* the client library's own handle */
    void *own;    /* the driver's */
    wf_cancel_t *cancel;
    apr_time_t deadline;
    apr_time_t ending; /* until then the cancel is passed over; 0: it is not */
    int broken;
    apr_uint64_t transactions; /* begun so far */
    wf_sql_fault_e fault;
    wf_buf_t reason; /* NUL-terminated */
    apr_pool_t *pool;
};

struct wf_sql_prepared_t {
    wf_sql_t *sql;
    const char *text;
    int place_count;
    void *own;
    wf_row_t row;
    wf_slice_t *names; /* of the row's columns */
    wf_value_t *values;
    apr_pool_t *pool;     /* of the statement */
    apr_pool_t *row_pool; /* of the query's columns; cleared when another one begins */
};

/* One place for rows on their way into a table, in a way of the driver's own (bulk.h). */
struct wf_bulk_kind_t;

struct wf_sql_driver_t {
    const char *name; /* as apr_dbd has it */
    wf_sql_dialect_t dialect;
    /* One connection can write while rows are read from it, and two of one database would wait for
     * each other's locks. */
    int writes_while_reading;
    int needs_savepoints;   /* what failed spoils its transaction, or may be done in part */
    const char *checks_now; /* makes a transaction check all at once that waits for its commit
                               otherwise; NULL: there is nothing such */
    int batch_rows;         /* rows a transaction, where the project does not say */
    int untyped;            /* all values come as text, whatever they are */
    const char *bytes_type; /* the type of a column that takes bytes, others take base64; NULL: all
                               take bytes */
    /*
     * The statements that list the columns of a table, in their order, and the tables: places 1 and
     * 2 are the schema, null for what a bare name means, and the table. NULL: there is no such
     * list.
     */
    const char *columns_sql;
    const char *tables_sql;
    /* The params with the password in them; NULL where the driver's syntax cannot hold it. */
    const char *(*add_password)(const char *params, const char *password, apr_pool_t *pool);
    /* Makes a fresh connection ready. In a thread of its own, bounded by the connect timeout. */
    apr_status_t (*adopt)(wf_sql_t *sql);
    void (*disown)(wf_sql_t *sql); /* before it is closed */
    apr_status_t (*prepare)(wf_sql_prepared_t *prepared);
    void (*finish)(wf_sql_prepared_t *prepared);
    apr_status_t (*execute)(apr_int64_t *affected, wf_sql_prepared_t *prepared,
                            const wf_value_t *values);
    apr_status_t (*query)(wf_sql_prepared_t *prepared, const wf_value_t *values);
    apr_status_t (*next)(wf_sql_prepared_t *prepared); /* fills in row; APR_EOF after the last */
    void (*end)(wf_sql_prepared_t *prepared);
    apr_status_t (*transact)(wf_sql_t *sql, wf_transact_e what);
    apr_status_t (*run)(wf_sql_t *sql, const char *text);
    const struct wf_bulk_kind_t *bulk; /* NULL: row by row */
};

extern const wf_sql_driver_t wf_sql_sqlite3;
extern const wf_sql_driver_t wf_sql_pgsql;
extern const wf_sql_driver_t wf_sql_mysql;
extern const wf_sql_driver_t wf_sql_odbc;

/* Keeps why something failed; the text may have line ends, which become spaces. APR_EGENERAL. */
apr_status_t wf_sql_fail(wf_sql_t *sql, wf_sql_fault_e fault, const char *reason);

/* Whether to end: the cancel was requested, or the deadline has passed. Cheap enough for a loop. */
int wf_sql_is_asked(wf_sql_t *sql);

/* Makes room for a query's columns: names, values and row. */
void wf_sql_set_columns(wf_sql_prepared_t *prepared, int count);

/*
 * A whole number that 64 bits hold, as which it may be bound. False for any other text, such as a
 * decimal.
 */
int wf_sql_integer(apr_int64_t *out, wf_slice_t text);

/* The kind of a number's text: NUMBER where JSON has it (RFC 8259), TEXT for infinity and such. */
wf_value_kind_e wf_sql_number_kind(wf_slice_t text);

#endif
