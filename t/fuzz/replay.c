/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a fuzz target every file of some folders, one after the other, so that what was found once
 * is tested in each build, by any compiler. Reports as cmocka's programs do.
 *
 *   replay_NAME             the folders that the build gives the target
 *   replay_NAME PLACE …     these files and folders
 *   replay_NAME --folders   prints the former, a line each
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *const own_folders[] = {WF_FUZZ_FOLDERS};

#define OWN_COUNT ((int)(sizeof(own_folders) / sizeof(own_folders[0])))

/* In a block of exactly the file's size, so that AddressSanitizer sees a read past its end. */
static int replay_file(const char *path, size_t size)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);

    if (!in || !data || fread(data, 1, size, in) != size) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    fclose(in);
    if (size == 0) {
        free(data);
        data = NULL;
    }
    /* Whoever reads the log of a crash finds the cause in its last line. */
    printf("[ RUN      ] %s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int replay(const char *path);

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_visible, alphasort);
    int replayed = 0;

    for (int i = 0; i < count; i++) {
        char name[4096];

        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        replayed += replay(name);
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    if (replayed == 0) {
        fprintf(stderr, "%s: there is nothing in it\n", path);
        exit(EXIT_FAILURE);
    }
    return replayed;
}

static int replay(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    return S_ISDIR(info.st_mode) ? replay_folder(path) : replay_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv)
{
    const char *const *places = own_folders;
    int count = OWN_COUNT;
    int replayed = 0;

    if (argc == 2 && strcmp(argv[1], "--folders") == 0) {
        for (int i = 0; i < OWN_COUNT; i++) {
            puts(own_folders[i]);
        }
        return EXIT_SUCCESS;
    }
    if (argc > 1) {
        places = (const char *const *)argv + 1;
        count = argc - 1;
    }
    for (int i = 0; i < count; i++) {
        replayed += replay(places[i]);
    }
    printf("[==========] %d input(s) run.\n[  PASSED  ] %d input(s).\n", replayed, replayed);
    return EXIT_SUCCESS;
}
