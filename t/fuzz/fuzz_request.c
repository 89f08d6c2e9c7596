/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request is told apart by: path, query and media type, one a line; the last is taken as a
 * range, too. A path that leads somewhere is spelled in one way only; a query's argument can be
 * read back; no media type passes that a page of another site can send without being asked; a range
 * lies within what there is.
 */
#include "fuzz.h"

#include <ctype.h>
#include <apr_strings.h>
#include "flow/project.h"
#include "http/media.h"
#include "http/query.h"
#include "http/range.h"
#include "http/route.h"

/* Takes the front of *rest up to its first line end, which goes too. */
static wf_slice_t take_line(wf_slice_t *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->data) : rest->len;
    wf_slice_t line = wf_slice_of(rest->data, len);

    *rest = wf_slice_of(rest->data + len + (end != NULL), rest->len - len - (end != NULL));
    return line;
}

static int begins(wf_slice_t text, const char *with)
{
    return text.len >= strlen(with) && memcmp(text.data, with, strlen(with)) == 0;
}

/* Whether a path is `front` with one more segment. */
static int is_one_below(wf_slice_t path, const char *front)
{
    size_t len = strlen(front);

    return begins(path, front) && path.len > len && !memchr(path.data + len, '/', path.len - len);
}

/* The segments of a path that begins with a slash; 0 where one is empty. */
static int count_segments(wf_slice_t path)
{
    int count = 0;

    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] == '/') {
            if (i + 1 == path.len || path.data[i + 1] == '/') {
                return 0;
            }
            count++;
        }
    }
    return count;
}

/* A project's or a task's path, of that many segments. */
static void check_project_path(const wf_route_t *route, wf_slice_t path, int segments)
{
    WF_ENSURE(begins(path, route->singular ? "/project/" : "/projects/"));
    WF_ENSURE(count_segments(path) == segments);
    WF_ENSURE(!route->project || wf_id_is_valid(route->project));
    WF_ENSURE(!route->task || (segments == 4 && wf_id_is_valid(route->task)));
    WF_ENSURE(!route->has_pid);
}

static void check_run_path(const wf_route_t *route, wf_slice_t path, apr_pool_t *pool)
{
    const char *spelled;

    WF_ENSURE(begins(path, route->singular ? "/project/" : "/projects/"));
    WF_ENSURE(count_segments(path) == 5);
    WF_ENSURE(!route->project || wf_id_is_valid(route->project));
    WF_ENSURE(!route->task || wf_id_is_valid(route->task));
    if (!route->project || !route->task) {
        return;
    }
    spelled = route->singular ? apr_pstrcat(pool, "/project/", route->project, "/task/",
                                            route->task, "/run", NULL)
                              : wf_route_run_path(route->project, route->task, pool);
    WF_ENSURE(wf_slice_is(path, spelled));
}

static void check_pid_path(const wf_route_t *route, wf_slice_t path, const char *front)
{
    char text[WF_UUID_TEXT_LEN + 1];

    WF_ENSURE(is_one_below(path, front));
    if (route->has_pid) {
        wf_uuid_format(text, &route->pid);
        WF_ENSURE(path.len == strlen(front) + WF_UUID_TEXT_LEN);
        WF_ENSURE(strncasecmp(path.data + strlen(front), text, WF_UUID_TEXT_LEN) == 0);
    }
}

static void check_events_path(const wf_route_t *route, wf_slice_t path)
{
    static const char last[] = "/events";
    size_t len = path.len - (sizeof(last) - 1);

    WF_ENSURE(path.len > sizeof(last) - 1 && memcmp(path.data + len, last, path.len - len) == 0);
    check_pid_path(route, wf_slice_of(path.data, len), "/status/");
}

/* A configuration's path can be spelled in one way only. */
static void check_configuration_path(const wf_route_t *route, wf_slice_t path, apr_pool_t *pool)
{
    WF_ENSURE(begins(path, "/configurations/") && count_segments(path) == 3);
    WF_ENSURE(!route->project || wf_id_is_valid(route->project));
    WF_ENSURE(!route->task || wf_id_is_valid(route->task));
    if (route->project && route->task) {
        WF_ENSURE(
            wf_slice_is(path, wf_route_configuration_path(route->project, route->task, pool)));
    }
}

