/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow/process.h: when a run returns nothing that came of its program is alive, however it was
 * started and whatever ended it; and wf_process_end_descendants.
 */
#include "process_util.h"

#include <fcntl.h>
#include <sys/prctl.h>

#define THREADS         8
#define RUNS_PER_THREAD 50
#define PIDS_MOST       64

/* One run of a script, which writes pids to a file; looked at by the thread that ran it. */
typedef struct trial_t {
    const char *script;
    char pid_file[128];
    apr_interval_time_t grace;
    apr_interval_time_t timeout;
    wf_cancel_t *cancel;
    wf_cancel_reason_e reason; /* of the cancel */
    apr_pool_t *pool;
    wf_process_end_t end;
    apr_status_t rv;
    apr_time_t returned;
    int alive; /* of the pids in the file, right when the run returned */
} trial_t;

static apr_uint64_t next_tag = 1;

static void run_trial(void *baton)
{
    trial_t *trial = baton;
    const char *argv[] = {"/bin/sh", "-c", trial->script, "script", trial->pid_file, NULL};
    const char *envp[] = {"PATH=/usr/bin:/bin", NULL};
    pid_t pids[PIDS_MOST];
    wf_process_spec_t spec;
    wf_result_t result;

    memset(&spec, 0, sizeof(spec));
    spec.argv = argv;
    spec.envp = envp;
    spec.input = wf_slice("{}");
    spec.output_cap = spec.error_cap = 1024;
    spec.tag = __atomic_fetch_add(&next_tag, 1, __ATOMIC_RELAXED);
    spec.deadline = trial->timeout ? wf_clock() + trial->timeout : 0;
    spec.grace = trial->grace;
    spec.cancel = trial->cancel;
    wf_result_init(&result, trial->pool);
    trial->rv = wf_process_run(&trial->end, &spec, &result, trial->pool);
    trial->returned = wf_clock();
    for (int i = read_pids(pids, PIDS_MOST, trial->pid_file) - 1; i >= 0; i--) {
        trial->alive += !is_gone(pids[i]);
    }
}

static void prepare(trial_t *trial, const char *script, apr_interval_time_t grace)
{
    static int number;
    char name[32];

    memset(trial, 0, sizeof(*trial));
    trial->script = script;
    trial->grace = grace;
    trial->reason = WF_CANCEL_INTERRUPT;
    snprintf(name, sizeof(name), "pids%d", ++number);
    scratch_path(trial->pid_file, name);
    apr_pool_create(&trial->pool, NULL);
    assert_int_equal(wf_cancel_create(&trial->cancel, trial->pool), APR_SUCCESS);
}

static void finish(trial_t *trial)
{
    assert_int_equal(trial->rv, APR_SUCCESS);
    assert_int_equal(trial->alive, 0);
    apr_pool_destroy(trial->pool);
}

/* Requests the cancel of a trial once its script has written `count` pids. */
typedef struct canceller_t {
    trial_t *trial;
    int count;
    int stopped; /* whether to wait until the first of them is stopped, too */
    apr_time_t requested;
} canceller_t;

static void cancel_trial(void *baton)
{
    canceller_t *canceller = baton;
    pid_t pids[PIDS_MOST];

    await_pids(pids, canceller->count, canceller->trial->pid_file);
    for (apr_time_t deadline = wf_clock() + SOON;
         canceller->stopped && process_state(pids[0]) != 'T' && wf_clock() < deadline;) {
        poll(NULL, 0, 1);
    }
    canceller->requested = wf_clock();
    wf_cancel_request(canceller->trial->cancel, canceller->trial->reason);
}

/*
 * Runs a trial that is cancelled when it has written `count` pids (and stopped itself); how long
 * the end took.
 */
static apr_interval_time_t conduct_cancelled(trial_t *trial, int count, int stopped)
{
    canceller_t canceller = {trial, count, stopped, 0};
    job_t jobs[] = {{run_trial, trial, -1, 0}, {cancel_trial, &canceller, -1, 0}};
    pid_t pids[PIDS_MOST];
    int before = count_descriptors();

    run_jobs(jobs, 2);
    assert_int_equal(read_pids(pids, PIDS_MOST, trial->pid_file), count);
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
    return trial->returned - canceller.requested;
}

