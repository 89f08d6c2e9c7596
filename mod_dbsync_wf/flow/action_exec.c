/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The action "exec": runs a program, never through a shell.
 *
 *   {"action": "exec", "command": ["/usr/local/bin/greet", "{{name}}"], "directory": "/srv/data",
 *    "env": {"CITY": "{{address/city}}"}, "stdin": "payload"}
 *
 * What it reads is the body ("stdin": "payload", the default), nothing ("none"), or "input": JSON
 * with expressions, of which a string is handed over as its text.
 *
 * Each element of the command is exactly one argument, whatever it holds. The environment is a
 * clean one: PATH, LANG, the DBSYNC_WF_ variables, and what "env" adds.
 */
#include "flow/action.h"
#include "flow/document.h"
#include "flow/exec_report.h"
#include "flow/flow.h"

#include <apr_strings.h>

#define COMMAND_MOST 256
#define OWN_PREFIX   "DBSYNC_WF_"

static const char *const members[] = {"command", "directory", "env", "stdin", "input", NULL};
static const char *const stdin_choices[] = {"payload", "none", NULL};
enum { STDIN_PAYLOAD, STDIN_NONE };

static const char *const standard_env[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
};
#define STANDARD_COUNT ((int)(sizeof(standard_env) / sizeof(standard_env[0])))

enum { OWN_COUNT = 4 };

typedef struct variable_t {
    const char *name;
    wf_template_t *value;
} variable_t;

typedef struct exec_t {
    const char *program;
    const char *base_name; /* of the program */
    wf_template_t **args;  /* after the program */
    int arg_count;
    const char *directory; /* NULL: "/" */
    variable_t *variables;
    int variable_count;
    int input;                     /* of stdin_choices */
    const wf_document_t *document; /* instead of it; NULL: none */
} exec_t;

/* ---- reading the project file ---- */

/* A string that depends on nothing, as its text, which a system call can take. */
static apr_status_t parse_constant(const char **out, const wf_check_t *at, const char *member,
                                   const json_t *value)
{
    static const wf_scope_t nothing = {.payload = {"", 0}};
    wf_buf_t text = {NULL, 0, 0};
    wf_template_t *tmpl;
    apr_status_t rv = wf_check_template_value(&tmpl, at, member, value);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!wf_template_is_constant(tmpl)) {
        return wf_check_error(at, member, "must not hold an expression");
    }
    rv = wf_template_text(&text, tmpl, &nothing, at->result);
    if (rv == APR_SUCCESS && (text.len == 0 || memchr(text.data, '\0', text.len))) {
        rv = wf_check_error(at, member, "must not be empty or hold a NUL character");
    }
    if (rv == APR_SUCCESS) {
        *out = apr_pstrmemdup(at->pool, text.data, text.len);
    }
    wf_buf_free(&text);
    return rv;
}

static apr_status_t parse_program(exec_t *exec, const wf_check_t *at, const json_t *value)
{
    apr_status_t rv = parse_constant(&exec->program, at, "command/0", value);
    const char *slash;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    slash = strrchr(exec->program, '/');
    if (slash && (exec->program[0] != '/' || slash[1] == '\0')) {
        return wf_check_error(at, "command/0", "must be an absolute path or a bare name");
    }
    exec->base_name = slash ? slash + 1 : exec->program;
    return APR_SUCCESS;
}

static apr_status_t parse_command(exec_t *exec, const wf_check_t *at)
{
    const json_t *command = NULL;
    apr_status_t rv = wf_check_array(&command, at, "command", WF_REQUIRED);
    apr_size_t count;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    count = json_array_size(command);
    if (count > COMMAND_MOST) {
        return wf_check_error(at, "command", "must not have more than %d elements", COMMAND_MOST);
    }
    rv = parse_program(exec, at, json_array_get(command, 0));
    exec->arg_count = (int)count - 1;
    exec->args = apr_pcalloc(at->pool, sizeof(*exec->args) * count);
    for (int i = 0; i < exec->arg_count && rv == APR_SUCCESS; i++) {
        const char *place = apr_psprintf(at->pool, "command/%d", i + 1);
        rv = wf_check_template_value(&exec->args[i], at, place,
                                     json_array_get(command, (size_t)i + 1));
    }
    return rv;
}

static apr_status_t parse_directory(exec_t *exec, const wf_check_t *at)
{
    const json_t *value = json_object_get(at->object, "directory");
    apr_status_t rv;

    if (!value) {
        return APR_SUCCESS;
    }
    rv = parse_constant(&exec->directory, at, "directory", value);
    if (rv == APR_SUCCESS && exec->directory[0] != '/') {
        return wf_check_error(at, "directory", "must be an absolute path");
    }
    return rv;
}

