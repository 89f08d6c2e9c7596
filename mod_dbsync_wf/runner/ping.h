/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the keeper still works: a PING over its own socket, again and again, never blocking.
 * A process that is stopped, or waits for a mutex whose holder was killed, listens but does not
 * answer.
 */
#ifndef WF_RUNNER_PING_H
#define WF_RUNNER_PING_H

#include <apr_time.h>

typedef struct wf_ping_t {
    const char *path;    /* the keeper's socket */
    int fd;              /* of the ping under way, -1: none */
    apr_time_t deadline; /* wf_clock times: of the ping under way ... */
    apr_time_t next;     /* ... or of the next one; 0: pinging is off */
} wf_ping_t;

/* How often, and how long an answer may take. */
#define WF_PING_PERIOD   apr_time_from_sec(1)
#define WF_PING_PATIENCE apr_time_from_sec(3)

/* Begins to ping: the keeper has said that it serves. */
void wf_ping_on(wf_ping_t *ping, const char *path);

/* Stops pinging. */
void wf_ping_off(wf_ping_t *ping);

/* Does what is due. Nonzero where the keeper has not answered in time. */
int wf_ping_step(wf_ping_t *ping);

/* When wf_ping_step is to be called next at the latest; 0: never. It is also due when fd is
 * readable. */
apr_time_t wf_ping_next(const wf_ping_t *ping);

#endif
