/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of output, and the thread that empties them. */
#include "runner/output.h"

#include <sys/queue.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/monitor.h"

#define RHYTHM      apr_time_from_msec(200) /* how long bytes wait for more of them */
#define PIECE       (256u * 1024)           /* so many of them wait no longer; the most in a call */
#define BUFFER_MOST (1024u * 1024)          /* of one run; what is under way included */
#define PART        (64u * 1024)            /* what is added at a time */
#define ROOM_WAIT   apr_time_from_sec(1)    /* for room in a full buffer */
#define RETRY_PAUSE apr_time_from_msec(500) /* after a call failed */

TAILQ_HEAD(output_list, wf_output_t);

struct wf_pump_t {
    wf_store_t *store;
    apr_uint64_t limit;
    apr_thread_t *thread;
    wf_monitor_t *monitor;      /* guards all that follows, and each output */
    struct output_list pending; /* those with bytes; the one whose time comes first in front */
    int moved;                  /* something was added since the thread looked */
    int idle;                   /* it sleeps until it is told of something */
    int away;                   /* the store did not do its part the last time */
    int stopping;
    apr_pool_t *pool;
};

struct wf_output_t {
    TAILQ_ENTRY(wf_output_t) link; /* in pending, where is_pending */
    int is_pending;
    apr_time_t due; /* a wf_clock time, 0 for at once */
    wf_pump_t *pump;
    const wf_claim_t *claim;
    wf_buf_t bytes;       /* not known to be kept yet */
    apr_uint64_t offset;  /* of the first of them */
    int sending;          /* a call with the first of them is under way */
    int broken;           /* the store cannot keep any of it: nothing is added any more */
    int mid_line;         /* the last byte that was added ended no line */
    apr_uint64_t room;    /* bytes that may still be added */
    apr_uint64_t beyond;  /* that were not, because there was no such room */
    apr_uint64_t missing; /* that were dropped since the last that was added */
};

/* ---- inside the monitor ---- */

static void wake(wf_pump_t *pump)
{
    pump->idle = 0;
    wf_monitor_announce(pump->monitor);
}

static void unlist(wf_output_t *output)
{
    if (output->is_pending) {
        TAILQ_REMOVE(&output->pump->pending, output, link);
        output->is_pending = 0;
    }
}

/* Sees to it that the thread hands it over: soon, or at once where it is a piece. */
static void schedule(wf_output_t *output, apr_interval_time_t pause)
{
    wf_pump_t *pump = output->pump;

    if (output->bytes.len >= PIECE && !pump->away) {
        if (!output->is_pending || output->due) {
            unlist(output);
            output->due = 0;
            TAILQ_INSERT_HEAD(&pump->pending, output, link);
            output->is_pending = 1;
            wake(pump);
        }
    } else if (!output->is_pending && output->bytes.len) {
        output->due = wf_clock() + pause;
        TAILQ_INSERT_TAIL(&pump->pending, output, link);
        output->is_pending = 1;
    }
    pump->moved = 1;
    if (pump->idle) {
        wake(pump);
    }
}

static void put(wf_output_t *output, wf_slice_t bytes)
{
    wf_buf_add_slice(&output->bytes, bytes);
    output->mid_line = bytes.len ? bytes.data[bytes.len - 1] != '\n' : output->mid_line;
}

/* A line of ours; it does not count. */
static void put_line(wf_output_t *output, const char *text)
{
    char now[WF_TIME_TEXT_LEN + 1];

    wf_time_format(now, apr_time_now());
    put(output, wf_slice(output->mid_line ? "\n[" : "["));
    put(output, wf_slice(now));
    put(output, wf_slice("] "));
    put(output, wf_slice(text));
    put(output, wf_slice("\n"));
}

/* Says where bytes were dropped. */
static void put_missing(wf_output_t *output)
{
    char text[160];

    if (output->missing) {
        apr_snprintf(text, sizeof(text),
                     "%" APR_UINT64_T_FMT
                     " bytes of output are missing here: the run store did not "
                     "take them in time",
                     output->missing);
        output->missing = 0;
        put_line(output, text);
    }
}