static void conduct(trial_t *trial)
{
    job_t job = {run_trial, trial, -1, 0};
    int before = count_descriptors();

    run_jobs(&job, 1);
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
}

/* Ignores TERM; so does a child in another session, with no environment and no parent. */
static const char stubborn[] =
    "trap '' TERM; echo $$ >>$1\n"
    "setsid sh -c 'env -i sh -c \"echo \\$\\$ >>$0; while :; do sleep 60; done\" &' $1 &\n"
    "while :; do sleep 60; done";

static void test_stubborn_tree_is_killed_after_grace(void **state)
{
    const apr_interval_time_t grace = apr_time_from_msec(300);
    apr_interval_time_t took;
    trial_t trial;

    (void)state;
    prepare(&trial, stubborn, grace);
    took = conduct_cancelled(&trial, 2, 0);
    assert_false(trial.end.exited);
    assert_int_equal(trial.end.signal, SIGKILL);
    assert_true(took >= grace);
    assert_true(took < grace + apr_time_from_sec(2));
    finish(&trial);
}

static void test_grace_is_short_when_the_server_stops(void **state)
{
    apr_interval_time_t took;
    trial_t trial;

    (void)state;
    prepare(&trial, stubborn, apr_time_from_sec(3600));
    trial.reason = WF_CANCEL_SHUTDOWN;
    took = conduct_cancelled(&trial, 2, 0);
    assert_int_equal(trial.end.signal, SIGKILL);
    assert_true(took >= WF_STOP_GRACE);
    assert_true(took < WF_STOP_GRACE + apr_time_from_sec(2));
    finish(&trial);
}

static void test_there_is_no_grace_when_the_lease_is_lost(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial, stubborn, apr_time_from_sec(3600));
    trial.reason = WF_CANCEL_LOST;
    assert_true(conduct_cancelled(&trial, 2, 0) < apr_time_from_sec(2));
    assert_int_equal(trial.end.signal, SIGKILL);
    finish(&trial);
}

static void test_obedient_tree_ends_at_once(void **state)
{
    trial_t trial;

    (void)state;
    /* Its last words are kept, and a grace of a minute is not waited for. */
    prepare(&trial,
            "trap 'echo bye; exit 7' TERM; echo $$ >>$1\n"
            "setsid sh -c 'echo $$ >>$0; exec sleep 60' $1 & wait",
            apr_time_from_sec(60));
    assert_true(conduct_cancelled(&trial, 2, 0) < SOON);
    assert_true(trial.end.exited);
    assert_int_equal(trial.end.exit_code, 7);
    assert_int_equal(trial.end.output.len, 4);
    assert_memory_equal(trial.end.output.data, "bye\n", 4);
    finish(&trial);
}

static void test_last_words_are_not_stuck(void **state)
{
    trial_t trial;

    (void)state;
    /* More last words than a pipe holds: drained while the end is waited for. */
    prepare(&trial, "trap 'head -c 1000000 /dev/zero; exit 0' TERM; echo $$ >>$1; sleep 60 & wait",
            apr_time_from_sec(60));
    assert_true(conduct_cancelled(&trial, 1, 0) < SOON);
    assert_true(trial.end.exited);
    assert_int_equal(trial.end.exit_code, 0);
    assert_true(trial.end.output_cut);
    finish(&trial);
}

static void test_stopped_process_is_ended(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial, "trap 'exit 9' TERM; echo $$ >>$1; kill -STOP $$", apr_time_from_sec(60));
    assert_true(conduct_cancelled(&trial, 1, 1) < SOON);
    assert_int_equal(trial.end.exit_code, 9);
    finish(&trial);
}

