/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor's place at a state directory: the lock, and the socket at which its keeper serves.
 *
 * Both are taken together, and the lock first. So the socket's path leads to whose keeper has the
 * environment open, also while another server on the same directory still ends what it ran, or
 * where two are meant to share one; the next supervisor's clients are served by that keeper
 * meanwhile.
 */
#ifndef WF_RUNNER_PLACE_H
#define WF_RUNNER_PLACE_H

#include <apr_errno.h>
#include <apr_time.h>

typedef struct wf_place_t {
    const char *state_dir;
    const char *socket; /* its path */
    int lock;           /* descriptors; -1: another's, or given up */
    int listener;
    apr_time_t next; /* a wf_clock time: of the next attempt; 0: none */
    apr_interval_time_t pause;
} wf_place_t;

/* Nothing is taken yet; the first attempt is due at once. The texts must outlive the place. */
void wf_place_init(wf_place_t *place, const char *state_dir, const char *socket);

/*
 * Takes the place where it is free and an attempt is due. Each failed attempt is followed by
 * another one, some milliseconds later at first.
 * APR_SUCCESS, whether or not it was taken (see listener); or an error that has been logged.
 */
apr_status_t wf_place_take(wf_place_t *place);

/* Closes this process's copies, and tries no more. A keeper's own copies stay its. */
void wf_place_leave(wf_place_t *place);

#endif
