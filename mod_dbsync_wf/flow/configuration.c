/* SPDX-License-Identifier: Apache-2.0 */
/* The document of an API configuration: read and written. */
#include "flow/configuration.h"

#include <stdlib.h>
#include <apr_strings.h>

#define DEPTH 512 /* arrays and objects within each other, as in a request's body */

/* What is being read, and where its parts go. */
typedef struct reading_t {
    wf_configuration_t *into;
    wf_callback_t *callback;
    int is_file; /* a project's file: a callback's secret is named, and the example is not here */
    int use_file;
    wf_problem_e problem;
    wf_result_t *result;
    apr_pool_t *pool;
} reading_t;

typedef apr_status_t (*read_t)(reading_t *reading, const char *place, wf_slice_t value);

/* A member that an object may have. */
typedef struct member_t {
    const char *name;
    read_t read; /* NULL: it is passed over */
} member_t;

static apr_status_t refuse(const reading_t *reading, const char *place, const char *format, ...)
{
    const char *reason;
    va_list list;

    va_start(list, format);
    reason = apr_pvsprintf(reading->pool, format, list);
    va_end(list);
    return wf_result_set(reading->result, WF_EINVALID, reading->problem, "%s%s%s", place,
                         *place ? ": " : "", reason);
}

/* The names that a list has, for who used another one. */
static const char *list_names(const member_t *members, int count, apr_pool_t *pool)
{
    const char *text = "";

    for (int i = 0; i < count; i++) {
        text = members[i].read ? apr_pstrcat(pool, text, *text ? ", " : "", members[i].name, NULL)
                               : text;
    }
    return text;
}

/* A string's characters; a NUL ends no text of ours. */
static apr_status_t read_text(const char **text, const reading_t *reading, const char *place,
                              wf_slice_t value)
{
    wf_buf_t decoded = {NULL, 0, 0};
    wf_slice_t copy;

    if (wf_json_type(value) != WF_JSON_STRING) {
        return refuse(reading, place, "must be a string");
    }
    wf_json_string_decode(&decoded, value);
    copy = wf_slice_dup(wf_buf_slice(&decoded), reading->pool);
    wf_buf_free(&decoded);
    if (memchr(copy.data, '\0', copy.len)) {
        return refuse(reading, place, "must not hold the character U+0000");
    }
    *text = copy.data;
    return APR_SUCCESS;
}

/* Reads each member of an object by the list's function for it. */
static apr_status_t read_members(reading_t *reading, const char *place, wf_slice_t object,
                                 const member_t *members, int count)
{
    wf_slice_t name, value, rest = object;
    apr_uint32_t seen = 0;
    apr_status_t status = APR_SUCCESS;

    if (wf_json_type(object) != WF_JSON_OBJECT) {
        return refuse(reading, place, "must be an object");
    }
    while (status == APR_SUCCESS && wf_json_next_member(&name, &value, &rest) == APR_SUCCESS) {
        const char *text = NULL;
        int i = 0;

        status = read_text(&text, reading, place, name);
        if (status != APR_SUCCESS) {
            break;
        }
        while (i < count && strcmp(members[i].name, text) != 0) {
            i++;
        }
        if (i == count) {
            return refuse(reading, place, "there is no member \"%s\"; there are: %s", text,
                          list_names(members, count, reading->pool));
        }
        if (seen & 1u << i) {
            return refuse(reading, place, "has the member \"%s\" twice", text);
        }
        seen |= 1u << i;
        if (members[i].read) {
            status = members[i].read(
                reading, apr_pstrcat(reading->pool, place, "/", members[i].name, NULL), value);
        }
    }
    return status;
}

static apr_status_t read_bool(int *truth, const reading_t *reading, const char *place,
                              wf_slice_t value)
{
    wf_json_type_e type = wf_json_type(value);

    if (type != WF_JSON_TRUE && type != WF_JSON_FALSE) {
        return refuse(reading, place, "must be true or false");
    }
    *truth = type == WF_JSON_TRUE;
    return APR_SUCCESS;
}

/* An integer from 1 on, spelled with digits alone. */
static apr_status_t read_count(apr_uint32_t *count, const reading_t *reading, const char *place,
                               wf_slice_t value, apr_uint32_t most)
{
    wf_slice_t text = wf_json_trim(value);
    apr_uint64_t number = 0;

    for (apr_size_t i = 0; i < text.len && number <= most; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            number = 0;
            break;
        }
        number = number * 10 + (apr_uint64_t)(text.data[i] - '0');
    }
    if (number < 1 || number > most) {
        return refuse(reading, place, "must be an integer from 1 to %u", most);
    }
    *count = (apr_uint32_t)number;
    return APR_SUCCESS;
}

static apr_status_t read_enabled(reading_t *reading, const char *place, wf_slice_t value)
{
    return read_bool(&reading->into->enabled, reading, place, value);
}

