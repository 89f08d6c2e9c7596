/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came of a program: finding and signalling every process that carries its mark, and being
 * sure that none is left.
 *
 * Sure, because of this: a living descendant whose ancestors have all ended is a child of our main
 * thread; so where the program has ended, anything that lives on hangs below a marked child of
 * ours that lives. The list of those children is read while nothing can leave it (adopted_lock:
 * only wf_process_reap_adopted removes from it), and the kernel appends at its end.
 */
#include "flow/process_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/log.h"

#define ABANDONED_MAX 64
#define NAME_MAX_LEN  64

static pthread_mutex_t adopted_lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t abandoned[ABANDONED_MAX]; /* guarded by adopted_lock */
static int abandoned_count;            /* guarded by adopted_lock */
static int adopted_fd = -1;            /* the children file; -1 where the kernel has none */
static apr_uint64_t salt;

static int open_adopted(void)
{
    char name[NAME_MAX_LEN];

    apr_snprintf(name, sizeof(name), "/proc/self/task/%d/children", (int)getpid());
    return open(name, O_RDONLY | O_CLOEXEC);
}

apr_status_t wf_tree_setup(void)
{
    if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt)) {
        return errno;
    }
    if (access("/proc/self/limits", R_OK) != 0) {
        return errno;
    }
    if (adopted_fd >= 0) {
        close(adopted_fd);
    }
    adopted_fd = open_adopted();
    return adopted_fd >= 0 || errno == ENOENT ? APR_SUCCESS : errno;
}

apr_uint64_t wf_tree_mark(apr_uint64_t tag)
{
    /* Two tags never share a mark. */
    apr_uint64_t mark = WF_MARK_TOP | wf_mark_mix(tag + salt);

    return mark == RLIM64_INFINITY ? mark - 1 : mark;
}

apr_status_t wf_tree_read_adopted(wf_buf_t *list)
{
    int fd = open_adopted();
    ssize_t count;

    if (fd < 0) {
        return errno;
    }
    do {
        count = read(fd, wf_buf_reserve(list, BUFSIZ), BUFSIZ);
        list->len += count > 0 ? (apr_size_t)count : 0;
    } while (count > 0 || (count < 0 && errno == EINTR));
    close(fd);
    return count < 0 ? errno : APR_SUCCESS;
}

/* For a process whose limits prlimit(2) keeps from us, since it runs set-user-id. */
static int shows_mark(pid_t pid, apr_uint64_t mark)
{
    char name[NAME_MAX_LEN];
    char line[256];
    unsigned long long limit;
    int found = 0;
    FILE *file;

    apr_snprintf(name, sizeof(name), "/proc/%d/limits", (int)pid);
    file = fopen(name, "re");
    if (!file) {
        return 0;
    }
    while (!found && fgets(line, sizeof(line), file)) {
        found = sscanf(line, "Max file locks %*s %llu", &limit) == 1 && limit == mark;
    }
    fclose(file);
    return found;
}

static int carries_mark(pid_t pid, apr_uint64_t mark)
{
    struct rlimit64 limit;

    if (prlimit64(pid, RLIMIT_LOCKS, NULL, &limit) == 0) {
        return limit.rlim_max == mark;
    }
    return errno == EPERM && shows_mark(pid, mark);
}

static int signal_one(const wf_tree_t *tree, pid_t pid, int pidfd, int sig)
{
    int failed;

    if (sig == SIGTERM && !tree->ended && getpgid(pid) == tree->main) {
        return 0;
    }
    failed = wf_pidfd_signal(pidfd, sig) != 0 && errno == EPERM;
    if (sig == SIGTERM) {
        wf_pidfd_signal(pidfd, SIGCONT);
    }
    return failed;
}

enum { NOT_OURS, ENDED, ALIVE };

/* Looks at one process of the system; one that lives is signalled (sig not 0) and watched. */
static int examine(wf_tree_t *tree, pid_t pid, int sig)
{
    int pidfd;

    if (!carries_mark(pid, tree->mark)) {
        return NOT_OURS;
    }
    pidfd = wf_pidfd_open(pid);
    if (pidfd < 0) {
        if (errno == ESRCH) {
            return ENDED;
        }
        tree->unwatched = 1;
        tree->refused |= sig && kill(pid, sig) != 0 && errno == EPERM;
        return ALIVE;
    }
    /* Asked again: between the two the number may have gone to another process. */
    if (!carries_mark(pid, tree->mark) || wf_pidfd_has_ended(pidfd)) {
        close(pidfd);
        return ENDED;
    }
    tree->refused |= sig && signal_one(tree, pid, pidfd, sig);
    wf_watch_add(&tree->watch, pid, pidfd);
    return ALIVE;
}

