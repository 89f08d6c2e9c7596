/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A project file, from disk to checked tasks. Everything that is kept is copied into the
 * project's pool; jansson's tree is gone when loading ends.
 */
#include "flow/project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "flow/check.h"
#include "flow/connector.h"

#define FILE_MOST        (4 * 1024 * 1024) /* bytes */
#define CONCURRENCY_MOST 1000000
#define QUEUE_MOST       1000000
#define ID_MOST          64
#define EXAMPLE_MOST     65536 /* bytes, without needless white space */
#define EXAMPLE_DEPTH    512   /* as a request's body */

struct wf_project_t {
    const char *id;
    const char *name;
    apr_hash_t *tasks;            /* id to wf_task_t; only read once the project is loaded */
    apr_array_header_t *in_order; /* the same, as const wf_task_t * */
};

const char *wf_project_id(const wf_project_t *project)
{
    return project->id;
}

const char *wf_project_name(const wf_project_t *project)
{
    return project->name;
}

int wf_project_task_count(const wf_project_t *project)
{
    return (int)apr_hash_count(project->tasks);
}

const wf_task_t *wf_project_task_at(const wf_project_t *project, int index)
{
    return APR_ARRAY_IDX(project->in_order, index, const wf_task_t *);
}

const wf_task_t *wf_project_task(const wf_project_t *project, const char *task_id)
{
    return apr_hash_get(project->tasks, task_id, APR_HASH_KEY_STRING);
}

int wf_id_is_valid(const char *text)
{
    apr_size_t len = text ? strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                         "0123456789._-")
                          : 0;

    return len > 0 && len <= ID_MOST && text[len] == '\0' && text[0] != '.';
}

static apr_status_t load_flow(wf_flow_t *flow, const wf_check_t *at, int number,
                              const wf_loader_t *loader)
{
    static const char *const members[] = {"name", "enabled", "actions", NULL};
    apr_status_t status = wf_check_members(at, members, NULL);

    flow->name = apr_psprintf(at->pool, "flow %d", number);
    flow->enabled = 1;
    if (status == APR_SUCCESS) {
        status = wf_check_string(&flow->name, at, "name", WF_OPTIONAL);
    }
    if (status == APR_SUCCESS) {
        status = wf_check_bool(&flow->enabled, at, "enabled", WF_OPTIONAL);
    }
    return status == APR_SUCCESS
               ? wf_action_list_parse(&flow->actions, at, "actions", WF_REQUIRED, loader)
               : status;
}

static apr_status_t load_flows(wf_task_t *task, const wf_check_t *at, apr_hash_t *connectors)
{
    const json_t *array = NULL;
    apr_status_t status = wf_check_array(&array, at, "flows", WF_REQUIRED);
    int count = (int)json_array_size(array);
    wf_flow_t *flows = apr_pcalloc(at->pool, (apr_size_t)count * sizeof(*flows));
    wf_loader_t loader = {connectors, array, 0};

    for (int i = 0; i < count && status == APR_SUCCESS; i++) {
        wf_check_t place = *at;

        place.object = json_array_get(array, (apr_size_t)i);
        place.path = apr_psprintf(at->pool, "%s/flows/%d", at->path, i);
        status = load_flow(&flows[i], &place, i + 1, &loader);
    }
    task->flow_count = count;
    task->flows = flows;
    return status;
}

/* How many runs of a task execute, and how many wait, at a time. */
static apr_status_t load_limits(wf_task_t *task, const wf_check_t *at)
{
    apr_int64_t concurrency = 0, queue = 0;
    apr_status_t status =
        wf_check_integer(&concurrency, at, "concurrency", WF_OPTIONAL, 0, CONCURRENCY_MOST);

    if (status == APR_SUCCESS) {
        status = wf_check_integer(&queue, at, "queue", WF_OPTIONAL, 0, QUEUE_MOST);
    }
    task->concurrency = (apr_uint32_t)concurrency;
    task->queue_limit = (apr_uint32_t)queue;
    return status;
}

