/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of projects: what it gives when files appear, change, break, heal and go, to one thread
 * and to many, and for how long what it gave stays valid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_atomic.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/project.h"

#define THREADS 4
#define ROUNDS  300
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#define PATIENCE (10 * APR_USEC_PER_SEC)

static apr_pool_t *pool; /* of one test; the cache is bound to it */
static wf_projects_t *projects;
static char dir[] = "/tmp/wf-test-projects-XXXXXX";
static struct {
    int errors;
    int warnings;
    char last[512];
} logged;
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

static void count_log(void *baton, const char *file, int line, wf_log_level_e level,
                      apr_status_t status, const char *message)
{
    (void)baton, (void)file, (void)line, (void)status;
    if (level > WF_LOG_WARNING) {
        return;
    }
    pthread_mutex_lock(&log_mutex);
    logged.errors += level == WF_LOG_ERROR;
    logged.warnings += level == WF_LOG_WARNING;
    apr_cpystrn(logged.last, message, sizeof(logged.last));
    pthread_mutex_unlock(&log_mutex);
}

/* In one of two places in turn, so that a call may name two paths. */
static const char *path_of(const char *id)
{
    static char paths[2][64];
    static int turn;

    turn = !turn;
    apr_snprintf(paths[turn], sizeof(paths[turn]), "%s/%s.json", dir, id);
    return paths[turn];
}

