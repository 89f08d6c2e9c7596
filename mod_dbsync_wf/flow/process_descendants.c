/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Killing everything below this process but what is to be kept: what a supervisor owes the system
 * when a runner died and left it the runner's programs. It knows no marks, so it goes by parents,
 * from snapshots of /proc, until one shows nothing and the kernel's own list of children agrees.
 */
#include "flow/process_internal.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/clock.h"

/* Between two snapshots, where what was killed does not go at once. */
#define ROUND apr_time_from_msec(100)

typedef struct entry_t {
    pid_t pid;
    pid_t parent;
    int doomed;
} entry_t;

typedef struct keep_t {
    const pid_t *pids;
    int count;
} keep_t;

static int is_kept(const keep_t *keep, pid_t pid)
{
    for (int i = 0; i < keep->count; i++) {
        if (keep->pids[i] == pid) {
            return 1;
        }
    }
    return 0;
}

pid_t wf_process_parent(pid_t pid)
{
    char text[512];
    const char *end;
    size_t len;
    int parent = -1;
    FILE *file;

    apr_snprintf(text, sizeof(text), "/proc/%d/stat", (int)pid);
    file = fopen(text, "re");
    if (!file) {
        return -1;
    }
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    /* The name before it is in parentheses and may hold any character. */
    end = strrchr(text, ')');
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? (pid_t)parent : -1;
}

static int compare_entries(const void *a, const void *b)
{
    const entry_t *one = a;
    const entry_t *other = b;

    return (one->pid > other->pid) - (one->pid < other->pid);
}

/* All processes, by pid, into a buffer of entry_t. */
static apr_status_t take_snapshot(wf_buf_t *snapshot)
{
    DIR *dir = opendir("/proc");
    const struct dirent *item;
    entry_t entry;

    wf_buf_reset(snapshot);
    if (!dir) {
        return errno;
    }
    memset(&entry, 0, sizeof(entry));
    while ((item = readdir(dir)) != NULL) {
        entry.pid = (pid_t)atoi(item->d_name);
        if (entry.pid > 0 && (entry.parent = wf_process_parent(entry.pid)) > 0) {
            wf_buf_add(snapshot, &entry, sizeof(entry));
        }
    }
    closedir(dir);
    if (snapshot->len) {
        qsort(snapshot->data, snapshot->len / sizeof(entry_t), sizeof(entry_t), compare_entries);
    }
    return APR_SUCCESS;
}

static int is_doomed(entry_t *entries, apr_size_t count, const entry_t *entry, const keep_t *keep)
{
    entry_t key = {entry->parent, 0, 0};
    const entry_t *parent;

    if (is_kept(keep, entry->pid)) {
        return 0;
    }
    if (entry->parent == getpid()) {
        return 1;
    }
    parent = bsearch(&key, entries, count, sizeof(key), compare_entries);
    return parent && parent->doomed;
}

static void doom(entry_t *entries, apr_size_t count, const keep_t *keep)
{
    int changed;

    do {
        changed = 0;
        for (apr_size_t i = 0; i < count; i++) {
            if (!entries[i].doomed && is_doomed(entries, count, &entries[i], keep)) {
                entries[i].doomed = changed = 1;
            }
        }
    } while (changed);
}

static void kill_one(wf_watch_t *watch, const entry_t *entry)
{
    int pidfd = wf_pidfd_open(entry->pid);

    if (pidfd < 0) {
        return;
    }
    /* Asked again: the number may have gone to another process since the snapshot. */
    if (wf_process_parent(entry->pid) == entry->parent && !wf_pidfd_has_ended(pidfd)) {
        /* Watched even where we may not signal it, so that nobody spins while it lives. */
        wf_pidfd_signal(pidfd, SIGKILL);
        wf_watch_add(watch, entry->pid, pidfd);
    } else {
        close(pidfd);
    }
}

/* Kills and reaps what a snapshot shows; how many of the doomed may be left. */
static int sweep(entry_t *entries, apr_size_t count, apr_time_t deadline)
{
    apr_time_t soon = wf_clock() + ROUND;
    wf_watch_t watch;
    int left = 0;

    watch.count = 0;
    for (apr_size_t i = 0; i < count; i++) {
        if (entries[i].doomed) {
            kill_one(&watch, &entries[i]);
        }
    }
    wf_watch_wait(&watch, soon < deadline ? soon : deadline);
    wf_watch_clear(&watch);
    for (apr_size_t i = 0; i < count; i++) {
        if (entries[i].doomed) {
            left += entries[i].parent != getpid() || waitpid(entries[i].pid, NULL, WNOHANG) == 0;
        }
    }
    return left;
}

/* Whether the kernel's list of our children, where there is one, holds but those that are kept. */
static int has_only_kept(const keep_t *keep)
{
    wf_buf_t list = {NULL, 0, 0};
    int only = 1;
    char *at, *next;

    if (wf_tree_read_adopted(&list) == APR_SUCCESS) {
        wf_buf_add_char(&list, '\0');
        at = list.data;
        for (long pid = strtol(at, &next, 10); next != at; pid = strtol(at, &next, 10)) {
            only &= is_kept(keep, (pid_t)pid);
            at = next;
        }
    }
    wf_buf_free(&list);
    return only;
}

apr_status_t wf_process_end_descendants(const pid_t *keep, int count, apr_time_t deadline)
{
    keep_t kept = {keep, count};
    wf_buf_t snapshot = {NULL, 0, 0};
    apr_status_t rv;
    int left;

    do {
        rv = take_snapshot(&snapshot);
        if (rv == APR_SUCCESS) {
            entry_t *entries = (entry_t *)(void *)snapshot.data;
            apr_size_t total = snapshot.len / sizeof(entry_t);
            doom(entries, total, &kept);
            left = sweep(entries, total, deadline) || !has_only_kept(&kept);
            rv = left ? APR_TIMEUP : APR_SUCCESS;
        }
    } while (rv == APR_TIMEUP && wf_clock() < deadline);
    wf_buf_free(&snapshot);
    return rv;
}
