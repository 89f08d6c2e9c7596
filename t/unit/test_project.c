/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading one project file: the good ones and the broken ones of projects/, and files that only a
 * test can make (a FIFO, one that is too large, links).
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
#include <sys/stat.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "flow/project.h"

static apr_pool_t *pool;
static char scratch[] = "/tmp/wf-test-project-XXXXXX";

static const char *fixtures(const char *folder)
{
    return apr_pstrcat(pool, WF_TEST_SRCDIR, "/projects/", folder, NULL);
}

static wf_project_t *load(const char *dir, const char *id)
{
    wf_project_t *project = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_project_load(&project, dir, id, &result, pool) != APR_SUCCESS) {
        fail_msg("%s", result.detail);
    }
    assert_int_equal(result.problem, WF_PROBLEM_NONE);
    return project;
}

static void loads_everything(void **state)
{
    wf_project_t *project = load(fixtures("good"), "569");
    const wf_task_t *task = wf_project_task(project, "12");

    (void)state;
    assert_string_equal(wf_project_id(project), "569");
    assert_string_equal(wf_project_name(project), "CRM to ERP");
    assert_non_null(task);
    assert_string_equal(task->id, "12");
    assert_string_equal(task->name, "Upsert customer");
    assert_int_equal(task->timeout, 2500000);
    assert_int_equal(task->concurrency, 3);
    assert_int_equal(task->queue_limit, 20);
    assert_int_equal(task->on_lost, WF_ON_LOST_RERUN);
    assert_int_equal(task->flow_count, 2);
    assert_string_equal(task->flows[0].name, "main");
    assert_int_equal(task->flows[0].enabled, 1);
    assert_int_equal(task->flows[0].actions.count, 2);
    assert_ptr_equal(task->flows[0].actions.actions[0]->kind, &wf_action_exec);
    assert_string_equal(task->flows[0].actions.actions[0]->name, "greet");
    assert_non_null(task->flows[0].actions.actions[0]->spec);
    assert_ptr_equal(task->flows[0].actions.actions[1]->kind, &wf_action_wait);
    assert_string_equal(task->flows[0].actions.actions[1]->name, "wait");
    assert_string_equal(task->flows[1].name, "flow 2");
    assert_int_equal(task->flows[1].enabled, 0);
}

static void fills_in_defaults(void **state)
{
    wf_project_t *project = load(fixtures("good"), "569");
    const wf_task_t *task = wf_project_task(project, "a.b_c-D");

    (void)state;
    assert_non_null(task);
    assert_null(task->name);
    assert_int_equal(task->timeout, 0);
    assert_int_equal(task->concurrency, 0);
    assert_int_equal(task->queue_limit, 0);
    assert_int_equal(task->on_lost, WF_ON_LOST_FAIL);
    assert_string_equal(task->flows[0].name, "flow 1");
    assert_int_equal(task->flows[0].enabled, 1);
    assert_null(wf_project_task(project, "13"));
    assert_null(wf_project_task(project, ""));
    project = load(fixtures("good"), "minimal");
    assert_null(wf_project_name(project));
    assert_null(wf_project_task(project, "12"));
}

/* A "*" in a line of expected.txt stands for anything: where the words are jansson's. */
static int is_expected(const char *detail, const char *expected)
{
    const char *star = strchr(expected, '*');
    size_t head = star ? (size_t)(star - expected) : 0;
    size_t tail = star ? strlen(star + 1) : 0;
    size_t len = strlen(detail);

    if (!star) {
        return strcmp(detail, expected) == 0;
    }
    return len >= head + tail && strncmp(detail, expected, head) == 0 &&
           strcmp(detail + len - tail, star + 1) == 0;
}

/* Loads the broken file that a line of expected.txt names. */
static void check_broken(const char *line)
{
    const char *id = apr_pstrmemdup(pool, line, (apr_size_t)(strstr(line, ".json") - line));
    wf_project_t *project = NULL;
    wf_result_t result;

#ifndef WF_HAVE_CURL
    if (strcmp(id, "api-secret") == 0) {
        return; /* there are no callbacks, and the first thing of one is refused */
    }
#endif
    wf_result_init(&result, pool);
    if (wf_project_load(&project, fixtures("broken"), id, &result, pool) != WF_EINVALID) {
        fail_msg("%s is not refused", id);
    }
    assert_int_equal(result.problem, WF_PROBLEM_INVALID_PROJECT);
    assert_int_equal(result.status, WF_EINVALID);
    if (!is_expected(result.detail, line)) {
        fail_msg("\"%s\" is not \"%s\"", result.detail, line);
    }
    /* What a file holds may be secret, and an error is shown to clients. */
    assert_null(strstr(result.detail, "hunter2"));
    assert_null(project);
}

static int count_files(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        count += strstr(entry->d_name, ".json") != NULL;
    }
    closedir(dir);
    return count;
}

