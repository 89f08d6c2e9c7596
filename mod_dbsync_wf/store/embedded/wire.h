/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store protocol: frames over a Unix stream socket between the keeper and its clients.
 *
 * frame = length of what follows (4 bytes, big-endian), version (1 byte), code (1), call (4),
 * tagged fields (base/codec.h)
 *
 * In a request the code is the operation, in an answer the outcome; `call` pairs the two.
 * A client may send further requests before the answers; answers to CLAIM, WAIT and WATCH come
 * when they come, all others in order.
 */
#ifndef WF_STORE_EMBEDDED_WIRE_H
#define WF_STORE_EMBEDDED_WIRE_H

#include "base/codec.h"
#include "store/store.h"

#define WF_WIRE_VERSION   1
#define WF_WIRE_HEAD      10u
#define WF_WIRE_FRAME_MAX (80u * 1024 * 1024) /* above the greatest body that is let in */

typedef enum {
    WF_OP_PING = 1, /* nothing -> nothing; proves that the keeper works, not only listens */
    WF_OP_CREATE,
    WF_OP_JOIN,
    WF_OP_DRAIN,
    WF_OP_CLAIM, /* INCARNATION, SEQUENCE, MAX, TIMEOUT -> CLAIM: none where the time is up */
    WF_OP_HEARTBEAT,
    WF_OP_PROGRESS,
    WF_OP_FINISH, /* RUN, MARKER, OFFSET, OUTPUT, INCARNATION -> CLAIM, where there is one */
    WF_OP_RELEASE,
    WF_OP_INTERRUPT,
    WF_OP_GET,
    WF_OP_REAP,
    WF_OP_WAIT,
    WF_OP_PURGE,
    WF_OP_LIST,
    WF_OP_WATCH,     /* PID, VERSION, MAX, TIMEOUT -> COUNT: 1 for news, 0 where the time is up */
    WF_OP_APPEND,    /* PID, FENCE, OFFSET, OUTPUT -> nothing */
    WF_OP_READ,      /* VHOST, PID, OFFSET, MAX -> OUTPUT, TOTAL, VERSION */
    WF_OP_UNDER_WAY, /* VHOST, PROJECT, TASK -> QUEUE, COUNT: its runs that are queued, and run */
    WF_OP_STATS,     /* VHOST -> STATS, TASK_STATS (stats_wire.h) */
    WF_OP_CONFIGURATION,       /* VHOST, PROJECT, TASK -> CONFIGURATION */
    WF_OP_SET_CONFIGURATION,   /* CONFIGURATION, REVISION: the expected one -> CONFIGURATION */
    WF_OP_LIST_CONFIGURATIONS, /* VHOST, PROJECT, TASK: behind it -> CONFIGURATION, each; MORE */
    WF_OP_CLAIM_CALLBACKS,     /* INCARNATION, SEQUENCE, MAX -> CALLBACK, each */
    WF_OP_TELL_CALLBACK,       /* PID, COUNT: the attempt, STATUS, ANSWER, REASON -> nothing */
    WF_OP_HISTORY, /* VHOST, PROJECT, TASK, MAX -> FROM, TO, MAX, HISTORY, each (stats_wire.h) */
    WF_OP_COUNT
} wf_op_e;

typedef enum {
    WF_ANSWER_OK = 0,
    WF_ANSWER_NOT_FOUND,
    WF_ANSWER_STALE,
    WF_ANSWER_CONFLICT,
    WF_ANSWER_FULL,
    WF_ANSWER_ENDED,
    WF_ANSWER_STORAGE, /* nothing was written; repeating at once would fail the same way */
    WF_ANSWER_INVALID,
    WF_ANSWER_PROTOCOL,
    WF_ANSWER_DAMAGED, /* what the call is about cannot be read; others may */
    WF_ANSWER_OVERLAP,
    WF_ANSWER_CHANGED,
    WF_ANSWER_RATE,
    WF_ANSWER_COUNT
} wf_answer_e;

