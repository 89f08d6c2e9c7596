/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor's place at a state directory. */
#include "runner/place.h"

#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "store/embedded/lock.h"
#include "store/embedded/socket.h"

#define PAUSE_LEAST apr_time_from_msec(2) /* between attempts, doubled each time ... */
#define PAUSE_MOST  apr_time_from_msec(100)

void wf_place_init(wf_place_t *place, const char *state_dir, const char *socket)
{
    *place = (wf_place_t){
        .state_dir = state_dir, .socket = socket, .lock = -1, .listener = -1, .next = wf_clock()};
}

static void try_later(wf_place_t *place)
{
    if (!place->pause) {
        wf_log_info(0, "WF0150",
                    "another keeper holds the state directory: it serves until it "
                    "ends");
        place->pause = PAUSE_LEAST;
    } else if (place->pause < PAUSE_MOST) {
        place->pause *= 2;
    }
    place->next = wf_clock() + place->pause;
}

apr_status_t wf_place_take(wf_place_t *place)
{
    apr_status_t rv;

    if (!place->next || wf_clock() < place->next) {
        return APR_SUCCESS;
    }
    rv = wf_lock_try(&place->lock, place->state_dir);
    if (APR_STATUS_IS_EAGAIN(rv)) {
        try_later(place);
        return APR_SUCCESS;
    }
    place->next = 0;
    if (rv == APR_SUCCESS) {
        rv = wf_socket_listen(&place->listener, place->socket);
    }
    if (rv != APR_SUCCESS) {
        wf_log_error(rv, "WF0117", "the lock or the socket in %s cannot be had", place->state_dir);
        wf_place_leave(place);
    }
    return rv;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void wf_place_leave(wf_place_t *place)
{
    place->next = 0;
    close_one(&place->listener);
    close_one(&place->lock);
}
