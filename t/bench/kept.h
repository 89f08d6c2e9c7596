/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs that stores of a measurement keep: of several vhosts, projects and tasks, which end in
 * several ways; and how a store comes to have many of them.
 */
#ifndef WF_BENCH_KEPT_H
#define WF_BENCH_KEPT_H

#include "own_keeper.h"

/* What asking for a run needs. */
typedef struct kept_t {
    wf_uuid_t pid;
    unsigned char vhost; /* index in kept_vhosts */
} kept_t;

#define KEPT_VHOSTS   2
#define KEPT_PROJECTS 4
#define KEPT_TASKS    5

extern const char *const kept_vhosts[KEPT_VHOSTS];
extern const char *const kept_projects[KEPT_PROJECTS];
extern const char *const kept_tasks[KEPT_TASKS];

/* What is to be created as the run of that number, with a pid, which goes to *kept too. */
wf_new_run_t kept_run(kept_t *kept, unsigned number);

/* Whether the run of that number is interrupted before it starts, and how one that is not ends. */
int kept_is_interrupted(unsigned number);
wf_finish_t kept_finish(const wf_token_t *token);

/*
 * Makes runs in a state directory that is nobody's at the moment, the first numbers; *kept are
 * they, the oldest first. Through what the keeper does calls with (state.h), in this process,
 * because the sockets would take most of the time: a batch is what a keeper with a hundred busy
 * clients does at a time, and durable. Within one the runs come in no order, as clients' do.
 */
apr_uint64_t kept_fill(kept_t *kept, unsigned runs, const char *folder, apr_uint64_t cache,
                       apr_pool_t *pool);

#endif
