/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a stranger's request says, as far as it is read without httpd: the path (http/route.h), the
 * query (http/query.h) and the content type (http/media.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include "base/result.h"
#include "http/media.h"
#include "http/query.h"
#include "http/route.h"
#include "pool_util.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PID          "0197b2f0-4e0c-7c3a-9a51-0f8e5d1c2b3a"

static apr_status_t parse(wf_route_t *route, const char *path)
{
    return wf_route_parse(route, wf_slice(path), pool);
}

static void routes_both_spellings_of_run(void **state)
{
    wf_route_t route;

    (void)state;
    assert_int_equal(parse(&route, "/projects/569/tasks/a.b_c-1/run"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_RUN);
    assert_false(route.singular);
    assert_string_equal(route.project, "569");
    assert_string_equal(route.task, "a.b_c-1");

    assert_int_equal(parse(&route, "/project/569/task/12/run"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_RUN);
    assert_true(route.singular);
    assert_string_equal(wf_route_run_path(route.project, route.task, pool),
                        "/projects/569/tasks/12/run");
}

static void routes_configurations(void **state)
{
    wf_route_t route;

    (void)state;
    assert_int_equal(parse(&route, "/configurations"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_CONFIGURATIONS);
    assert_null(route.project);
    assert_int_equal(parse(&route, "/configurations/569/12"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_CONFIGURATION);
    assert_string_equal(route.project, "569");
    assert_string_equal(route.task, "12");
    assert_string_equal(wf_route_configuration_path(route.project, route.task, pool),
                        "/configurations/569/12");
    assert_int_equal(parse(&route, "/configurations/5 9/.12"), APR_SUCCESS);
    assert_null(route.project);
    assert_null(route.task);
    assert_int_equal(parse(&route, "/configurations/"), APR_NOTFOUND);
    assert_int_equal(parse(&route, "/configurations/569"), APR_NOTFOUND);
    assert_int_equal(parse(&route, "/configurations/569/12/"), APR_NOTFOUND);
    assert_int_equal(parse(&route, "/configurations/569/12/x"), APR_NOTFOUND);
    assert_int_equal(parse(&route, "/configuration/569/12"), APR_NOTFOUND);
}

static void routes_projects_and_tasks(void **state)
{
    wf_route_t route;

    (void)state;
    assert_int_equal(parse(&route, "/projects"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_PROJECTS);
    assert_null(route.project);

    assert_int_equal(parse(&route, "/projects/569"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_PROJECT);
    assert_string_equal(route.project, "569");
    assert_false(route.singular);
    assert_int_equal(parse(&route, "/project/569"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_PROJECT);
    assert_true(route.singular);
    assert_int_equal(parse(&route, "/projects/..%2f"), APR_SUCCESS);
    assert_null(route.project);

    assert_int_equal(parse(&route, "/projects/569/tasks/12"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_TASK);
    assert_string_equal(route.project, "569");
    assert_string_equal(route.task, "12");
    assert_string_equal(wf_route_task_path(route.project, route.task, pool),
                        "/projects/569/tasks/12");
    assert_int_equal(parse(&route, "/project/569/task/run"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_TASK);
    assert_string_equal(route.task, "run");
    assert_true(route.singular);
}

static void leaves_out_what_is_no_id(void **state)
{
    static const char nul[] = "/projects/56\0/tasks/12/run";
    wf_route_t route;

    (void)state;
    assert_int_equal(parse(&route, "/projects/a b/tasks/.x/run"), APR_SUCCESS);
    assert_null(route.project);
    assert_null(route.task);
    assert_int_equal(parse(&route, "/projects/569/tasks/%31/run"), APR_SUCCESS);
    assert_string_equal(route.project, "569");
    assert_null(route.task);
    assert_int_equal(wf_route_parse(&route, wf_slice_of(nul, sizeof(nul) - 1), pool), APR_SUCCESS);
    assert_null(route.project);
}

static void routes_pids(void **state)
{
    wf_route_t route;
    char text[WF_UUID_TEXT_LEN + 1];

    (void)state;
    assert_int_equal(parse(&route, "/status/" PID), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_STATUS);
    assert_true(route.has_pid);
    wf_uuid_format(text, &route.pid);
    assert_string_equal(text, PID);

    assert_int_equal(parse(&route, "/interrupt/" PID), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_INTERRUPT);
    assert_true(route.has_pid);

    assert_int_equal(parse(&route, "/logs/" PID), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_LOGS);
    assert_true(route.has_pid);
    assert_int_equal(parse(&route, "/interrupt/" PID "0"), APR_SUCCESS);
    assert_false(route.has_pid);
}

static void routes_events(void **state)
{
    wf_route_t route;
    char text[WF_UUID_TEXT_LEN + 1];

    (void)state;
    assert_int_equal(parse(&route, "/status/" PID "/events"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_EVENTS);
    assert_true(route.has_pid);
    wf_uuid_format(text, &route.pid);
    assert_string_equal(text, PID);
    assert_int_equal(parse(&route, "/status/events/events"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_EVENTS);
    assert_false(route.has_pid);
    assert_int_equal(parse(&route, "/status/events"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_STATUS);
    assert_false(route.has_pid);
}

static void routes_what_has_no_ids(void **state)
{
    wf_route_t route;

    (void)state;
    assert_int_equal(parse(&route, "/openapi.json"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_OPENAPI);
    assert_int_equal(parse(&route, "/metrics"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_METRICS);
    assert_int_equal(parse(&route, "/statistics"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_STATISTICS);
    assert_int_equal(parse(&route, "/runs"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_RUNS);
    assert_int_equal(parse(&route, "/runs/events"), APR_SUCCESS);
    assert_int_equal(route.endpoint, WF_ENDPOINT_RUNS_EVENTS);
    assert_null(route.project);
    assert_false(route.has_pid);
}

static void routes_the_page(void **state)
{
    static const char *const paths[] = {
        [WF_CONSOLE_SLASH] = "/console",
        [WF_CONSOLE_PAGE] = "/console/",
        [WF_CONSOLE_STYLE] = "/console/console.css",
        [WF_CONSOLE_SCRIPT] = "/console/console.js",
        [WF_CONSOLE_ICON] = "/console/icon.svg",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        wf_route_t route;

        assert_int_equal(parse(&route, paths[i]), APR_SUCCESS);
        assert_int_equal(route.endpoint, WF_ENDPOINT_CONSOLE);
        assert_int_equal(route.console, i);
    }
}

static void routes_nothing_else(void **state)
{
    static const char *const paths[] = {
        "",
        "/",
        "//",
        "status",
        "/status",
        "/status/",
        "/status//",
        "/status/" PID "/",
        "/status/" PID "/x",
        "/status/" PID "/events/",
        "/status/" PID "/events/x",
        "/status/" PID "//events",
        "/status/" PID "/Events",
        "/status//events",
        "/interrupt/" PID "/events",
        "//status/" PID,
        "/Status/" PID,
        "/statuses/" PID,
        "/x/status/" PID,
        "/runs/",
        "/metrics/",
        "/console//",
        "/console/x",
        "/console/index.html",
        "/console/console.css/",
        "/Console/",
        "/metrics/x",
        "/statistics/",
        "/statistics/600",
        "/runs/x",
        "/runs/events/",
        "/runs/events/x",
        "/runs//events",
        "/runs/Events",
        "/events",
        "/openapi",
        "/openapi.json/",
        "/openapi.yaml",
        "//runs",
        "/Runs",
        "/projects/",
        "/Projects",
        "//projects",
        "/project",
        "/project/",
        "/projects/569/",
        "/projects//569",
        "/projects/569/tasks",
        "/projects/569/tasks/",
        "/projects/569/tasks/12/",
        "/projects/569/task/12",
        "/project/569/tasks/12",
        "/projects//tasks/12",
        "/projects/569/tasks/12/run/",
        "/projects/569/tasks/12/run/x",
        "/projects/569/tasks/12/runs",
        "/projects/569/tasks/12/Run",
        "/projects//tasks/12/run",
        "/projects/569/tasks//run",
        "/projects/569//tasks/12/run",
        "/projects/569/task/12/run",
        "/project/569/tasks/12/run",
    };
    wf_route_t route;

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        if (parse(&route, paths[i]) != APR_NOTFOUND) {
            fail_msg("\"%s\" leads somewhere", paths[i]);
        }
    }
}

static void finds_arguments(void **state)
{
    static const struct {
        const char *args;
        apr_status_t status;
        const char *value;
    } cases[] = {
        {NULL, APR_NOTFOUND, NULL},
        {"", APR_NOTFOUND, NULL},
        {"a=1", APR_NOTFOUND, NULL},
        {"Trigger=API", APR_NOTFOUND, NULL},
        {"trigger", APR_SUCCESS, ""},
        {"trigger=", APR_SUCCESS, ""},
        {"trigger=API", APR_SUCCESS, "API"},
        {"&&a=1&trigger=API&", APR_SUCCESS, "API"},
        {"%74rigger=%41P%49", APR_SUCCESS, "API"},
        {"trigger=A+P%2bI", APR_SUCCESS, "A P+I"},
        {"trigger=a=b", APR_SUCCESS, "a=b"},
        {"trigger=API&trigger=%41PI", APR_SUCCESS, "API"},
        {"trigger=API&trigger=api", WF_EINVALID, NULL},
        {"trigger=API&trigger", WF_EINVALID, NULL},
        {"trigger=AP%4", WF_EINVALID, NULL},
        {"trigger=AP%", WF_EINVALID, NULL},
        {"trigger=%4xPI", WF_EINVALID, NULL},
        {"trigger=API&%zz=1", WF_EINVALID, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        wf_slice_t value = {NULL, 0};
        apr_status_t status = wf_query_find(&value, cases[i].args, "trigger", pool);

        if (status != cases[i].status) {
            fail_msg("\"%s\": status %d", cases[i].args, status);
        }
        if (status == APR_SUCCESS && !wf_slice_is(value, cases[i].value)) {
            fail_msg("\"%s\": \"%s\"", cases[i].args, value.data);
        }
    }
}

static void keeps_nul_in_arguments(void **state)
{
    wf_slice_t value;

    (void)state;
    assert_int_equal(wf_query_find(&value, "trigger=API%00", "trigger", pool), APR_SUCCESS);
    assert_int_equal(value.len, 4);
    assert_false(wf_slice_is(value, "API"));
}

static void tells_json_types(void **state)
{
    static const struct {
        const char *type;
        int is_json;
    } cases[] = {
        {"application/json", 1},
        {"Application/JSON", 1},
        {"application/json;charset=utf-8", 1},
        {"application/json ; charset=\"UTF-8\"", 1},
        {"application/json;", 1},
        {"application/json; x=\"a;\\\"b\"; charset=utf-8", 1},
        {"application/vnd.api+json", 1},
        {"application/ld+JSON; profile=x", 1},
        {NULL, 0},
        {"", 0},
        {"json", 0},
        {"text/plain", 0},
        {"text/json", 0},
        {"application/", 0},
        {"application/jsonp", 0},
        {"application/+json", 0},
        {"application/x+json5", 0},
        {"application /json", 0},
        {"application/json charset=utf-8", 0},
        {"application/json, text/plain", 0},
        {"application/json; charset=iso-8859-1", 0},
        {"application/json; charset=utf-8; charset=latin1", 0},
        {"application/json; charset", 0},
        {"application/json; charset=", 0},
        {"application/json; x=\"", 0},
        {"application/json; x=\"\\", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (wf_media_is_json(cases[i].type) != cases[i].is_json) {
            fail_msg("\"%s\" is taken for what it is not", cases[i].type);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(routes_both_spellings_of_run, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_configurations, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_projects_and_tasks, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(leaves_out_what_is_no_id, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_pids, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_events, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_what_has_no_ids, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_the_page, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(routes_nothing_else, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(finds_arguments, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(keeps_nul_in_arguments, make_pool, drop_pool),
        cmocka_unit_test(tells_json_types),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests_name("route", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
