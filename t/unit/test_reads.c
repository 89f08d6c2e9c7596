/* SPDX-License-Identifier: Apache-2.0 */
/* What a task reads of the body: its parameters, and the example that is made of them. */
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
#include "flow/project.h"
#include "pool_util.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char dir[] = "/tmp/wf-test-reads-XXXXXX";

/* Loads a project whose task "t" has these members. */
static apr_status_t load(const wf_task_t **task, const char *members, wf_result_t *result)
{
    const char *path = apr_pstrcat(pool, dir, "/p.json", NULL);
    FILE *file = fopen(path, "w");
    wf_project_t *project;
    apr_status_t status;

    assert_non_null(file);
    fprintf(file,
            "{\"id\": \"p\", \"connectors\": {\"db\": {\"type\": \"sql\", \"driver\": \"sqlite3\","
            " \"params\": \"/none\"}}, \"tasks\": {\"t\": {%s}}}",
            members);
    assert_int_equal(fclose(file), 0);
    wf_result_init(result, pool);
    status = wf_project_load(&project, dir, "p", result, pool);
    if (status == APR_SUCCESS) {
        *task = wf_project_task(project, "t");
    }
    unlink(path);
    return status;
}

static const wf_task_t *load_ok(const char *members)
{
    const wf_task_t *task = NULL;
    wf_result_t result;

    if (load(&task, members, &result) != APR_SUCCESS) {
        fail_msg("%s: %s", members, result.detail);
    }
    return task;
}

/* The parameters in a line: "name, address/city, *sku", where * is any depth. */
static const char *show(const wf_task_t *task)
{
    const char *text = "";

    for (int i = 0; i < task->parameter_count; i++) {
        text = apr_pstrcat(pool, text, i ? ", " : "", task->parameters[i].at_any_depth ? "*" : "",
                           task->parameters[i].path, NULL);
    }
    return text;
}

static void names_what_actions_read(void **state)
{
    /* clang-format off */
    static const struct {
        const char *actions;
        const char *parameters;
        const char *example;
    } rows[] = {
        {"{\"action\": \"wait\", \"seconds\": 1}", "", "{}"},
        {"{\"action\": \"debug\", \"message\": \"{{name}} of {{address/city}}, {{name}}\"}",
         "name, address/city", "{\"name\":\"…\",\"address\":{\"city\":\"…\"}}"},
        {"{\"action\": \"exec\", \"command\": [\"x\", \"{{a}}\"], \"env\": {\"B\": \"{{b}}\"}, \"input\": {\"c\": [\"{{c}}\"]}}",
         "a, b, c", "{\"a\":\"…\",\"b\":\"…\",\"c\":\"…\"}"},
        {"{\"action\": \"debug\", \"message\": \"{{CONCATENATE(a, VALUE('b c'), 'd')}}{{@payload/e}}\"}",
         "a, b c, e", "{\"a\":\"…\",\"b c\":\"…\",\"e\":\"…\"}"},
        {"{\"action\": \"debug\", \"message\": \"{{value of city}}{{city}}{{value of a/b}}\"}",
         "*city, city, *a/b", "{\"city\":\"…\",\"a\":{\"b\":\"…\"}}"},
        {"{\"action\": \"debug\", \"message\": \"{{items/1/sku}}{{items/0}}\"}",
         "items/1/sku, items/0", "{\"items\":[\"…\",{\"sku\":\"…\"}]}"},
        {"{\"action\": \"debug\", \"message\": \"{{a}}{{a/b}}{{a}}{{a/0}}\"}",
         "a, a/b, a/0", "{\"a\":{\"b\":\"…\",\"0\":\"…\"}}"},
        {"{\"action\": \"debug\", \"message\": \"{{a/99999999999}}{{b/0}}{{b/c}}\"}",
         "a/99999999999, b/0, b/c", "{\"a\":{\"99999999999\":\"…\"},\"b\":[\"…\"]}"},
        {"{\"action\": \"debug\", \"message\": \"{{/@type}}{{x~1y/~0}}{{@error/type}}\"}",
         "@type, x~1y/~0", "{\"@type\":\"…\",\"x/y\":{\"~\":\"…\"}}"},
        {"{\"action\": \"debug\", \"message\": \"{{/}}{{@payload}}\"}", "", "{}"},
        {"{\"action\": \"debug\", \"message\": \"{{0}}\"}", "0", "[\"…\"]"},
        {"{\"action\": \"variable\", \"set\": {\"v\": {\"x\": \"{{a}}\"}}}, {\"action\": \"debug\", \"message\": \"{{@v/x}}\"}",
         "a", "{\"a\":\"…\"}"},
        {"{\"action\": \"if\", \"condition\": \"{{a = 1}}\", \"then\": [{\"action\": \"debug\", \"message\": \"{{b}}\"}],"
         " \"else\": [{\"action\": \"debug\", \"message\": \"{{c}}\"}]}", "a, b, c", "{\"a\":\"…\",\"b\":\"…\",\"c\":\"…\"}"},
        {"{\"action\": \"for\", \"each\": \"{{items}}\", \"do\": [{\"action\": \"debug\", \"message\": \"{{@item/sku}}{{n}}\"}]},"
         " {\"action\": \"debug\", \"message\": \"{{@item/not}}\"}",
         "items, items/0/sku, n", "{\"items\":[{\"sku\":\"…\"}],\"n\":\"…\"}"},
        {"{\"action\": \"for\", \"each\": \"{{@payload}}\", \"as\": \"o\", \"do\": [{\"action\": \"for\", \"each\": \"{{@o/lines}}\","
         " \"as\": \"l\", \"do\": [{\"action\": \"debug\", \"message\": \"{{@l}}{{@o/id}}\"}]}]}",
         "0/lines, 0/lines/0, 0/id", "[{\"lines\":[\"…\"],\"id\":\"…\"}]"},
        {"{\"action\": \"for\", \"each\": \"{{CLEAN(items)}}\", \"do\": [{\"action\": \"debug\", \"message\": \"{{@item/sku}}\"}]}",
         "items", "{\"items\":\"…\"}"},
        {"{\"action\": \"debug\", \"message\": \"\xc3\xa9\"}, {\"action\": \"debug\", \"message\": \"{{gr\xc3\xb6\xc3\x9f\x65}}\"}",
         "gr\xc3\xb6\xc3\x9f\x65", "{\"gr\xc3\xb6\xc3\x9f\x65\":\"…\"}"},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const wf_task_t *task =
            load_ok(apr_pstrcat(pool, "\"flows\": [{\"actions\": [", rows[i].actions, "]}]", NULL));

        assert_string_equal(show(task), rows[i].parameters);
        assert_string_equal(task->example, rows[i].example);
    }
}

