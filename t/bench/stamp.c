/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that the systems under scripts/bench run: it says when its first instruction ran.
 *
 *   stamp FILE ID [MILLISECONDS]   appends "NANOSECONDS ID\n" (CLOCK_MONOTONIC), then ends, or
 * sleeps first for so long
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec t;
    char line[128];
    int fd, len;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (argc < 3) {
        return 2;
    }
    len = snprintf(line, sizeof(line), "%lld %s\n", (long long)t.tv_sec * 1000000000 + t.tv_nsec,
                   argv[2]);
    fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || len >= (int)sizeof(line) || write(fd, line, (size_t)len) != len) {
        return 1;
    }
    if (argc > 3) {
        usleep((useconds_t)atoi(argv[3]) * 1000);
    }
    return 0;
}
