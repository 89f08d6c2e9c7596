/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process_*.c files share: marks (process_owner.c), starting (process_spawn.c), the three
 * streams (process_streams.c), descriptors of processes (process_watch.c), and the tree of what
 * came of a program (process_tree.c). process.c puts them together.
 */
#ifndef WF_FLOW_PROCESS_INTERNAL_H
#define WF_FLOW_PROCESS_INTERNAL_H

#include <poll.h>
#include <sys/types.h>
#include "flow/process.h"

/* ---- process_owner.c: whose a process is ---- */

/*
 * Both limits of a program in RLIMIT_LOCKS: hard, its mark, which has the top bit; soft, its owner,
 * which has not, since it may not be more. Where long has 32 bits the kernel keeps as many, and
 * takes what is over 2^31 - 1 for unlimited.
 */
#define WF_MARK_TOP                                                                                \
    (sizeof(long) < sizeof(apr_uint64_t) ? (apr_uint64_t)0x40000000 : (apr_uint64_t)1 << 63)

/* Says of the calling process that it is a runner of this owner. APR_SUCCESS, or the system's
 * error.
 */
apr_status_t wf_owner_declare(apr_uint64_t owner);

/* The number that wf_owner_declare was given last. */
apr_uint64_t wf_owner_declared(void);

/* The finalizer of splitmix64 on what is below WF_MARK_TOP: a bijection there. */
apr_uint64_t wf_mark_mix(apr_uint64_t x);

/* ---- process_descendants.c ---- */

/* The parent of a process, which may be 0; -1 where it is gone. */
pid_t wf_process_parent(pid_t pid);

/* ---- process_spawn.c: the start ---- */

typedef struct wf_spawn_t {
    const char *path; /* absolute, or relative to the directory */
    const char *const *argv;
    const char *const *envp;
    const char *directory;
    int fds[3]; /* become 0, 1 and 2; each is 3 or more */
    apr_uint64_t mark;
    apr_uint64_t owner;   /* this and the rest is filled in by wf_process_spawn */
    apr_uint64_t ignored; /* real-time signals: number N is bit N - 1 */
    pid_t parent;
    const char *step; /* where the child failed, for people; NULL: execve */
    int error;        /* its errno there, 0 where it was started */
} wf_spawn_t;

/* Looks at what wf_process_spawn needs to know of the process. */
void wf_spawn_setup(void);

/*
 * Starts a program, the memory of the caller shared until the exec (vfork), so that its size does
 * not matter. Gives a process descriptor beside the pid; the caller waits for the pid. The caller's
 * thread must not end before the program does (PR_SET_PDEATHSIG looks at the thread).
 * APR_SUCCESS, or the system's error: then nothing was started, and nothing is to be waited for.
 */
apr_status_t wf_process_spawn(pid_t *pid, int *pidfd, wf_spawn_t *spawn);

/*
 * The file of a program: argv[0] itself where it has a slash, otherwise the first executable of
 * that name in the PATH of envp, or in a default one. APR_SUCCESS, or APR_ENOENT or APR_EACCES.
 */
apr_status_t wf_process_resolve(const char **path, const char *name, const char *const *envp,
                                apr_pool_t *pool);

/* ---- process_streams.c: stdin, stdout and stderr ---- */

typedef struct wf_stream_t {
    int fd; /* our end, non-blocking; -1 once it is closed */
    wf_buf_t kept;
    apr_size_t cap;
    int cut;
} wf_stream_t;

typedef struct wf_streams_t {
    int in;           /* our end, non-blocking; -1 once all is fed or nobody reads */
    wf_slice_t input; /* what is yet to be fed */
    wf_stream_t out[2];
    void (*on_output)(void *baton, wf_slice_t bytes); /* of the spec */
    void *baton;
    int theirs[3]; /* the program's ends; -1 once closed */
} wf_streams_t;

#define WF_STREAMS 3

/* Makes streams without pipes; what they keep lives until the pool is destroyed. */
wf_streams_t *wf_streams_create(const wf_process_spec_t *spec, apr_pool_t *pool);

