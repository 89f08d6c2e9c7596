/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program wf-check: loads project files by the very code that the server loads them by.
 *
 *   wf-check DIR [ID …]   all of a folder's files, or those of some projects
 *
 * One line a file. Exit code 0: all are good; 1: some are broken; 2: it could not look.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "flow/project.h"

#define SUFFIX ".json"

enum { GOOD, BROKEN, UNUSABLE };

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The ids of a folder's files, sorted; a file that no id can name is not one of them. */
static int list_ids(apr_array_header_t *ids, const char *dir, apr_pool_t *pool)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;

    if (!folder) {
        fprintf(stderr, "wf-check: %s: %s\n", dir, strerror(errno));
        return UNUSABLE;
    }
    while ((entry = readdir(folder)) != NULL) {
        apr_size_t len = strlen(entry->d_name);
        apr_size_t tail = strlen(SUFFIX);

        if (len > tail && strcmp(entry->d_name + len - tail, SUFFIX) == 0) {
            const char *id = apr_pstrndup(pool, entry->d_name, len - tail);

            if (wf_id_is_valid(id)) {
                APR_ARRAY_PUSH(ids, const char *) = id;
            }
        }
    }
    closedir(folder);
    qsort(ids->elts, (size_t)ids->nelts, sizeof(const char *), compare_texts);
    return GOOD;
}

static int check_one(const char *dir, const char *id, apr_pool_t *pool)
{
    wf_project_t *project;
    wf_result_t result;

    wf_result_init(&result, pool);
    if (wf_project_load(&project, dir, id, &result, pool) != APR_SUCCESS) {
        /* What is missing has no file's name in its detail. */
        if (result.problem == WF_PROBLEM_UNKNOWN_PROJECT) {
            printf("%s" SUFFIX ": is not there\n", id);
        } else {
            printf("%s\n", result.detail);
        }
        return BROKEN;
    }
    printf("%s" SUFFIX ": good (%d task%s)\n", id, wf_project_task_count(project),
           wf_project_task_count(project) == 1 ? "" : "s");
    return GOOD;
}

static int check_all(const char *dir, const apr_array_header_t *ids, apr_pool_t *pool)
{
    int worst = GOOD;

    for (int i = 0; i < ids->nelts; i++) {
        apr_pool_t *own;
        int status;

        apr_pool_create(&own, pool);
        status = check_one(dir, APR_ARRAY_IDX(ids, i, const char *), own);
        worst = status > worst ? status : worst;
        apr_pool_destroy(own);
    }
    return worst;
}

int main(int argc, const char *const *argv)
{
    apr_array_header_t *ids;
    apr_pool_t *pool;
    int status = GOOD;

    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: wf-check DIR [ID ...]\n");
        return UNUSABLE;
    }
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        return UNUSABLE;
    }
    ids = apr_array_make(pool, 16, sizeof(const char *));
    for (int i = 2; i < argc; i++) {
        APR_ARRAY_PUSH(ids, const char *) = argv[i];
    }
    if (argc == 2) {
        status = list_ids(ids, argv[1], pool);
    }
    if (status == GOOD && ids->nelts == 0) {
        fprintf(stderr, "wf-check: %s: there is no {projectId}" SUFFIX " in it\n", argv[1]);
        status = UNUSABLE;
    }
    if (status == GOOD) {
        status = check_all(argv[1], ids, pool);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return status;
}
