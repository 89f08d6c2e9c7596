/* SPDX-License-Identifier: Apache-2.0 */
/* The REST connector's rules alone: URLs, path templates, headers, redirects, repeated attempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>
#include "flow/rest/header.h"
#include "flow/rest/path.h"
#include "flow/rest/policy.h"
#include "flow/rest/url.h"

static apr_pool_t *pool;

static int set_up(void **state)
{
    (void)state;
    return apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static wf_url_t url_of(const char *text)
{
    const char *reason;
    wf_url_t url;

    if (wf_url_parse(&url, &reason, text, pool) != APR_SUCCESS) {
        fail_msg("%s: must %s", text, reason);
    }
    return url;
}

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *origin, *path, *query;
    } rows[] = {
        {"https://api.example.org", "https://api.example.org:443", "/", NULL},
        {"HTTPS://API.Example.ORG:443/v1/?a=b#c", "https://api.example.org:443", "/v1/", "a=b"},
        {"http://127.0.0.1:8080/v1", "http://127.0.0.1:8080", "/v1", NULL},
        {"http://127.1/", "http://127.0.0.1:80", "/", NULL},
        {"http://[::1]:8080/x", "http://[::1]:8080", "/x", NULL},
        {"https://api.example.org/a/../b", "https://api.example.org:443", "/b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_url_t url = url_of(rows[i].text);
        assert_string_equal(url.origin, rows[i].origin);
        assert_string_equal(url.path, rows[i].path);
        assert_int_equal(url.query != NULL, rows[i].query != NULL);
        assert_true(!url.query || strcmp(url.query, rows[i].query) == 0);
        assert_null(strchr(url.text, '#'));
    }
}

static void what_is_no_url_of_a_service_is_refused(void **state)
{
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"", "begin with http:// or https://"},
        {"api.example.org", "begin with http:// or https://"},
        {"/v1", "begin with http:// or https://"},
        {"http://", "be a URL"},
        {"http://a b/", "be a URL"},
        {"http://api.example.org:99999/", "be a URL"},
        {"http://api.example.org/\r\nX: y", "be a URL"},
        {"ftp://api.example.org/", "begin with http:// or https://"},
        {"file:///etc/passwd", "begin with http:// or https://"},
        {"javascript://x/", "begin with http:// or https://"},
        {"http://user:pw@api.example.org/", "have no user or password in it"},
        {"http://user@api.example.org/", "have no user or password in it"},
        {"http://caf\xc3\xa9.example.org/",
         "have a host of letters, digits, \"-\", \"_\" and \".\", or an address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *reason = "";
        wf_url_t url;
        if (wf_url_parse(&url, &reason, rows[i].text, pool) != WF_EINVALID) {
            fail_msg("%s is taken", rows[i].text);
        }
        assert_string_equal(reason, rows[i].reason);
    }
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    wf_url_t home = url_of("https://api.example.org/v1"), other;

    (void)state;
    other = url_of("https://API.example.org:443/v2");
    assert_true(wf_url_is_same_origin(&home, &other));
    other = url_of("http://api.example.org:443/v1");
    assert_false(wf_url_is_same_origin(&home, &other));
    other = url_of("https://api.example.org:444/v1");
    assert_false(wf_url_is_same_origin(&home, &other));
    other = url_of("https://api.example.org.evil.example/v1");
    assert_false(wf_url_is_same_origin(&home, &other));
}

static void hosts_are_allowed_by_name_and_port(void **state)
{
    static const struct {
        const char *url;
        int is_allowed;
    } rows[] = {
        {"http://api.example.org:8080/x", 1},
        {"https://api.example.org/x", 1}, /* at the scheme's own port */
        {"http://api.example.org/x", 1},
        {"http://api.example.org:8081/x", 0},
        {"https://files.example.org/x", 1},
        {"http://files.example.org/x", 1},
        {"https://files.example.org:8443/x", 0},
        {"https://more.example.org:8443/x", 1},
        {"https://more.example.org/x", 0},
        {"http://[::1]:8080/x", 1},
        {"http://[::1]/x", 0},
        {"http://[::2]/x", 1},
        {"http://example.org/x", 0},
        {"http://files.example.org.evil.example/x", 0},
        {"http://127.0.0.1/x", 0},
    };
    static const char *const names[] = {"Files.example.org", "more.example.org:8443", "[::1]:8080",
                                        "[::2]"};
    wf_url_t home = url_of("http://api.example.org:8080/v1");
    wf_url_host_t hosts[4];

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(wf_url_host_parse(&hosts[i], names[i], pool), APR_SUCCESS);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_url_t url = url_of(rows[i].url);
        if (wf_url_is_allowed(&url, &home, hosts, 4) != rows[i].is_allowed) {
            fail_msg("%s", rows[i].url);
        }
    }
}

