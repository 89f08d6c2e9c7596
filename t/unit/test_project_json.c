/* SPDX-License-Identifier: Apache-2.0 */
/* http/project_json.h: what clients see of projects and tasks, and what they never do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "http/project_json.h"
#include "pool_util.h"

static char dir[] = "/tmp/wf-test-project-json-XXXXXX";

/* Whatever must not be seen has "hunter" in it. */
static const char file_text[] =
    "{\"id\": \"p\", \"name\": \"A \\\"project\\\" <b>\", \"connectors\": {\"hunter0\": {\"type\": "
    "\"sql\", \"driver\": \"sqlite3\", \"params\": \"/srv/hunter1.db\", \"passwordEnv\": "
    "\"HUNTER_hunter2\"}}, \"tasks\": {\"t\": {\"name\": \"A task\", \"timeout\": 2.5, "
    "\"concurrency\": 3, \"queue\": 20, \"overlap\": \"skip\", \"onLost\": \"rerun\", \"flows\": ["
    "{\"name\": \"main\", \"actions\": ["
    "{\"action\": \"exec\", \"name\": \"greet\", \"command\": [\"/opt/hunter3\", "
    "\"--key=hunter4\", "
    "\"{{name}}\"], \"directory\": \"/srv/hunter5\", \"env\": {\"hunter6\": \"hunter7\"}}, "
    "{\"action\": \"query\", \"connector\": \"hunter0\", \"sql\": \"SELECT hunter8 FROM t WHERE a "
    "= "
    ":a\", \"params\": {\"a\": \"{{value of city}}\"}}, "
    "{\"action\": \"write\", \"connector\": \"hunter0\", \"object\": \"hunter9\", \"operation\": "
    "\"insert\", \"map\": {\"hunter10\": \"{{address/lineOne}}\"}, \"onSuccess\": {\"sql\": "
    "\"SELECT "
    "hunter11\"}}, "
    "{\"action\": \"variable\", \"set\": {\"hunter12\": \"hunter13 {{IF(a = 'hunter14', b, "
    "'hunter15')}}\"}}, "
    "{\"action\": \"if\", \"condition\": \"{{c = 'hunter16'}}\", \"then\": [{\"action\": "
    "\"debug\", "
    "\"message\": \"hunter17\"}]}]}, "
    "{\"enabled\": false, \"actions\": [{\"action\": \"wait\", \"seconds\": 1}]}]}, "
    "\"bare\": {\"flows\": [{\"actions\": [{\"action\": \"wait\", \"seconds\": 1}]}]}}}";

