/* SPDX-License-Identifier: Apache-2.0 */
/* What httpd has said of tasks. */
#include "http/rights.h"

#include <apr_strings.h>
#include "http/authz.h"

#define KEY_SIZE 256 /* of two ids and a slash */

typedef struct said_t {
    const char *uri; /* that httpd is asked about */
    int may;
} said_t;

void wf_rights_init(wf_rights_t *rights, wf_request_t *req)
{
    rights->req = req;
    rights->tasks = apr_hash_make(req->r->pool);
}

static said_t *ask(wf_rights_t *rights, const char *key, const char *project, const char *task)
{
    apr_pool_t *pool = rights->req->r->pool;
    said_t *said = apr_palloc(pool, sizeof(*said));

    said->uri = wf_authz_run_uri(rights->req, project, task);
    said->may = wf_authz_may(rights->req, "POST", said->uri);
    apr_hash_set(rights->tasks, apr_pstrdup(pool, key), APR_HASH_KEY_STRING, said);
    return said;
}

int wf_rights_may_run(wf_rights_t *rights, const char *project, const char *task)
{
    char key[KEY_SIZE];
    const said_t *said;

    apr_snprintf(key, sizeof(key), "%s/%s", project, task);
    said = apr_hash_get(rights->tasks, key, APR_HASH_KEY_STRING);
    return said ? said->may : ask(rights, key, project, task)->may;
}

int wf_rights_renew(wf_rights_t *rights)
{
    int is_other = 0;

    /* The hash's own iterator: nothing else walks it, and a long request takes no more memory. */
    for (apr_hash_index_t *i = apr_hash_first(NULL, rights->tasks); i; i = apr_hash_next(i)) {
        said_t *said;
        void *value;
        int may;

        apr_hash_this(i, NULL, NULL, &value);
        said = value;
        may = wf_authz_may(rights->req, "POST", said->uri);
        is_other |= may != said->may;
        said->may = may;
    }
    return is_other;
}