/* A name as the shell has it (POSIX, 8.1), but not one of ours. */
static int is_variable_name(const char *name)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

    return *name && strchr(first, *name) &&
           strspn(name, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_") ==
               strlen(name) &&
           strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) != 0;
}

static apr_status_t parse_env(exec_t *exec, const wf_check_t *at)
{
    const json_t *env = NULL;
    apr_status_t rv = wf_check_object(&env, at, "env", WF_OPTIONAL);
    void *iter;

    if (rv != APR_SUCCESS || !env) {
        return rv;
    }
    exec->variables = apr_pcalloc(at->pool, sizeof(*exec->variables) * (json_object_size(env) + 1));
    /* jansson's iterators take what they only read without const. */
    for (iter = json_object_iter((json_t *)env); iter && rv == APR_SUCCESS;
         iter = json_object_iter_next((json_t *)env, iter)) {
        const char *name = json_object_iter_key(iter);
        const char *place = apr_pstrcat(at->pool, "env/", name, NULL);
        variable_t *variable = &exec->variables[exec->variable_count++];

        if (!is_variable_name(name)) {
            return wf_check_error(at, place,
                                  "must be named with letters, digits and _, not begin with a "
                                  "digit, and not with " OWN_PREFIX);
        }
        variable->name = apr_pstrdup(at->pool, name);
        rv = wf_check_template_value(&variable->value, at, place, json_object_iter_value(iter));
    }
    return rv;
}

static apr_status_t parse_input(exec_t *exec, const wf_check_t *at)
{
    const json_t *value = json_object_get(at->object, "input");

    exec->input = STDIN_PAYLOAD;
    if (!value) {
        return wf_check_choice(&exec->input, at, "stdin", WF_OPTIONAL, stdin_choices);
    }
    if (json_object_get(at->object, "stdin")) {
        return wf_check_error(at, "input", "cannot be there beside stdin");
    }
    return wf_document_check(&exec->document, at, "input", value);
}

static apr_status_t parse_exec(void **spec, const wf_check_t *at, const wf_loader_t *loader)
{
    exec_t *exec = apr_pcalloc(at->pool, sizeof(*exec));
    apr_status_t rv = parse_command(exec, at);

    (void)loader;
    if (rv == APR_SUCCESS) {
        rv = parse_directory(exec, at);
    }
    if (rv == APR_SUCCESS) {
        rv = parse_env(exec, at);
    }
    if (rv == APR_SUCCESS) {
        rv = parse_input(exec, at);
    }
    *spec = exec;
    return rv;
}

/* ---- executing ---- */