/* How a task is run: when it ends by itself, how many at a time, what follows a loss. */
static apr_status_t load_policy(wf_task_t *task, const wf_check_t *at)
{
    static const char *const overlaps[] = {[WF_OVERLAP_QUEUE] = "queue",
                                           [WF_OVERLAP_REFUSE] = "refuse",
                                           [WF_OVERLAP_SKIP] = "skip",
                                           NULL};
    static const char *const losses[] = {
        [WF_ON_LOST_FAIL] = "fail", [WF_ON_LOST_RERUN] = "rerun", NULL};
    int overlap = WF_OVERLAP_QUEUE;
    int lost = WF_ON_LOST_FAIL;
    apr_status_t status = wf_check_seconds(&task->timeout, at, "timeout", WF_OPTIONAL);

    if (status == APR_SUCCESS) {
        status = load_limits(task, at);
    }
    if (status == APR_SUCCESS) {
        status = wf_check_choice(&overlap, at, "overlap", WF_OPTIONAL, overlaps);
    }
    if (status == APR_SUCCESS) {
        status = wf_check_choice(&lost, at, "onLost", WF_OPTIONAL, losses);
    }
    task->on_lost = (wf_on_lost_e)lost;
    task->overlap = (wf_overlap_e)overlap;
    return status;
}

