/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that the systems under scripts/bench run: it says when its first instruction ran.
 *
 *   stamp FILE ID   appends "NANOSECONDS ID\n" (CLOCK_MONOTONIC), then ends
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    const char *query = getenv("QUERY_STRING");
    const char *pid = getenv("DBSYNC_WF_PID");
    const char *file = query ? query : argc > 1 ? argv[1] : "";
    const char *id = argc > 2 ? argv[2] : "cgi";
    struct timespec t;
    char line[128];
    int fd, len;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (strcmp(id, "-") == 0 && pid) {
        id = pid;
    }
    len =
        snprintf(line, sizeof(line), "%lld %s\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec, id);
    fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || len >= (int)sizeof(line) || write(fd, line, (size_t)len) != len) {
        return 1;
    }
    if (query) {
        while (fgetc(stdin) != EOF) { /* or httpd finds nobody who takes the body */
        }
        puts("Status: 202\nContent-Type: text/plain\nContent-Length: 0\n");
    }
    return 0;
}