static void check_console_path(const wf_route_t *route, wf_slice_t path)
{
    static const char *const files[] = {
        [WF_CONSOLE_SLASH] = "/console",
        [WF_CONSOLE_PAGE] = "/console/",
        [WF_CONSOLE_STYLE] = "/console/console.css",
        [WF_CONSOLE_SCRIPT] = "/console/console.js",
        [WF_CONSOLE_ICON] = "/console/icon.svg",
    };

    WF_ENSURE(wf_slice_is(path, files[route->console]));
}

static void check_path(wf_slice_t path, apr_pool_t *pool)
{
    wf_route_t route;
    apr_status_t status = wf_route_parse(&route, path, pool);

    if (status != APR_SUCCESS) {
        WF_ENSURE(status == APR_NOTFOUND);
        WF_ENSURE(!is_one_below(path, "/status/") && !is_one_below(path, "/interrupt/"));
        WF_ENSURE(!is_one_below(path, "/logs/"));
        WF_ENSURE(!wf_slice_is(path, "/runs") && !wf_slice_is(path, "/projects"));
        WF_ENSURE(!wf_slice_is(path, "/openapi.json") && !wf_slice_is(path, "/runs/events"));
        WF_ENSURE(!is_one_below(path, "/projects/") && !is_one_below(path, "/project/"));
        WF_ENSURE(!wf_slice_is(path, "/metrics") && !wf_slice_is(path, "/statistics"));
        WF_ENSURE(!wf_slice_is(path, "/configurations") && !wf_slice_is(path, "/console/"));
        return;
    }
    switch (route.endpoint) {
    case WF_ENDPOINT_RUN:
        check_run_path(&route, path, pool);
        break;
    case WF_ENDPOINT_STATUS:
        check_pid_path(&route, path, "/status/");
        break;
    case WF_ENDPOINT_EVENTS:
        check_events_path(&route, path);
        break;
    case WF_ENDPOINT_INTERRUPT:
        check_pid_path(&route, path, "/interrupt/");
        break;
    case WF_ENDPOINT_LOGS:
        check_pid_path(&route, path, "/logs/");
        break;
    case WF_ENDPOINT_RUNS:
        WF_ENSURE(wf_slice_is(path, "/runs"));
        break;
    case WF_ENDPOINT_RUNS_EVENTS:
        WF_ENSURE(wf_slice_is(path, "/runs/events"));
        break;
    case WF_ENDPOINT_OPENAPI:
        WF_ENSURE(wf_slice_is(path, "/openapi.json"));
        break;
    case WF_ENDPOINT_PROJECTS:
        WF_ENSURE(wf_slice_is(path, "/projects"));
        break;
    case WF_ENDPOINT_PROJECT:
        check_project_path(&route, path, 2);
        break;
    case WF_ENDPOINT_TASK:
        check_project_path(&route, path, 4);
        break;
    case WF_ENDPOINT_CONFIGURATIONS:
        WF_ENSURE(wf_slice_is(path, "/configurations"));
        break;
    case WF_ENDPOINT_CONFIGURATION:
        check_configuration_path(&route, path, pool);
        break;
    case WF_ENDPOINT_CONSOLE:
        check_console_path(&route, path);
        break;
    case WF_ENDPOINT_STATISTICS:
        WF_ENSURE(wf_slice_is(path, "/statistics"));
        break;
    case WF_ENDPOINT_METRICS:
        WF_ENSURE(wf_slice_is(path, "/metrics"));
        break;
    }
}

/* Bytes with each one escaped. */
static const char *escape(wf_slice_t bytes, apr_pool_t *pool)
{
    static const char hex[] = "0123456789aBcDeF";
    char *out = apr_palloc(pool, bytes.len * 3 + 1);

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];

        out[i * 3] = '%';
        out[i * 3 + 1] = hex[c >> 4];
        out[i * 3 + 2] = hex[c & 15];
    }
    out[bytes.len * 3] = '\0';
    return out;
}

/* The query with one argument more. */
static apr_status_t find_with(wf_slice_t *value, const char *args, const char *name,
                              const char *added, apr_pool_t *pool)
{
    const char *key = escape(wf_slice(name), pool);

    return wf_query_find(value, apr_pstrcat(pool, args, "&", key, "=", added, NULL), name, pool);
}

