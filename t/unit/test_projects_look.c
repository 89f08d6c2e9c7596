/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of projects once more: whether a file is broken, how often one is loaded, and which
 * there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/project.h"

#define PATIENCE (10 * APR_USEC_PER_SEC)

static apr_pool_t *pool; /* of one test; the cache is bound to it */
static wf_projects_t *projects;
static char dir[] = "/tmp/wf-test-projects-XXXXXX";
static unsigned loads;

apr_status_t __real_wf_project_load(wf_project_t **project, const char *from, const char *id,
                                    wf_result_t *result, apr_pool_t *own);
apr_status_t __wrap_wf_project_load(wf_project_t **project, const char *from, const char *id,
                                    wf_result_t *result, apr_pool_t *own);

/* Counts how often a file is loaded. */
apr_status_t __wrap_wf_project_load(wf_project_t **project, const char *from, const char *id,
                                    wf_result_t *result, apr_pool_t *own)
{
    loads++;
    return __real_wf_project_load(project, from, id, result, own);
}

static const char *path_of(const char *id)
{
    return apr_pstrcat(pool, dir, "/", id, ".json", NULL);
}

static void put(const char *id, const char *text)
{
    FILE *file = fopen(path_of(id), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A good project, by rename. */
static void deploy(const char *id, const char *name)
{
    put("next", apr_psprintf(pool, "{\"id\":\"%s\",\"name\":\"%s\",\"tasks\":{}}", id, name));
    assert_int_equal(rename(path_of("next"), path_of(id)), 0);
}

static apr_status_t look(int *broken, const wf_project_t **project, const char *id)
{
    *project = NULL;
    *broken = -1;
    return wf_projects_look(project, broken, projects, dir, id, NULL, pool);
}

/* Also where the file's failure is remembered, or it cannot be read. */
static void tells_whether_the_file_is_broken(void **state)
{
    const wf_project_t *project;
    int broken;

    (void)state;
    deploy("a", "one");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(look(&broken, &project, "a"), APR_SUCCESS);
        assert_int_equal(broken, 0);
    }
    put("a", "[]");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(look(&broken, &project, "a"), APR_SUCCESS);
        assert_int_equal(broken, 1);
        assert_string_equal(wf_project_name(project), "one");
    }
    assert_int_equal(symlink("a.json", path_of("next")), 0);
    assert_int_equal(rename(path_of("next"), path_of("a")), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(&broken, &project, "a"), APR_SUCCESS);
        assert_int_equal(broken, 1);
    }
    deploy("a", "two");
    assert_int_equal(look(&broken, &project, "a"), APR_SUCCESS);
    assert_int_equal(broken, 0);
    assert_string_equal(wf_project_name(project), "two");
    assert_int_equal(look(&broken, &project, "b"), APR_NOTFOUND);
}

/* A broken file at rest is loaded once too, whether or not there is an earlier version. */
static void loads_a_broken_file_once(void **state)
{
    static const char *const ids[] = {"a", "b"};
    const wf_project_t *project;
    int broken;

    (void)state;
    deploy("a", "one");
    assert_int_equal(look(&broken, &project, "a"), APR_SUCCESS);
    for (int i = 0; i < 2; i++) {
        apr_time_t deadline = wf_clock() + PATIENCE;
        apr_uint32_t before;

        put(ids[i], "[]");
        do {
            assert_true(wf_clock() < deadline);
            before = loads;
            look(&broken, &project, ids[i]);
        } while (before != loads);
        for (int n = 0; n < 10; n++) {
            assert_int_equal(look(&broken, &project, ids[i]), i == 0 ? APR_SUCCESS : WF_EINVALID);
        }
        assert_int_equal(loads, before);
    }
}

static void lists_ids_in_order(void **state)
{
    static const char *const names[] = {"b", "B", "a.b", "10", "9", "a"};
    static const char *const expected[] = {"10", "9", "B", "a", "a.b", "b"};
    static const char *const others[] = {".json", "..json", "a b.json", "x.JSON", "x.json~", "x"};
    apr_array_header_t *ids;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *other = apr_pstrcat(pool, dir, "/", others[i], NULL);
        FILE *file = fopen(other, "w");

        put(names[i], "");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
    }
    for (int from = 0; from < 6; from++) {
        const char *after = from ? expected[from - 1] : NULL;

        assert_int_equal(wf_projects_list(&ids, dir, after, pool), APR_SUCCESS);
        assert_int_equal(ids->nelts, 6 - from);
        for (int i = from; i < 6; i++) {
            assert_string_equal(APR_ARRAY_IDX(ids, i - from, const char *), expected[i]);
        }
    }
    assert_int_equal(wf_projects_list(&ids, dir, "a.", pool), APR_SUCCESS);
    assert_int_equal(ids->nelts, 2);
    assert_int_equal(wf_projects_list(&ids, dir, "z", pool), APR_SUCCESS);
    assert_int_equal(ids->nelts, 0);
    assert_int_equal(wf_projects_list(&ids, "/no/such/folder", NULL, pool),
                     APR_FROM_OS_ERROR(ENOENT));
}

static void keeps_the_order_of_the_file(void **state)
{
    static const char *const ids[] = {"z", "1", "b", "a", "10"};
    const wf_project_t *project;
    int broken;

    (void)state;
    put("a",
        "{\"id\": \"a\", \"tasks\": {\"z\": {\"flows\": [{\"actions\": [{\"action\": \"wait\", "
        "\"seconds\": 1}]}]}, \"1\": {\"flows\": [{\"actions\": [{\"action\": \"wait\", "
        "\"seconds\": 1}]}]}, \"b\": {\"flows\": [{\"actions\": [{\"action\": \"wait\", "
        "\"seconds\": 1}]}]}, \"a\": {\"flows\": [{\"actions\": [{\"action\": \"wait\", "
        "\"seconds\": 1}]}]}, \"10\": {\"flows\": [{\"actions\": [{\"action\": \"wait\", "
        "\"seconds\": 1}]}]}}}");
    assert_int_equal(look(&broken, &project, "a"), APR_SUCCESS);
    assert_int_equal(wf_project_task_count(project), 5);
    for (int i = 0; i < 5; i++) {
        assert_string_equal(wf_project_task_at(project, i)->id, ids[i]);
        assert_ptr_equal(wf_project_task(project, ids[i]), wf_project_task_at(project, i));
    }
}

static int begin_test(void **state)
{
    (void)state;
    loads = 0;
    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    return !mkdtemp(dir) || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
           wf_projects_create(&projects, pool) != APR_SUCCESS;
}

static int end_test(void **state)
{
    int failed = system(apr_pstrcat(pool, "rm -r ", dir, NULL));

    (void)state;
    apr_pool_destroy(pool);
    return failed;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tells_whether_the_file_is_broken),
        TEST(loads_a_broken_file_once),
        TEST(keeps_the_order_of_the_file),
        TEST(lists_ids_in_order),
    };

    apr_initialize();
    wf_log_bind(NULL, NULL, WF_LOG_ERROR);
    return cmocka_run_group_tests_name("projects_look", tests, NULL, NULL);
}