static void test_leftovers_are_ended(void **state)
{
    apr_time_t start = wf_clock();
    trial_t trial;

    (void)state;
    /* They hold stdout, and one has left the session and the environment. */
    prepare(&trial,
            "sh -c 'echo $$ >>$0; exec sleep 60' $1 &\n"
            "setsid sh -c 'env -i sh -c \"echo \\$\\$ >>$0; exec sleep 60\" &' $1 &\n"
            "until test $(wc -l <$1) = 2; do :; done; printf ended",
            apr_time_from_sec(60));
    conduct(&trial);
    assert_true(trial.end.exited);
    assert_int_equal(trial.end.exit_code, 0);
    assert_int_equal(trial.end.output.len, 5);
    assert_true(wf_clock() - start < SOON);
    finish(&trial);
}

static void test_stubborn_leftovers_are_killed(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial,
            "trap '' TERM; setsid sh -c 'echo $$ >>$0; while :; do sleep 60; done' $1 &\n"
            "until test -s $1; do :; done",
            apr_time_from_msec(50));
    conduct(&trial);
    assert_int_equal(trial.end.exit_code, 0);
    finish(&trial);
}

static void test_deadline_ends_the_tree(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial, stubborn, apr_time_from_msec(50));
    trial.timeout = apr_time_from_msec(200);
    conduct(&trial);
    assert_int_equal(wf_cancel_reason(trial.cancel), WF_CANCEL_TIMEOUT);
    assert_int_equal(trial.end.signal, SIGKILL);
    finish(&trial);
}

/* Whether any process was started with this text in its arguments. */
static int is_running(const char *text)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    int found = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char path[300], line[1024];
        ssize_t len;
        int fd;

        snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        len = fd >= 0 ? read(fd, line, sizeof(line)) : -1;
        found |= len > 0 && memmem(line, (size_t)len, text, strlen(text)) != NULL;
        if (fd >= 0) {
            close(fd);
        }
    }
    closedir(dir);
    return found;
}

static void test_process_that_keeps_moving(void **state)
{
    char path[128];
    char script[256];
    trial_t trial;

    (void)state;
    /* Each one starts the next in a session of its own and is gone; bounded, should all fail. */
    write_file(scratch_path(path, "hop"),
               "trap '' TERM; test $1 -gt 0 && setsid sh $0 $(($1 - 1)) &\n", 0644);
    snprintf(script, sizeof(script), "sh %s 20000", path);
    prepare(&trial, script, apr_time_from_msec(20));
    conduct(&trial);
    finish(&trial);
    assert_false(is_running(path));
}

static void test_bomb_converges(void **state)
{
    char path[128];
    char script[256];
    trial_t trial;

    (void)state;
    /* Two more for each one, in sessions of their own; 1,000 or so, should all fail. */
    write_file(scratch_path(path, "bomb"),
               "trap '' TERM; test $1 -gt 0 || exec sleep 60\n"
               "setsid sh $0 $(($1 - 1)) & setsid sh $0 $(($1 - 1)) & wait\n",
               0644);
    snprintf(script, sizeof(script), "echo $$ >>$1; exec sh %s 9", path);
    prepare(&trial, script, apr_time_from_msec(20));
    conduct_cancelled(&trial, 1, 0);
    finish(&trial);
    assert_false(is_running(path));
}

static void run_many(void *baton)
{
    trial_t *trials = baton;

    for (int i = 0; i < RUNS_PER_THREAD; i++) {
        run_trial(&trials[i]);
    }
}

static void test_many_at_once(void **state)
{
    static trial_t trials[THREADS][RUNS_PER_THREAD];
    job_t jobs[THREADS];
    int before = count_descriptors();

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        for (int k = 0; k < RUNS_PER_THREAD; k++) {
            prepare(&trials[i][k],
                    k % 2 ? "cat >/dev/null"
                          : "setsid sh -c 'echo $$ >>$0; exec sleep 60' $1 & "
                            "until test -s $1; do :; done",
                    apr_time_from_sec(20));
        }
        jobs[i] = (job_t){run_many, trials[i], -1, 0};
    }
    /* Each trial has a cancel of its own, which is a descriptor. */
    before += THREADS * RUNS_PER_THREAD;
    run_jobs(jobs, THREADS);
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
    for (int i = 0; i < THREADS; i++) {
        for (int k = 0; k < RUNS_PER_THREAD; k++) {
            assert_int_equal(trials[i][k].end.exit_code, 0);
            finish(&trials[i][k]);
        }
    }
}

