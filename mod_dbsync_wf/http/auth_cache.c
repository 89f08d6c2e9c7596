/* SPDX-License-Identifier: Apache-2.0 */
/* The provider that remembers. */
#include "http/auth_cache.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <ap_provider.h>
#include <http_core.h>
#include <http_log.h>
#include <http_request.h>
#include <mod_auth.h>
#include "base/accepted.h"
#include "base/clock.h"
#include "http/request.h"
#include "http/sections.h"

APLOG_USE_MODULE(dbsync_wf);

#define KEEP_MOST   apr_time_from_sec(3600)
#define NOTE_INSIDE "dbsync-wf-auth-cache" /* on a request while wrapped providers are asked */

typedef struct wrapped_t {
    const char *name;
    const authn_provider *provider;
} wrapped_t;

struct wf_auth_cache_t {
    apr_interval_time_t keep;
    apr_array_header_t *providers; /* of wrapped_t */
};

static const char *add_provider(wf_auth_cache_t *cache, cmd_parms *cmd, const char *name)
{
    const authn_provider *provider =
        ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
    wrapped_t *wrapped;

    if (strcasecmp(name, WF_AUTH_CACHE_PROVIDER) == 0) {
        return "DbsyncWfAuthCache cannot remember for itself: name the providers that know the "
               "passwords, as in DbsyncWfAuthCache 60 file";
    }
    if (!provider || !provider->check_password) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfAuthCache: there is no provider \"%s\" that checks passwords: "
                            "load its module (mod_authn_file for \"file\") before this line",
                            name);
    }
    wrapped = apr_array_push(cache->providers);
    wrapped->name = apr_pstrdup(cmd->pool, name);
    wrapped->provider = provider;
    return NULL;
}

const char *wf_auth_cache_parse(const wf_auth_cache_t **cache, cmd_parms *cmd, int argc,
                                char *const argv[])
{
    wf_auth_cache_t *made = apr_pcalloc(cmd->pool, sizeof(*made));
    const char *wrong = NULL;

    if (argc < 2) {
        return "DbsyncWfAuthCache takes a time and the names of providers, as in DbsyncWfAuthCache "
               "60 file";
    }
    if (!apr_isdigit(*argv[0]) ||
        ap_timeout_parameter_parse(argv[0], &made->keep, "s") != APR_SUCCESS || made->keep < 0 ||
        made->keep > KEEP_MOST) {
        return apr_psprintf(cmd->pool,
                            "DbsyncWfAuthCache must have a time from 0 to 1h, in seconds or with "
                            "ms, s, mi or h behind the number, before the names of providers, not "
                            "\"%s\"",
                            argv[0]);
    }
    made->providers = apr_array_make(cmd->pool, argc - 1, sizeof(wrapped_t));
    for (int i = 1; i < argc && !wrong; i++) {
        wrong = add_provider(made, cmd, argv[i]);
    }
    *cache = made;
    return wrong;
}

/*
 * One after the other until one knows the user, as mod_auth_basic does. An alias
 * (<AuthnProviderAlias>) finds itself by the note.
 */
static authn_status ask(request_rec *r, const wf_auth_cache_t *cache, const char *user,
                        const char *password)
{
    const char *own_name = apr_table_get(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    authn_status status = AUTH_USER_NOT_FOUND;

    apr_table_setn(r->notes, NOTE_INSIDE, "");
    for (int i = 0; i < cache->providers->nelts && status == AUTH_USER_NOT_FOUND; i++) {
        const wrapped_t *wrapped = &APR_ARRAY_IDX(cache->providers, i, wrapped_t);

        apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, wrapped->name);
        status = wrapped->provider->check_password(r, user, password);
    }
    apr_table_unset(r->notes, NOTE_INSIDE);
    if (own_name) {
        apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, own_name);
    } else {
        apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    }
    return status;
}

/*
 * This child's memory, where it may be used for this request. Elsewhere than at an API's path an
 * .htaccess may have had a say, of which wf_sections_identify would not know.
 */
static wf_accepted_t *memory_for(request_rec *r, const wf_auth_cache_t *cache)
{
    const wf_request_t *req = wf_request_get(r);

    return req && req->mapped && cache->keep > 0 ? req->shared->accepted : NULL;
}

static void make_code(unsigned char code[WF_HMAC_SIZE], const wf_accepted_t *accepted,
                      request_rec *r, const char *user, const char *password)
{
    wf_buf_t sections = {NULL, 0, 0};
    wf_slice_t parts[5];

    wf_sections_identify(&sections, r);
    parts[0] = wf_buf_slice(&sections);
    parts[1] = wf_slice(ap_auth_name(r));
    parts[2] = wf_slice(apr_table_get(r->notes, AUTHN_PROVIDER_NAME_NOTE));
    parts[3] = wf_slice(user);
    parts[4] = wf_slice(password);
    wf_accepted_code(code, accepted, parts, 5);
    wf_buf_free(&sections);
}

static int is_same_user(const char *before, const char *after)
{
    return before && after ? strcmp(before, after) == 0 : before == after;
}

/* The time counts from before the question: an answer may itself have been some time on its way. */
static authn_status ask_or_remember(request_rec *r, const wf_auth_cache_t *cache,
                                    wf_accepted_t *accepted, const char *user, const char *password)
{
    const char *user_before = r->user;
    apr_time_t now = wf_clock();
    unsigned char code[WF_HMAC_SIZE];
    authn_status status = AUTH_GRANTED;

    make_code(code, accepted, r, user, password);
    if (!wf_accepted_has(accepted, code, now)) {
        status = ask(r, cache, user, password);
        /* A provider may give the user another name, which it would not have another time. */
        if (status == AUTH_GRANTED && is_same_user(user_before, r->user)) {
            wf_accepted_add(accepted, code, now + cache->keep);
            ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r,
                          "WF0370: the password of %s is remembered as accepted", user);
        }
    }
    explicit_bzero(code, sizeof(code));
    return status;
}

static authn_status check_password(request_rec *r, const char *user, const char *password)
{
    const wf_auth_cache_t *cache = wf_config_auth_cache(r);
    wf_accepted_t *accepted;

    if (!cache) {
        wf_request_t *req = wf_request_get(r);

        if (!req || wf_request_may_complain(req, WF_COMPLAINT_NO_AUTH_CACHE)) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                          "WF0371: the provider " WF_AUTH_CACHE_PROVIDER
                          " has nobody to ask: write "
                          "\"DbsyncWfAuthCache 60 file\" beside it, or another provider's name");
        }
        return AUTH_GENERAL_ERROR;
    }
    if (apr_table_get(r->notes, NOTE_INSIDE)) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "WF0372: DbsyncWfAuthCache names an alias of " WF_AUTH_CACHE_PROVIDER
                      ", which would ask itself: name the providers that know the passwords");
        return AUTH_GENERAL_ERROR;
    }
    accepted = memory_for(r, cache);
    return accepted ? ask_or_remember(r, cache, accepted, user, password)
                    : ask(r, cache, user, password);
}

/* No hash for Digest: that one is computed by each request anyway, and costs little. */
static const authn_provider provider = {check_password, NULL};

void wf_auth_cache_register(apr_pool_t *pool)
{
    ap_register_auth_provider(pool, AUTHN_PROVIDER_GROUP, WF_AUTH_CACHE_PROVIDER,
                              AUTHN_PROVIDER_VERSION, &provider, AP_AUTH_INTERNAL_PER_CONF);
}