/*
 * One pass over a list of pids. What has ended counts in *ended: its children are appended to the
 * real list at that moment, perhaps after this one was read.
 */
static int examine_list(int *ended, wf_tree_t *tree, char *list, int sig)
{
    int alive = 0;
    char *next;

    *ended = 0;
    for (long pid = strtol(list, &next, 10); next != list; pid = strtol(list, &next, 10)) {
        int state = examine(tree, (pid_t)pid, sig);
        alive += state == ALIVE;
        *ended += state == ENDED;
        list = next;
    }
    return alive;
}

static apr_status_t check_adopted(int *alive, wf_tree_t *tree, int sig)
{
    wf_buf_t list = {NULL, 0, 0};
    int ended = 0, known;
    apr_status_t rv;

    pthread_mutex_lock(&adopted_lock);
    /* Over only where all that has ended had ended before the list was read: nothing leaves it. */
    do {
        known = ended;
        wf_buf_reset(&list);
        rv = wf_tree_read_adopted(&list);
        wf_buf_add_char(&list, '\0');
        *alive = examine_list(&ended, tree, list.data, sig);
    } while (rv == APR_SUCCESS && *alive == 0 && ended > known);
    pthread_mutex_unlock(&adopted_lock);
    wf_buf_free(&list);
    return rv;
}

int wf_tree_signal(wf_tree_t *tree, int sig)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    int alive = 0;

    if (!dir) {
        if (!tree->blind) {
            wf_log_error(errno, "WF0252", "cannot look for processes that a program left");
        }
        tree->blind = tree->unwatched = 1;
        return 1;
    }
    while ((entry = readdir(dir)) != NULL) {
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid <= 0 || wf_watch_has(&tree->watch, pid)) {
            alive += pid > 0;
        } else if (kill(pid, 0) == 0) {
            /* Whom we may not signal we need not look at. */
            alive += examine(tree, pid, sig) == ALIVE;
        }
    }
    closedir(dir);
    return alive;
}

int wf_tree_check(wf_tree_t *tree, int sig)
{
    char first;
    int alive;

    if (adopted_fd >= 0) {
        if (pread(adopted_fd, &first, 1, 0) == 0) {
            return 0;
        }
        if (check_adopted(&alive, tree, sig) == APR_SUCCESS) {
            return alive;
        }
    }
    /* Twice: a walk may miss what is being forked behind it, and not again right after. */
    alive = wf_tree_signal(tree, sig);
    return alive ? alive : wf_tree_signal(tree, sig);
}

void wf_tree_signal_group(wf_tree_t *tree, int sig)
{
    /* The number is still the group's, since its leader has not been reaped. */
    if (kill(-tree->main, sig) != 0) {
        tree->refused |= errno == EPERM;
    } else if (sig == SIGTERM) {
        kill(-tree->main, SIGCONT);
    }
}

void wf_tree_abandon(pid_t child)
{
    int kept;

    pthread_mutex_lock(&adopted_lock);
    kept = abandoned_count < ABANDONED_MAX;
    if (kept) {
        abandoned[abandoned_count++] = child;
    }
    pthread_mutex_unlock(&adopted_lock);
    if (!kept) {
        wf_log_error(0, "WF0253", "too many programs that cannot be ended; %d stays unreaped",
                     (int)child);
    }
}

/* These are children of other threads, which have turned to other work. */
static void reap_abandoned(void)
{
    int left = 0;

    for (int i = 0; i < abandoned_count; i++) {
        if (waitpid(abandoned[i], NULL, WNOHANG) == 0) {
            abandoned[left++] = abandoned[i];
        }
    }
    abandoned_count = left;
}

int wf_process_reap_adopted(void)
{
    int count = 0;

    pthread_mutex_lock(&adopted_lock);
    while (waitpid(-1, NULL, WNOHANG | __WNOTHREAD) > 0) {
        count++;
    }
    reap_abandoned();
    pthread_mutex_unlock(&adopted_lock);
    return count;
}