static apr_status_t read_description(reading_t *reading, const char *place, wf_slice_t value)
{
    apr_status_t status = read_text(&reading->into->description, reading, place, value);

    if (status == APR_SUCCESS && strlen(reading->into->description) > WF_DESCRIPTION_MOST) {
        return refuse(reading, place, "must not be longer than %u bytes", WF_DESCRIPTION_MOST);
    }
    return status;
}

static apr_status_t read_example(reading_t *reading, const char *place, wf_slice_t value)
{
    (void)place;
    reading->into->example = wf_json_trim(value);
    return APR_SUCCESS;
}

static apr_status_t read_schema(reading_t *reading, const char *place, wf_slice_t value)
{
    wf_schema_error_t error;

    reading->into->schema_text = wf_json_trim(value);
    if (wf_schema_compile(&reading->into->schema, reading->into->schema_text, &error,
                          reading->pool) != APR_SUCCESS) {
        return refuse(reading, apr_pstrcat(reading->pool, place, error.place, NULL), "%s",
                      error.reason);
    }
    return APR_SUCCESS;
}

static apr_status_t read_runs(reading_t *reading, const char *place, wf_slice_t value)
{
    return read_count(&reading->into->rate, reading, place, value, WF_RATE_MOST);
}

static apr_status_t read_seconds(reading_t *reading, const char *place, wf_slice_t value)
{
    apr_uint32_t seconds = 0;
    apr_status_t status = read_count(&seconds, reading, place, value, WF_RATE_PERIOD_MOST);

    reading->into->rate_period = apr_time_from_sec(seconds);
    return status;
}

static apr_status_t read_rate(reading_t *reading, const char *place, wf_slice_t value)
{
    static const member_t members[] = {{"runs", read_runs}, {"seconds", read_seconds}};
    apr_status_t status = read_members(reading, place, value, members, 2);

    if (status == APR_SUCCESS && (!reading->into->rate || !reading->into->rate_period)) {
        return refuse(reading, place,
                      "must have runs and seconds: so many runs in so many seconds");
    }
    return status;
}

static apr_status_t read_url(reading_t *reading, const char *place, wf_slice_t value)
{
    wf_callback_t *callback = reading->callback;
    const char *reason;
    apr_status_t status = read_text(&callback->url, reading, place, value);

    if (status == APR_SUCCESS &&
        wf_callback_url_check(&reason, callback->url, reading->pool) != APR_SUCCESS) {
        return refuse(reading, place, "must %s", reason);
    }
    return status;
}

static apr_status_t read_secret(reading_t *reading, const char *place, wf_slice_t value)
{
    wf_callback_t *callback = reading->callback;
    const char *reason;
    apr_status_t status = read_text(&callback->secret, reading, place, value);

    if (status == APR_SUCCESS && wf_callback_secret_check(&reason, callback->secret)) {
        return refuse(reading, place, "must %s", reason);
    }
    return status;
}

/* What names a secret is read by wf_secret_check. */
static apr_status_t read_secret_name(reading_t *reading, const char *place, wf_slice_t value)
{
    (void)reading;
    (void)place;
    (void)value;
    return APR_SUCCESS;
}

static apr_status_t read_callback(reading_t *reading, const char *place, wf_slice_t value)
{
    static const member_t sent[] = {
        {"url", read_url}, {"secret", read_secret}, {"hasSecret", NULL}};
    static const member_t in_file[] = {
        {"url", read_url}, {"secretFile", read_secret_name}, {"secretEnv", read_secret_name}};
    apr_status_t status;

    reading->callback = apr_pcalloc(reading->pool, sizeof(*reading->callback));
    reading->into->callback = reading->callback;
    status = read_members(reading, place, value, reading->is_file ? in_file : sent, 3);
    if (status == APR_SUCCESS && !reading->into->callback->url) {
        return refuse(reading, place, "must have a url");
    }
    return status;
}

static apr_status_t read_use_file(reading_t *reading, const char *place, wf_slice_t value)
{
    apr_status_t status = read_bool(&reading->use_file, reading, place, value);

    if (status == APR_SUCCESS && !reading->use_file) {
        return refuse(reading, place, "must be true, or not be there");
    }
    return status;
}

static void init(reading_t *reading, wf_problem_e problem, wf_result_t *result, apr_pool_t *pool)
{
    memset(reading, 0, sizeof(*reading));
    reading->into = apr_pcalloc(pool, sizeof(*reading->into));
    reading->into->enabled = 1;
    reading->is_file = problem == WF_PROBLEM_INVALID_PROJECT;
    reading->problem = problem;
    reading->result = result;
    reading->pool = pool;
}

static int has_one_member(wf_slice_t object)
{
    wf_slice_t name, value;

    return wf_json_next_member(&name, &value, &object) == APR_SUCCESS &&
           wf_json_next_member(&name, &value, &object) == APR_EOF;
}

