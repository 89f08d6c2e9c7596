/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the store protocol: what a request's fields mean, and what its answer carries.
 */
#include "store/embedded/keeper_internal.h"

#include "base/clock.h"

#define LEASE_MIN apr_time_from_sec(1)
#define LEASE_MAX apr_time_from_sec(3600)
#define READ_MAX  (1024 * 1024) /* bytes of output in one answer */
#define KEEP_MAX  apr_time_from_sec(APR_INT64_C(100) * 366 * 24 * 3600)

typedef apr_status_t (*op_t)(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m);

apr_interval_time_t wf_keeper_bounded(apr_uint64_t value, apr_interval_time_t least,
                                      apr_interval_time_t most)
{
    if (value > (apr_uint64_t)most) {
        return most;
    }
    return (apr_interval_time_t)value < least ? least : (apr_interval_time_t)value;
}

void wf_keeper_add_run(wf_buf_t *out, const wf_run_t *run)
{
    apr_size_t mark = wf_field_open(out, WF_FIELD_RUN);

    wf_record_encode(out, run);
    wf_field_close(out, mark);
}

static apr_status_t do_ping(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    (void)keeper;
    (void)peer;
    (void)m;
    return APR_SUCCESS;
}

static apr_status_t do_create(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_admission_t admission = {wf_message_u64(m, WF_FIELD_OVERLAP) != 0,
                                (apr_uint32_t)wf_message_u64(m, WF_FIELD_QUEUE)};
    wf_run_t spec, run;
    apr_status_t rv = wf_record_decode(&spec, m->field[WF_FIELD_RUN], keeper->batch);

    if (rv == APR_SUCCESS) {
        rv = wf_state_create(&run, &keeper->state, &spec, &admission, m->field[WF_FIELD_PAYLOAD],
                             keeper->batch);
    }
    if (rv == APR_SUCCESS || rv == WF_EOVERLAP) {
        wf_keeper_add_run(&peer->out, &run);
    }
    return rv;
}

static apr_status_t do_join(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_holder_t *holder;
    apr_status_t rv = wf_state_join(
        &holder, &keeper->state, wf_message_text(m, WF_FIELD_HOST, keeper->batch),
        wf_keeper_bounded(wf_message_u64(m, WF_FIELD_TTL), LEASE_MIN, LEASE_MAX), keeper->batch);

    if (rv == APR_SUCCESS) {
        wf_field_add_u64(&peer->out, WF_FIELD_INCARNATION, holder->incarnation);
    }
    return rv;
}

static apr_status_t do_drain(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    (void)peer;
    return wf_state_drain(&keeper->state, wf_message_u64(m, WF_FIELD_INCARNATION));
}

static void add_token(wf_buf_t *out, const wf_entry_t *entry)
{
    unsigned char fence[8];
    apr_size_t mark = wf_field_open(out, WF_FIELD_TOKEN);

    wf_put_u64(fence, entry->fence);
    wf_buf_add(out, &entry->pid, sizeof(entry->pid));
    wf_buf_add(out, fence, sizeof(fence));
    wf_field_close(out, mark);
}

static apr_status_t do_heartbeat(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_holder_t *holder;
    const wf_entry_t *entry;
    apr_status_t rv = wf_state_heartbeat(
        &holder, &keeper->state, wf_message_u64(m, WF_FIELD_INCARNATION),
        wf_keeper_bounded(wf_message_u64(m, WF_FIELD_TTL), LEASE_MIN, LEASE_MAX));

    if (rv != APR_SUCCESS) {
        return rv;
    }
    TAILQ_FOREACH(entry, &holder->held, link)
    {
        if (entry->interrupt_requested) {
            add_token(&peer->out, entry);
        }
    }
    return APR_SUCCESS;
}

static apr_status_t do_progress(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_token_t token;
    wf_run_progress_t progress = {wf_message_text(m, WF_FIELD_ACTION, keeper->batch),
                                  wf_message_u64(m, WF_FIELD_DONE),
                                  wf_message_u64(m, WF_FIELD_TOTAL)};
    wf_run_records_t records = {wf_message_u64(m, WF_FIELD_READ),
                                wf_message_u64(m, WF_FIELD_WRITTEN),
                                wf_message_u64(m, WF_FIELD_FAILED)};
    apr_status_t rv = wf_token_decode(&token, m);

    (void)peer;
    return rv == APR_SUCCESS ? wf_state_progress(&keeper->state, &token, &progress, &records) : rv;
}