/* Writes in place, as an editor may: the inode stays. */
static void put(const char *id, const char *text)
{
    FILE *file = fopen(path_of(id), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A good project, by rename, as a careful deployment does. */
static void deploy(const char *id, const char *name)
{
    FILE *file = fopen(path_of("next"), "w");

    assert_non_null(file);
    assert_true(fprintf(file, "{\"id\":\"%s\",\"name\":\"%s\",\"tasks\":{}}", id, name) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(path_of("next"), path_of(id)), 0);
}

static const wf_project_t *find(const char *id, apr_pool_t *hold)
{
    const wf_project_t *project = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_projects_find(&project, projects, dir, id, &result, hold) != APR_SUCCESS) {
        fail_msg("%s", result.detail);
    }
    assert_int_equal(result.problem, WF_PROBLEM_NONE);
    return project;
}

static void assert_name(const char *id, const char *name)
{
    assert_string_equal(wf_project_name(find(id, pool)), name);
}

static void assert_find_fails(const char *id, apr_status_t status, wf_problem_e problem,
                              const char *detail)
{
    const wf_project_t *project = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    assert_int_equal(wf_projects_find(&project, projects, dir, id, &result, pool), status);
    assert_int_equal(result.problem, problem);
    assert_string_equal(result.detail, detail);
    assert_null(project);
}

static void assert_unknown(const char *id)
{
    assert_find_fails(id, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT, "There is no such project.");
}

/* A file at rest is loaded once. (One that has just changed is loaded again for some ticks.) */
static void keeps_what_does_not_change(void **state)
{
    apr_time_t deadline = wf_clock() + PATIENCE;
    const wf_project_t *first;
    const wf_project_t *second;

    (void)state;
    deploy("a", "one");
    do {
        assert_true(wf_clock() < deadline);
        first = find("a", pool);
        second = find("a", pool);
    } while (first != second);
    for (int i = 0; i < 10; i++) {
        assert_ptr_equal(find("a", pool), first);
    }
}

static void sees_changes_at_once(void **state)
{
    (void)state;
    deploy("a", "one");
    assert_name("a", "one");
    deploy("a", "two");
    assert_name("a", "two");
    /* In place, of the same size, and within one tick of the clock that stamps files. */
    for (int i = 0; i < 200; i++) {
        const char *name = apr_psprintf(pool, "n%03d", i);

        put("a", apr_psprintf(pool, "{\"id\":\"a\",\"name\":\"%s\",\"tasks\":{}}", name));
        assert_name("a", name);
    }
    assert_int_equal(logged.errors + logged.warnings, 0);
}

static void keeps_held_versions(void **state)
{
    const wf_project_t *old;

    (void)state;
    deploy("a", "one");
    old = find("a", pool);
    deploy("a", "two");
    assert_name("a", "two");
    assert_string_equal(wf_project_name(old), "one");
    assert_int_equal(unlink(path_of("a")), 0);
    assert_unknown("a");
    assert_string_equal(wf_project_name(old), "one");
}

static void keeps_the_last_good_version(void **state)
{
    (void)state;
    deploy("a", "one");
    assert_name("a", "one");
    put("a", "{\"id\":\"a\",");
    for (int i = 0; i < 20; i++) {
        assert_name("a", "one");
    }
    assert_int_equal(logged.warnings, 1);
    assert_non_null(strstr(logged.last, "WF0202"));
    assert_non_null(strstr(logged.last, "a.json: line 1, column "));
    /* Another broken version is news; the same one is not, however long it stays. */
    put("a", "{\"id\":\"b\",\"tasks\":{}}");
    for (int i = 0; i < 20; i++) {
        assert_name("a", "one");
    }
    assert_int_equal(logged.warnings, 2);
    assert_non_null(strstr(logged.last, "a.json: /id: must be \"a\""));
    deploy("a", "two");
    assert_name("a", "two");
    assert_int_equal(logged.warnings, 2);
    assert_int_equal(logged.errors, 0);
}

static void tells_what_was_never_good(void **state)
{
    (void)state;
    put("a", "[]");
    for (int i = 0; i < 5; i++) {
        assert_find_fails("a", WF_EINVALID, WF_PROBLEM_INVALID_PROJECT,
                          "a.json: must be an object");
    }
    assert_int_equal(logged.errors, 1);
    assert_int_equal(logged.warnings, 0);
    deploy("a", "one");
    assert_name("a", "one");
    assert_int_equal(unlink(path_of("a")), 0);
    assert_unknown("a");
    put("a", "[]");
    assert_find_fails("a", WF_EINVALID, WF_PROBLEM_INVALID_PROJECT, "a.json: must be an object");
    assert_int_equal(logged.errors, 2);
}

/* What cannot be read at the moment leaves the last good version too. */
static void outlives_a_file_that_cannot_be_read(void **state)
{
    (void)state;
    deploy("a", "one");
    assert_name("a", "one");
    assert_int_equal(symlink("loop.json", path_of("loop")), 0);
    assert_find_fails("loop", APR_FROM_OS_ERROR(ELOOP), WF_PROBLEM_INTERNAL,
                      "loop.json: cannot be read");
    assert_int_equal(logged.errors, 1);
    assert_int_equal(symlink("loop.json", path_of("next")), 0);
    assert_int_equal(rename(path_of("next"), path_of("a")), 0);
    assert_name("a", "one");
    assert_name("a", "one");
    assert_int_equal(logged.warnings, 1);
    assert_int_equal(unlink(path_of("loop")), 0);
}

static void remembers_no_absence(void **state)
{
    (void)state;
    assert_unknown("a");
    deploy("a", "one");
    assert_name("a", "one");
    assert_unknown("../a");
    assert_unknown("");
    assert_int_equal(unlink(path_of("a")), 0);
    assert_unknown("a");
    assert_unknown("a");
    deploy("a", "two");
    assert_name("a", "two");
    assert_int_equal(logged.errors + logged.warnings, 0);
}

static void keeps_folders_apart(void **state)
{
    const wf_project_t *other = NULL;

    (void)state;
    deploy("569", "ours");
    assert_name("569", "ours");
    assert_int_equal(
        wf_projects_find(&other, projects, WF_TEST_SRCDIR "/projects/good", "569", NULL, pool),
        APR_SUCCESS);
    assert_string_equal(wf_project_name(other), "CRM to ERP");
    assert_name("569", "ours");
    assert_int_equal(unlink(path_of("569")), 0);
}

static void lets_holds_outlive_it(void **state)
{
    apr_pool_t *hold;
    apr_pool_t *cache_pool;
    wf_projects_t *cache;
    const wf_project_t *project;

    (void)state;
    deploy("a", "one");
    assert_int_equal(apr_pool_create(&hold, NULL), APR_SUCCESS);
    assert_int_equal(apr_pool_create(&cache_pool, NULL), APR_SUCCESS);
    assert_int_equal(wf_projects_create(&cache, cache_pool), APR_SUCCESS);
    assert_int_equal(wf_projects_find(&project, cache, dir, "a", NULL, hold), APR_SUCCESS);
    apr_pool_destroy(cache_pool);
    assert_string_equal(wf_project_name(project), "one");
    apr_pool_destroy(hold);
}

/* Pages of memory in use; 0 under a sanitizer, which keeps what is freed. */
static long count_pages(void)
{
    long pages = 0;
#ifndef SANITIZED
    FILE *file = fopen("/proc/self/statm", "r");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*s %ld", &pages), 1);
    fclose(file);
#endif
    return pages;
}

/* A version takes two pages at least, so a thousand that nobody let go of are found. */
static void frees_replaced_versions(void **state)
{
    long before = 0;

    (void)state;
    for (int i = 0; i < 1100; i++) {
        apr_pool_t *hold;

        assert_int_equal(apr_pool_create(&hold, NULL), APR_SUCCESS);
        deploy("a", i % 2 ? "one" : "two");
        find("a", hold);
        apr_pool_destroy(hold);
        before = i == 100 ? count_pages() : before;
    }
    assert_true(count_pages() <= before + 500);
}

static volatile apr_uint32_t stopped;
static volatile apr_uint32_t finds;
static volatile apr_uint32_t faults;

static void *APR_THREAD_FUNC find_often(apr_thread_t *thread, void *data)
{
    apr_pool_t *hold;

    (void)thread, (void)data;
    if (apr_pool_create_unmanaged_ex(&hold, NULL, NULL) != APR_SUCCESS) {
        apr_atomic_inc32(&faults);
        return NULL;
    }
    while (!apr_atomic_read32(&stopped)) {
        const wf_project_t *project;
        apr_status_t status = wf_projects_find(&project, projects, dir, "a", NULL, hold);

        if (status != APR_SUCCESS || strncmp(wf_project_name(project), "round ", 6) != 0) {
            apr_atomic_inc32(&faults);
        }
        apr_atomic_inc32(&finds);
        if (apr_atomic_read32(&finds) % 7 == 0) {
            apr_pool_clear(hold);
        }
    }
    apr_pool_destroy(hold);
    return NULL;
}

static void serves_many_threads(void **state)
{
    apr_time_t deadline = wf_clock() + PATIENCE;
    apr_thread_t *threads[THREADS];
    apr_status_t ignored;

    (void)state;
    deploy("a", "round 0");
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(apr_thread_create(&threads[i], NULL, find_often, NULL, pool), APR_SUCCESS);
    }
    for (int i = 1; i <= ROUNDS || apr_atomic_read32(&finds) < 1000; i++) {
        deploy("a", apr_psprintf(pool, "round %d", i));
        if (wf_clock() > deadline) {
            break;
        }
    }
    apr_atomic_set32(&stopped, 1);
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&ignored, threads[i]);
    }
    assert_int_equal(faults, 0);
    assert_true(finds >= 1000);
    deploy("a", "after");
    assert_name("a", "after");
    assert_int_equal(logged.errors + logged.warnings, 0);
}

static int begin_test(void **state)
{
    (void)state;
    memset(&logged, 0, sizeof(logged));
    return apr_pool_create(&pool, NULL) != APR_SUCCESS ||
           wf_projects_create(&projects, pool) != APR_SUCCESS;
}

static int end_test(void **state)
{
    (void)state;
    if (unlink(path_of("a")) != 0 && errno != ENOENT) {
        return 1;
    }
    apr_pool_destroy(pool);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    apr_initialize();
    wf_log_bind(count_log, NULL, WF_LOG_INFO);
    return !mkdtemp(dir);
}

static int tear_down(void **state)
{
    (void)state;
    apr_terminate();
    return rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(keeps_what_does_not_change), TEST(sees_changes_at_once),
        TEST(keeps_held_versions),        TEST(keeps_the_last_good_version),
        TEST(tells_what_was_never_good),  TEST(outlives_a_file_that_cannot_be_read),
        TEST(remembers_no_absence),       TEST(keeps_folders_apart),
        TEST(lets_holds_outlive_it),      TEST(frees_replaced_versions),
        TEST(serves_many_threads),
    };

    return cmocka_run_group_tests_name("projects", tests, set_up, tear_down);
}
