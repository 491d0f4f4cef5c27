/* Sets the time of day of one process forward or back: nanoseconds, read anew from the file named by CLOCK_SHIM. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    const char *path = getenv("CLOCK_SHIM");
    FILE *file = clock == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    if (file) {
        long long offset = 0;
        if (fscanf(file, "%lld", &offset) == 1) {
            long long sum = now->tv_sec * 1000000000LL + now->tv_nsec + offset;
            now->tv_sec = sum / 1000000000LL;
            now->tv_nsec = sum % 1000000000LL;
        }
        fclose(file);
    }
    return result;
}
