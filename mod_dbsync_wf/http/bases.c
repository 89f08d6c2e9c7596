/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the bases in the configuration tree. */
#include "http/bases.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include "http/config.h"

APLOG_USE_MODULE(dbsync_wf);

typedef struct finder_t {
    server_rec *main_server;
    apr_pool_t *pool;
    int misplaced;
} finder_t;

/* Where in the tree the walk is. */
typedef struct place_t {
    server_rec *server;
    const char *location; /* path of the plain <Location> directly around, or NULL */
} place_t;

static int is_directive(const ap_directive_t *node, const char *name)
{
    return strcasecmp(node->directive, name) == 0;
}

static int names_handler(const ap_directive_t *node, apr_pool_t *pool)
{
    const char *args = node->args;

    return (is_directive(node, "SetHandler") || is_directive(node, "AddHandler")) &&
           strcasecmp(ap_getword_conf(pool, &args), WF_HANDLER) == 0;
}

/* The path of a <Location> that compares a path's beginning and nothing else, or NULL. */
static const char *plain_path(const ap_directive_t *node, apr_pool_t *pool)
{
    char *line = apr_pstrdup(pool, node->args);
    char *end = strrchr(line, '>'); /* of the section's own brackets */
    const char *args = line;
    char *path;
    apr_size_t len;

    if (end) {
        *end = '\0';
    }
    path = ap_getword_conf(pool, &args);
    len = strlen(path);

    if (path[0] != '/' || ap_is_matchexp(path)) {
        return NULL;
    }
    /* "/x/" covers what lies under "/x", which is all that is routed. */
    while (len > 0 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    return path;
}

static server_rec *find_server(const finder_t *finder, const ap_directive_t *node)
{
    for (server_rec *s = finder->main_server->next; s; s = s->next) {
        if (s->defn_line_number == (unsigned)node->line_num && s->defn_name &&
            strcmp(s->defn_name, node->filename) == 0) {
            return s;
        }
    }
    return NULL;
}

static void add_base(apr_array_header_t **bases, const char *path, apr_pool_t *pool)
{
    wf_base_t *base;

    if (!*bases) {
        *bases = apr_array_make(pool, 2, sizeof(wf_base_t));
    }
    base = apr_array_push(*bases);
    base->path = wf_slice(path);
    base->uri = ap_os_escape_path(pool, path, 1);
}

static void visit_handler(finder_t *finder, const ap_directive_t *node, const place_t *place)
{
    if (place->location && place->server && is_directive(node, "SetHandler")) {
        add_base(&wf_server_config(place->server)->bases, place->location, finder->pool);
        return;
    }
    finder->misplaced++;
    ap_log_error(
        APLOG_MARK, APLOG_ERR, 0, finder->main_server,
        "WF0301: %s:%d: %s " WF_HANDLER " must stand directly in a plain section, such as "
        "<Location \"/cw/api/v2\">, without patterns: move it there, as SetHandler " WF_HANDLER,
        node->filename, node->line_num, node->directive);
}

static place_t enter(const finder_t *finder, const ap_directive_t *node, const place_t *place)
{
    place_t inner = {place->server, NULL};

    if (is_directive(node, "<VirtualHost")) {
        inner.server = find_server(finder, node);
    } else if (is_directive(node, "<Location")) {
        inner.location = plain_path(node, finder->pool);
    }
    return inner;
}

/*
 * As deep as sections nest. In the tree <IfModule> and its kind, Include and macros have been
 * replaced by what they stand for, and variables by their values.
 */
static void walk(finder_t *finder, const ap_directive_t *node, const place_t *place)
{
    for (; node; node = node->next) {
        if (names_handler(node, finder->pool)) {
            visit_handler(finder, node, place);
        }
        if (node->first_child) {
            place_t inner = enter(finder, node, place);

            walk(finder, node->first_child, &inner);
        }
    }
}

static int compare_longest_first(const void *a, const void *b)
{
    apr_size_t left = ((const wf_base_t *)a)->path.len;
    apr_size_t right = ((const wf_base_t *)b)->path.len;

    return left < right ? 1 : left > right ? -1 : 0;
}

/* Gives a server the main server's bases beside its own; whether it has any. */
static int complete(server_rec *server, const apr_array_header_t *main_bases, apr_pool_t *pool)
{
    wf_server_config_t *config = wf_server_config(server);

    if (main_bases && config->bases != main_bases) {
        config->bases = config->bases ? apr_array_append(pool, config->bases, main_bases)
                                      : apr_array_copy(pool, main_bases);
    }
    if (!config->bases) {
        return 0;
    }
    qsort(config->bases->elts, (size_t)config->bases->nelts, sizeof(wf_base_t),
          compare_longest_first);
    return 1;
}

apr_status_t wf_bases_collect(const ap_directive_t *tree, server_rec *main_server,
                              apr_pool_t *pconf)
{
    finder_t finder = {main_server, pconf, 0};
    place_t top = {main_server, NULL};
    wf_server_config_t *config = wf_server_config(main_server);

    walk(&finder, tree, &top);
    config->shared->in_use = 0;
    for (server_rec *s = main_server; s; s = s->next) {
        config->shared->in_use |= complete(s, config->bases, pconf);
    }
    return finder.misplaced ? APR_EGENERAL : APR_SUCCESS;
}

const wf_base_t *wf_bases_find(const apr_array_header_t *bases, wf_slice_t path)
{
    for (int i = 0; bases && i < bases->nelts; i++) {
        const wf_base_t *base = &APR_ARRAY_IDX(bases, i, wf_base_t);

        if (path.len >= base->path.len && memcmp(path.data, base->path.data, base->path.len) == 0 &&
            (path.len == base->path.len || path.data[base->path.len] == '/')) {
            return base;
        }
    }
    return NULL;
}