static void what_is_no_host_is_refused(void **state)
{
    static const char *const rows[] = {"",       "a/b",     "http://a", "a?b",  "a#b",
                                       "user@a", "a:99999", "*.a.org",  "a b",  "[::1",
                                       "a\\b",   "a:b",     "::1",      "a%2fb"};
    wf_url_host_t host;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (wf_url_host_parse(&host, rows[i], pool) != WF_EINVALID) {
            fail_msg("%s is taken", rows[i]);
        }
    }
}

/* ---- path templates ---- */

/* Parses a path; its error, or NULL. */
static const char *parse_path(const wf_rest_path_t **path, const char *text)
{
    json_t *object = json_pack("{s:s}", "path", text);
    wf_result_t result;
    wf_check_t at = {.object = object, .path = "/a", .result = &result, .pool = pool};
    apr_status_t rv;

    wf_result_init(&result, pool);
    rv = wf_rest_path_check(path, &at, "path");
    json_decref(object);
    assert_int_equal(rv == APR_SUCCESS, result.detail == NULL);
    return result.detail;
}

/* The URL that a path gives with a payload, or the error's detail. */
static const char *make_path(const char *home, const char *text, const char *payload)
{
    wf_scope_t scope = {.payload = wf_slice(payload)};
    wf_buf_t out = {NULL, 0, 0};
    wf_url_t url = url_of(home);
    const wf_rest_path_t *path;
    const char *made = parse_path(&path, text);
    wf_result_t result;

    if (made) {
        return made;
    }
    wf_result_init(&result, pool);
    if (wf_rest_path_url(&out, path, &url, &scope, "get", &result) == APR_SUCCESS) {
        made = apr_pstrmemdup(pool, out.data, out.len);
    } else {
        assert_int_equal(result.problem, WF_PROBLEM_MAPPING);
        made = result.detail;
    }
    wf_buf_free(&out);
    return made;
}

#define HOME "https://api.example.org/v1"
#define AT   "https://api.example.org:443/v1"

