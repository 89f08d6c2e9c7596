/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a connection. apr_dbd_open blocks for as long as the client library likes, so it is
 * called aside, with all that belongs to the connection in a pool of its own; where it is waited
 * for no longer, that thread closes what it may still get.
 */
#include "flow/sql/driver.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include "base/clock.h"
#include "base/log.h"
#include "flow/sql/aside.h"

typedef struct opening_t {
    apr_pool_t *pool; /* has no parent: it may change its thread */
    wf_sql_t *sql;
    const char *params;
    apr_status_t status;
    const char *error; /* as the client library has it: with hosts and paths */
} opening_t;

static void close_sql(wf_sql_t *sql)
{
    if (sql->native) {
        sql->driver->disown(sql);
    }
    if (sql->handle) {
        apr_dbd_close(sql->dbd, sql->handle);
    }
    wf_buf_free(&sql->reason);
}

static void work(void *baton)
{
    opening_t *opening = baton;
    wf_sql_t *sql = opening->sql;

    opening->status = apr_dbd_init(opening->pool);
    if (opening->status == APR_SUCCESS) {
        opening->status = apr_dbd_get_driver(opening->pool, sql->driver->name, &sql->dbd);
    }
    if (opening->status != APR_SUCCESS) {
        opening->error = "its apr_dbd driver cannot be loaded";
        return;
    }
    opening->status =
        apr_dbd_open_ex(sql->dbd, opening->pool, opening->params, &sql->handle, &opening->error);
    if (opening->status != APR_SUCCESS) {
        sql->handle = NULL;
        return;
    }
    sql->native = apr_dbd_native_handle(sql->dbd, sql->handle);
    opening->status = sql->driver->adopt(sql);
    if (opening->status != APR_SUCCESS) {
        opening->error = wf_sql_reason(sql);
    }
}

static void drop(void *baton)
{
    opening_t *opening = baton;

    close_sql(opening->sql);
    apr_pool_destroy(opening->pool);
}

static apr_status_t close_opened(void *data)
{
    opening_t *opening = data;

    close_sql(opening->sql);
    apr_pool_destroy(opening->pool);
    return APR_SUCCESS;
}

/* ---- what may be told of a failure ---- */

static int ends_value(char c)
{
    return c == '\0' || apr_isspace(c) || strchr(",;|'\"", c) != NULL;
}