/* Whether there is room in the buffer; once bytes were dropped, there must be much of it. */
static int has_room(const wf_output_t *output, apr_size_t len)
{
    return output->bytes.len + len <= (output->missing ? BUFFER_MOST / 2 : BUFFER_MOST);
}

/* Waits for room while the store does its part. A wait in vain is the last one until it does. */
static int wait_for_room(wf_output_t *output, apr_size_t len)
{
    wf_pump_t *pump = output->pump;
    apr_time_t deadline = wf_clock() + ROOM_WAIT;

    while (!has_room(output, len) && !pump->away && !output->broken) {
        if (wf_clock() >= deadline) {
            pump->away = 1;
        } else {
            wf_monitor_wait(pump->monitor, deadline);
        }
    }
    return has_room(output, len);
}

/* Adds a part, as far as the limit lets it. */
static void add_part(wf_output_t *output, wf_slice_t part)
{
    apr_size_t len = part.len < output->room ? part.len : (apr_size_t)output->room;

    output->beyond += part.len - len;
    if (output->broken || len == 0) {
        return;
    }
    if (!wait_for_room(output, len)) {
        output->missing += len;
        return;
    }
    put_missing(output);
    put(output, wf_slice_of(part.data, len));
    output->room -= len;
    schedule(output, RHYTHM);
}

/* What follows a call with `len` bytes. */
static void take_answer(wf_output_t *output, apr_status_t rv, apr_size_t len)
{
    char pid[WF_UUID_TEXT_LEN + 1];

    output->sending = 0;
    output->pump->away = rv == WF_EUNAVAILABLE;
    if (rv == APR_SUCCESS) {
        wf_buf_consume(&output->bytes, len);
        output->offset += len;
    } else if (rv != WF_EUNAVAILABLE) {
        output->broken = 1;
        wf_buf_free(&output->bytes);
        if (rv != WF_ESTALE) { /* then the run is another's, and its end says so */
            wf_uuid_format(pid, &output->claim->token.pid);
            wf_log_error(rv, "WF0210", "run %s: no more of its output can be kept", pid);
        }
    }
    schedule(output, rv == APR_SUCCESS ? RHYTHM : RETRY_PAUSE);
    wf_monitor_announce(output->pump->monitor);
}

/* ---- the thread ---- */

/* Hands over what is in front of a buffer. Inside the monitor, which is left meanwhile. */
static void send_piece(wf_output_t *output, apr_pool_t *pool)
{
    wf_pump_t *pump = output->pump;
    wf_slice_t piece = wf_buf_slice(&output->bytes);
    apr_uint64_t offset = output->offset;
    apr_status_t rv;

    unlist(output);
    output->sending = 1;
    piece = wf_slice_dup(wf_slice_of(piece.data, piece.len < PIECE ? piece.len : PIECE), pool);
    wf_monitor_leave(pump->monitor);
    rv = pump->store->append_output(pump->store, &output->claim->token, offset, piece, pool);
    wf_monitor_enter(pump->monitor);
    take_answer(output, rv, piece.len);
}

/*
 * Sleeps until something is due. As long as runs come and go it only looks around now and then, so
 * that they need not wake it.
 */
static void wait_for_work(wf_pump_t *pump)
{
    wf_output_t *first = TAILQ_FIRST(&pump->pending);
    apr_time_t until = first ? first->due : wf_clock() + RHYTHM;

    pump->idle = !first && !pump->moved;
    pump->moved = 0;
    wf_monitor_wait(pump->monitor, pump->idle ? 0 : until);
    pump->idle = 0;
}

static void *APR_THREAD_FUNC hand_over(apr_thread_t *thread, void *data)
{
    wf_pump_t *pump = data;
    apr_pool_t *pool;

    (void)thread;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return NULL;
    }
    wf_monitor_enter(pump->monitor);
    while (!pump->stopping) {
        wf_output_t *first = TAILQ_FIRST(&pump->pending);

        if (first && first->due <= wf_clock()) {
            send_piece(first, pool);
            apr_pool_clear(pool);
        } else {
            wait_for_work(pump);
        }
    }
    wf_monitor_leave(pump->monitor);
    apr_pool_destroy(pool);
    return NULL;
}