/* A row's columns are no part of the body, except where the row is one of the body's. */
static void tells_rows_from_the_body(void **state)
{
    static const char front[] = "\"flows\": [{\"actions\": [{\"action\": \"write\", \"connector\": "
                                "\"db\", \"object\": \"t\", \"operation\": \"insert\", \"map\": "
                                "{\"id\": \"{{id}}\", \"o\": \"{{@payload/origin}}\"}";
    static const struct {
        const char *members;
        const char *parameters;
        const char *example;
    } rows[] = {
        {"", "id, origin", "{\"id\":\"…\",\"origin\":\"…\"}"},
        {", \"from\": \"{{rows}}\"", "rows/0/id, origin, rows",
         "{\"rows\":[{\"id\":\"…\"}],\"origin\":\"…\"}"},
        {", \"from\": \"{{@v}}\"", "origin", "{\"origin\":\"…\"}"},
        {", \"source\": {\"connector\": \"db\", \"sql\": \"SELECT :a\", \"params\": {\"a\": "
         "\"{{since}}\"}}, \"onSuccess\": {\"sql\": \"SELECT :b\", \"params\": {\"b\": \"{{c}}\"}}",
         "origin, since", "{\"origin\":\"…\",\"since\":\"…\"}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const wf_task_t *task = load_ok(apr_pstrcat(pool, front, rows[i].members, "}]}]", NULL));

        assert_string_equal(show(task), rows[i].parameters);
        assert_string_equal(task->example, rows[i].example);
    }
}

static void takes_the_example_of_the_file(void **state)
{
    static const char flows[] = ", \"flows\": [{\"actions\": [{\"action\": \"debug\", "
                                "\"message\": \"{{name}}\"}]}]";
    static const char *const examples[] = {
        "{\"b\":[1,2.5,null],\"a\":{\"name\":\"{{name}}\"}}", "[]", "\"text\"", "5", "null", "true",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        const wf_task_t *task =
            load_ok(apr_pstrcat(pool, "\"example\": ", examples[i], flows, NULL));

        assert_string_equal(task->example, examples[i]);
        assert_string_equal(show(task), "name");
    }
}

static const char *repeat(char c, apr_size_t count)
{
    return memset(apr_pcalloc(pool, count + 1), c, count);
}

static void assert_refused(const char *example, const char *why)
{
    const wf_task_t *task = NULL;
    wf_result_t result;

    assert_int_equal(load(&task,
                          apr_pstrcat(pool, "\"example\": ", example,
                                      ", \"flows\": [{\"actions\": [{\"action\": \"wait\", "
                                      "\"seconds\": 1}]}]",
                                      NULL),
                          &result),
                     WF_EINVALID);
    assert_string_equal(result.detail, apr_pstrcat(pool, "p.json: /tasks/t/example: ", why, NULL));
}

/* However much a file reads: a bounded number of parameters, and examples that are not deep. */
static void is_bounded(void **state)
{
    wf_buf_t text = {NULL, 0, 0};
    const wf_task_t *task = NULL;

    (void)state;
    wf_buf_add_text(&text, "\"flows\": [{\"actions\": [{\"action\": \"debug\", \"message\": \"{{a");
    for (int i = 0; i < 20; i++) {
        wf_buf_add_text(&text, "/a");
    }
    wf_buf_add_text(&text, "}}");
    for (int i = 0; i < WF_PARAMETERS_MOST + 50; i++) {
        wf_buf_add_text(&text, apr_psprintf(pool, "{{p%d}}", i));
    }
    wf_buf_add_text(&text, "{{");
    for (int i = 0; i < WF_PARAMETER_PATH_MOST + 1; i++) {
        wf_buf_add_char(&text, 'q');
    }
    wf_buf_add_text(&text, "}}\"}]}]");
    wf_buf_add_char(&text, '\0');
    task = load_ok(text.data);
    assert_int_equal(task->parameter_count, WF_PARAMETERS_MOST);
    assert_string_equal(apr_pstrndup(pool, task->example, 22), "{\"p0\":\"…\",\"p1\":\"…\"");
    wf_buf_free(&text);
    assert_refused(apr_pstrcat(pool, "\"", repeat('x', 65536), "\"", NULL),
                   "must not be longer than 65536 bytes");
    assert_refused(apr_pstrcat(pool, repeat('[', 513), repeat(']', 513), NULL),
                   "must not nest more than 512 deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_what_actions_read, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(tells_rows_from_the_body, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(takes_the_example_of_the_file, make_pool, drop_pool),
        cmocka_unit_test_setup_teardown(is_bounded, make_pool, drop_pool),
    };
    int failed;

    apr_initialize();
    if (!mkdtemp(dir)) {
        return 1;
    }
    failed = cmocka_run_group_tests_name("reads", tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
