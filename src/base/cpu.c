// What this machine has. Compiled with baseline flags only, so that asking is always safe.
#if defined(__linux__)
#define _GNU_SOURCE // sched_getaffinity
#else
#define _DEFAULT_SOURCE
#endif
#include "base/cpu.h"

#include <cajal/base.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef CAJAL_HAS_AMX
#include <cpuid.h>
#include <sys/syscall.h>
#endif

enum { CPUS_MAX = 1024, PATH_LENGTH_MAX = 1024 };

static const char *const isa_names[] = {[CJ__ISA_REF] = "ref",
                                        [CJ__ISA_BASELINE] = "baseline",
                                        [CJ__ISA_AVX2] = "avx2",
                                        [CJ__ISA_AVX512] = "avx512",
                                        [CJ__ISA_AMX] = "amx"};

const char *cj__isa_name(cj__isa isa)
{
    return isa_names[isa];
}

cj__isa cj__isa_lowered(cj__isa best, const char *wanted)
{
    for (cj__isa isa = CJ__ISA_REF; wanted && isa < best; isa++)
        if (strcmp(wanted, isa_names[isa]) == 0)
            return isa;
    return best;
}

#ifdef CAJAL_HAS_AMX
// AMX with products of bfloat16: the processor has it, the system saves its tiles, and this process
// may use them. Threads and forks inherit the permission.
static bool may_use_amx(void)
{
    enum {
        LEAF = 7,
        AMX_BF16 = 1 << 22,
        AMX_TILE = 1 << 24,
        XSAVE_IN_USE = 1 << 27,
        TILE_STATE = 3 << 17
    };
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & XSAVE_IN_USE))
        return false;
    if (!__get_cpuid_count(LEAF, 0, &a, &b, &c, &d) || !(d & AMX_BF16) || !(d & AMX_TILE))
        return false;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & TILE_STATE) == TILE_STATE &&
           syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#endif

static cj__isa detected(const char *wanted)
{
#if defined(__x86_64__)
    // asks the OS too (XGETBV): a register set that is not saved does not count
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("fma")) {
#ifdef CAJAL_HAS_AMX
        // Permission is asked for only where it would be used.
        if (cj__isa_lowered(CJ__ISA_AMX, wanted) == CJ__ISA_AMX &&
            __builtin_cpu_supports("avx512bf16") && may_use_amx())
            return CJ__ISA_AMX;
#endif
        return CJ__ISA_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return CJ__ISA_AVX2;
#endif
    (void)wanted;
    return CJ__ISA_BASELINE;
}

cj__isa cj__cpu_isa(void)
{
    static atomic_int known = -1; // every thread would find the same, so a race is harmless
    int isa = atomic_load_explicit(&known, memory_order_relaxed);
    if (isa < 0) {
        const char *wanted = getenv("CAJAL_ISA");
        isa = (int)cj__isa_lowered(detected(wanted), wanted);
        atomic_store_explicit(&known, isa, memory_order_relaxed);
    }
    return (cj__isa)isa;
}

bool cj__cpu_has_vnni(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return cj__cpu_isa() >= CJ__ISA_AVX512 && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

bool cj__cpu_has_bf16(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return cj__cpu_isa() >= CJ__ISA_AVX512 && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

bool cj__cpu_bf16_is_quick(void)
{
#if defined(__x86_64__)
    return cj__cpu_has_bf16() && __builtin_cpu_is("amd");
#else
    return false;
#endif
}

const char *cj_isa(void)
{
    return cj__isa_name(cj__cpu_isa());
}

// Reads up to two words of a small file. Returns how many there were.
static int read_words(const char *folder, const char *name, char first[32], char second[32])
{
    char path[PATH_LENGTH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    const int words = fscanf(file, "%31s %31s", first, second);
    fclose(file);
    return words < 0 ? 0 : words;
}

// The limit that one group's folder states; 0 for none. Version 2 has "quota period" or "max
// period" in one file, version 1 a file for each, with -1 for no limit.
static int limit_of(const char *folder)
{
    char quota[32], period[32], unused[32];
    if (read_words(folder, "cpu.max", quota, period) != 2 &&
        (!read_words(folder, "cpu.cfs_quota_us", quota, unused) ||
         !read_words(folder, "cpu.cfs_period_us", period, unused)))
        return 0;
    // "max" reads as 0
    const long long granted = strtoll(quota, NULL, 10), of = strtoll(period, NULL, 10);
    if (granted <= 0 || of <= 0 || granted / of >= CPUS_MAX)
        return 0;
    return (int)((granted + of - 1) / of);
}

static int smaller_limit(int a, int b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

// A group may not use more than any group above it: walks from the group's folder up to `root`.
// Within a container the path may name folders that only the host sees; those state nothing.
static int limit_upwards(const char *root, const char *path)
{
    char folder[PATH_LENGTH_MAX];
    const size_t root_length = strlen(root);
    if (snprintf(folder, sizeof folder, "%s%s", root, path) >= (int)sizeof folder)
        return limit_of(root);
    int limit = 0;
    for (;;) {
        limit = smaller_limit(limit, limit_of(folder));
        char *slash = strrchr(folder, '/');
        if (!slash || slash < folder + root_length)
            return limit;
        *slash = '\0';
    }
}

int cj__cgroup_cpus(const char *membership, const char *root)
{
    FILE *file = fopen(membership, "r");
    if (!file)
        return 0;
    // Lines are "number:controllers:path"; version 2 is "0::path".
    char line[PATH_LENGTH_MAX], version1[PATH_LENGTH_MAX];
    const bool has_version1 =
        snprintf(version1, sizeof version1, "%s/cpu", root) < (int)sizeof version1;
    int limit = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = '\0';
        if (controllers[1] == '\0')
            limit = smaller_limit(limit, limit_upwards(root, path));
        else if (has_version1 && strstr(controllers, "cpu,") == controllers + 1)
            limit = smaller_limit(limit, limit_upwards(version1, path));
        else if (has_version1 && strcmp(controllers + 1, "cpu") == 0)
            limit = smaller_limit(limit, limit_upwards(version1, path));
    }
    fclose(file);
    return limit;
}

int cj__cpu_allowed(void)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    int count = online < 1 ? 1 : online > CPUS_MAX ? CPUS_MAX : (int)online;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        count = CPU_COUNT(&set);
    const int granted = cj__cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup");
    if (granted > 0 && granted < count)
        count = granted;
#endif
    return count;
}

int cj__cpu_count(void)
{
    const char *wanted = getenv("CAJAL_NUM_THREADS");
    if (wanted && *wanted) {
        char *end;
        const long threads = strtol(wanted, &end, 10);
        if (!*end && threads >= 1 && threads <= CPUS_MAX)
            return (int)threads;
    }
    return cj__cpu_allowed();
}