static apr_status_t stop(void *data)
{
    wf_pump_t *pump = data;
    apr_status_t rv;

    wf_monitor_enter(pump->monitor);
    pump->stopping = 1;
    wake(pump);
    wf_monitor_leave(pump->monitor);
    apr_thread_join(&rv, pump->thread);
    return APR_SUCCESS;
}

apr_status_t wf_pump_create(wf_pump_t **pump, wf_store_t *store, apr_uint64_t limit,
                            apr_pool_t *pool)
{
    wf_pump_t *fresh = apr_pcalloc(pool, sizeof(*fresh));
    apr_status_t rv = wf_monitor_create(&fresh->monitor, pool);

    fresh->store = store;
    fresh->limit = limit;
    fresh->pool = pool;
    TAILQ_INIT(&fresh->pending);
    if (rv == APR_SUCCESS) {
        rv = apr_thread_create(&fresh->thread, NULL, hand_over, fresh, pool);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_cleanup_register(pool, fresh, stop, apr_pool_cleanup_null);
        *pump = fresh;
    }
    return rv;
}

/* ---- one run ---- */

/* Whether what an earlier execution left ends within a line; where that cannot be told, it does. */
static int ends_mid_line(wf_pump_t *pump, const wf_claim_t *claim, apr_pool_t *pool)
{
    wf_output_part_t part;
    apr_status_t rv = pump->store->read_output(&part, pump->store, claim->run.vhost,
                                               &claim->token.pid, claim->output - 1, 1, NULL, pool);

    return rv != APR_SUCCESS || !wf_slice_is(part.bytes, "\n");
}

wf_output_t *wf_output_begin(wf_pump_t *pump, const wf_claim_t *claim, apr_pool_t *pool)
{
    wf_output_t *output = apr_pcalloc(pool, sizeof(*output));

    output->pump = pump;
    output->claim = claim;
    output->offset = claim->output;
    output->room = claim->output < pump->limit ? pump->limit - claim->output : 0;
    wf_buf_bind(&output->bytes, pool);
    if (claim->output) {
        output->mid_line = ends_mid_line(pump, claim, pool);
        wf_output_say(output, "the run begins again: its execution was lost, or given up");
    }
    return output;
}

void wf_output_add(wf_output_t *output, wf_slice_t bytes)
{
    wf_monitor_enter(output->pump->monitor);
    while (bytes.len) {
        apr_size_t len = bytes.len < PART ? bytes.len : PART;

        add_part(output, wf_slice_of(bytes.data, len));
        bytes = wf_slice_of(bytes.data + len, bytes.len - len);
    }
    wf_monitor_leave(output->pump->monitor);
}

void wf_output_say(wf_output_t *output, const char *text)
{
    wf_monitor_enter(output->pump->monitor);
    put_line(output, text);
    schedule(output, RHYTHM);
    wf_monitor_leave(output->pump->monitor);
}

void wf_output_end(wf_output_t *output, wf_slice_t *rest, apr_uint64_t *offset)
{
    wf_pump_t *pump = output->pump;
    char text[160];

    wf_monitor_enter(pump->monitor);
    while (output->sending) {
        wf_monitor_wait(pump->monitor, 0);
    }
    unlist(output);
    put_missing(output);
    if (output->beyond) {
        apr_snprintf(text, sizeof(text),
                     "the output is longer than %" APR_UINT64_T_FMT
                     " bytes (DbsyncWfOutputLimit): %" APR_UINT64_T_FMT " more were left out",
                     pump->limit, output->beyond);
        put_line(output, text);
    }
    *rest = output->broken ? wf_slice(NULL) : wf_buf_slice(&output->bytes);
    *offset = output->offset;
    wf_monitor_leave(pump->monitor);
}