static void names_what_is_broken(void **state)
{
    FILE *file = fopen(apr_pstrcat(pool, fixtures("broken"), "/expected.txt", NULL), "r");
    char line[1024];
    int count = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '#') {
            check_broken(line);
            count++;
        }
    }
    fclose(file);
    assert_int_equal(count, count_files(fixtures("broken")));
}

static void knows_ids(void **state)
{
    static const char *const good[] = {"5", "569", "a.b", "A-_z", "-", "_", "x..y"};
    static const char *const bad[] = {"",     ".",    "..",  ".a",       "a/b",     "a b",
                                      "a\nb", "a%2f", "a\\", "\xC3\xA9", "../good", NULL};
    char text[66];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(wf_id_is_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(wf_id_is_valid(bad[i]));
    }
    memset(text, 'a', sizeof(text));
    text[64] = '\0';
    assert_true(wf_id_is_valid(text));
    text[64] = 'a';
    text[65] = '\0';
    assert_false(wf_id_is_valid(text));
}

static void assert_load_fails(const char *dir, const char *id, apr_status_t status,
                              wf_problem_e problem, const char *detail)
{
    wf_project_t *project = NULL;
    wf_result_t result;

    wf_result_init(&result, pool);
    assert_int_equal(wf_project_load(&project, dir, id, &result, pool), status);
    assert_int_equal(result.problem, problem);
    assert_string_equal(result.detail, detail);
    assert_null(project);
}

/* An id that is a path must not lead out of the folder, whatever lies there. */
static void knows_what_is_not_there(void **state)
{
    static const char *const ids[] = {"570", "", "../good/569", ".", "569.json", "good/569"};

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_load_fails(fixtures("good"), ids[i], APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT,
                          "There is no such project.");
    }
    assert_load_fails(fixtures("no-such-folder"), "569", APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT,
                      "There is no such project.");
    assert_load_fails(fixtures("good/569.json"), "569", APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT,
                      "There is no such project.");
}

static const char *scratch_path(const char *name)
{
    return apr_pstrcat(pool, scratch, "/", name, NULL);
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(scratch_path("fifo.json"), 0600), 0);
    assert_load_fails(scratch, "fifo", WF_EINVALID, WF_PROBLEM_INVALID_PROJECT,
                      "fifo.json: is not a regular file");
    assert_int_equal(mkdir(scratch_path("folder.json"), 0700), 0);
    assert_load_fails(scratch, "folder", WF_EINVALID, WF_PROBLEM_INVALID_PROJECT,
                      "folder.json: is not a regular file");
    assert_int_equal(symlink("nowhere", scratch_path("dangling.json")), 0);
    assert_load_fails(scratch, "dangling", APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT,
                      "There is no such project.");
    assert_int_equal(symlink("loop.json", scratch_path("loop.json")), 0);
    assert_load_fails(scratch, "loop", APR_FROM_OS_ERROR(ELOOP), WF_PROBLEM_INTERNAL,
                      "loop.json: cannot be read");
}

static void follows_links(void **state)
{
    (void)state;
    assert_int_equal(symlink(apr_pstrcat(pool, fixtures("good"), "/minimal.json", NULL),
                             scratch_path("minimal.json")),
                     0);
    assert_string_equal(wf_project_id(load(scratch, "minimal")), "minimal");
}

/* A valid project of exactly so many bytes, the rest being white space. */
static void write_padded(const char *id, size_t size)
{
    FILE *file = fopen(scratch_path(apr_pstrcat(pool, id, ".json", NULL)), "w");
    int len;

    assert_non_null(file);
    len = fprintf(file, "{\"id\":\"%s\",\"tasks\":{}}", id);
    assert_true(len > 0 && fprintf(file, "%*s", (int)(size - (size_t)len), "") > 0);
    assert_int_equal(fclose(file), 0);
}

static void bounds_size(void **state)
{
    (void)state;
    write_padded("fits", 4194304);
    assert_string_equal(wf_project_id(load(scratch, "fits")), "fits");
    write_padded("large", 4194305);
    assert_load_fails(scratch, "large", WF_EINVALID, WF_PROBLEM_INVALID_PROJECT,
                      "large.json: is larger than 4194304 bytes");
}

static int set_up(void **state)
{
    (void)state;
    apr_initialize();
    return apr_pool_create(&pool, NULL) != APR_SUCCESS || !mkdtemp(scratch);
}

static int tear_down(void **state)
{
    static const char *const files[] = {"fifo.json",    "dangling.json", "loop.json",
                                        "minimal.json", "fits.json",     "large.json"};
    int failed = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        failed |= unlink(scratch_path(files[i]));
    }
    failed |= rmdir(scratch_path("folder.json")) | rmdir(scratch);
    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_everything),        cmocka_unit_test(fills_in_defaults),
        cmocka_unit_test(names_what_is_broken),    cmocka_unit_test(knows_ids),
        cmocka_unit_test(knows_what_is_not_there), cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(follows_links),           cmocka_unit_test(bounds_size),
    };

    return cmocka_run_group_tests_name("project", tests, set_up, tear_down);
}
