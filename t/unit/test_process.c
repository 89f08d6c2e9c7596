/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow/process.h with real programs: the streams, the ways to end, the state that a program starts
 * in. What becomes of its descendants is test_process_tree.c's.
 */
#include "process_util.h"

#include <fcntl.h>

#define CAP   (16 * 1024 * 1024)
#define LARGE (10 * 1024 * 1024)

/* One run and what came of it. */
typedef struct trial_t {
    const char *argv[8];
    const char *path;
    const char *variable;
    const char *directory;
    wf_slice_t input;
    apr_size_t cap;
    apr_interval_time_t timeout;
    apr_pool_t *pool;
    wf_cancel_t *cancel;
    wf_process_end_t end;
    wf_result_t result;
    apr_status_t rv;
} trial_t;

static apr_uint64_t next_tag = 1;

static void run_trial(void *baton)
{
    trial_t *trial = baton;
    const char *envp[] = {trial->path, trial->variable, NULL};
    wf_process_spec_t spec;

    memset(&spec, 0, sizeof(spec));
    spec.argv = trial->argv;
    spec.envp = envp;
    spec.directory = trial->directory;
    spec.input = trial->input;
    spec.output_cap = spec.error_cap = trial->cap;
    spec.tag = __atomic_fetch_add(&next_tag, 1, __ATOMIC_RELAXED);
    spec.deadline = trial->timeout ? wf_clock() + trial->timeout : 0;
    spec.grace = apr_time_from_sec(1);
    spec.cancel = trial->cancel;
    wf_result_init(&trial->result, trial->pool);
    trial->rv = wf_process_run(&trial->end, &spec, &trial->result, trial->pool);
}

static void prepare(trial_t *trial)
{
    memset(trial, 0, sizeof(*trial));
    trial->path = "PATH=/usr/bin:/bin";
    trial->input = wf_slice("");
    trial->cap = CAP;
    apr_pool_create(&trial->pool, NULL);
    assert_int_equal(wf_cancel_create(&trial->cancel, trial->pool), APR_SUCCESS);
}

/* Runs it, checks that nothing is left, and that it exited with a code (-1: was not started). */
static void conduct(trial_t *trial, int exit_code)
{
    job_t job = {run_trial, trial, -1, 0};
    int before = count_descriptors();

    run_jobs(&job, 1);
    assert_no_children();
    assert_int_equal(count_descriptors(), before);
    if (exit_code >= 0) {
        assert_int_equal(trial->rv, APR_SUCCESS);
        assert_true(trial->end.exited);
        assert_int_equal(trial->end.exit_code, exit_code);
    }
}

static void conduct_shell(trial_t *trial, const char *script, int exit_code)
{
    prepare(trial);
    trial->argv[0] = "/bin/sh";
    trial->argv[1] = "-c";
    trial->argv[2] = script;
    conduct(trial, exit_code);
}

static void assert_text(wf_slice_t got, const char *text)
{
    assert_int_equal(got.len, strlen(text));
    assert_memory_equal(got.data, text, got.len);
}

static char *make_large(void)
{
    char *large = malloc(LARGE);

    assert_non_null(large);
    for (size_t i = 0; i < LARGE; i++) {
        large[i] = (char)(i * 7 + (i >> 12));
    }
    return large;
}

static void test_output_and_exit_code(void **state)
{
    trial_t trial;

    (void)state;
    conduct_shell(&trial, "printf out; printf err >&2; exit 3", 3);
    assert_text(trial.end.output, "out");
    assert_text(trial.end.error, "err");
    assert_false(trial.end.output_cut || trial.end.error_cut);
    apr_pool_destroy(trial.pool);
}

static void test_signal(void **state)
{
    trial_t trial;

    (void)state;
    conduct_shell(&trial, "kill -SEGV $$", -1);
    assert_int_equal(trial.rv, APR_SUCCESS);
    assert_false(trial.end.exited);
    assert_int_equal(trial.end.signal, SIGSEGV);
    apr_pool_destroy(trial.pool);
}

static void test_caps(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.cap = 1000;
    trial.argv[0] = "sh";
    trial.argv[1] = "-c";
    /* More than a pipe holds on both, and exactly the cap on neither. */
    trial.argv[2] = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2; exit 5";
    conduct(&trial, 5);
    assert_int_equal(trial.end.output.len, 1000);
    assert_int_equal(trial.end.error.len, 1000);
    assert_true(trial.end.output_cut && trial.end.error_cut);
    apr_pool_destroy(trial.pool);

    prepare(&trial);
    trial.cap = 1000;
    trial.argv[0] = "head";
    trial.argv[1] = "-c";
    trial.argv[2] = "1000";
    trial.argv[3] = "/dev/zero";
    conduct(&trial, 0);
    assert_int_equal(trial.end.output.len, 1000);
    assert_false(trial.end.output_cut);
    apr_pool_destroy(trial.pool);
}