/* Starts a script from a single-threaded process and gives its pid. */
static pid_t start_script(const char *script, const char *argument)
{
    pid_t pid = fork();

    if (pid == 0) {
        /* The shells among them would say who was killed. */
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", script, argument, (char *)NULL);
        _exit(127);
    }
    return pid;
}

/* What a supervisor does, in a process of its own; exits with the number of the check that failed.
 */
static int supervise(const char *doomed_file, const char *kept_file)
{
    pid_t doomed[4], kept[2], keep;

    if (wf_process_setup(TEST_OWNER) != APR_SUCCESS) {
        return 1;
    }
    keep = start_script("echo $$ >>$0; sh -c 'echo $$ >>$0; exec sleep 60' $0 & wait", kept_file);
    start_script("trap '' TERM; echo $$ >>$0\n"
                 "setsid sh -c 'echo $$ >>$0; sh -c \"echo \\$\\$ >>$0; sleep 60\" & wait' $0 &\n"
                 "wait",
                 doomed_file);
    start_script("setsid sh -c 'env -i sh -c \"echo \\$\\$ >>$0; exec sleep 60\" &' $0 &",
                 doomed_file);
    await_pids(doomed, 4, doomed_file);
    await_pids(kept, 2, kept_file);
    if (wf_process_end_descendants(&keep, 1, wf_clock() + SOON) != APR_SUCCESS) {
        return 2;
    }
    for (int i = 0; i < 4; i++) {
        if (kill(doomed[i], 0) == 0) {
            return 3;
        }
    }
    if (is_gone(kept[0]) || is_gone(kept[1])) {
        return 4;
    }
    if (wf_process_end_descendants(NULL, 0, wf_clock() + SOON) != APR_SUCCESS) {
        return 5;
    }
    return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 6;
}

static void test_descendants_are_ended(void **state)
{
    char doomed_file[128], kept_file[128];
    int status = 0;
    pid_t pid;

    (void)state;
    scratch_path(doomed_file, "doomed");
    scratch_path(kept_file, "kept");
    pid = fork();
    if (pid == 0) {
        _exit(supervise(doomed_file, kept_file));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_no_children();
}

static void test_program_dies_with_its_thread(void **state)
{
    char path[128];
    pid_t pid, program;
    apr_time_t deadline = wf_clock() + SOON;

    (void)state;
    scratch_path(path, "orphan");
    pid = fork();
    if (pid == 0) {
        trial_t trial;
        prepare(&trial, "echo $$ >>$1; exec sleep 60", apr_time_from_sec(1));
        scratch_path(trial.pid_file, "orphan");
        run_trial(&trial);
        _exit(0);
    }
    await_pids(&program, 1, path);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    /* We are the next subreaper, so it ends as a child of ours. */
    while (waitpid(program, NULL, WNOHANG) == 0) {
        assert_true(wf_clock() < deadline);
        poll(NULL, 0, 1);
    }
    assert_no_children();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stubborn_tree_is_killed_after_grace),
        cmocka_unit_test(test_grace_is_short_when_the_server_stops),
        cmocka_unit_test(test_there_is_no_grace_when_the_lease_is_lost),
        cmocka_unit_test(test_obedient_tree_ends_at_once),
        cmocka_unit_test(test_last_words_are_not_stuck),
        cmocka_unit_test(test_stopped_process_is_ended),
        cmocka_unit_test(test_leftovers_are_ended),
        cmocka_unit_test(test_stubborn_leftovers_are_killed),
        cmocka_unit_test(test_deadline_ends_the_tree),
        cmocka_unit_test(test_process_that_keeps_moving),
        cmocka_unit_test(test_bomb_converges),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_descendants_are_ended),
        cmocka_unit_test(test_program_dies_with_its_thread),
    };

    return cmocka_run_group_tests_name("process tree", tests, set_up_processes,
                                       tear_down_processes);
}