/* Whether a key's value tells where the database is, or opens it. */
static int is_secret_key(const char *key, apr_size_t len)
{
    static const char *const keys[] = {"host", "hostaddr", "sock",    "pass",   "password",
                                       "pwd",  "passfile", "service", "server", NULL};

    for (int i = 0; keys[i]; i++) {
        if (strlen(keys[i]) == len && strncasecmp(keys[i], key, len) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Replaces each occurrence of a secret. */
static const char *hide(const char *text, const char *secret, apr_size_t len, apr_pool_t *pool)
{
    apr_size_t at = 0;
    const char *found;

    while (len > 0 && (found = memmem(text + at, strlen(text) - at, secret, len)) != NULL) {
        apr_size_t before = (apr_size_t)(found - text);

        text = apr_pstrcat(pool, apr_pstrmemdup(pool, text, before), "…", found + len, NULL);
        at = before + strlen("…");
    }
    return text;
}

/* Replaces what looks like a path: from a slash at a word's beginning to the word's end. */
static const char *hide_paths(const char *text, apr_pool_t *pool)
{
    wf_buf_t out = {0};
    const char *hidden;
    int at_start = 1;

    while (*text) {
        if (at_start && *text == '/' && text[1] && !ends_value(text[1])) {
            wf_buf_add_text(&out, "…");
            while (!ends_value(*text)) {
                text++;
            }
        } else {
            at_start = ends_value(*text) || *text == '(';
            wf_buf_add_char(&out, *text++);
        }
    }
    hidden = apr_pstrmemdup(pool, out.data ? out.data : "", out.len);
    wf_buf_free(&out);
    return hidden;
}

static const char *scrub(const char *error, const wf_sql_config_t *config, const char *password,
                         apr_pool_t *pool)
{
    const char *equals = config->params;
    /* libpq names host and address first, once for each that it has tried. */
    const char *reason = strstr(error, " failed: ");

    while (reason) {
        error = reason + strlen(" failed: ");
        reason = strstr(error, " failed: ");
    }
    if (strlen(config->params) > 3) {
        error = hide(error, config->params, strlen(config->params), pool);
    }
    if (password) {
        error = hide(error, password, strlen(password), pool);
    }
    while ((equals = strchr(equals, '=')) != NULL) {
        const char *key = equals, *value = equals + 1, *end;

        while (key > config->params && apr_isspace(key[-1])) {
            key--;
        }
        end = key;
        while (key > config->params && apr_isalpha(key[-1])) {
            key--;
        }
        while (apr_isspace(*value) || *value == '\'') {
            value++;
        }
        equals = value;
        while (!ends_value(*equals)) {
            equals++;
        }
        if (is_secret_key(key, (apr_size_t)(end - key))) {
            error = hide(error, value, (apr_size_t)(equals - value), pool);
        }
    }
    return hide_paths(error, pool);
}

static apr_status_t refuse(wf_sql_t *sql, const char *error, const char *password,
                           wf_result_t *result, apr_pool_t *pool)
{
    if (!error || !*error) {
        error = "the database gave no reason";
    }
    wf_sql_fail(sql, WF_FAULT_CONNECTION, scrub(error, sql->config, password, pool));
    return wf_result_set(result, APR_EGENERAL, WF_PROBLEM_CONNECTOR,
                         "connector \"%s\" cannot be opened: %s", sql->connector,
                         wf_sql_reason(sql));
}

/* ---- opening ---- */

static apr_status_t find_params(const char **params, const char **password,
                                const wf_sql_config_t *config, const char *connector,
                                wf_result_t *result, apr_pool_t *pool)
{
    apr_status_t rv;

    *password = NULL;
    if (config->password) {
        rv = wf_secret_read(password, config->password, connector, result, pool);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    *params = config->driver->add_password(config->params, *password, pool);
    if (!*params) {
        return wf_result_set(result, APR_EGENERAL, WF_PROBLEM_CONNECTOR,
                             "the password of connector \"%s\" has a character that apr_dbd's "
                             "driver for %s cannot take",
                             connector, config->driver->name);
    }
    return APR_SUCCESS;
}

static opening_t *make_opening(const char *connector, const wf_sql_config_t *config,
                               const char *params)
{
    apr_pool_t *pool;
    opening_t *opening;

    apr_pool_create(&pool, NULL);
    apr_pool_tag(pool, "wf_sql");
    opening = apr_pcalloc(pool, sizeof(*opening));
    opening->pool = pool;
    opening->params = apr_pstrdup(pool, params);
    opening->sql = apr_pcalloc(pool, sizeof(*opening->sql));
    opening->sql->driver = config->driver;
    opening->sql->connector = apr_pstrdup(pool, connector);
    opening->sql->pool = pool;
    return opening;
}

apr_status_t wf_sql_open(wf_sql_t **sql, const char *connector, const wf_sql_config_t *config,
                         wf_cancel_t *cancel, apr_time_t deadline, wf_result_t *result,
                         apr_pool_t *pool)
{
    apr_time_t patience = wf_clock() + config->connect_timeout;
    const char *params, *password;
    opening_t *opening;
    apr_status_t rv = find_params(&params, &password, config, connector, result, pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    opening = make_opening(connector, config, params);
    if (deadline && deadline < patience) {
        patience = deadline;
    }
    rv = wf_aside(work, drop, opening, cancel, patience);
    if (rv == APR_TIMEUP && patience == deadline) {
        wf_cancel_request(cancel, WF_CANCEL_TIMEOUT);
        return WF_ECANCELLED;
    }
    if (rv == WF_ECANCELLED) {
        return rv;
    }
    if (rv != APR_SUCCESS) {
        return wf_result_set(result, APR_EGENERAL, WF_PROBLEM_CONNECTOR,
                             "connector \"%s\" cannot be opened: the database did not answer in "
                             "time",
                             connector);
    }
    opening->sql->config = config;
    opening->sql->cancel = cancel;
    opening->sql->deadline = deadline;
    if (opening->status != APR_SUCCESS) {
        rv = refuse(opening->sql, opening->error, password, result, pool);
        close_opened(opening);
        return rv;
    }
    apr_pool_cleanup_register(pool, opening, close_opened, apr_pool_cleanup_null);
    *sql = opening->sql;
    return APR_SUCCESS;
}