static void check_query(const char *args, const char *name, apr_pool_t *pool)
{
    wf_slice_t value, again;
    apr_status_t status = wf_query_find(&value, args, name, pool);

    switch (status) {
    case APR_SUCCESS:
        WF_ENSURE(value.len <= strlen(args) && value.data[value.len] == '\0');
        WF_ENSURE(find_with(&again, args, name, escape(value, pool), pool) == APR_SUCCESS);
        WF_ENSURE(wf_slice_equal(again, value));
        again = wf_slice(apr_pstrcat(pool, escape(value, pool), "x", NULL));
        WF_ENSURE(find_with(&again, args, name, again.data, pool) == WF_EINVALID);
        break;
    case APR_NOTFOUND:
        WF_ENSURE(strncmp(args, name, strlen(name)) != 0 ||
                  !strchr("=&", args[strlen(name)])); /* strchr finds the end as well */
        WF_ENSURE(find_with(&again, args, name, "a+%2b", pool) == APR_SUCCESS);
        WF_ENSURE(wf_slice_is(again, "a +"));
        break;
    default:
        WF_ENSURE(status == WF_EINVALID);
        WF_ENSURE(strchr(args, '%') || strchr(args, '&'));
        WF_ENSURE(find_with(&again, args, name, "", pool) == WF_EINVALID);
    }
}

static void check_media(const char *type, apr_pool_t *pool)
{
    static const char application[] = "application/";
    int is_json = wf_media_is_json(type);
    char *lower = apr_pstrdup(pool, type);
    wf_slice_t essence;

    for (char *at = lower; *at; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    WF_ENSURE(wf_media_is_json(lower) == is_json);
    essence = wf_slice_of(lower, strspn(lower, "abcdefghijklmnopqrstuvwxyz0123456789!#$&-^_.+"));
    WF_ENSURE(wf_media_is_json(apr_pstrcat(
        pool, application, apr_pstrmemdup(pool, lower, essence.len), "x+json ;q=1", NULL)));
    WF_ENSURE(wf_media_is_json(apr_pstrcat(pool, "\t ", type, " \t", NULL)) == is_json);
    if (!is_json) {
        return;
    }
    WF_ENSURE(wf_media_is_json(apr_pstrcat(pool, type, "; Charset=\"UTF-8\"", NULL)));
    WF_ENSURE(!wf_media_is_json(apr_pstrcat(pool, type, ";charset=utf-16", NULL)));
    WF_ENSURE(!wf_media_is_json(apr_pstrcat(pool, type, ", text/plain", NULL)));
    lower += strspn(lower, " \t");
    essence = wf_slice_of(lower, strcspn(lower, " \t;"));
    WF_ENSURE(begins(essence, application) && essence.len > strlen(application) + 3);
    essence = wf_slice_of(essence.data + essence.len - 5, 5);
    WF_ENSURE(wf_slice_is(essence, "/json") || wf_slice_is(essence, "+json"));
}

static void check_range(const char *header, apr_uint64_t length)
{
    wf_range_t range;

    switch (wf_range_read(&range, header, length)) {
    case APR_SUCCESS:
        WF_ENSURE(range.begin < range.end && range.end <= length);
        WF_ENSURE(strncasecmp(header, "bytes=", 6) == 0 && !strchr(header, ','));
        break;
    case WF_EINVALID:
        WF_ENSURE(strncasecmp(header, "bytes=", 6) == 0);
        break;
    default:
        WF_ENSURE(wf_range_read(&range, header, length + 1) == APR_NOTFOUND);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    apr_pool_t *pool = wf_fuzz_pool();
    wf_slice_t rest = wf_slice_of(size ? (const char *)data : "", size);
    wf_slice_t path = take_line(&rest);
    wf_slice_t args = take_line(&rest);

    check_path(path, pool);
    check_query(apr_pstrmemdup(pool, args.data, args.len), "trigger", pool);
    check_query(apr_pstrmemdup(pool, args.data, args.len), "wait", pool);
    check_media(apr_pstrmemdup(pool, rest.data, rest.len), pool);
    check_range(apr_pstrmemdup(pool, rest.data, rest.len), args.len);
    check_range(apr_pstrmemdup(pool, rest.data, rest.len), APR_UINT64_MAX);
    apr_pool_clear(pool);
    return 0;
}