apr_status_t wf_configuration_parse(const wf_configuration_t **configuration, wf_slice_t document,
                                    wf_result_t *result, apr_pool_t *pool)
{
    static const member_t members[] = {
        {"enabled", read_enabled},
        {"description", read_description},
        {"example", read_example},
        {"schema", read_schema},
        {"rateLimit", read_rate},
        {"callback", read_callback},
        {"useProjectFile", read_use_file},
        {"projectId", NULL},
        {"projectName", NULL},
        {"taskId", NULL},
        {"taskName", NULL},
        {"uri", NULL},
        {"runUri", NULL},
        {"source", NULL},
        {"formerSource", NULL},
        {"editable", NULL},
        {"changedBy", NULL},
        {"changeTime", NULL},
    };
    reading_t reading;
    apr_status_t status;

    init(&reading, WF_PROBLEM_INVALID_CONFIGURATION, result, pool);
    status = read_members(&reading, "", document, members, sizeof(members) / sizeof(members[0]));
    *configuration = reading.use_file ? NULL : reading.into;
    if (status == APR_SUCCESS && reading.use_file && !has_one_member(document)) {
        return refuse(&reading, "/useProjectFile", "must stand alone");
    }
    return status;
}

/* ---- of a project's file ---- */

/*
 * The object's text. What jansson has made of a fraction is spelled with as many digits as are
 * sure, so that 0.1 is 0.1 again.
 */
static apr_status_t dump(wf_slice_t *text, const wf_check_t *at, const json_t *object)
{
    char *dumped = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));

    if (!dumped || strlen(dumped) > WF_CONFIGURATION_TEXT_MOST) {
        free(dumped);
        return wf_check_error(at, "api", "must not be longer than %u bytes",
                              WF_CONFIGURATION_TEXT_MOST);
    }
    *text = wf_slice(apr_pstrdup(at->pool, dumped));
    free(dumped);
    return wf_json_check(*text, DEPTH, NULL) == APR_SUCCESS
               ? APR_SUCCESS
               : wf_check_error(at, "api", "must not nest more than %d deep", DEPTH);
}

static apr_status_t check_secret(const reading_t *reading, const wf_check_t *at,
                                 const json_t *object)
{
    wf_callback_t *callback = reading->callback;
    wf_check_t place = *at;
    apr_status_t status;

    if (!callback) {
        return APR_SUCCESS;
    }
    place.object = json_object_get(object, "callback");
    place.path = apr_pstrcat(at->pool, at->path, "/api/callback", NULL);
    status = wf_secret_check(&callback->secret_source, &place, "secret");
    if (status == APR_SUCCESS && !callback->secret_source) {
        return wf_check_error(&place, NULL,
                              "must have secretFile or secretEnv: what callbacks are signed with");
    }
    return status;
}

static apr_status_t check_api(reading_t *reading, const wf_check_t *at, const json_t *object)
{
    static const member_t members[] = {
        {"enabled", read_enabled}, {"description", read_description}, {"schema", read_schema},
        {"rateLimit", read_rate},  {"callback", read_callback},
    };
    wf_slice_t text;
    apr_status_t status = dump(&text, at, object);

    if (status != APR_SUCCESS) {
        return status;
    }
    status = read_members(reading, apr_pstrcat(at->pool, at->path, "/api", NULL), text, members,
                          sizeof(members) / sizeof(members[0]));
    return status == APR_SUCCESS ? check_secret(reading, at, object) : status;
}

apr_status_t wf_configuration_check(const wf_configuration_t **configuration, const wf_check_t *at,
                                    const char *example)
{
    const json_t *object = NULL;
    reading_t reading;
    apr_status_t status = wf_check_object(&object, at, "api", WF_OPTIONAL);

    init(&reading, WF_PROBLEM_INVALID_PROJECT, at->result, at->pool);
    reading.into->example = wf_slice(example);
    *configuration = reading.into;
    return status == APR_SUCCESS && object ? check_api(&reading, at, object) : status;
}

/* ---- written ---- */

static void put_callback(wf_json_writer_t *writer, const wf_callback_t *callback, int shown)
{
    wf_json_open(writer, "callback", '{');
    wf_json_put_text(writer, "url", callback->url);
    if (shown) {
        wf_json_put_bool(writer, "hasSecret", callback->secret || callback->secret_source);
    } else {
        wf_json_put_text(writer, "secret", callback->secret);
    }
    wf_json_close(writer, '}');
}

void wf_configuration_put(wf_json_writer_t *writer, const wf_configuration_t *configuration,
                          int shown)
{
    wf_json_put_bool(writer, "enabled", configuration->enabled);
    wf_json_put_text(writer, "description", configuration->description);
    if (configuration->example.len) {
        wf_json_put_raw(writer, "example", configuration->example);
    }
    if (configuration->schema_text.len) {
        wf_json_put_raw(writer, "schema", configuration->schema_text);
    }
    if (configuration->rate) {
        wf_json_open(writer, "rateLimit", '{');
        wf_json_put_int(writer, "runs", configuration->rate);
        wf_json_put_int(writer, "seconds", apr_time_sec(configuration->rate_period));
        wf_json_close(writer, '}');
    }
    if (configuration->callback) {
        put_callback(writer, configuration->callback, shown);
    }
}