static void test_input_that_nobody_reads(void **state)
{
    char *large = make_large();
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.input = wf_slice_of(large, LARGE);
    trial.argv[0] = "true";
    conduct(&trial, 0);
    apr_pool_destroy(trial.pool);

    /* It closes its input and works on: no signal, no endless wait. */
    prepare(&trial);
    trial.input = wf_slice_of(large, LARGE);
    trial.argv[0] = "/bin/sh";
    trial.argv[1] = "-c";
    trial.argv[2] = "exec <&-; sleep 0.05; printf done";
    conduct(&trial, 0);
    assert_text(trial.end.output, "done");
    apr_pool_destroy(trial.pool);
    free(large);
}

static void test_echo_of_large_input(void **state)
{
    char *large = make_large();
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.input = wf_slice_of(large, LARGE);
    trial.argv[0] = "cat";
    conduct(&trial, 0);
    assert_int_equal(trial.end.output.len, LARGE);
    assert_memory_equal(trial.end.output.data, large, LARGE);
    apr_pool_destroy(trial.pool);

    /* Both outputs filled at a time, by a program that reads nothing before. */
    prepare(&trial);
    trial.input = wf_slice_of(large, LARGE);
    trial.argv[0] = "/bin/sh";
    trial.argv[1] = "-c";
    trial.argv[2] = "head -c 200000 /dev/zero >&2; head -c 200000 /dev/zero; cat >&2";
    conduct(&trial, 0);
    assert_int_equal(trial.end.output.len, 200000);
    assert_int_equal(trial.end.error.len, 200000 + LARGE);
    apr_pool_destroy(trial.pool);
    free(large);
}

static void test_input_ends(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.argv[0] = "cat";
    conduct(&trial, 0);
    assert_int_equal(trial.end.output.len, 0);
    apr_pool_destroy(trial.pool);
}

static void test_argument_stays_one(void **state)
{
    static const char odd[] = "a b'c\"d`e$(id)$HOME;f|g&h\n* ? \\ \t{{}} \xC3\xA9";
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.argv[0] = "printf";
    trial.argv[1] = "[%s]";
    trial.argv[2] = odd;
    trial.argv[3] = "";
    trial.argv[4] = "-n";
    conduct(&trial, 0);
    assert_text(trial.end.output, apr_psprintf(trial.pool, "[%s][][-n]", odd));
    apr_pool_destroy(trial.pool);
}

static void test_environment_is_all(void **state)
{
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.variable = "ODD=a=b\nc";
    trial.argv[0] = "env";
    conduct(&trial, 0);
    assert_text(trial.end.output, "PATH=/usr/bin:/bin\nODD=a=b\nc\n");
    apr_pool_destroy(trial.pool);
}

static void test_directory(void **state)
{
    trial_t trial;

    (void)state;
    conduct_shell(&trial, "pwd -P", 0);
    assert_text(trial.end.output, "/\n");
    apr_pool_destroy(trial.pool);

    prepare(&trial);
    trial.directory = "/usr/bin";
    trial.argv[0] = "/bin/sh";
    trial.argv[1] = "-c";
    trial.argv[2] = "pwd -P";
    conduct(&trial, 0);
    assert_text(trial.end.output, "/usr/bin\n");
    apr_pool_destroy(trial.pool);
}

/* What keeps a program from starting: the status, and the detail without any path. */
static void assert_refused(const char *program, const char *directory, apr_status_t status,
                           const char *detail)
{
    trial_t trial;

    prepare(&trial);
    trial.argv[0] = program;
    trial.directory = directory;
    conduct(&trial, -1);
    assert_int_equal(trial.rv, status);
    assert_int_equal(trial.result.problem, WF_PROBLEM_SPAWN);
    assert_string_equal(trial.result.detail, detail);
    apr_pool_destroy(trial.pool);
}

static void test_programs_that_cannot_start(void **state)
{
    char path[128];

    (void)state;
    assert_refused("/no/such/program", NULL, ENOENT,
                   "program \"program\" could not be started: No such file or directory");
    assert_refused("no-such-program", NULL, ENOENT,
                   "program \"no-such-program\" could not be started: No such file or directory");
    assert_refused("true", "/no/such/folder", ENOENT,
                   "program \"true\" could not be started: its working directory: "
                   "No such file or directory");
    write_file(scratch_path(path, "plain"), "no shebang\n", 0644);
    assert_refused(path, NULL, EACCES, "program \"plain\" could not be started: Permission denied");
    write_file(scratch_path(path, "text"), "no shebang\n", 0755);
    assert_refused(path, NULL, ENOEXEC, "program \"text\" could not be started: Exec format error");
}

static void test_path_lookup(void **state)
{
    char path[128];
    trial_t trial;

    (void)state;
    scratch_path(path, "bin");
    assert_int_equal(mkdir(path, 0755), 0);
    scratch_path(path, "bin/wf-hello");
    write_file(path, "#!/bin/sh\nprintf hello\n", 0755);
    prepare(&trial);
    trial.path = apr_psprintf(trial.pool, "PATH=:bin:/no/such:%s/bin:/bin", scratch);
    trial.argv[0] = "wf-hello";
    conduct(&trial, 0);
    assert_text(trial.end.output, "hello");
    apr_pool_destroy(trial.pool);

    /* Found, and of no use: that is what is said, not that it was not found. */
    write_file(path, "#!/bin/sh\n", 0644);
    prepare(&trial);
    trial.path = apr_psprintf(trial.pool, "PATH=%s/bin:/bin", scratch);
    trial.argv[0] = "wf-hello";
    conduct(&trial, -1);
    assert_int_equal(trial.rv, EACCES);
    apr_pool_destroy(trial.pool);
}