static void a_path_goes_behind_the_connectors_url(void **state)
{
    static const struct {
        const char *home, *path, *url;
    } rows[] = {
        {HOME, "/customers", AT "/customers"},
        {HOME "/", "/customers", AT "/customers"},
        {"https://api.example.org", "/customers", "https://api.example.org:443/customers"},
        {"https://api.example.org", "//evil.example/",
         "https://api.example.org:443//evil.example/"},
        {HOME, "", AT},
        {HOME, "/a b/\xc3\xa9/%2Fc/100%/\\d", AT "/a%20b/%C3%A9/%2Fc/100%25/%5Cd"},
        {HOME, "/x;v=1/(a)@b:c,d", AT "/x;v=1/(a)@b:c,d"},
        {HOME, "https://files.example.org/x", "https://files.example.org:443/x"},
        {HOME, "http://files.example.org:8080", "http://files.example.org:8080"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(make_path(rows[i].home, rows[i].path, "{}"), rows[i].url);
    }
}

static void data_stays_within_its_segment(void **state)
{
    static const struct {
        const char *value, *encoded;
    } rows[] = {
        {"\"7\"", "7"},
        {"7", "7"},
        {"true", "true"},
        {"\"a/b\"", "a%2Fb"},
        {"\"../admin\"", "..%2Fadmin"},
        {"\"a?b=c#d\"", "a%3Fb%3Dc%23d"},
        {"\"%2F\"", "%252F"},
        {"\"a b+c\"", "a%20b%2Bc"},
        {"\"\\u20ac\"", "%E2%82%AC"},
        {"\"\\u0000\\r\\n\"", "%00%0D%0A"},
        {"\"@evil.example:80\"", "%40evil.example%3A80"},
        {"\"\\\\\"", "%5C"},
        {"\"...\"", "..."},
        {"{\"a\":[1]}", "%7B%22a%22%3A%5B1%5D%7D"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *payload = apr_psprintf(pool, "{\"id\": %s}", rows[i].value);
        assert_string_equal(make_path(HOME, "/c/{{id}}/o", payload),
                            apr_psprintf(pool, AT "/c/%s/o", rows[i].encoded));
        assert_string_equal(make_path(HOME, "/c/x-{{ VALUE(\"id\") }}.json", payload),
                            apr_psprintf(pool, AT "/c/x-%s.json", rows[i].encoded));
    }
    assert_string_equal(make_path(HOME, "/{{\"}}\"}}{{'{{'''}}{{a}}/{{b}}", "{\"a\": 1, \"b\": 2}"),
                        AT "/%7D%7D%7B%7B%271/2");
    /* What own text begins to encode, data does not end. */
    assert_string_equal(make_path(HOME, "/a%{{id}}", "{\"id\": \"2F\"}"), AT "/a%252F");
    assert_string_equal(make_path(HOME, "/a%2{{id}}", "{\"id\": \"F\"}"), AT "/a%252F");
}

static void data_makes_no_other_path(void **state)
{
    static const char *const values[] = {"\".\"", "\"..\"", "\"\"", "null"};
    static const char *const paths[] = {"/c/{{id}}", "/c/{{id}}/", "/c/{{id}}/o", "/{{id}}"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *payload = apr_psprintf(pool, "{\"id\": %s, \"dot\": \".\"}", values[i]);
        for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
            assert_string_equal(make_path(HOME, paths[k], payload),
                                "the path of action \"get\" would have a segment that is empty, "
                                "\".\" or \"..\", where an expression stands");
        }
    }
    assert_non_null(strstr(make_path(HOME, "/c/{{a}}{{a}}/o", "{\"a\": \".\"}"), "a segment"));
    assert_non_null(strstr(make_path(HOME, "/c/.{{a}}", "{\"a\": \".\"}"), "a segment"));
    assert_non_null(strstr(make_path(HOME, "/c/%2e{{a}}", "{\"a\": \".\"}"), "a segment"));
    /* Where own text makes a segment of it, nothing may be missing by intent. */
    assert_string_equal(make_path(HOME, "/c/report{{a}}", "{}"), AT "/c/report");
}

static void paths_that_could_lead_elsewhere_are_refused(void **state)
{
    static const struct {
        const char *path, *error;
    } rows[] = {
        {"customers", "/a/path: must begin with /, http:// or https://"},
        {"{{id}}", "/a/path: must begin with /, http:// or https://"},
        {"ftp://files.example.org/", "/a/path: must begin with /, http:// or https://"},
        {"/a?b=c", "/a/path: must not hold ? or #; what follows them stands in \"query\""},
        {"/a{{b}}#c", "/a/path: must not hold ? or #; what follows them stands in \"query\""},
        {"https://{{host}}/x", "/a/path: must have a host without expressions, and a / behind it"},
        {"https://files.example.org{{x}}",
         "/a/path: must have a host without expressions, and a / behind it"},
        {"https://files.example.org:{{port}}/",
         "/a/path: must have a host without expressions, and a / behind it"},
        {"https://files.example.org?x/{{y}}", "/a/path: must have a / behind its host"},
        {"https://user@files.example.org/", "/a/path: must have no user or password in it"},
        {"https:///x", "/a/path: must be a URL"},
    };
    const wf_rest_path_t *path;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *error = parse_path(&path, rows[i].path);
        assert_string_equal(error ? error : rows[i].path, rows[i].error);
    }
    assert_non_null(parse_path(&path, "/{{a"));
    assert_null(parse_path(&path, "https://files.example.org/{{x}}"));
    assert_string_equal(wf_rest_path_host(path)->origin, "https://files.example.org:443");
    assert_null(parse_path(&path, "/x"));
    assert_null(wf_rest_path_host(path));
}