/* Tags of the fields of requests and answers. */
enum {
    WF_FIELD_RUN = 1, /* a record (record.h) */
    WF_FIELD_PAYLOAD,
    WF_FIELD_PID,
    WF_FIELD_FENCE,
    WF_FIELD_VHOST,
    WF_FIELD_BY,
    WF_FIELD_HOST,
    WF_FIELD_SLOTS,
    WF_FIELD_TTL, /* microseconds */
    WF_FIELD_INCARNATION,
    WF_FIELD_SEQUENCE, /* of a claim: the same number again is the same claim again */
    WF_FIELD_MAX,
    WF_FIELD_EVENTS,
    WF_FIELD_TIMEOUT, /* microseconds */
    WF_FIELD_COUNT,
    WF_FIELD_CLAIM, /* nested: RUN, PAYLOAD, MARKER, OFFSET */
    WF_FIELD_TOKEN, /* nested: PID, FENCE */
    WF_FIELD_ACTION,
    WF_FIELD_DONE,
    WF_FIELD_TOTAL,
    WF_FIELD_KEEP, /* microseconds */
    WF_FIELD_MORE,
    WF_FIELD_OVERLAP, /* whether to refuse */
    WF_FIELD_READ,
    WF_FIELD_WRITTEN,
    WF_FIELD_FAILED,
    WF_FIELD_MARKER, /* repeated: name, NUL, JSON */
    WF_FIELD_QUEUE,  /* how many runs of the task may be queued; 0: any number */
    WF_FIELD_PROJECT,
    WF_FIELD_TASK,
    WF_FIELD_USER,
    WF_FIELD_STATUS,
    WF_FIELD_FROM, /* microseconds since 1970, as is the next */
    WF_FIELD_TO,
    WF_FIELD_VERSION, /* of a run under way, or of a list */
    WF_FIELD_OFFSET,  /* in a run's output; in a CLAIM, how long it is */
    WF_FIELD_OUTPUT,
    WF_FIELD_STATS,
    WF_FIELD_TASK_STATS,    /* repeated */
    WF_FIELD_CONFIGURATION, /* nested, and repeated */
    WF_FIELD_REVISION,
    WF_FIELD_RATE,
    WF_FIELD_PERIOD, /* microseconds, as is the next */
    WF_FIELD_RETRY,
    WF_FIELD_CALLBACK, /* nested, and repeated: RUN, CONFIGURATION */
    WF_FIELD_ANSWER,   /* an HTTP status */
    WF_FIELD_REASON,
    WF_FIELD_HISTORY, /* nested, and repeated */
    WF_FIELD_LAST = WF_FIELD_HISTORY
};

/* The fields of a frame, as far as they came; texts and slices point into the frame. */
typedef struct wf_message_t {
    unsigned char code;
    apr_uint32_t call;
    wf_slice_t field[WF_FIELD_LAST + 1]; /* by tag; data NULL where absent; the last one of a tag */
    wf_slice_t body;                     /* all fields, for walking repeated ones */
} wf_message_t;

/* Appends a frame's head; the fields are appended next, then wf_frame_end(buf, mark). */
apr_size_t wf_frame_begin(wf_buf_t *buf, unsigned char code, apr_uint32_t call);
void wf_frame_end(wf_buf_t *buf, apr_size_t mark);

/*
 * Looks for a whole frame at the front of bytes.
 * APR_SUCCESS: *frame is it, length word excluded. APR_INCOMPLETE: more bytes are needed, *need in
 * all. WF_EPROTOCOL: it is longer than a frame may be.
 */
apr_status_t wf_frame_next(wf_slice_t *frame, apr_size_t *need, wf_slice_t bytes);

/* Reads a frame. APR_SUCCESS, or WF_EPROTOCOL (another version, or no fields). */
apr_status_t wf_message_read(wf_message_t *message, wf_slice_t frame);

/* A field's number (0 where absent or malformed), text (NULL where absent, in pool), pid. */
apr_uint64_t wf_message_u64(const wf_message_t *message, unsigned char tag);
const char *wf_message_text(const wf_message_t *message, unsigned char tag, apr_pool_t *pool);
apr_status_t wf_message_pid(wf_uuid_t *pid, const wf_message_t *message);

/* Appends a token's fields (PID, FENCE), and reads them. */
void wf_token_encode(wf_buf_t *buf, const wf_token_t *token);
apr_status_t wf_token_decode(wf_token_t *token, const wf_message_t *message);

/* Appends a marker as a field of that tag, and reads one; its texts are copied into pool. */
void wf_marker_encode(wf_buf_t *buf, unsigned char tag, const wf_run_marker_t *marker);
apr_status_t wf_marker_decode(wf_run_marker_t *marker, wf_slice_t value, apr_pool_t *pool);

/* The status that an answer's code stands for, and back. */
apr_status_t wf_answer_status(unsigned char code);
wf_answer_e wf_answer_code(apr_status_t status);

#endif