/* Appends a template's text and a NUL to buf; `what` names the place in an error. */
static apr_status_t render(wf_buf_t *buf, const wf_template_t *tmpl, const char *what,
                           const wf_action_context_t *context, wf_result_t *result)
{
    apr_size_t start = buf->len;
    apr_status_t rv = wf_template_text(buf, tmpl, &context->scope, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (buf->len > start && memchr(buf->data + start, '\0', buf->len - start)) {
        return wf_result_set(result, WF_EINVALID, WF_PROBLEM_MAPPING,
                             "%s of action \"%s\" would hold a NUL character, which the system "
                             "cannot hand to a program",
                             what, context->action);
    }
    wf_buf_add_char(buf, '\0');
    return APR_SUCCESS;
}

static apr_status_t make_args(const char ***argv, const exec_t *exec,
                              const wf_action_context_t *context, wf_result_t *result,
                              apr_pool_t *pool)
{
    const char **args = apr_pcalloc(pool, sizeof(*args) * ((apr_size_t)exec->arg_count + 2));
    wf_buf_t buf = {NULL, 0, 0};
    char what[32];
    apr_status_t rv = APR_SUCCESS;

    args[0] = exec->program;
    for (int i = 0; i < exec->arg_count && rv == APR_SUCCESS; i++) {
        apr_snprintf(what, sizeof(what), "argument %d", i + 1);
        wf_buf_reset(&buf);
        rv = render(&buf, exec->args[i], what, context, result);
        if (rv == APR_SUCCESS) {
            args[i + 1] = apr_pstrmemdup(pool, buf.data, buf.len - 1);
        }
    }
    wf_buf_free(&buf);
    *argv = args;
    return rv;
}

static int is_replaced(const exec_t *exec, const char *standard)
{
    for (int i = 0; i < exec->variable_count; i++) {
        apr_size_t len = strlen(exec->variables[i].name);
        if (strncmp(standard, exec->variables[i].name, len) == 0 && standard[len] == '=') {
            return 1;
        }
    }
    return 0;
}

static apr_status_t make_env(const char ***envp, const exec_t *exec,
                             const wf_action_context_t *context, wf_result_t *result,
                             apr_pool_t *pool)
{
    apr_size_t most = (apr_size_t)(STANDARD_COUNT + OWN_COUNT + exec->variable_count);
    const char **env = apr_pcalloc(pool, sizeof(*env) * (most + 1));
    wf_buf_t buf = {NULL, 0, 0};
    apr_status_t rv = APR_SUCCESS;
    int count = 0;

    for (int i = 0; i < STANDARD_COUNT; i++) {
        if (!is_replaced(exec, standard_env[i])) {
            env[count++] = standard_env[i];
        }
    }
    env[count++] = apr_pstrcat(pool, OWN_PREFIX "PID=", context->pid, NULL);
    env[count++] = apr_pstrcat(pool, OWN_PREFIX "PROJECT=", context->project, NULL);
    env[count++] = apr_pstrcat(pool, OWN_PREFIX "TASK=", context->task, NULL);
    env[count++] = apr_psprintf(pool, OWN_PREFIX "FENCE=%" APR_UINT64_T_FMT, context->fence);
    for (int i = 0; i < exec->variable_count && rv == APR_SUCCESS; i++) {
        const char *name = exec->variables[i].name;
        const char *what = apr_psprintf(pool, "variable \"%s\"", name);
        wf_buf_reset(&buf);
        rv = render(&buf, exec->variables[i].value, what, context, result);
        if (rv == APR_SUCCESS) {
            env[count++] = apr_pstrcat(pool, name, "=", buf.data, NULL);
        }
    }
    wf_buf_free(&buf);
    *envp = env;
    return rv;
}

static apr_status_t make_input(wf_slice_t *input, const exec_t *exec,
                               const wf_action_context_t *context, wf_result_t *result,
                               apr_pool_t *pool)
{
    wf_buf_t *json;
    apr_status_t rv;

    *input = exec->input == STDIN_PAYLOAD ? context->scope.payload : wf_slice(NULL);
    if (!exec->document) {
        return APR_SUCCESS;
    }
    json = apr_pcalloc(pool, sizeof(*json));
    wf_buf_bind(json, pool);
    rv = wf_document_json(json, exec->document, &context->scope, result, pool);
    if (rv == APR_SUCCESS) {
        *input = wf_json_type(wf_buf_slice(json)) == WF_JSON_STRING
                     ? wf_value_of_json(wf_buf_slice(json), pool).text
                     : wf_buf_slice(json);
    }
    return rv;
}

static apr_status_t execute_exec(wf_action_end_t *end, const void *spec,
                                 const wf_action_context_t *context, wf_result_t *result,
                                 apr_pool_t *pool)
{
    const exec_t *exec = spec;
    const char **argv = NULL, **envp = NULL;
    wf_process_spec_t program;
    wf_process_end_t process;
    wf_slice_t input;
    apr_status_t rv;

    rv = make_args(&argv, exec, context, result, pool);
    if (rv == APR_SUCCESS) {
        rv = make_env(&envp, exec, context, result, pool);
    }
    if (rv == APR_SUCCESS) {
        rv = make_input(&input, exec, context, result, pool);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    memset(&program, 0, sizeof(program));
    program.argv = argv;
    program.envp = envp;
    program.directory = exec->directory;
    program.input = input;
    program.output_cap = WF_RESULT_CAP;
    program.error_cap = WF_EXEC_ERROR_KEPT;
    if (wf_action_has_output(context)) {
        program.on_output = wf_action_output;
        program.baton = context->walk;
    }
    program.tag = context->fence;
    program.deadline = context->deadline;
    program.grace = context->grace;
    program.cancel = context->cancel;
    rv = wf_process_run(&process, &program, result, pool);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    wf_exec_report_details(end->details, &process);
    if (wf_cancel_reason(context->cancel) != WF_CANCEL_NONE) {
        return WF_ECANCELLED;
    }
    rv = wf_exec_report_failure(&process, exec->base_name, context->action, result, pool);
    if (rv == APR_SUCCESS) {
        wf_exec_report_result(end, &process, pool);
    }
    return rv;
}

const wf_action_kind_t wf_action_exec = {"exec", members, parse_exec, execute_exec};
