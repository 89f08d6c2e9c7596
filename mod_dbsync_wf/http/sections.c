/* SPDX-License-Identifier: Apache-2.0 */
/* Telling sections apart. */
#include "http/sections.h"

#include <http_core.h>

static void mark(ap_conf_vector_t *section, apr_pool_t *pconf);

static void mark_all(const apr_array_header_t *sections, apr_pool_t *pconf)
{
    for (int i = 0; sections && i < sections->nelts; i++) {
        mark(APR_ARRAY_IDX(sections, i, ap_conf_vector_t *), pconf);
    }
}

/* As deep as sections nest. */
static void mark(ap_conf_vector_t *section, apr_pool_t *pconf)
{
    const core_dir_config *core = ap_get_core_module_config(section);

    if (!ap_get_module_config(section, &dbsync_wf_module)) {
        ap_set_module_config(section, &dbsync_wf_module, wf_config_create_dir(pconf, NULL));
    }
    if (core) {
        mark_all(core->sec_file, pconf);
        mark_all(core->sec_if, pconf);
    }
}

void wf_sections_mark(server_rec *main_server, apr_pool_t *pconf)
{
    for (const server_rec *s = main_server; s; s = s->next) {
        const core_server_config *core = ap_get_core_module_config(s->module_config);

        mark(s->lookup_defaults, pconf);
        mark_all(core->sec_dir, pconf);
        mark_all(core->sec_url, pconf);
    }
}

/* As deep as sections were merged. */
static void identify(wf_buf_t *out, const wf_dir_config_t *dir)
{
    if (dir->parts[0]) {
        identify(out, dir->parts[0]);
        identify(out, dir->parts[1]);
    } else {
        wf_buf_add(out, &dir, sizeof(dir)); /* its address */
    }
}

void wf_sections_identify(wf_buf_t *out, const request_rec *r)
{
    wf_buf_add(out, &r->server, sizeof(r->server));
    identify(out, ap_get_module_config(r->per_dir_config, &dbsync_wf_module));
}