/* Makes the pipes and feeds what goes into one at once. APR_SUCCESS, or the system's error. */
apr_status_t wf_streams_open(wf_streams_t *streams);

/* Closes the program's ends, once it has its own. */
void wf_streams_detach(wf_streams_t *streams);

/* What to poll for, and what to do about the answer. */
void wf_streams_expect(const wf_streams_t *streams, struct pollfd at[WF_STREAMS]);
void wf_streams_serve(wf_streams_t *streams, const struct pollfd at[WF_STREAMS]);

/* Takes what is in the pipes, without waiting for an end that may never come, and closes all. */
void wf_streams_close(wf_streams_t *streams);

/* ---- process_watch.c: waiting for processes that need not be our children ---- */

#define WF_WATCH_MAX 32

typedef struct wf_watch_t {
    int count;
    struct {
        pid_t pid;
        int fd;
    } of[WF_WATCH_MAX];
} wf_watch_t;

/* A descriptor of a process, or -1 with errno. It names that process for good, whatever becomes
 * of the number. */
int wf_pidfd_open(pid_t pid);

/* Signals the process; 0, or -1 with errno. */
int wf_pidfd_signal(int pidfd, int sig);

/* Whether the process has ended; one that nobody has reaped yet has ended. */
int wf_pidfd_has_ended(int pidfd);

/* Takes the descriptor over and watches it, or closes it where the set is full. */
void wf_watch_add(wf_watch_t *watch, pid_t pid, int pidfd);
int wf_watch_has(const wf_watch_t *watch, pid_t pid);

/* Closes all descriptors. */
void wf_watch_clear(wf_watch_t *watch);

/* What to poll for (watch->count entries), and dropping those that have ended. */
void wf_watch_expect(const wf_watch_t *watch, struct pollfd *at);
void wf_watch_drop(wf_watch_t *watch, const struct pollfd *at);

/* Waits until all that are watched have ended or the time has come. */
void wf_watch_wait(wf_watch_t *watch, apr_time_t until);

/* ---- process_tree.c: what came of a program ---- */

typedef struct wf_tree_t {
    pid_t main; /* the program, which also numbers its group; not reaped while this is used */
    int ended;  /* whether it has */
    apr_uint64_t mark;
    wf_watch_t watch; /* living processes that were found */
    int refused;      /* whether the system refused to let us signal one */
    int unwatched;    /* whether one was found that no descriptor could be had for */
    int blind;        /* whether /proc could not be read, which is logged once */
} wf_tree_t;

/* Prepares the look-ups, once in a process; the system's error where /proc is of no use. */
apr_status_t wf_tree_setup(void);

/* The mark of a tag. */
apr_uint64_t wf_tree_mark(apr_uint64_t tag);

/* Signals the program's group; TERM is followed by CONT, so that stopped processes hear it. */
void wf_tree_signal_group(wf_tree_t *tree, int sig);

/*
 * For when the program itself has ended: how many processes of the tree live on at the top of what
 * it left; 0 means that none at all is left. Each is watched, and signalled where sig is not 0.
 * Costs one read where this process has adopted nothing.
 */
int wf_tree_check(wf_tree_t *tree, int sig);

/*
 * Walks /proc, signals every living process of the tree that is not watched yet, and watches it.
 * While the program lives, TERM spares those in its group, who have it from wf_tree_signal_group;
 * once it has ended it does not, since a process may have been forked and not yet ready for the
 * first one. How many live; where /proc cannot be read, 1, since nobody knows.
 */
int wf_tree_signal(wf_tree_t *tree, int sig);

/* Hands a child of the calling thread that could not be ended to wf_process_reap_adopted. */
void wf_tree_abandon(pid_t child);

/*
 * Appends the pids of the main thread's children, separated by spaces. APR_SUCCESS; APR_ENOENT
 * where the kernel has no such file (CONFIG_PROC_CHILDREN); the system's error.
 */
apr_status_t wf_tree_read_adopted(wf_buf_t *list);

#endif