/* ---- headers ---- */

static void header_names_are_tokens(void **state)
{
    static const char *const bad[] = {"",    "a b", "a:",  "a\r",  "\xc3\xa9",
                                      "a\n", "(a)", "a/b", "\"a\""};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(wf_header_is_name(bad[i]));
    }
    assert_true(wf_header_is_name("X-Request.Id_1"));
    assert_null(wf_header_forbidden("Authorization"));
    assert_non_null(wf_header_forbidden("HOST"));
    assert_non_null(wf_header_forbidden("content-length"));
    assert_non_null(wf_header_forbidden("Transfer-Encoding"));
}

static void header_values_are_one_line(void **state)
{
    static const char controls[] = "\r\n\x01\x1b\x7f";

    (void)state;
    assert_true(wf_header_is_value(wf_slice("")));
    assert_true(wf_header_is_value(wf_slice("a\tb \xc3\xa9")));
    assert_false(wf_header_is_value(wf_slice_of("a\0b", 3)));
    for (const char *c = controls; *c; c++) {
        assert_false(wf_header_is_value(wf_slice_of(c, 1)));
    }
}

static void a_header_is_there_once(void **state)
{
    apr_array_header_t *headers = apr_array_make(pool, 2, sizeof(wf_header_t));

    (void)state;
    wf_header_set(headers, "Accept", "a");
    wf_header_set(headers, "X", "b");
    wf_header_set(headers, "ACCEPT", "c");
    assert_int_equal(headers->nelts, 2);
    assert_string_equal(wf_header_get(headers, "accept"), "c");
    assert_null(wf_header_get(headers, "Y"));
}

/* ---- redirects and attempts ---- */