static apr_status_t do_append(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_token_t token;
    apr_status_t rv = wf_token_decode(&token, m);

    (void)peer;
    return rv == APR_SUCCESS
               ? wf_state_append_output(&keeper->state, &token, wf_message_u64(m, WF_FIELD_OFFSET),
                                        m->field[WF_FIELD_OUTPUT])
               : rv;
}

static apr_status_t do_read(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_uuid_t pid;
    wf_output_part_t part = {.bytes = {NULL, 0}};
    apr_status_t rv = wf_message_pid(&pid, m);

    if (rv == APR_SUCCESS) {
        rv = wf_state_read_output(
            &part, &keeper->state, wf_message_text(m, WF_FIELD_VHOST, keeper->batch), &pid,
            wf_message_u64(m, WF_FIELD_OFFSET),
            (apr_size_t)wf_keeper_bounded(wf_message_u64(m, WF_FIELD_MAX), 0, READ_MAX),
            keeper->batch);
    }
    if (rv == APR_SUCCESS) {
        wf_field_add(&peer->out, WF_FIELD_OUTPUT, part.bytes);
        wf_field_add_u64(&peer->out, WF_FIELD_TOTAL, part.total);
        wf_field_add_u64(&peer->out, WF_FIELD_VERSION, part.version);
    }
    return rv;
}