static void ignore_it(int sig)
{
    (void)sig;
}

static void test_signal_state_is_clean(void **state)
{
    trial_t trial;
    sigset_t usr2;

    (void)state;
    signal(SIGUSR1, ignore_it);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &usr2, NULL);
    prepare(&trial);
    trial.argv[0] = "grep";
    trial.argv[1] = "-E";
    trial.argv[2] = "^Sig(Blk|Ign)";
    trial.argv[3] = "/proc/self/status";
    conduct(&trial, 0);
    assert_text(trial.end.output, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    pthread_sigmask(SIG_UNBLOCK, &usr2, NULL);
    signal(SIGUSR1, SIG_DFL);
    apr_pool_destroy(trial.pool);
}

static void test_only_three_descriptors(void **state)
{
    int low = open("/dev/null", O_RDONLY); /* a library that forgot O_CLOEXEC */
    int high = fcntl(low, F_DUPFD, 200);
    trial_t trial;

    (void)state;
    assert_true(low > 2 && high >= 200);
    prepare(&trial);
    trial.argv[0] = "ls";
    trial.argv[1] = "/proc/self/fd";
    conduct(&trial, 0);
    /* The fourth is the folder that ls reads. */
    assert_text(trial.end.output, "0\n1\n2\n3\n");
    apr_pool_destroy(trial.pool);
    close(low);
    close(high);
}

static void test_own_process_group(void **state)
{
    trial_t trial;

    (void)state;
    conduct_shell(&trial,
                  "read pid name st parent group rest </proc/$$/stat; "
                  "test $pid = $$ -a $group = $$ -a $group != $parent",
                  0);
    apr_pool_destroy(trial.pool);
}

static void test_deadline(void **state)
{
    apr_time_t start = wf_clock();
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.timeout = apr_time_from_msec(100);
    trial.argv[0] = "sleep";
    trial.argv[1] = "60";
    conduct(&trial, -1);
    assert_int_equal(trial.rv, APR_SUCCESS);
    assert_int_equal(trial.end.signal, SIGTERM);
    assert_int_equal(wf_cancel_reason(trial.cancel), WF_CANCEL_TIMEOUT);
    assert_true(wf_clock() - start >= apr_time_from_msec(100));
    assert_true(wf_clock() - start < SOON);
    apr_pool_destroy(trial.pool);
}

static void test_cancel_before_start(void **state)
{
    char path[128];
    trial_t trial;

    (void)state;
    prepare(&trial);
    trial.argv[0] = "touch";
    trial.argv[1] = scratch_path(path, "never");
    wf_cancel_request(trial.cancel, WF_CANCEL_INTERRUPT);
    conduct(&trial, -1);
    assert_int_equal(trial.rv, WF_ECANCELLED);
    assert_int_not_equal(access(path, F_OK), 0);
    apr_pool_destroy(trial.pool);
}

static void test_first_cancel_reason_stays(void **state)
{
    apr_pool_t *pool;
    wf_cancel_t *cancel;

    (void)state;
    apr_pool_create(&pool, NULL);
    assert_int_equal(wf_cancel_create(&cancel, pool), APR_SUCCESS);
    assert_int_equal(wf_cancel_reason(cancel), WF_CANCEL_NONE);
    assert_int_equal(wf_cancel_sleep(cancel, wf_clock() + 1000), APR_SUCCESS);
    wf_cancel_request(cancel, WF_CANCEL_SHUTDOWN);
    wf_cancel_request(cancel, WF_CANCEL_INTERRUPT);
    assert_int_equal(wf_cancel_reason(cancel), WF_CANCEL_SHUTDOWN);
    assert_int_equal(wf_cancel_sleep(cancel, wf_clock() + SOON), WF_ECANCELLED);
    apr_pool_destroy(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_and_exit_code),
        cmocka_unit_test(test_signal),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_input_that_nobody_reads),
        cmocka_unit_test(test_echo_of_large_input),
        cmocka_unit_test(test_input_ends),
        cmocka_unit_test(test_argument_stays_one),
        cmocka_unit_test(test_environment_is_all),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_programs_that_cannot_start),
        cmocka_unit_test(test_path_lookup),
        cmocka_unit_test(test_signal_state_is_clean),
        cmocka_unit_test(test_only_three_descriptors),
        cmocka_unit_test(test_own_process_group),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_cancel_before_start),
        cmocka_unit_test(test_first_cancel_reason_stays),
    };

    return cmocka_run_group_tests_name("process", tests, set_up_processes, tear_down_processes);
}