static void redirects_are_followed_where_they_may_lead(void **state)
{
    static const struct {
        const char *from;
        int status;
        const char *location;
        int followed;
        const char *next; /* the URL, or what is said against it; NULL: no redirect */
    } rows[] = {
        {HOME, 200, "/x", 0, NULL},
        {HOME, 304, "/x", 0, NULL},
        {HOME, 300, "/x", 0, NULL},
        {HOME, 302, NULL, 0, NULL},
        {HOME, 301, "/x", 0, "https://api.example.org/x"},
        {HOME, 302, "x", 0, "https://api.example.org/x"},
        {HOME, 303, "?a=b", 0, "https://api.example.org/v1?a=b"},
        {HOME, 307, "../../x#y", 4, "https://api.example.org/x"},
        {HOME, 308, "https://files.example.org/a b", 0, "https://files.example.org/a%20b"},
        {HOME, 302, "//files.example.org/x", 0, "https://files.example.org/x"},
        {HOME, 302, "/x", 5, "one redirect too many"},
        {HOME, 302, "http://api.example.org/x", 0,
         "a redirect from https to http, which is not followed"},
        {HOME, 302, "http://files.example.org/x", 0,
         "a redirect from https to http, which is not followed"},
        {"http://api.example.org/x", 302, "https://api.example.org/x", 0,
         "https://api.example.org/x"},
        {HOME, 302, "https://evil.example/x", 0,
         "a redirect to a host that the connector's \"hosts\" does not have"},
        {HOME, 302, "//evil.example", 0,
         "a redirect to a host that the connector's \"hosts\" does not have"},
        {HOME, 302, "https://api.example.org:8443/x", 0,
         "a redirect to a host that the connector's \"hosts\" does not have"},
        {HOME, 302, "https://u:p@api.example.org/x", 0,
         "a redirect to what is no http or https URL"},
        {HOME, 302, "ftp://api.example.org/x", 0, "a redirect to what is no http or https URL"},
        {HOME, 302, "file:///etc/passwd", 0, "a redirect to what is no http or https URL"},
        {HOME, 302, "https://api.example.org@evil.example/", 0,
         "a redirect to what is no http or https URL"},
    };
    wf_url_t home = url_of(HOME);
    wf_url_host_t host = {"files.example.org", 0};
    wf_redirect_rules_t rules = {&home, &host, 1};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wf_url_t from = url_of(rows[i].from), next;
        const char *why = NULL;
        apr_status_t rv = wf_redirect_next(&next, &why, &from, rows[i].status, rows[i].location,
                                           rows[i].followed, &rules, pool);
        if (rv == APR_NOTFOUND) {
            assert_null(rows[i].next);
        } else {
            assert_string_equal(rv == APR_SUCCESS ? next.text : why, rows[i].next);
        }
    }
}

static void only_what_may_pass_is_repeated(void **state)
{
    (void)state;
    assert_true(wf_retry_is_status(429) && wf_retry_is_status(502) && wf_retry_is_status(503) &&
                wf_retry_is_status(504));
    assert_false(wf_retry_is_status(500) || wf_retry_is_status(501) || wf_retry_is_status(200));
    assert_true(wf_retry_is_idempotent("GET") && wf_retry_is_idempotent("PUT") &&
                wf_retry_is_idempotent("DELETE") && wf_retry_is_idempotent("HEAD"));
    assert_false(wf_retry_is_idempotent("POST") || wf_retry_is_idempotent("PATCH"));
}

static void pauses_grow_within_bounds(void **state)
{
    const apr_interval_time_t half = APR_USEC_PER_SEC / 2;

    (void)state;
    assert_int_equal(wf_retry_pause(half, 1, -1, 0), half);
    assert_int_equal(wf_retry_pause(half, 3, -1, 0), 4 * half);
    assert_int_equal(wf_retry_pause(half, 1, -1, 255), half / 2);
    assert_int_equal(wf_retry_pause(half, 4000000000u, -1, 0), WF_RETRY_PAUSE_MOST);
    assert_int_equal(wf_retry_pause(APR_INT64_C(315360000000000), 2, -1, 0), WF_RETRY_PAUSE_MOST);
    assert_int_equal(wf_retry_pause(half, 1, 0, 255), 0);
    assert_int_equal(wf_retry_pause(half, 1, 7, 255), apr_time_from_sec(7));
    assert_int_equal(wf_retry_pause(half, 1, APR_INT64_MAX, 0), WF_RETRY_PAUSE_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_no_url_of_a_service_is_refused),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(hosts_are_allowed_by_name_and_port),
        cmocka_unit_test(what_is_no_host_is_refused),
        cmocka_unit_test(a_path_goes_behind_the_connectors_url),
        cmocka_unit_test(data_stays_within_its_segment),
        cmocka_unit_test(data_makes_no_other_path),
        cmocka_unit_test(paths_that_could_lead_elsewhere_are_refused),
        cmocka_unit_test(header_names_are_tokens),
        cmocka_unit_test(header_values_are_one_line),
        cmocka_unit_test(a_header_is_there_once),
        cmocka_unit_test(redirects_are_followed_where_they_may_lead),
        cmocka_unit_test(only_what_may_pass_is_repeated),
        cmocka_unit_test(pauses_grow_within_bounds),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
