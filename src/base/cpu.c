// What this machine has. Compiled with baseline flags only, so that asking is always safe.
#define _GNU_SOURCE
#include "base/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const isa_names[] = {"ref", "baseline", "avx2", "avx512"};

const char *cj__isa_name(cj__isa isa)
{
    return isa_names[isa];
}

static cj__isa detected(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init(); // asks the OS too (XGETBV): a register set that is not saved does not count
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma"))
        return CJ__ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CJ__ISA_AVX2;
#endif
    return CJ__ISA_BASELINE;
}

cj__isa cj__cpu_isa(void)
{
    cj__isa best = detected();
    const char *wanted = getenv("CAJAL_ISA");
    for (int isa = CJ__ISA_REF; wanted != NULL && isa < (int)best; isa++) {
        if (strcmp(wanted, isa_names[isa]) == 0)
            return (cj__isa)isa;
    }
    return best;
}

// The CPUs' worth of time that a control group grants, rounded up; 0 for no limit. Version 2 writes "quota period" or
// "max period" in one file, version 1 has a file for each and -1 for no limit.
static int cgroup_cpus(void)
{
    double quota = -1, period = 0;
    char word[32];
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file != NULL) {
        if (fscanf(file, "%31s %lf", word, &period) == 2 && strcmp(word, "max") != 0)
            quota = strtod(word, NULL);
        fclose(file);
    } else if ((file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r")) != NULL) {
        if (fscanf(file, "%lf", &quota) != 1)
            quota = -1;
        fclose(file);
        file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
        if (file != NULL) {
            if (fscanf(file, "%lf", &period) != 1)
                period = 0;
            fclose(file);
        }
    }
    if (quota <= 0 || period <= 0 || quota / period > 1e6)
        return 0;
    int cpus = (int)(quota / period);
    return cpus < quota / period ? cpus + 1 : cpus;
}

int cj__cpu_count(void)
{
    const char *wanted = getenv("CAJAL_NUM_THREADS");
    if (wanted != NULL) {
        char *end = NULL;
        long threads = strtol(wanted, &end, 10);
        if (end != wanted && *end == '\0' && threads >= 1 && threads <= 1024)
            return (int)threads;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int count = online > 0 && online <= 1024 ? (int)online : 1;
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        count = CPU_COUNT(&allowed);
    int granted = cgroup_cpus();
    if (granted > 0 && granted < count)
        count = granted;
#endif
    return count;
}
