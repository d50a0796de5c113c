// What the processor can do, found once at run time, lowered by CAJAL_ISA (ref, baseline, avx2,
// avx512, amx).
#ifndef CJ_BASE_CPU_H
#define CJ_BASE_CPU_H

#include <stdbool.h>

typedef enum cj__isa {
    CJ__ISA_REF,
    CJ__ISA_BASELINE,
    CJ__ISA_AVX2,
    CJ__ISA_AVX512,
    CJ__ISA_AMX
} cj__isa;

cj__isa cj__cpu_isa(void); // the best that this CPU, OS and CAJAL_ISA (at the first call) allow
const char *cj__isa_name(cj__isa isa);
// `wanted` if it is a name below `best`, else `best`
cj__isa cj__isa_lowered(cj__isa best, const char *wanted);
// whether cj__cpu_isa() has AVX-512 and this CPU has its byte products too
bool cj__cpu_has_vnni(void);
bool cj__cpu_has_bf16(void); // likewise its products of bfloat16 pairs
// Whether that product, twice the work of a multiply-add, is as quick: on AMD's processors (Zen 4)
// it is; on Intel's with two multiply-adds a cycle it takes two cycles.
bool cj__cpu_bf16_is_quick(void);
int cj__cpu_count(void);   // CAJAL_NUM_THREADS, else cj__cpu_allowed()
int cj__cpu_allowed(void); // the CPUs that affinity and cgroup quota leave; at least 1

// The CPUs' worth of time that control groups grant, rounded up; 0 for no limit. `membership` is
// /proc/self/cgroup and `root` is /sys/fs/cgroup, or what a test puts in their place.
int cj__cgroup_cpus(const char *membership, const char *root);

#endif
