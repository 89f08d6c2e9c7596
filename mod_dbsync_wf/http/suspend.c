/* SPDX-License-Identifier: Apache-2.0 */
/* Suspended requests: how they leave their threads and come back. The hub is in hub.c. */
#include <stddef.h> /* before APR's headers, which then use its offsetof */
#include "http/suspend.h"

#include <stdlib.h>
#include <ap_mpm.h>
#include <apr_portable.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include "base/clock.h"
#include "http/answer.h"
#include "http/hub.h"
#include "http/problem.h"

APLOG_USE_MODULE(dbsync_wf);

#define FACTOR_DEFAULT 2
#define FACTOR_MOST    100000 /* so that nothing overflows */

double wf_suspend_factor(const ap_directive_t *tree)
{
    const ap_directive_t *node = wf_config_find(tree, "AsyncRequestWorkerFactor");
    double factor = node && node->args ? atof(node->args) : FACTOR_DEFAULT;

    return factor > 0 && factor < FACTOR_MOST ? factor : FACTOR_DEFAULT;
}

#ifdef AP_MPMQ_CAN_WAITIO

/* Beside the wait: for the hub's own look at the run, which may have to wait for a keeper. Past it
 * the MPM closes the connection. */
#define MARGIN apr_time_from_sec(30)

/* Of a connection, kept in httpd's connection configuration. */
typedef struct link_t {
    int is_inside;               /* what processes the connection is at work, called by us */
    wf_parked_t *parked;         /* its request that is suspended; NULL: none */
    apr_interval_time_t timeout; /* of its socket, otherwise */
} link_t;

static link_t *link_of(conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &dbsync_wf_module);
}

static link_t *make_link(conn_rec *c)
{
    link_t *link = link_of(c);

    if (!link) {
        link = apr_pcalloc(c->pool, sizeof(*link));
        ap_set_module_config(c->conn_config, &dbsync_wf_module, link);
    }
    return link;
}

static wf_shared_t *shared_of(const conn_rec *c)
{
    return wf_server_config(c->base_server)->shared;
}

/* Half of the connections that event has room for in this child, where all threads are idle. */
static apr_uint32_t most_in_child(const wf_shared_t *shared)
{
    int threads = 0;

    if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS || threads < 1) {
        return 1;
    }
    return (apr_uint32_t)(threads * (1 + shared->async_factor) / 2) + 1;
}

void wf_suspend_open(wf_shared_t *shared, apr_pool_t *pchild, server_rec *main_server)
{
    int can = 0;
    apr_status_t status;

    if (ap_mpm_query(AP_MPMQ_CAN_WAITIO, &can) != APR_SUCCESS || !can || shared->max_waiters == 0) {
        return;
    }
    status = wf_hub_open(&shared->hub, shared, most_in_child(shared), pchild);
    if (status != APR_SUCCESS) {
        shared->hub = NULL;
        ap_log_error(APLOG_MARK, APLOG_WARNING, status, main_server,
                     "WF0305: requests of this child that wait for a run will each hold a thread");
    }
}

int wf_suspend_request(wf_request_t *req, apr_interval_time_t wait, int for_change)
{
    request_rec *r = req->r;
    conn_rec *c = r->connection;
    link_t *link = c->master ? NULL : link_of(c);

    if (!req->shared->hub || !link || !link->is_inside || r->main || r->prev ||
        c->data_in_input_filters || ap_discard_request_body(r) != OK) {
        return 0;
    }
    link->parked = wf_hub_prepare(req->shared->hub, req, wait, for_change);
    req->is_suspended = link->parked != NULL;
    return req->is_suspended;
}

/* What the handler would have done, had it waited. */
static void answer(wf_parked_t *parked)
{
    wf_request_t *req = parked->waiter.req;
    request_rec *r = req->r;
    apr_status_t status = parked->status;

    if (!parked->is_over) { /* its client has sent something, or goes: as it stands */
        status = wf_waiter_look(&parked->run, &parked->waiter, &req->failure);
    } else {
        r->connection->keepalive = AP_CONN_CLOSE;
    }
    req->is_suspended = 0;
    if (status == APR_SUCCESS) {
        status = wf_answer_run_state(req, parked->run);
    }
    if (status == APR_SUCCESS) {
        ap_finalize_request_protocol(r);
    } else {
        ap_die(wf_problem_http_status(req), r);
    }
    ap_process_request_after_handler(r);
}

/* A worker has the connection again. */
static int resume(link_t *link, conn_rec *c)
{
    wf_parked_t *parked = link->parked;

    link->parked = NULL;
    wf_hub_remove(parked);
    apr_socket_timeout_set(ap_get_conn_socket(c), link->timeout);
    answer(parked);
    return OK;
}

/* Gives the connection to the MPM, and then its request to the hub. */
static int park(link_t *link, conn_rec *c)
{
    apr_socket_t *socket = ap_get_conn_socket(c);
    apr_interval_time_t left = link->parked->waiter.deadline - wf_clock();

    apr_socket_timeout_get(socket, &link->timeout);
    apr_socket_timeout_set(socket, (left > 0 ? left : 0) + MARGIN);
    c->cs->state = CONN_STATE_ASYNC_WAITIO;
    c->cs->sense = CONN_SENSE_WANT_READ;
    return wf_hub_add(link->parked, c) ? OK : resume(link, c);
}

int wf_suspend_connection(conn_rec *c)
{
    link_t *link;
    int status;

    if (c->master || !shared_of(c)->hub) {
        return DECLINED;
    }
    link = make_link(c);
    if (link->is_inside) {
        return DECLINED;
    }
    if (link->parked) {
        return resume(link, c);
    }
    link->is_inside = 1;
    status = ap_run_process_connection(c);
    link->is_inside = 0;
    return status == OK && link->parked ? park(link, c) : status;
}

#else /* an httpd before 2.4.63 */

void wf_suspend_open(wf_shared_t *shared, apr_pool_t *pchild, server_rec *main_server)
{
    (void)shared;
    (void)pchild;
    (void)main_server;
}

int wf_suspend_request(wf_request_t *req, apr_interval_time_t wait, int for_change)
{
    (void)req;
    (void)wait;
    (void)for_change;
    return 0;
}

int wf_suspend_connection(conn_rec *c)
{
    (void)c;
    return DECLINED;
}

#endif
