/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WATCH: who waits for a run to change or to end, or for anything that a list of runs may show. One
 * a connection, all of them in lists by pid; the last list is of those who watch no run alone.
 */
#include "store/embedded/keeper_internal.h"

#include "base/clock.h"

#define WATCH_MAX apr_time_from_sec(3600)
#define NEVER     APR_INT64_MAX

/* Whether it stands for every run there is. */
static int is_any(const wf_uuid_t *pid)
{
    static const wf_uuid_t any = {{0}};

    return memcmp(pid, &any, sizeof(any)) == 0;
}

static struct wf_peer_list *list_of(wf_keeper_t *keeper, const wf_uuid_t *pid)
{
    return &keeper->watching[is_any(pid) ? WF_WATCH_LISTS
                                         : pid->bytes[sizeof(pid->bytes) - 1] % WF_WATCH_LISTS];
}

void wf_news_init(wf_keeper_t *keeper)
{
    for (int i = 0; i <= WF_WATCH_LISTS; i++) {
        TAILQ_INIT(&keeper->watching[i]);
    }
    keeper->watch_next = NEVER;
}

void wf_news_drop(wf_keeper_t *keeper, wf_peer_t *peer)
{
    if (peer->watches) {
        TAILQ_REMOVE(list_of(keeper, &peer->watched), peer, watch);
        peer->watches = 0;
        keeper->state.board.watchers--;
    }
}

/* Whether the run differs from what the watcher has seen; version 0 waits for its end alone. */
static int has_news(wf_keeper_t *keeper, const wf_uuid_t *pid, apr_uint64_t version)
{
    const wf_entry_t *entry;

    if (is_any(pid)) {
        return version != keeper->state.board.age;
    }
    entry = wf_board_find(&keeper->state.board, pid);
    return !entry || (version != 0 && entry->version != version);
}

apr_status_t wf_news_begin(int *now, wf_keeper_t *keeper, wf_peer_t *peer, const wf_message_t *m)
{
    apr_uint64_t timeout = wf_message_u64(m, WF_FIELD_TIMEOUT);
    apr_uint64_t version = wf_message_u64(m, WF_FIELD_VERSION);
    wf_uuid_t pid;
    apr_status_t rv = wf_message_pid(&pid, m);

    *now = 0;
    wf_news_drop(keeper, peer);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (has_news(keeper, &pid, version)) {
        *now = 1;
        return APR_SUCCESS;
    }
    if (keeper->state.board.watchers >= wf_message_u64(m, WF_FIELD_MAX)) {
        return WF_EFULL;
    }
    peer->watches = 1;
    peer->watched = pid;
    peer->watch_version = version;
    peer->watch_call = m->call;
    peer->watch_end =
        wf_clock() + (timeout > (apr_uint64_t)WATCH_MAX ? WATCH_MAX : (apr_interval_time_t)timeout);
    if (peer->watch_end < keeper->watch_next) {
        keeper->watch_next = peer->watch_end;
    }
    TAILQ_INSERT_TAIL(list_of(keeper, &pid), peer, watch);
    keeper->state.board.watchers++;
    return APR_SUCCESS;
}

static void answer(wf_keeper_t *keeper, wf_peer_t *peer, int news)
{
    apr_size_t mark;

    wf_peer_touch(keeper, peer);
    mark = wf_frame_begin(&peer->out, WF_ANSWER_OK, peer->watch_call);
    wf_field_add_u64(&peer->out, WF_FIELD_COUNT, (apr_uint64_t)news);
    wf_frame_end(&peer->out, mark);
    wf_news_drop(keeper, peer);
}

static void answer_watchers_of(wf_keeper_t *keeper, const wf_uuid_t *pid)
{
    wf_peer_t *peer, *next;

    for (peer = TAILQ_FIRST(list_of(keeper, pid)); peer; peer = next) {
        next = TAILQ_NEXT(peer, watch);
        if (memcmp(&peer->watched, pid, sizeof(*pid)) == 0 &&
            has_news(keeper, pid, peer->watch_version)) {
            answer(keeper, peer, 1);
        }
    }
}

/*
 * Answers those who watch all runs. Who came with another age than the board's was answered at
 * once: while that stays the same, nobody in the list has news.
 */
static void answer_watchers_of_all(wf_keeper_t *keeper)
{
    apr_uint64_t age = keeper->state.board.age;
    wf_peer_t *peer, *next;

    if (age == keeper->told_age) {
        return;
    }
    keeper->told_age = age;
    for (peer = TAILQ_FIRST(&keeper->watching[WF_WATCH_LISTS]); peer; peer = next) {
        next = TAILQ_NEXT(peer, watch);
        if (peer->watch_version != age) {
            answer(keeper, peer, 1);
        }
    }
}

/* Answers those of a list whose time is up; *next becomes the earliest end of the others. */
static void answer_late(apr_time_t *next, wf_keeper_t *keeper, struct wf_peer_list *list,
                        apr_time_t now)
{
    wf_peer_t *peer, *after;

    for (peer = TAILQ_FIRST(list); peer; peer = after) {
        after = TAILQ_NEXT(peer, watch);
        if (peer->watch_end <= now) {
            answer(keeper, peer, 0);
        } else if (peer->watch_end < *next) {
            *next = peer->watch_end;
        }
    }
}

static void answer_stirred(wf_keeper_t *keeper)
{
    wf_buf_t *stirred = keeper->state.board.stirred;

    for (apr_size_t at = 0; at < stirred->len; at += sizeof(wf_uuid_t)) {
        wf_uuid_t pid;

        memcpy(&pid, stirred->data + at, sizeof(pid));
        answer_watchers_of(keeper, &pid);
    }
    wf_buf_reset(stirred);
}

void wf_news_answer_all(wf_keeper_t *keeper)
{
    apr_time_t now;

    if (keeper->refuses) {
        return; /* there is no board, and nobody was let in to watch it */
    }
    answer_stirred(keeper);
    answer_watchers_of_all(keeper);
    if (keeper->watch_next != NEVER && keeper->watch_next <= (now = wf_clock())) {
        keeper->watch_next = NEVER;
        for (int i = 0; i <= WF_WATCH_LISTS; i++) {
            answer_late(&keeper->watch_next, keeper, &keeper->watching[i], now);
        }
    }
}
