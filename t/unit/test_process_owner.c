/* SPDX-License-Identifier: Apache-2.0 */
/* flow/process.h: programs that outlive their runner are found by their owner, and nobody else's.
 */
#include "process_util.h"

#include <sys/prctl.h>

/* Of this process's own folders, since another one may run the same tests at the same time. */
static apr_uint64_t my_owner, other_owner;

static int set_up(void **state)
{
    char path[128];

    if (set_up_processes(state) != 0) {
        return -1;
    }
    scratch_path(path, "another");
    return mkdir(path, 0700) == 0 && wf_process_owner(&my_owner, scratch) == APR_SUCCESS &&
                   wf_process_owner(&other_owner, path) == APR_SUCCESS
               ? 0
               : -1;
}

/* What a runner does, in a process of its own: runs a program that ends for nobody. */
static void run_stubborn(apr_uint64_t owner, const char *path)
{
    const char *script = "trap '' TERM; setsid sh -c 'echo $$ >>$0; env -i sleep 60' $1 & "
                         "echo $$ >>$1; while :; do sleep 60; done";
    const char *argv[] = {"/bin/sh", "-c", script, "script", path, NULL};
    const char *envp[] = {"PATH=/usr/bin:/bin", NULL};
    wf_process_spec_t spec;
    wf_process_end_t end;
    wf_result_t result;
    apr_pool_t *pool;

    memset(&spec, 0, sizeof(spec));
    apr_pool_create(&pool, NULL);
    wf_result_init(&result, pool);
    spec.argv = argv;
    spec.envp = envp;
    spec.output_cap = spec.error_cap = 1024;
    spec.tag = 1;
    if (wf_process_setup(owner) == APR_SUCCESS &&
        wf_cancel_create(&spec.cancel, pool) == APR_SUCCESS) {
        wf_process_run(&end, &spec, &result, pool);
    }
    _exit(1);
}

/* Forks such a runner; gives what came of its program. */
static pid_t start_runner(pid_t tree[2], apr_uint64_t owner, const char *name)
{
    char path[128];
    pid_t pid;

    scratch_path(path, name);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever becomes of the test */
        run_stubborn(owner, path);
    }
    await_pids(tree, 2, path);
    return pid;
}

static void kill_runner(pid_t runner)
{
    assert_int_equal(kill(runner, SIGKILL), 0);
    assert_int_equal(waitpid(runner, NULL, 0), runner);
}

static int alive(const pid_t tree[2])
{
    return !is_gone(tree[0]) + !is_gone(tree[1]);
}

/* The test's process is no runner of these owners, and adopts what they leave. */
static void test_orphans_are_ended_and_nobody_else(void **state)
{
    pid_t mine[2], others[2];
    pid_t runner = start_runner(mine, my_owner, "mine");
    pid_t other = start_runner(others, other_owner, "others");
    int fd = 0;

    (void)state;
    assert_int_equal(wf_process_end_orphans(&fd, my_owner, wf_clock() + SOON), APR_SUCCESS);
    assert_int_equal(fd, -1); /* a child of the caller, who hears of its end */
    assert_int_equal(alive(mine), 2);

    kill_runner(other);
    assert_true(alive(others) > 0);
    kill_runner(runner);
    assert_int_equal(wf_process_end_orphans(&fd, my_owner, wf_clock() + SOON), APR_SUCCESS);
    assert_int_equal(fd, -1);
    assert_int_equal(alive(mine), 0);
    assert_true(alive(others) > 0);

    assert_int_equal(wf_process_end_orphans(&fd, other_owner, wf_clock() + SOON), APR_SUCCESS);
    assert_int_equal(alive(others), 0);
    assert_no_children();
}

/* In a process of its own, to which the runner is nothing; exits with the number of what failed. */
static int look_from_aside(const pid_t tree[2], pid_t runner)
{
    int fd = -1;
    struct pollfd at = {-1, POLLIN, 0};

    if (wf_process_end_orphans(&fd, other_owner, wf_clock() + SOON) != APR_SUCCESS || fd < 0 ||
        alive(tree) != 2) {
        return 1;
    }
    kill(runner, SIGKILL);
    at.fd = fd;
    if (poll(&at, 1, 20000) != 1) {
        return 2;
    }
    close(fd);
    if (wf_process_end_orphans(&fd, other_owner, wf_clock() + SOON) != APR_SUCCESS || fd != -1) {
        return 3;
    }
    return alive(tree) ? 4 : 0;
}

static void test_another_runner_is_watched(void **state)
{
    pid_t tree[2];
    pid_t runner = start_runner(tree, other_owner, "watched");
    pid_t pid = fork();
    int status = 0;

    (void)state;
    if (pid == 0) {
        _exit(look_from_aside(tree, runner));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(waitpid(runner, NULL, 0), runner);
    assert_no_children();
}

static void test_directories_have_owners_of_their_own(void **state)
{
    apr_uint64_t one = 0, other = 0, again = 0;

    (void)state;
    assert_int_equal(wf_process_owner(&one, scratch), APR_SUCCESS);
    assert_int_equal(wf_process_owner(&other, "/"), APR_SUCCESS);
    assert_int_equal(wf_process_owner(&again, scratch), APR_SUCCESS);
    assert_true(one != 0 && one == again && one != other);
    assert_true(APR_STATUS_IS_ENOENT(wf_process_owner(&again, "/nonexistent")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orphans_are_ended_and_nobody_else),
        cmocka_unit_test(test_another_runner_is_watched),
        cmocka_unit_test(test_directories_have_owners_of_their_own),
    };

    return cmocka_run_group_tests_name("process owner", tests, set_up, tear_down_processes);
}