/* Any JSON, null included; without it, what the task's parameters make. */
static apr_status_t load_example(wf_task_t *task, const wf_check_t *at)
{
    const json_t *value = json_object_get(at->object, "example");
    char *text = NULL;

    if (!value) {
        task->example = wf_reads_example(at->reads, at->pool);
        return APR_SUCCESS;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (!text || strlen(text) > EXAMPLE_MOST) {
        free(text);
        return wf_check_error(at, "example", "must not be longer than %d bytes", EXAMPLE_MOST);
    }
    task->example = apr_pstrdup(at->pool, text);
    free(text);
    if (wf_json_check(wf_slice(task->example), EXAMPLE_DEPTH, NULL) != APR_SUCCESS) {
        return wf_check_error(at, "example", "must not nest more than %d deep", EXAMPLE_DEPTH);
    }
    return APR_SUCCESS;
}

static apr_status_t load_task(wf_task_t *task, const wf_check_t *at, apr_hash_t *connectors)
{
    static const char *const members[] = {"name",   "timeout", "concurrency", "queue", "overlap",
                                          "onLost", "example", "api",         "flows", NULL};
    apr_status_t status = wf_check_members(at, members, NULL);

    if (status == APR_SUCCESS) {
        status = wf_check_string(&task->name, at, "name", WF_OPTIONAL);
    }
    if (status == APR_SUCCESS) {
        status = load_policy(task, at);
    }
    if (status == APR_SUCCESS) {
        status = load_flows(task, at, connectors);
    }
    task->parameters = wf_reads_parameters(&task->parameter_count, at->reads);
    if (status == APR_SUCCESS) {
        status = load_example(task, at);
    }
    return status == APR_SUCCESS ? wf_configuration_check(&task->api, at, task->example) : status;
}

static apr_status_t load_tasks(wf_project_t *project, const wf_check_t *at, apr_hash_t *connectors)
{
    const json_t *object = NULL;
    apr_status_t status = wf_check_object(&object, at, "tasks", WF_REQUIRED);
    const char *id;
    json_t *value;

    if (status != APR_SUCCESS) {
        return status;
    }
    json_object_foreach((json_t *)object, id, value)
    {
        wf_check_t place = *at;
        wf_task_t *task = apr_pcalloc(at->pool, sizeof(*task));

        if (!wf_id_is_valid(id)) {
            return wf_check_error(at, "tasks",
                                  "\"%s\" is no id: 1 to %d of A-Z, a-z, 0-9, dot, underscore and "
                                  "hyphen, not beginning with a dot",
                                  id, ID_MOST);
        }
        task->id = apr_pstrdup(at->pool, id);
        place.object = value;
        place.path = apr_psprintf(at->pool, "%s/tasks/%s", at->path, id);
        place.reads = wf_reads_create(at->pool);
        status = load_task(task, &place, connectors);
        if (status != APR_SUCCESS) {
            return status;
        }
        apr_hash_set(project->tasks, task->id, APR_HASH_KEY_STRING, task);
        APR_ARRAY_PUSH(project->in_order, const wf_task_t *) = task;
    }
    return APR_SUCCESS;
}

/*
 * The whole file. The id in it guards against a file that was copied and not finished; "$schema" is
 * for editors.
 */
static apr_status_t load_root(wf_project_t *project, const wf_check_t *at)
{
    static const char *const members[] = {"id", "name", "connectors", "tasks", "$schema", NULL};
    apr_hash_t *connectors = NULL;
    const char *id = NULL;
    apr_status_t status = wf_check_members(at, members, NULL);

    if (status == APR_SUCCESS) {
        status = wf_check_string(&id, at, "id", WF_REQUIRED);
    }
    if (status == APR_SUCCESS && strcmp(id, project->id) != 0) {
        status = wf_check_error(at, "id", "must be \"%s\", as the file is named", project->id);
    }
    if (status == APR_SUCCESS) {
        status = wf_check_string(&project->name, at, "name", WF_OPTIONAL);
    }
    if (status == APR_SUCCESS) {
        status = wf_connectors_load(&connectors, at);
    }
    return status == APR_SUCCESS ? load_tasks(project, at, connectors) : status;
}

/* Reads to the end, but not past FILE_MOST: a file may grow while it is read. */
static apr_status_t read_all(wf_buf_t *text, int fd)
{
    ssize_t got;

    do {
        char *room = wf_buf_reserve(text, 16384);

        got = read(fd, room, 16384);
        if (got < 0 && errno != EINTR) {
            return APR_FROM_OS_ERROR(errno);
        }
        text->len += got > 0 ? (apr_size_t)got : 0;
    } while (got != 0 && text->len <= FILE_MOST);
    return APR_SUCCESS;
}

/* Not blocking at open, so that a FIFO put there stops nobody. */
static apr_status_t read_file(wf_buf_t *text, const char *path, const wf_check_t *at)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    apr_status_t status = APR_SUCCESS;
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        status = APR_FROM_OS_ERROR(errno);
    } else if (!S_ISREG(info.st_mode)) {
        status = wf_check_error(at, NULL, "is not a regular file");
    } else {
        status = read_all(text, fd);
    }
    if (status == APR_SUCCESS && text->len > FILE_MOST) {
        status = wf_check_error(at, NULL, "is larger than %d bytes", FILE_MOST);
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

/*
 * Parses the text. What jansson's message quotes from the file is left out: it might be part of a
 * password.
 */
static apr_status_t parse_file(json_t **root, const wf_buf_t *text, const wf_check_t *at)
{
    json_error_t error;
    wf_slice_t all = wf_buf_slice(text);
    char *quoted;

    if (all.len && memchr(all.data, '\0', all.len)) {
        /* jansson passes over one behind a number. */
        return wf_check_error(at, NULL, "holds a NUL byte");
    }
    *root = json_loadb(all.data, all.len, JSON_REJECT_DUPLICATES, &error);
    if (*root) {
        return APR_SUCCESS;
    }
    quoted = strstr(error.text, " near '");
    if (quoted) {
        *quoted = '\0';
    }
    return wf_check_error(at, NULL, "line %d, column %d: %s", error.line, error.column, error.text);
}

static apr_status_t load_file(wf_project_t *project, const char *path, const wf_check_t *file)
{
    wf_check_t at = *file;
    wf_buf_t text = {0};
    json_t *root = NULL;
    apr_status_t status = read_file(&text, path, &at);

    if (status == APR_SUCCESS) {
        status = parse_file(&root, &text, &at);
    }
    if (status == APR_SUCCESS) {
        at.object = root;
        status = load_root(project, &at);
    }
    json_decref(root);
    wf_buf_free(&text);
    return status;
}

apr_status_t wf_project_load(wf_project_t **project, const char *dir, const char *id,
                             wf_result_t *result, apr_pool_t *pool)
{
    wf_project_t *loaded = apr_pcalloc(pool, sizeof(*loaded));
    wf_result_t cause;
    wf_check_t at = {.path = "", .result = &cause, .pool = pool};
    apr_status_t status = APR_ENOENT;

    wf_result_init(&cause, pool);
    loaded->tasks = apr_hash_make(pool);
    loaded->in_order = apr_array_make(pool, 4, sizeof(const wf_task_t *));
    if (wf_id_is_valid(id)) {
        loaded->id = apr_pstrdup(pool, id);
        status = load_file(loaded, apr_pstrcat(pool, dir, "/", id, ".json", NULL), &at);
    }
    if (status == APR_SUCCESS) {
        *project = loaded;
        return APR_SUCCESS;
    }
    if (APR_STATUS_IS_ENOENT(status) || APR_STATUS_IS_ENOTDIR(status)) {
        return wf_result_set(result, APR_NOTFOUND, WF_PROBLEM_UNKNOWN_PROJECT,
                             "There is no such project.");
    }
    if (status != WF_EINVALID) {
        return wf_result_set(result, status, WF_PROBLEM_INTERNAL, "%s.json: cannot be read", id);
    }
    return wf_result_set(result, status, WF_PROBLEM_INVALID_PROJECT, "%s.json: %s", id,
                         cause.detail);
}