static const wf_project_t *load(void)
{
    const char *path = apr_pstrcat(pool, dir, "/p.json", NULL);
    FILE *file = fopen(path, "w");
    wf_project_t *project = NULL;
    wf_result_t result;

    assert_non_null(file);
    assert_true(fputs(file_text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    wf_result_init(&result, pool);
    if (wf_project_load(&project, dir, "p", &result, pool) != APR_SUCCESS) {
        fail_msg("%s", result.detail);
    }
    unlink(path);
    return project;
}

static apr_array_header_t *make_runs(int count)
{
    apr_array_header_t *runs = apr_array_make(pool, count, sizeof(wf_run_t));

    for (int i = 0; i < count; i++) {
        wf_run_t run = {.vhost = "hunter",
                        .source = "/srv/hunter",
                        .project = "p",
                        .task = "t",
                        .status = (wf_run_status_e)(WF_RUN_SUBMITTED + i % 5)};

        run.pid.bytes[15] = (unsigned char)i;
        APR_ARRAY_PUSH(runs, wf_run_t) = run;
    }
    return runs;
}

/* Valid JSON in which nothing is that must not be. */
static const char *take(wf_buf_t *text)
{
    const char *taken;

    assert_int_equal(wf_json_check(wf_buf_slice(text), 16, NULL), APR_SUCCESS);
    taken = apr_pstrmemdup(pool, text->data, text->len);
    wf_buf_free(text);
    assert_null(strcasestr(taken, "hunter"));
    assert_null(strstr(taken, "/srv"));
    assert_null(strstr(taken, dir));
    return taken;
}

static const char *show_task(const wf_project_view_t *view, const char *id, int runs)
{
    const wf_task_runs_t counts = {{2, 1}, make_runs(runs)};
    wf_buf_t text = {NULL, 0, 0};

    wf_task_json(&text, view, wf_project_task(view->project, id), &counts, pool);
    return take(&text);
}

static void shows_what_a_task_is(void **state)
{
    const wf_project_view_t view = {"/base", "p", load(), 0};

    (void)state;
    assert_string_equal(
        show_task(&view, "t", 0),
        "{\"taskId\":\"t\",\"name\":\"A task\",\"uri\":\"/base/projects/p/tasks/t\","
        "\"runUri\":\"/base/projects/p/tasks/t/run?trigger=API\","
        "\"project\":{\"projectId\":\"p\",\"name\":\"A \\\"project\\\" <b>\","
        "\"uri\":\"/base/projects/p\"},"
        "\"timeout\":2.5,\"concurrency\":3,\"queue\":20,\"overlap\":\"skip\",\"onLost\":\"rerun\","
        "\"flows\":[{\"name\":\"main\",\"enabled\":true,\"actions\":["
        "{\"action\":\"exec\",\"name\":\"greet\"},{\"action\":\"query\",\"name\":\"query\"},"
        "{\"action\":\"write\",\"name\":\"write\"},{\"action\":\"variable\",\"name\":\"variable\"},"
        "{\"action\":\"if\",\"name\":\"if\"}]},"
        "{\"name\":\"flow "
        "2\",\"enabled\":false,\"actions\":[{\"action\":\"wait\",\"name\":\"wait\"}]"
        "}],"
        "\"parameters\":[{\"path\":\"name\"},{\"path\":\"city\",\"atAnyDepth\":true},"
        "{\"path\":\"address/lineOne\"},{\"path\":\"a\"},{\"path\":\"b\"},{\"path\":\"c\"}],"
        "\"example\":{\"name\":\"…\",\"city\":\"…\",\"address\":{\"lineOne\":\"…\"},\"a\":\"…\","
        "\"b\":\"…\",\"c\":\"…\"},"
        "\"underWay\":{\"submitted\":2,\"running\":1},"
        "\"latest\":{\"runs\":0,\"completed\":0,\"error\":0,\"interrupted\":0},\"lastRuns\":[]}");
}

static void leaves_out_what_there_is_not(void **state)
{
    const wf_project_view_t view = {"", "p", load(), 0};
    const char *text = show_task(&view, "bare", 0);

    (void)state;
    assert_non_null(strstr(text, "{\"taskId\":\"bare\",\"uri\":\"/projects/p/tasks/bare\","));
    assert_null(strstr(text, "\"timeout\""));
    assert_null(strstr(text, "\"concurrency\""));
    assert_null(strstr(text, "\"queue\":"));
    assert_non_null(strstr(text, "\"overlap\":\"queue\",\"onLost\":\"fail\""));
    assert_non_null(strstr(text, "\"parameters\":[],\"example\":{},"));
}

static void counts_more_runs_than_it_shows(void **state)
{
    const wf_project_view_t view = {"", "p", load(), 0};
    const char *text = show_task(&view, "t", 100);
    int shown = 0;

    (void)state;
    assert_non_null(
        strstr(text, "\"latest\":{\"runs\":100,\"completed\":20,\"error\":20,\"interrupted\":20}"));
    for (const char *at = text; (at = strstr(at, "\"pid\":")) != NULL; at++) {
        shown++;
    }
    assert_int_equal(shown, WF_TASK_RUNS_SHOWN);
    assert_non_null(
        strstr(text, "\"lastRuns\":[{\"pid\":\"00000000-0000-0000-0000-000000000000\""));
}

static const char *show_project(const wf_project_view_t *view)
{
    wf_buf_t text = {NULL, 0, 0};
    wf_json_writer_t writer;

    wf_json_writer_init(&writer, &text);
    wf_json_open(&writer, NULL, '{');
    wf_project_json_head(&writer, view, pool);
    wf_json_open(&writer, "tasks", '[');
    for (int i = 0; view->project && i < wf_project_task_count(view->project); i++) {
        wf_task_json_item(&writer, view, wf_project_task_at(view->project, i), pool);
    }
    wf_json_close(&writer, ']');
    wf_json_close(&writer, '}');
    return take(&text);
}

static void tells_of_a_broken_file(void **state)
{
    wf_project_view_t view = {"/b", "p", load(), 1};

    (void)state;
    assert_string_equal(
        show_project(&view),
        "{\"projectId\":\"p\",\"name\":\"A \\\"project\\\" <b>\",\"uri\":\"/b/projects/p\","
        "\"broken\":true,\"detail\":\"The project's file is broken, and an earlier version is in "
        "force. The server's error log says where and why.\",\"tasks\":["
        "{\"taskId\":\"t\",\"name\":\"A task\",\"uri\":\"/b/projects/p/tasks/t\","
        "\"runUri\":\"/b/projects/p/tasks/t/run?trigger=API\"},"
        "{\"taskId\":\"bare\",\"uri\":\"/b/projects/p/tasks/bare\","
        "\"runUri\":\"/b/projects/p/tasks/bare/run?trigger=API\"}]}");
    view.project = NULL;
    assert_string_equal(show_project(&view),
                        "{\"projectId\":\"p\",\"uri\":\"/b/projects/p\",\"broken\":true,"
                        "\"detail\":\"The project's file is broken. The server's error log says "
                        "where and why.\",\"tasks\":[]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_what_a_task_is, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(leaves_out_what_there_is_not, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(counts_more_runs_than_it_shows, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(tells_of_a_broken_file, make_pool, drop_pool),
    };
    int failed;

    apr_initialize();
    if (!mkdtemp(dir)) {
        return 1;
    }
    failed = cmocka_run_group_tests_name("project_json", tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