/* The markers among a message's fields. */
static apr_status_t take_markers(apr_array_header_t **markers, const wf_message_t *m,
                                 apr_pool_t *pool)
{
    wf_slice_t rest = m->body, value;
    unsigned char tag;
    apr_status_t rv;

    *markers = apr_array_make(pool, 1, sizeof(wf_run_marker_t));
    while ((rv = wf_field_next(&tag, &value, &rest)) == APR_SUCCESS) {
        if (tag == WF_FIELD_MARKER) {
            rv = wf_marker_decode(apr_array_push(*markers), value, pool);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static apr_status_t do_finish(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_run_t end;
    apr_array_header_t *markers;
    apr_status_t rv = wf_record_decode(&end, m->field[WF_FIELD_RUN], keeper->batch);

    if (rv == APR_SUCCESS) {
        rv = take_markers(&markers, m, keeper->batch);
    }
    if (rv == APR_SUCCESS) {
        rv = wf_state_finish(&keeper->state, &end, markers, wf_message_u64(m, WF_FIELD_OFFSET),
                             m->field[WF_FIELD_OUTPUT], keeper->batch);
    }
    return rv == APR_SUCCESS ? wf_claims_follow(keeper, peer, m, end.fence) : rv;
}

static apr_status_t do_release(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_token_t token;
    apr_status_t rv = wf_token_decode(&token, m);

    (void)peer;
    return rv == APR_SUCCESS ? wf_state_release(&keeper->state, &token, keeper->batch) : rv;
}

static apr_status_t do_interrupt(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_uuid_t pid;
    wf_run_t run;
    apr_status_t rv = wf_message_pid(&pid, m);

    if (rv == APR_SUCCESS) {
        rv = wf_state_interrupt(&run, &keeper->state,
                                wf_message_text(m, WF_FIELD_VHOST, keeper->batch), &pid,
                                wf_message_text(m, WF_FIELD_BY, keeper->batch), keeper->batch);
    }
    if (rv == APR_SUCCESS || rv == WF_EENDED) {
        wf_keeper_add_run(&peer->out, &run);
    }
    return rv;
}

static apr_status_t do_get(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_uuid_t pid;
    wf_run_t run;
    apr_status_t rv = wf_message_pid(&pid, m);

    if (rv == APR_SUCCESS) {
        rv = wf_state_get(&run, &keeper->state, wf_message_text(m, WF_FIELD_VHOST, keeper->batch),
                          &pid, keeper->batch);
    }
    if (rv == APR_SUCCESS) {
        const wf_entry_t *entry = wf_board_find(&keeper->state.board, &pid);

        wf_keeper_add_run(&peer->out, &run);
        wf_field_add_u64(&peer->out, WF_FIELD_VERSION, entry ? entry->version : 0);
    }
    return rv;
}

static apr_status_t do_list(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_pool_t *pool = keeper->batch;
    wf_run_query_t query = {
        .vhost = wf_message_text(m, WF_FIELD_VHOST, pool),
        .project = wf_message_text(m, WF_FIELD_PROJECT, pool),
        .task = wf_message_text(m, WF_FIELD_TASK, pool),
        .user = wf_message_text(m, WF_FIELD_USER, pool),
        .status = (wf_run_status_e)wf_message_u64(m, WF_FIELD_STATUS),
        .from = (apr_time_t)wf_message_u64(m, WF_FIELD_FROM),
        .to = (apr_time_t)wf_message_u64(m, WF_FIELD_TO),
        .limit = (apr_uint32_t)wf_keeper_bounded(wf_message_u64(m, WF_FIELD_MAX), 0, WF_LIST_MOST),
    };
    wf_run_list_t list;
    apr_status_t rv = wf_message_pid(&query.before, m);

    if (rv == APR_SUCCESS) {
        rv = wf_state_list(&list, &keeper->state, &query, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (int i = 0; i < list.runs->nelts; i++) {
        wf_keeper_add_run(&peer->out, &APR_ARRAY_IDX(list.runs, i, wf_run_t));
    }
    wf_field_add_u64(&peer->out, WF_FIELD_MORE, (apr_uint64_t)list.more);
    wf_field_add(&peer->out, WF_FIELD_PID, wf_slice_of(&list.next, sizeof(list.next)));
    wf_field_add_u64(&peer->out, WF_FIELD_VERSION, list.version);
    return APR_SUCCESS;
}

static apr_status_t do_under_way(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_pool_t *pool = keeper->batch;
    wf_run_t run = {
        .vhost = wf_message_text(m, WF_FIELD_VHOST, pool),
        .project = wf_message_text(m, WF_FIELD_PROJECT, pool),
        .task = wf_message_text(m, WF_FIELD_TASK, pool),
    };
    wf_under_way_t count;

    if (!run.vhost || !run.project || !run.task) {
        return WF_EINVALID;
    }
    count = wf_board_under_way(&keeper->state.board, &run);
    wf_field_add_u64(&peer->out, WF_FIELD_QUEUE, count.queued);
    wf_field_add_u64(&peer->out, WF_FIELD_COUNT, count.running);
    return APR_SUCCESS;
}

static apr_status_t do_reap(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_uint64_t count;
    apr_status_t rv = wf_state_reap(&count, &keeper->state, keeper->batch);

    (void)m;
    wf_field_add_u64(&peer->out, WF_FIELD_COUNT, count);
    return rv;
}

static apr_status_t do_purge(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_uint64_t count;
    int more;
    apr_status_t rv = wf_state_purge(
        &count, &more, &keeper->state,
        wf_keeper_bounded(wf_message_u64(m, WF_FIELD_KEEP), 0, KEEP_MAX), keeper->batch);

    wf_field_add_u64(&peer->out, WF_FIELD_COUNT, count);
    wf_field_add_u64(&peer->out, WF_FIELD_MORE, (apr_uint64_t)more);
    return rv;
}

/* Answered by wf_keeper_answer_waits, as soon as there is something to say. */
static apr_status_t do_wait(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    wf_peer_drop_wait(keeper, peer);
    peer->waits_for = wf_message_u64(m, WF_FIELD_INCARNATION);
    if (!wf_board_holder(&keeper->state.board, peer->waits_for)) {
        peer->waits_for = 0;
        return WF_ESTALE;
    }
    peer->wait_call = m->call;
    peer->wait_end =
        wf_clock() + wf_keeper_bounded(wf_message_u64(m, WF_FIELD_TIMEOUT), 0, WF_WAIT_MAX);
    TAILQ_INSERT_TAIL(&keeper->waiting, peer, wait);
    return APR_SUCCESS;
}

static apr_status_t do_watch(wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    int now;
    apr_status_t rv = wf_news_begin(&now, keeper, peer, m);

    wf_field_add_u64(&peer->out, WF_FIELD_COUNT, (apr_uint64_t)now);
    return rv;
}

static void answer_wait(wf_keeper_t *keeper, wf_peer_t *peer, wf_answer_e code, unsigned news)
{
    apr_size_t mark;

    wf_peer_touch(keeper, peer);
    mark = wf_frame_begin(&peer->out, (unsigned char)code, peer->wait_call);
    wf_field_add_u64(&peer->out, WF_FIELD_EVENTS, news);
    wf_frame_end(&peer->out, mark);
    wf_peer_drop_wait(keeper, peer);
}

void wf_keeper_answer_waits(wf_keeper_t *keeper)
{
    apr_time_t now = wf_clock();
    wf_peer_t *peer, *next;

    for (peer = TAILQ_FIRST(&keeper->waiting); peer; peer = next) {
        wf_holder_t *holder = wf_board_holder(&keeper->state.board, peer->waits_for);

        next = TAILQ_NEXT(peer, wait);
        if (!holder) {
            answer_wait(keeper, peer, WF_ANSWER_STALE, 0);
        } else if (holder->news || peer->wait_end <= now) {
            answer_wait(keeper, peer, WF_ANSWER_OK, holder->news);
            holder->news = 0;
        }
    }
}

static const struct {
    op_t execute;
    int writes; /* whether it may change a table */
} ops[WF_OP_COUNT] = {
    [WF_OP_PING] = {do_ping, 0},
    [WF_OP_CREATE] = {do_create, 1},
    [WF_OP_JOIN] = {do_join, 1},
    [WF_OP_DRAIN] = {do_drain, 0},
    [WF_OP_CLAIM] = {wf_claims_begin, 1},
    [WF_OP_HEARTBEAT] = {do_heartbeat, 0},
    [WF_OP_PROGRESS] = {do_progress, 0},
    [WF_OP_FINISH] = {do_finish, 1},
    [WF_OP_RELEASE] = {do_release, 1},
    [WF_OP_INTERRUPT] = {do_interrupt, 1},
    [WF_OP_GET] = {do_get, 0},
    [WF_OP_REAP] = {do_reap, 1},
    [WF_OP_WAIT] = {do_wait, 0},
    [WF_OP_PURGE] = {do_purge, 1},
    [WF_OP_LIST] = {do_list, 0},
    [WF_OP_WATCH] = {do_watch, 0},
    [WF_OP_HISTORY] = {wf_keeper_history, 0},
    [WF_OP_UNDER_WAY] = {do_under_way, 0},
    [WF_OP_APPEND] = {do_append, 1},
    [WF_OP_READ] = {do_read, 0},
    [WF_OP_STATS] = {wf_keeper_stats, 0},
};

static int is_refused(const wf_keeper_t *keeper, unsigned char op)
{
    return (keeper->refuses && op != WF_OP_PING && op != WF_OP_STATS) ||
           (keeper->read_only && ops[op].writes);
}

int wf_keeper_may_answer(apr_status_t rv)
{
    return rv == APR_NOTFOUND || wf_answer_code(rv) != WF_ANSWER_STORAGE;
}

apr_status_t wf_keeper_settle(wf_keeper_t *keeper, apr_status_t rv, apr_uint64_t changes)
{
    int changed = changes != wf_bdb_changes(keeper->bdb);
    apr_status_t settled = APR_SUCCESS;

    if (rv == WF_EDAMAGED) {
        if (changed) {
            settled = keeper->one_by_one ? wf_state_rollback(&keeper->state) : WF_EDAMAGED;
        }
        if (settled == APR_SUCCESS) {
            wf_tally_damage(&keeper->state.tally);
        }
    } else if (changed) {
        wf_tally_call(&keeper->state.tally);
    }
    return settled;
}

apr_status_t wf_keeper_execute(wf_keeper_t *keeper, wf_peer_t *peer, wf_slice_t frame)
{
    wf_message_t m;
    apr_size_t mark;
    apr_uint64_t changes = 0;
    apr_status_t rv = wf_message_read(&m, frame);

    if (rv == APR_SUCCESS && (m.code >= WF_OP_COUNT || !ops[m.code].execute)) {
        rv = WF_EPROTOCOL;
    }
    mark = wf_frame_begin(&peer->out, WF_ANSWER_OK, m.call);
    if (rv == APR_SUCCESS && !keeper->refuses) {
        changes = wf_bdb_changes(keeper->bdb);
    }
    if (rv == APR_SUCCESS) {
        rv = is_refused(keeper, m.code) ? WF_EUNAVAILABLE : ops[m.code].execute(keeper, peer, &m);
        if (!wf_keeper_may_answer(rv) && !keeper->read_only) {
            return rv;
        }
        if (!keeper->refuses) {
            apr_status_t settled = wf_keeper_settle(keeper, rv, changes);

            if (settled != APR_SUCCESS) {
                return settled;
            }
        }
        if (rv == APR_SUCCESS && (m.code == WF_OP_WAIT || m.code == WF_OP_CLAIM ||
                                  (m.code == WF_OP_WATCH && peer->watches))) {
            peer->out.len = mark;
            return APR_SUCCESS;
        }
    }
    peer->out.data[mark + 5] = (char)wf_answer_code(rv);
    wf_frame_end(&peer->out, mark);
    peer->closing |= rv == WF_EPROTOCOL; /* out of step, or another version */
    return APR_SUCCESS;
}
