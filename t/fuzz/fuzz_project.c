/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A project file. One that is taken has in it what jansson finds in its text; one that is refused
 * is refused with words that name the file and a place in it, and quote no value from its syntax.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <apr_strings.h>
#include <jansson.h>
#include "flow/check.h"
#include "flow/project.h"

static char *folder;

static void remove_folder(void)
{
    rmdir(folder);
}

static const char *folder_get(void)
{
    if (!folder) {
        const char *tmp = getenv("TMPDIR");

        WF_ENSURE(asprintf(&folder, "%s/wf-fuzz-XXXXXX", tmp ? tmp : "/tmp") > 0);
        WF_ENSURE(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    return folder;
}

static void write_file(const char *path, wf_slice_t text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    WF_ENSURE(fd >= 0);
    WF_ENSURE(write(fd, text.data, text.len) == (ssize_t)text.len);
    close(fd);
}

/* Files are named by the id in them, so that seeds and mutants get past that check. */
static const char *choose_id(const json_t *root)
{
    const char *id = json_string_value(json_object_get(root, "id"));

    return wf_id_is_valid(id) ? id : "569";
}

static void check_flow(const wf_flow_t *flow, const json_t *json)
{
    const json_t *actions = json_object_get(json, "actions");

    WF_ENSURE(flow->name && *flow->name);
    WF_ENSURE(flow->enabled == !json_is_false(json_object_get(json, "enabled")));
    WF_ENSURE(flow->actions.count > 0);
    WF_ENSURE((size_t)flow->actions.count == json_array_size(actions));
    for (int i = 0; i < flow->actions.count; i++) {
        const json_t *action = json_array_get(actions, (size_t)i);
        const char *kind = json_string_value(json_object_get(action, "action"));
        const char *name = json_string_value(json_object_get(action, "name"));

        WF_ENSURE(strcmp(flow->actions.actions[i]->kind->name, kind) == 0);
        WF_ENSURE(strcmp(flow->actions.actions[i]->name, name ? name : kind) == 0);
        WF_ENSURE(flow->actions.actions[i]->spec != NULL);
    }
}

/* What clients are told of the body: text that can be shown, and an example that is JSON. */
static void check_body(const wf_task_t *task, const json_t *json)
{
    const json_t *given = json_object_get(json, "example");
    json_t *example = json_loads(task->example, JSON_DECODE_ANY, NULL);

    WF_ENSURE(wf_json_check(wf_slice(task->example), WF_JSON_DEPTH_LIMIT, NULL) == APR_SUCCESS);
    WF_ENSURE(!given || json_equal(given, example));
    json_decref(example);
    WF_ENSURE(task->parameter_count <= WF_PARAMETERS_MOST);
    for (int i = 0; i < task->parameter_count; i++) {
        size_t len = strlen(task->parameters[i].path);

        WF_ENSURE(len > 0 && len <= WF_PARAMETER_PATH_MOST);
        WF_ENSURE(wf_fuzz_is_utf8(wf_slice(task->parameters[i].path)));
    }
}

static void check_task(const wf_task_t *task, const char *id, const json_t *json)
{
    const json_t *flows = json_object_get(json, "flows");

    WF_ENSURE(task && strcmp(task->id, id) == 0);
    WF_ENSURE(task->timeout >= 0);
    WF_ENSURE(task->timeout <= apr_time_from_sec((apr_time_t)WF_CHECK_SECONDS_MOST));
    WF_ENSURE((task->timeout > 0) == (json_object_get(json, "timeout") != NULL));
    WF_ENSURE(task->concurrency == json_integer_value(json_object_get(json, "concurrency")));
    WF_ENSURE(task->flow_count > 0 && (size_t)task->flow_count == json_array_size(flows));
    check_body(task, json);
    for (int i = 0; i < task->flow_count; i++) {
        check_flow(&task->flows[i], json_array_get(flows, (size_t)i));
    }
}

static void check_project(const wf_project_t *project, const char *id, json_t *root)
{
    const char *task_id;
    json_t *task;

    WF_ENSURE(root != NULL);
    WF_ENSURE(strcmp(wf_project_id(project), id) == 0);
    json_object_foreach(json_object_get(root, "tasks"), task_id, task)
    {
        WF_ENSURE(wf_id_is_valid(task_id));
        check_task(wf_project_task(project, task_id), task_id, task);
    }
}

static void check_error(const wf_result_t *result, const char *id, wf_slice_t text)
{
    size_t front = strlen(id) + strlen(".json: ");
    unsigned long line, column;

    WF_ENSURE(result->status == WF_EINVALID && result->problem == WF_PROBLEM_INVALID_PROJECT);
    WF_ENSURE(strncmp(result->detail, id, strlen(id)) == 0 && strlen(result->detail) > front);
    WF_ENSURE(wf_fuzz_is_utf8(wf_slice(result->detail)));
    if (sscanf(result->detail + front, "line %lu, column %lu: ", &line, &column) == 2) {
        WF_ENSURE(!strstr(result->detail, " near '"));
        WF_ENSURE(line >= 1 && line <= wf_fuzz_lines(text) && column <= text.len + 1);
    }
}

static void check_load(const char *id, wf_slice_t text, json_t *root, apr_pool_t *pool)
{
    wf_project_t *project = NULL;
    wf_result_t result;
    apr_status_t status;

    wf_result_init(&result, pool);
    status = wf_project_load(&project, folder_get(), id, &result, pool);
    if (status == APR_SUCCESS) {
        WF_ENSURE(result.status == APR_SUCCESS && result.problem == WF_PROBLEM_NONE);
        check_project(project, id, root);
    } else {
        WF_ENSURE(status == WF_EINVALID && !project);
        check_error(&result, id, text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = wf_fuzz_pool();
    wf_slice_t text = wf_slice_of(size ? (const char *)data : "", size);
    json_t *root = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    const char *id = choose_id(root);
    const char *path = apr_pstrcat(pool, folder_get(), "/", id, ".json", NULL);

    write_file(path, text);
    check_load(id, text, root, pool);
    unlink(path);
    json_decref(root);
    apr_pool_clear(pool);
    return 0;
}
